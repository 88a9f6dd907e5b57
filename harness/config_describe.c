// SPDX-License-Identifier: MIT
/* What a config means in a few words: for tables, where placement_explain() would be too long. */
#include "harness/placement.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

struct phrase {
	char *text;
	size_t used, size;
};

static void say(struct phrase *phrase, bool when, const char *words)
{
	if (!when || phrase->used + 1 >= phrase->size)
		return;
	phrase->used += (size_t)snprintf(phrase->text + phrase->used, phrase->size - phrase->used,
					 "%s%s", phrase->used ? ", " : "", words);
}

static void describe_native(const struct config *config, struct phrase *phrase)
{
	say(phrase, true, config->remote_page_tables ? "page tables remote" : "page tables local");
	say(phrase, config->interfere_page_tables, "their node loaded");
	say(phrase, true, config->remote_data ? "data remote" : "data local");
	say(phrase, config->interfere_data, "its node loaded");
	say(phrase, config->migrate_page_tables, "page tables brought home");
}

static void describe_virtual(const struct config *config, struct phrase *phrase)
{
	say(phrase, true, config->remote_page_tables ? "gPT remote" : "gPT local");
	say(phrase, true, config->remote_ept ? "ePT remote" : "ePT local");
	say(phrase, config->interfere_page_tables, "remote node loaded");
	say(phrase, config->migrate_page_tables, "gPT brought home");
	say(phrase, config->migrate_ept, "ePT brought home");
}

static void describe_wide(const struct config *config, struct phrase *phrase)
{
	say(phrase, config->vm == VM_NUMA_VISIBLE, "VM aware of its nodes");
	say(phrase, config->vm == VM_NUMA_OBLIVIOUS, "VM blind to its nodes");
	say(phrase, true, config->interleave ? "interleaved over all nodes" : "first touch");
	say(phrase, config->autonuma, "AutoNUMA");
	say(phrase, config->replicate_page_tables, "page tables replicated on every node");
	say(phrase, config->discovery == DISCOVERY_PARAVIRT, "topology asked of the host");
	say(phrase, config->discovery == DISCOVERY_PROBED, "topology probed");
}

static void describe_migrating(const struct config *config, struct phrase *phrase)
{
	say(phrase, true,
	    config->vm == VM_THIN ? "one-socket VM moves to a remote node"
				  : "process moves to a remote node of the VM");
	say(phrase, config->interfere_page_tables, "its old node loaded");
	say(phrase, config->migrate_ept, "ePT follows");
	say(phrase, config->replicate_page_tables, "gPT replicated");
	say(phrase, config->replicate_ept, "ePT replicated");
}

const char *config_describe(const struct config *config, char *text, size_t size)
{
	static void (*const describe[])(const struct config *, struct phrase *) = {
		[CONFIG_NATIVE] = describe_native,
		[CONFIG_VIRTUAL] = describe_virtual,
		[CONFIG_WIDE] = describe_wide,
		[CONFIG_MIGRATING_VM] = describe_migrating,
	};
	struct phrase phrase = {.text = text, .size = size};

	describe[config->family](config, &phrase);
	say(&phrase, config->thp, "huge pages");
	say(&phrase, config->fragment, "fragmented memory");
	return text;
}
