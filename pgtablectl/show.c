// SPDX-License-Identifier: MIT
#include "pgtablectl/show.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "common/fs.h"
#include "common/units.h"
#include "pgtablectl/commands.h"

#define PAGE_BYTES 4096

static const char help_text[] =
	"usage: pgtablectl show [--json] PID\n"
	"\n"
	"Where the page tables of a process are. Works for every process, replicated or not.\n"
	"\n"
	"  level 1     the last level, with the entries of 4 KiB pages; 4 or 5 is the root\n"
	"  master      the tables that the kernel works with\n"
	"  replica     copies that only the hardware reads\n"
	"  tables      how many last-level entries this node's CPUs read from another node\n"
	"  data        how many of the pages behind them are on another node\n"
	"\n"
	"  --json      the same and every edge between nodes, for programs\n";

static bool has_level(const struct pgtable_numa *numa, int level)
{
	for (int node = 0; node < PGTABLE_NUMA_NODES_MAX; node++)
		if (numa->masters[level][node] || numa->replicas[level][node])
			return true;
	return false;
}

static void print_level(FILE *out, const struct pgtable_numa *numa, int level)
{
	fprintf(out, "  level %d   ", level);
	for (int node = 0; node < PGTABLE_NUMA_NODES_MAX; node++)
		if (numa->online >> node & 1)
			fprintf(out, " %9" PRIu64 " %9" PRIu64, numa->masters[level][node],
				numa->replicas[level][node]);
	fputc('\n', out);
}

static void print_tables(FILE *out, const struct pgtable_numa *numa)
{
	fputs("\npages      ", out);
	for (int node = 0; node < PGTABLE_NUMA_NODES_MAX; node++)
		if (numa->online >> node & 1)
			fprintf(out, " node %-2d %12s", node, "");
	fputs("\n           ", out);
	for (int node = 0; node < PGTABLE_NUMA_NODES_MAX; node++)
		if (numa->online >> node & 1)
			fprintf(out, " %9s %9s", "master", "replica");
	fputc('\n', out);
	for (int level = PGTABLE_NUMA_LEVELS_MAX; level >= 1; level--)
		if (has_level(numa, level))
			print_level(out, numa, level);
}

static void print_share(FILE *out, double share)
{
	if (share < 0)
		fprintf(out, " %8s", "-");
	else
		fprintf(out, " %7.1f%%", 100 * share);
}

static void print_trees(FILE *out, const struct pgtable_numa *numa)
{
	fputs("\nCPUs of     root on         tables     data   (remote share)\n", out);
	for (int node = 0; node < PGTABLE_NUMA_NODES_MAX; node++) {
		if (!(numa->online >> node & 1))
			continue;
		fprintf(out, "  node %-2d   node %-2d %-7s", node, numa->root_node[node],
			numa->root_is_replica[node] ? "replica" : "master");
		print_share(out, pgtable_numa_remote_tables(numa, node, 1));
		print_share(out, pgtable_numa_remote_data(numa, node));
		fputc('\n', out);
	}
}

void show_text(FILE *out, pid_t pid, const char *command, const struct pgtable_numa *numa)
{
	char nodes[PGTABLE_NUMA_TEXT_MAX], masters[UNITS_TEXT_MAX], replicas[UNITS_TEXT_MAX];

	if (numa->empty) {
		fprintf(out, "%s (%d) has no page tables of its own: a kernel thread\n", command,
			pid);
		return;
	}
	fprintf(out, "%s (%d): ", command, pid);
	if (numa->nodes)
		fprintf(out, "replicated on nodes %s",
			pgtable_numa_format_nodes(numa->nodes, nodes));
	else
		fputs("not replicated", out);
	fprintf(out, "; masters %s, replicas %s",
		units_format_size(pgtable_numa_pages(numa->masters) * PAGE_BYTES, masters),
		units_format_size(pgtable_numa_pages(numa->replicas) * PAGE_BYTES, replicas));
	if (numa->failed)
		fprintf(out, "; %" PRIu64 " copies could not be allocated", numa->failed);
	fputc('\n', out);
	print_tables(out, numa);
	print_trees(out, numa);
}

static json_t *share_json(double share)
{
	return share < 0 ? json_null() : json_real(share);
}

static json_t *nodes_json(uint64_t nodes)
{
	json_t *list = json_array();

	for (int node = 0; node < PGTABLE_NUMA_NODES_MAX; node++)
		if (nodes >> node & 1)
			json_array_append_new(list, json_integer(node));
	return list;
}

static json_t *roots_json(const struct pgtable_numa *numa)
{
	json_t *list = json_array();

	for (int node = 0; node < PGTABLE_NUMA_NODES_MAX; node++)
		if (numa->online >> node & 1)
			json_array_append_new(list,
					      json_pack("{s:i, s:i, s:b}", "node", node, "where",
							numa->root_node[node], "replica",
							numa->root_is_replica[node]));
	return list;
}

static json_t *tables_json(const struct pgtable_numa *numa)
{
	json_t *list = json_array();

	for (int level = 1; level <= PGTABLE_NUMA_LEVELS_MAX; level++)
		for (int node = 0; node < PGTABLE_NUMA_NODES_MAX; node++)
			if (numa->masters[level][node] || numa->replicas[level][node])
				json_array_append_new(
					list,
					json_pack("{s:i, s:i, s:I, s:I}", "level", level, "node",
						  node, "master",
						  (json_int_t)numa->masters[level][node], "replica",
						  (json_int_t)numa->replicas[level][node]));
	return list;
}

static json_t *trees_json(const struct pgtable_numa *numa)
{
	json_t *list = json_array();

	for (int node = 0; node < PGTABLE_NUMA_NODES_MAX; node++)
		if (numa->online >> node & 1)
			json_array_append_new(
				list,
				json_pack("{s:i, s:o, s:o}", "node", node, "remote_tables",
					  share_json(pgtable_numa_remote_tables(numa, node, 1)),
					  "remote_data",
					  share_json(pgtable_numa_remote_data(numa, node))));
	return list;
}

static json_t *edges_json(const struct pgtable_numa *numa)
{
	json_t *list = json_array();

	for (size_t i = 0; i < numa->nr_edges; i++) {
		const struct pgtable_numa_edge *edge = &numa->edges[i];

		json_array_append_new(list,
				      json_pack("{s:i, s:i, s:i, s:i, s:I}", "tree", edge->tree,
						"level", edge->level, "from", edge->from, "to",
						edge->to, "entries", (json_int_t)edge->entries));
	}
	return list;
}

json_t *show_json(pid_t pid, const char *command, const struct pgtable_numa *numa)
{
	/* The name of a program may be any bytes; JSON has text only. */
	json_t *name = json_string(command);

	return json_pack("{s:i, s:o, s:o, s:I, s:o, s:o, s:o, s:o}", "pid", (int)pid, "command",
			 name ? name : json_string("?"), "nodes", nodes_json(numa->nodes), "failed",
			 (json_int_t)numa->failed, "roots", roots_json(numa), "tables",
			 tables_json(numa), "trees", trees_json(numa), "edges", edges_json(numa));
}

static int print(pid_t pid, bool as_json, struct err *err)
{
	char path[64], command[32] = "?";
	struct pgtable_numa numa;
	struct fs fs;
	json_t *json;

	if (fs_open(&fs, "/", err) != 0)
		return -1;
	if (pgtable_numa_read(&numa, &fs, pid, err) != 0) {
		fs_close(&fs);
		return -1;
	}
	snprintf(path, sizeof(path), "/proc/%d/comm", pid);
	fs_read(&fs, path, command, sizeof(command));
	fs_close(&fs);
	if (as_json) {
		json = show_json(pid, command, &numa);
		json_dumpf(json, stdout, JSON_INDENT(2));
		putchar('\n');
		json_decref(json);
	} else {
		show_text(stdout, pid, command, &numa);
	}
	pgtable_numa_free(&numa);
	if (fflush(stdout) != 0 || ferror(stdout))
		return err_set(err, ERR_INTERNAL, "cannot write the output");
	return 0;
}

int show_command(int argc, char **argv)
{
	bool as_json = false, bad = false;
	const char *subject = NULL;
	struct err err = {0};
	pid_t pid;

	for (int i = 1; i < argc && !bad; i++) {
		if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0) {
			fputs(help_text, stdout);
			return 0;
		}
		if (strcmp(argv[i], "--json") == 0)
			as_json = true;
		else if (argv[i][0] == '-' || subject)
			bad = err_set(&err, ERR_USAGE,
				      "show does not take '%s'; see 'pgtablectl show --help'",
				      argv[i]) != 0;
		else
			subject = argv[i];
	}
	if (!bad && !subject)
		bad = err_set(&err, ERR_USAGE,
			      "show takes a process id; see 'pgtablectl show --help'") != 0;
	if (bad || parse_pid(subject, &pid, &err) != 0 || print(pid, as_json, &err) != 0)
		return err_report("pgtablectl", &err);
	return 0;
}
