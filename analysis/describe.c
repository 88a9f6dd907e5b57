// SPDX-License-Identifier: MIT
#include "analysis/describe.h"

#include <math.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

struct words {
	char *text;
	size_t size, used;
};

__attribute__((format(printf, 2, 3))) static void say(struct words *words, const char *format, ...)
{
	va_list args;
	int n;

	va_start(args, format);
	n = vsnprintf(words->text + words->used, words->size - words->used, format, args);
	va_end(args);
	words->used += (size_t)(n > 0 ? n : 0);
	if (words->used >= words->size)
		words->used = words->size - 1;
}

/* A node number or an array of them as a mask. */
static uint64_t nodes_of(const json_t *value)
{
	uint64_t mask = 0;
	size_t i;
	json_t *node;

	if (json_is_integer(value) && json_integer_value(value) >= 0)
		return UINT64_C(1) << (json_integer_value(value) & 63);
	json_array_foreach ((json_t *)value, i, node)
		mask |= nodes_of(node);
	return mask;
}

static bool is_true(const json_t *object, const char *name)
{
	return json_is_true(json_object_get(object, name));
}

static const char *text_of(const json_t *object, const char *name)
{
	const char *text = json_string_value(json_object_get(object, name));

	return text ? text : "";
}

static bool migrates(const json_t *plan)
{
	const char *how = text_of(json_object_get(plan, "migration"), "how");

	return *how && strcmp(how, "none") != 0;
}

static bool is_remote(const json_t *plan, const char *part, const char *member)
{
	const uint64_t cpus = nodes_of(json_object_get(plan, "cpu_nodes"));
	const uint64_t nodes = nodes_of(json_object_get(json_object_get(plan, part), member));

	return nodes != 0 && (nodes & cpus) == 0;
}

static void say_thin(struct words *words, const json_t *plan)
{
	const bool nested = json_is_object(json_object_get(plan, "extended_page_tables"));
	const struct {
		bool remote;
		const char *name;
	} parts[] = {
		{is_remote(plan, "page_tables", "node"),
		 nested ? "guest page tables" : "page tables"},
		{is_remote(plan, "extended_page_tables", "node"), "extended page tables"},
		{is_remote(plan, "data", "nodes"), "data"},
	};
	int said = 0;

	for (int i = 0; i < 3; i++) {
		if (!parts[i].remote)
			continue;
		say(words, "%s%s", said++ ? " and " : "remote ", parts[i].name);
	}
	if (!said)
		say(words, "local page tables and data");
}

static void say_wide(struct words *words, const json_t *plan)
{
	const char *policy = text_of(json_object_get(plan, "data"), "policy");

	say(words, "%s over all nodes",
	    strcmp(policy, "interleave") == 0 ? "interleaving" : "first touch");
}

void describe_placement(const struct record *record, char *text, size_t size)
{
	const json_t *plan = json_object_get(record->json, "placement_plan");
	const bool bound = strcmp(text_of(json_object_get(plan, "data"), "policy"), "bind") == 0;
	struct words words = {.text = text, .size = size};

	text[0] = '\0';
	if (!json_is_object(plan))
		return;
	if (bound)
		say_thin(&words, plan);
	else
		say_wide(&words, plan);
	if (json_is_object(json_object_get(plan, "interference")) &&
	    nodes_of(json_object_get(json_object_get(plan, "interference"), "nodes")))
		say(&words, " under interference");
	if (is_true(plan, "autonuma"))
		say(&words, ", AutoNUMA on");
	if (is_true(plan, "thp"))
		say(&words, ", 2 MiB pages");
	if (is_true(plan, "fragment"))
		say(&words, ", fragmented memory");
	if (is_true(json_object_get(plan, "page_tables"), "replicated"))
		say(&words, ", page tables replicated");
	if (migrates(plan))
		say(&words, ", page tables migrated to the threads' node");
}

const char *describe_machine(const struct record *record)
{
	return *record->machine_name ? record->machine_name : record->machine_kind;
}

int describe_cpu_node(const struct record *record)
{
	const json_t *plan = json_object_get(record->json, "placement_plan");
	const uint64_t cpus = nodes_of(json_object_get(plan, "cpu_nodes"));

	return cpus ? __builtin_ctzll(cpus) : -1;
}

const char *describe_time(double ns, char text[DESCRIBE_TIME_MAX])
{
	static const struct {
		double ns;
		const char *name;
	} units[] = {{1e9, "s"}, {1e6, "ms"}, {1e3, "\xc2\xb5s"}, {1, "ns"}};
	size_t unit = 0;

	if (isnan(ns)) {
		snprintf(text, DESCRIBE_TIME_MAX, "\xe2\x80\x93");
		return text;
	}
	while (unit + 1 < sizeof(units) / sizeof(units[0]) && ns < units[unit].ns)
		unit++;
	ns /= units[unit].ns;
	snprintf(text, DESCRIBE_TIME_MAX, "%.*f %s",
		 ns < 10    ? 3
		 : ns < 100 ? 2
			    : 1,
		 ns, units[unit].name);
	return text;
}
