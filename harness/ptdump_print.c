// SPDX-License-Identifier: MIT
#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "common/units.h"
#include "harness/ptdump_output.h"

static const char *const level_titles[PTDUMP_LEVELS_MAX] = {"PT", "PD", "PDPT", "PML4", "PML5"};
static const char *const size_titles[PTDUMP_SIZES] = {"4 KiB", "2 MiB", "1 GiB"};

/* One row of the table: a number for every node. */
struct row {
	char title[32];
	uint64_t now[PTDUMP_NODES_MAX];
	uint64_t before[PTDUMP_NODES_MAX];
};

static void print_cell(FILE *out, uint64_t now, uint64_t before, bool change)
{
	char text[64];

	if (change && now != before)
		snprintf(text, sizeof(text), "%" PRIu64 " (%+" PRId64 ")", now,
			 (int64_t)(now - before));
	else
		snprintf(text, sizeof(text), "%" PRIu64, now);
	fprintf(out, " %*s", change ? 20 : 12, text);
}

static void print_row(FILE *out, const struct row *row, int nr_nodes, bool change)
{
	uint64_t now = 0, before = 0;

	fprintf(out, "  %-18s", row->title);
	for (int node = 0; node < nr_nodes; node++) {
		print_cell(out, row->now[node], row->before[node], change);
		now += row->now[node];
		before += row->before[node];
	}
	print_cell(out, now, before, change);
	fputc('\n', out);
}

static void print_head(FILE *out, const char *title, int nr_nodes, bool change)
{
	fprintf(out, "%-20s", title);
	for (int node = 0; node < nr_nodes; node++) {
		char text[32];

		snprintf(text, sizeof(text), "node %d", node);
		fprintf(out, " %*s", change ? 20 : 12, text);
	}
	fprintf(out, " %*s\n", change ? 20 : 12, "all");
}

static void add_bytes(struct row *bytes, const struct row *row, uint64_t size)
{
	for (int node = 0; node < PTDUMP_NODES_MAX; node++) {
		bytes->now[node] += row->now[node] * size;
		bytes->before[node] += row->before[node] * size;
	}
}

static void print_tables(FILE *out, const struct ptdump_result *result,
			 const struct ptdump_result *before)
{
	struct row bytes = {.title = "bytes"};

	print_head(out, "table pages", result->nr_nodes, before);
	for (int level = result->levels - 1; level >= 0; level--) {
		struct row row = {.title = ""};

		snprintf(row.title, sizeof(row.title), "%s%s", level_titles[level],
			 level == result->levels - 1 ? " (root)"
			 : level == 0                ? " (leaf)"
						     : "");
		memcpy(row.now, result->table_pages[level], sizeof(row.now));
		if (before)
			memcpy(row.before, before->table_pages[level], sizeof(row.before));
		add_bytes(&bytes, &row, ptdump_size_bytes[0]);
		print_row(out, &row, result->nr_nodes, before);
	}
	print_row(out, &bytes, result->nr_nodes, before);
}

static uint64_t leaves_on(const struct ptdump_result *result, int size, int table, int data)
{
	uint64_t sum = 0;

	for (int node = 0; node < PTDUMP_NODES_MAX; node++)
		sum += table < 0 ? result->leaves[size][node][data]
				 : result->leaves[size][table][node];
	return sum;
}

/* by_table: leaf entries by the node of the table that holds them; else by that of the page. */
static void print_leaves(FILE *out, const struct ptdump_result *result,
			 const struct ptdump_result *before, bool by_table)
{
	struct row bytes = {.title = "bytes mapped"};

	print_head(out, by_table ? "entries in tables of" : "pages mapped on", result->nr_nodes,
		   before);
	for (int size = 0; size < PTDUMP_SIZES; size++) {
		struct row row = {.title = ""};

		snprintf(row.title, sizeof(row.title), "%s", size_titles[size]);
		for (int node = 0; node < result->nr_nodes; node++) {
			const int table = by_table ? node : -1;

			row.now[node] = leaves_on(result, size, table, node);
			row.before[node] = before ? leaves_on(before, size, table, node) : 0;
		}
		add_bytes(&bytes, &row, ptdump_size_bytes[size]);
		print_row(out, &row, result->nr_nodes, before);
	}
	if (!by_table)
		print_row(out, &bytes, result->nr_nodes, before);
}

static void print_share(FILE *out, const char *what, double local)
{
	if (isnan(local))
		fprintf(out, "%s none", what);
	else
		fprintf(out, "%s %.2f%% local, %.2f%% remote", what, 100 * local,
			100 * (1 - local));
}

static void print_others(FILE *out, const struct ptdump_result *result,
			 const struct ptdump_result *before)
{
	const struct {
		const char *title;
		uint64_t now, before;
	} others[] = {
		{"not present (swapped out, migrating)", result->not_present,
		 before ? before->not_present : 0},
		{"PROT_NONE (NUMA hints), in the above", result->prot_none,
		 before ? before->prot_none : 0},
		{"on no node (devices)", result->unresolved, before ? before->unresolved : 0},
	};

	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
		if (others[i].now == 0 && others[i].before == 0)
			continue;
		fprintf(out, "  %-40s", others[i].title);
		print_cell(out, others[i].now, others[i].before, before);
		fputc('\n', out);
	}
}

static void print_title(FILE *out, const struct ptdump_result *result)
{
	char bytes[UNITS_TEXT_MAX], duration[UNITS_TEXT_MAX], rate[UNITS_TEXT_MAX];
	const double seconds = (double)result->duration_ns / 1e9;

	if (result->pid > 0)
		fprintf(out, "process %d: ", (int)result->pid);
	fprintf(out, "%d-level page tables, %s; %" PRIu64 " entries read in %s", result->levels,
		units_format_size(ptdump_table_bytes(result), bytes), result->entries_read,
		units_format_duration(result->duration_ns, duration));
	if (seconds > 0)
		fprintf(out, " (%s/s)",
			units_format_count((double)result->entries_read / seconds, rate));
	fprintf(out, " by %s\n", result->reader ? result->reader : "?");
	if (result->torn)
		fputs("  torn: the process changed its page tables while they were read\n", out);
}

void ptdump_print_change(FILE *out, const struct ptdump_result *result,
			 const struct ptdump_result *before)
{
	print_title(out, result);
	print_tables(out, result, before);
	print_leaves(out, result, before, true);
	print_leaves(out, result, before, false);
	print_others(out, result, before);
	for (int node = 0; node < result->nr_nodes; node++) {
		fprintf(out, "as seen from node %d: ", node);
		print_share(out, "leaf entries", ptdump_local_leaf_fraction(result, node));
		print_share(out, "; data", ptdump_local_data_fraction(result, node));
		fputc('\n', out);
	}
}

void ptdump_print(FILE *out, const struct ptdump_result *result)
{
	ptdump_print_change(out, result, NULL);
}

/* One number a line, so that the columns are the same on every machine. */
void ptdump_print_csv(FILE *out, const struct ptdump_result *result, bool header, uint64_t time_ns)
{
	char start[64];

	snprintf(start, sizeof(start), "%" PRIu64 ",%d", time_ns, (int)result->pid);
	if (header)
		fputs("time_ns,pid,metric,level,page_size_bytes,table_node,data_node,value\n", out);
	for (int level = result->levels - 1; level >= 0; level--) {
		for (int node = 0; node < result->nr_nodes; node++)
			fprintf(out, "%s,table_pages,%s,,%d,,%" PRIu64 "\n", start,
				ptdump_level_names[level], node, result->table_pages[level][node]);
	}
	for (int size = 0; size < PTDUMP_SIZES; size++) {
		for (int table = 0; table < result->nr_nodes; table++) {
			for (int data = 0; data < result->nr_nodes; data++)
				fprintf(out, "%s,leaves,,%" PRIu64 ",%d,%d,%" PRIu64 "\n", start,
					ptdump_size_bytes[size], table, data,
					result->leaves[size][table][data]);
		}
	}
	fprintf(out, "%s,not_present,,,,,%" PRIu64 "\n", start, result->not_present);
	fprintf(out, "%s,prot_none,,,,,%" PRIu64 "\n", start, result->prot_none);
	fprintf(out, "%s,unresolved,,,,,%" PRIu64 "\n", start, result->unresolved);
	fprintf(out, "%s,entries_read,,,,,%" PRIu64 "\n", start, result->entries_read);
	fprintf(out, "%s,duration_ns,,,,,%" PRIu64 "\n", start, result->duration_ns);
	fprintf(out, "%s,torn,,,,,%d\n", start, result->torn);
}
