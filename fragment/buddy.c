// SPDX-License-Identifier: MIT
#include "fragment/buddy.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define HUGE_PATH "/sys/kernel/mm/transparent_hugepage/hpage_pmd_size"

int buddy_page_sizes(const struct fs *fs, struct buddy *buddy, struct err *err)
{
	buddy->page_bytes = (uint64_t)sysconf(_SC_PAGESIZE);
	if (fs_read_u64(fs, HUGE_PATH, &buddy->huge_bytes) != 0)
		return err_set_errno(err, ERR_MACHINE, errno,
				     "this kernel has no transparent huge pages: cannot read %s",
				     HUGE_PATH);
	if (buddy->huge_bytes <= buddy->page_bytes || buddy->huge_bytes % buddy->page_bytes != 0)
		return err_set(err, ERR_MACHINE, "%s: a huge page of %llu bytes cannot be",
			       HUGE_PATH, (unsigned long long)buddy->huge_bytes);
	return 0;
}

/* Adds up the counts of free blocks, order 0 first; -1 when there is none. */
static int add_counts(const struct buddy *buddy, const char *text, uint64_t *all, uint64_t *large)
{
	uint64_t block_bytes = buddy->page_bytes;
	int orders = 0;

	for (;; orders++, block_bytes *= 2) {
		char *end;
		uint64_t bytes;

		text += strspn(text, " \t>"); /* pagetypeinfo gives up counting: ">100000" */
		bytes = strtoull(text, &end, 10) * block_bytes;
		if (end == text)
			return orders > 0 ? 0 : -1;
		*all += bytes;
		*large += block_bytes >= buddy->huge_bytes ? bytes : 0;
		text = end;
	}
}

/* "Node 0, zone   Normal   1   2 ..." */
static int read_line(struct buddy *buddy, const char *line)
{
	int number, used = 0;
	char zone[32];
	uint64_t all = 0, large = 0;

	if (sscanf(line, "Node %d, zone %31s%n", &number, zone, &used) != 2 || used == 0 ||
	    number < 0 || add_counts(buddy, line + used, &all, &large) != 0)
		return -1;
	if (number >= BUDDY_NODES_MAX || strcmp(zone, "DMA") == 0)
		return 0;
	buddy->nodes[number].present = true;
	buddy->nodes[number].free_bytes += all;
	buddy->nodes[number].large_bytes += large;
	return 0;
}

int buddy_read(const struct fs *fs, struct buddy *buddy, struct err *err)
{
	char *text = fs_read_all(fs, "/proc/buddyinfo", NULL), *rest = text;
	int failed = 0;

	if (!text)
		return err_set_errno(err, ERR_MACHINE, errno, "cannot read /proc/buddyinfo");
	memset(buddy->nodes, 0, sizeof(buddy->nodes));
	for (char *line; !failed && (line = strsep(&rest, "\n"));) {
		if (*line && read_line(buddy, line) != 0)
			failed = err_set(err, ERR_MACHINE,
					 "/proc/buddyinfo: cannot make sense of '%.80s'", line);
	}
	free(text);
	return failed;
}

double buddy_share(const struct buddy_node *node)
{
	return node->free_bytes > 0 ? (double)node->large_bytes / (double)node->free_bytes : 0;
}

/* "Node    0, zone   Normal, type      Movable    1   2 ..." */
static void add_type(const struct buddy *buddy, int node, const char *line, json_t *types)
{
	char zone[32], type[32];
	int number, used = 0;
	uint64_t all = 0, large = 0;

	if (sscanf(line, "Node %d, zone %31[^,], type %31s%n", &number, zone, type, &used) != 3 ||
	    used == 0 || number != node || strcmp(zone, "DMA") == 0 ||
	    add_counts(buddy, line + used, &all, &large) != 0)
		return;
	large += (uint64_t)json_integer_value(json_object_get(types, type));
	json_object_set_new(types, type, json_integer((json_int_t)large));
}

json_t *buddy_types(const struct fs *fs, const struct buddy *buddy, int node)
{
	char *text = fs_read_all(fs, "/proc/pagetypeinfo", NULL), *rest = text;
	json_t *types;

	if (!text)
		return NULL;
	types = json_object();
	for (char *line; (line = strsep(&rest, "\n"));)
		add_type(buddy, node, line, types);
	free(text);
	return types;
}
