// SPDX-License-Identifier: MIT
#include "harness/verify_placement.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static const char *const moment_names[VERIFY_MOMENTS] = {
	[VERIFY_BUILT] = "before the migration",
	[VERIFY_READY] = "at ready",
	[VERIFY_DONE] = "at the end",
};

static const uint64_t page_bytes[PTDUMP_SIZES] = {UINT64_C(1) << 12, UINT64_C(1) << 21,
						  UINT64_C(1) << 30};

/* What is known to be off, over all dumps: the worst. */
struct verdict {
	double data_off, tables_off; /* NAN: not checked */
	char detail[512];
	bool off;
};

static bool in_mask(uint64_t mask, int node)
{
	return (mask >> node & 1) != 0;
}

/* Bytes mapped by leaf entries whose data page, or whose table (by_table), is on each node. */
static uint64_t mapped_bytes(const struct ptdump_result *dump, bool by_table,
			     uint64_t bytes[PTDUMP_NODES_MAX])
{
	uint64_t total = 0;

	memset(bytes, 0, PTDUMP_NODES_MAX * sizeof(bytes[0]));
	for (int size = 0; size < PTDUMP_SIZES; size++) {
		for (int table = 0; table < dump->nr_nodes; table++) {
			for (int data = 0; data < dump->nr_nodes; data++) {
				const uint64_t n =
					dump->leaves[size][table][data] * page_bytes[size];

				bytes[by_table ? table : data] += n;
				total += n;
			}
		}
	}
	return total;
}

static uint64_t sum_on(const uint64_t values[PTDUMP_NODES_MAX], uint64_t nodes)
{
	uint64_t sum = 0;

	for (int node = 0; node < PTDUMP_NODES_MAX; node++)
		sum += in_mask(nodes, node) ? values[node] : 0;
	return sum;
}

/* Of what the arena holds, the fraction that is not on the nodes. */
static double off_fraction(uint64_t on, uint64_t total, uint64_t arena)
{
	const uint64_t expected = arena > 0 && arena < total ? arena : total;

	if (expected == 0)
		return 0;
	return on >= expected ? 0 : 1 - (double)on / (double)expected;
}

/* How far the nodes' shares are from equal ones: the bytes that would have to move, as a fraction.
 */
static double interleave_off(const uint64_t bytes[PTDUMP_NODES_MAX], uint64_t nodes, uint64_t total)
{
	const double share = 1.0 / __builtin_popcountll(nodes);
	double off = 0;

	for (int node = 0; total > 0 && node < PTDUMP_NODES_MAX; node++) {
		const double missing = share - (double)bytes[node] / (double)total;

		off += in_mask(nodes, node) && missing > 0 ? missing : 0;
	}
	return off;
}

static double data_off(const struct verify_input *input, const struct ptdump_result *dump)
{
	const struct placement *placement = input->placement;
	uint64_t bytes[PTDUMP_NODES_MAX];
	const uint64_t total = mapped_bytes(dump, false, bytes);

	if (placement->data_policy == PLACE_INTERLEAVE)
		return interleave_off(bytes, placement->data_nodes, total);
	if (placement->data_policy == PLACE_BIND)
		return off_fraction(sum_on(bytes, placement->data_nodes), total,
				    input->arena_bytes);
	return NAN;
}

static double table_pages_off(const struct ptdump_result *dump, int node)
{
	const uint64_t all = ptdump_table_pages(dump, -1);

	return all ? 1 - (double)ptdump_table_pages(dump, node) / (double)all : 0;
}

static double tables_off(const struct verify_input *input, const struct ptdump_result *dump,
			 enum verify_moment moment)
{
	const struct placement *placement = input->placement;
	uint64_t bytes[PTDUMP_NODES_MAX];
	uint64_t total;

	if (!placement->page_table_bound)
		return NAN;
	if (placement->migration == MIGRATION_NONE || moment == VERIFY_BUILT)
		return table_pages_off(dump, placement->page_table_node);
	total = mapped_bytes(dump, true, bytes);
	return off_fraction(bytes[placement->migration_node], total, input->arena_bytes);
}

static void worsen(double *worst, double value)
{
	if (!isnan(value) && (isnan(*worst) || value > *worst))
		*worst = value;
}

static void complain(struct verdict *verdict, double value, const char *what,
		     enum verify_moment moment)
{
	const size_t used = strlen(verdict->detail);

	if (isnan(value) || value <= VERIFY_TOLERANCE)
		return;
	verdict->off = true;
	snprintf(verdict->detail + used, sizeof(verdict->detail) - used, "%s%.1f%% of %s %s",
		 used ? "; " : "", 100 * value, what, moment_names[moment]);
}

static void check_dump(const struct verify_input *input, enum verify_moment moment,
		       struct verdict *verdict)
{
	const struct ptdump_result *dump = input->dumps[moment];
	double data, tables;

	if (!dump)
		return;
	data = data_off(input, dump);
	tables = tables_off(input, dump, moment);
	worsen(&verdict->data_off, data);
	worsen(&verdict->tables_off, tables);
	complain(verdict, data, "the data pages are off", moment);
	complain(verdict, tables, "the page tables are off", moment);
}

static json_t *fraction(double value)
{
	return isnan(value) ? json_null() : json_real(value);
}

static json_t *to_json(const char *status, const struct verdict *verdict)
{
	return json_pack("{s:s, s:s, s:o, s:o, s:f}", "status", status, "detail", verdict->detail,
			 "data_off_fraction", fraction(verdict->data_off),
			 "page_tables_off_fraction", fraction(verdict->tables_off), "tolerance",
			 VERIFY_TOLERANCE);
}

/* The details of a placement in which nothing is off, or where nothing can be. */
static const char *describe_ok(const struct placement *placement)
{
	if (placement->data_policy == PLACE_FIRST_TOUCH && !placement->page_table_bound)
		return "first touch: any placement is right, nothing to check";
	if (!placement->page_table_bound)
		return "data as wanted; page tables follow their policy and are not checked";
	if (placement->data_policy == PLACE_FIRST_TOUCH)
		return "page tables as wanted; data follow first touch and are not checked";
	if (placement->migration != MIGRATION_NONE)
		return "data and the page tables that map them as wanted; the root and the tables of "
		       "code, libraries and stacks are not migrated and stay where they were";
	return "data and page tables as wanted";
}

json_t *verify_placement(const struct verify_input *input, struct err *err)
{
	struct verdict verdict = {.data_off = NAN, .tables_off = NAN};

	if (!input->dumps[VERIFY_READY] && !input->dumps[VERIFY_DONE]) {
		snprintf(verdict.detail, sizeof(verdict.detail), "%s",
			 input->reason ? input->reason : "no dump of the page tables was taken");
		return to_json("unverified", &verdict);
	}
	for (int moment = 0; moment < VERIFY_MOMENTS; moment++)
		check_dump(input, (enum verify_moment)moment, &verdict);
	if (input->fragmentation_off && *input->fragmentation_off) {
		const size_t used = strlen(verdict.detail);

		verdict.off = true;
		snprintf(verdict.detail + used, sizeof(verdict.detail) - used, "%s%s",
			 used ? "; " : "", input->fragmentation_off);
	}
	if (!verdict.off) {
		snprintf(verdict.detail, sizeof(verdict.detail), "%s",
			 describe_ok(input->placement));
		return to_json("ok", &verdict);
	}
	err_set(err, ERR_RUN, "%s: the placement is off by more than %.0f%%: %s",
		input->placement->config.name, 100 * VERIFY_TOLERANCE, verdict.detail);
	return to_json("off", &verdict);
}
