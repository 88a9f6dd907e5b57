// SPDX-License-Identifier: MIT
#include "fragment/fragmenter.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <numaif.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "common/units.h"

#define AT_ONCE    64 /* blocks between two looks at the machine */
#define PATIENCE   8  /* how often in a row the kernel may give no huge page */
#define THP_SWITCH "/sys/kernel/mm/transparent_hugepage/enabled"

static const char *const stop_names[] = {
	[FRAGMENT_GOAL] = "goal",
	[FRAGMENT_LIMIT] = "limit",
	[FRAGMENT_NO_BLOCKS] = "no more blocks",
	[FRAGMENT_RESERVE] = "reserve",
};

const char *fragment_stop_name(enum fragment_stop stop)
{
	return stop_names[stop];
}

static uint64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

/* --- before -------------------------------------------------------------------------------- */

static int available_bytes(const struct fragmenter *fragmenter, uint64_t *bytes, struct err *err)
{
	char *text = fs_read_all(&fragmenter->fs, "/proc/meminfo", NULL);
	const char *line = text ? strstr(text, "MemAvailable:") : NULL;
	const int found = line ? sscanf(line, "MemAvailable: %" SCNu64, bytes) : 0;

	free(text);
	*bytes *= 1024;
	return found == 1 ? 0 : err_set(err, ERR_MACHINE, "/proc/meminfo has no MemAvailable");
}

/* Blocks to take until the share is the goal; each takes its size from the large ones. */
static uint64_t blocks_to_take(const struct fragmenter *fragmenter, const struct buddy_node *node)
{
	const double too_much =
		(double)node->large_bytes - fragmenter->options.goal * (double)node->free_bytes;
	const uint64_t huge_bytes = fragmenter->buddy.huge_bytes;

	return too_much > 0 ? (uint64_t)ceil(too_much / (double)huge_bytes) : 0;
}

static int check_switch(const struct fragmenter *fragmenter, struct err *err)
{
	char text[128];

	if (fs_read(&fragmenter->fs, THP_SWITCH, text, sizeof(text)) < 0)
		return err_set_errno(err, ERR_MACHINE, errno, "cannot read %s", THP_SWITCH);
	if (!strstr(text, "[never]"))
		return 0;
	return err_set(err, ERR_MACHINE,
		       "huge pages are switched off, and blocks are taken as huge pages: "
		       "echo madvise > %s",
		       THP_SWITCH);
}

/* A block costs the page that stays and a page table. */
static int check_memory(const struct fragmenter *fragmenter, struct err *err)
{
	char needed[UNITS_TEXT_MAX], have[UNITS_TEXT_MAX], reserve[UNITS_TEXT_MAX];
	uint64_t blocks = 1, available, bytes;

	if (available_bytes(fragmenter, &available, err) != 0)
		return -1;
	for (int i = 0; i < fragmenter->nr_nodes; i++)
		blocks += blocks_to_take(fragmenter, &fragmenter->nodes[i].before);
	bytes = blocks * 2 * fragmenter->buddy.page_bytes + fragmenter->buddy.huge_bytes;
	if (available >= bytes + fragmenter->options.reserve_bytes)
		return 0;
	return err_set(err, ERR_MACHINE,
		       "%s would be held, %s is available and %s stays in reserve; free memory, or "
		       "give a smaller --reserve",
		       units_format_size(bytes, needed), units_format_size(available, have),
		       units_format_size(fragmenter->options.reserve_bytes, reserve));
}

static int choose_nodes(struct fragmenter *fragmenter, struct err *err)
{
	const uint64_t wanted = fragmenter->options.nodes;

	for (int node = 0; node < BUDDY_NODES_MAX; node++) {
		const struct buddy_node *free_memory = &fragmenter->buddy.nodes[node];

		if (wanted && !(wanted >> node & 1))
			continue;
		if (!free_memory->present && !wanted)
			continue;
		if (!free_memory->present)
			return err_set(err, ERR_USAGE,
				       "--nodes: node %d has no memory, or is not there", node);
		fragmenter->nodes[fragmenter->nr_nodes++] =
			(struct fragment_node){.node = node, .before = *free_memory};
	}
	return 0;
}

int fragmenter_open(struct fragmenter *fragmenter, struct err *err)
{
	if (buddy_page_sizes(&fragmenter->fs, &fragmenter->buddy, err) != 0 ||
	    check_switch(fragmenter, err) != 0 ||
	    buddy_read(&fragmenter->fs, &fragmenter->buddy, err) != 0 ||
	    choose_nodes(fragmenter, err) != 0)
		return -1;
	for (int i = 0; i < fragmenter->nr_nodes; i++) {
		struct fragment_node *node = &fragmenter->nodes[i];

		hold_open(&node->hold, &fragmenter->buddy, node->node);
		node->after = node->before;
	}
	return check_memory(fragmenter, err);
}

/* --- the work ------------------------------------------------------------------------------ */

static double progress_of(const struct fragmenter *fragmenter, const struct fragment_node *node)
{
	const uint64_t first = blocks_to_take(fragmenter, &node->before);
	const uint64_t left = blocks_to_take(fragmenter, &node->after);
	const double own = first > 0 && left < first ? 1 - (double)left / (double)first : 0;

	return ((double)(node - fragmenter->nodes) + own) / fragmenter->nr_nodes;
}

/* How many blocks may be taken now; 0 with the reason in node->stop. */
static int next_blocks(struct fragmenter *fragmenter, struct fragment_node *node, uint64_t *blocks,
		       struct err *err)
{
	const struct fragment_options *options = &fragmenter->options;
	const uint64_t huge_bytes = fragmenter->buddy.huge_bytes;
	uint64_t available;

	if (buddy_read(&fragmenter->fs, &fragmenter->buddy, err) != 0 ||
	    available_bytes(fragmenter, &available, err) != 0)
		return -1;
	node->after = fragmenter->buddy.nodes[node->node];
	*blocks = blocks_to_take(fragmenter, &node->after);
	node->stop = FRAGMENT_GOAL;
	if (*blocks == 0 && options->exhaust)
		*blocks = PATIENCE;
	if (*blocks > 0 && available < options->reserve_bytes + huge_bytes) {
		node->stop = FRAGMENT_RESERVE;
		*blocks = 0;
	}
	if (*blocks > 0 && options->limit_bytes) {
		const uint64_t limit = options->limit_bytes / huge_bytes;
		const uint64_t left = limit > node->hold.blocks ? limit - node->hold.blocks : 0;

		node->stop = FRAGMENT_LIMIT;
		*blocks = *blocks < left ? *blocks : left;
	}
	*blocks = *blocks < AT_ONCE ? *blocks : AT_ONCE;
	return 0;
}

/* Page tables come from the task's policy, so what is held of a node lies on it entirely. */
static int work_on_node(struct fragmenter *fragmenter, struct fragment_node *node, struct err *err)
{
	const unsigned long mask = 1ul << node->node;
	int refused = 0;

	if (set_mempolicy(MPOL_BIND, &mask, 65) != 0)
		return err_set_errno(err, ERR_MACHINE, errno, "cannot take memory of node %d",
				     node->node);
	for (;;) {
		uint64_t blocks;

		if (next_blocks(fragmenter, node, &blocks, err) != 0 ||
		    fragmenter->tick(fragmenter->context, progress_of(fragmenter, node), err) != 0)
			return -1;
		if (blocks == 0)
			return 0;
		for (; blocks > 0 && refused < PATIENCE; blocks--) {
			const int taken = hold_take(&node->hold, err);

			if (taken < 0)
				return -1;
			refused = taken ? 0 : refused + 1;
		}
		if (refused == PATIENCE) {
			node->stop = blocks_to_take(fragmenter, &node->after) > 0
					     ? FRAGMENT_NO_BLOCKS
					     : FRAGMENT_GOAL;
			return 0;
		}
	}
}

int fragmenter_run(struct fragmenter *fragmenter, struct err *err)
{
	const uint64_t begun_ns = now_ns();
	int failed = 0;

	for (int i = 0; i < fragmenter->nr_nodes && !failed; i++)
		failed = work_on_node(fragmenter, &fragmenter->nodes[i], err);
	set_mempolicy(MPOL_DEFAULT, NULL, 0);
	fragmenter->duration_ns = now_ns() - begun_ns;
	return failed ? -1 : fragmenter_look(fragmenter, err);
}

int fragmenter_look(struct fragmenter *fragmenter, struct err *err)
{
	if (buddy_read(&fragmenter->fs, &fragmenter->buddy, err) != 0)
		return -1;
	for (int i = 0; i < fragmenter->nr_nodes; i++)
		fragmenter->nodes[i].after = fragmenter->buddy.nodes[fragmenter->nodes[i].node];
	return 0;
}

bool fragmenter_reached(const struct fragmenter *fragmenter)
{
	for (int i = 0; i < fragmenter->nr_nodes; i++)
		if (fragmenter->nodes[i].stop != FRAGMENT_GOAL)
			return false;
	return true;
}

/* --- the report ---------------------------------------------------------------------------- */

static json_t *state_to_json(const struct buddy_node *state)
{
	return json_pack("{s:I, s:I, s:f}", "free_bytes", (json_int_t)state->free_bytes,
			 "large_bytes", (json_int_t)state->large_bytes, "large_share",
			 buddy_share(state));
}

static json_t *node_to_json(const struct fragmenter *fragmenter, const struct fragment_node *node)
{
	json_t *object = json_pack("{s:i, s:o, s:o, s:s, s:I, s:I, s:I}", "node", node->node,
				   "before", state_to_json(&node->before), "after",
				   state_to_json(&node->after), "stopped_by",
				   stop_names[node->stop], "blocks", (json_int_t)node->hold.blocks,
				   "pinned_blocks", (json_int_t)node->hold.pinned, "held_bytes",
				   (json_int_t)(node->hold.blocks * fragmenter->buddy.page_bytes));
	json_t *types = buddy_types(&fragmenter->fs, &fragmenter->buddy, node->node);

	json_object_set_new(object, "large_bytes_by_type", types ? types : json_null());
	return object;
}

json_t *fragmenter_to_json(const struct fragmenter *fragmenter)
{
	json_t *nodes = json_array();

	for (int i = 0; i < fragmenter->nr_nodes; i++)
		json_array_append_new(nodes, node_to_json(fragmenter, &fragmenter->nodes[i]));
	return json_pack("{s:f, s:b, s:I, s:I, s:o}", "goal", fragmenter->options.goal, "reached",
			 fragmenter_reached(fragmenter), "block_bytes",
			 (json_int_t)fragmenter->buddy.huge_bytes, "duration_ns",
			 (json_int_t)fragmenter->duration_ns, "nodes", nodes);
}

void fragmenter_close(struct fragmenter *fragmenter)
{
	for (int i = 0; i < fragmenter->nr_nodes; i++)
		hold_close(&fragmenter->nodes[i].hold);
	fragmenter->nr_nodes = 0;
}
