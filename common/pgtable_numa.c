// SPDX-License-Identifier: MIT
#include "common/pgtable_numa.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#define REMEDY    "build and boot the suite's kernel (make kernel-deb, kernel/README.md)"
#define WORDS_MAX 8

/* --- lists of nodes --- */

static int parse_node(const char **text, unsigned *node)
{
	char *end;
	unsigned long value;

	if (!isdigit((unsigned char)**text))
		return -1;
	value = strtoul(*text, &end, 10);
	if (value >= PGTABLE_NUMA_NODES_MAX)
		return -1;
	*node = (unsigned)value;
	*text = end;
	return 0;
}

int pgtable_numa_parse_nodes(const char *text, uint64_t *nodes)
{
	uint64_t mask = 0;

	for (;; text++) {
		unsigned first, last;

		if (parse_node(&text, &first) != 0)
			return -1;
		last = first;
		if (*text == '-') {
			text++;
			if (parse_node(&text, &last) != 0 || last < first)
				return -1;
		}
		for (unsigned node = first; node <= last; node++)
			mask |= UINT64_C(1) << node;
		if (*text == '\0')
			break;
		if (*text != ',')
			return -1;
	}
	*nodes = mask;
	return 0;
}

const char *pgtable_numa_format_nodes(uint64_t nodes, char text[PGTABLE_NUMA_TEXT_MAX])
{
	size_t used = 0;

	text[0] = '\0';
	for (unsigned node = 0; node < PGTABLE_NUMA_NODES_MAX; node++) {
		unsigned last = node;

		if (!(nodes >> node & 1))
			continue;
		while (last + 1 < PGTABLE_NUMA_NODES_MAX && nodes >> (last + 1) & 1)
			last++;
		used += (size_t)snprintf(text + used, PGTABLE_NUMA_TEXT_MAX - used, "%s%u",
					 used ? "," : "", node);
		if (last > node)
			used += (size_t)snprintf(text + used, PGTABLE_NUMA_TEXT_MAX - used, "-%u",
						 last);
		node = last;
	}
	return used ? text : strcpy(text, "-");
}

/* --- the file's text --- */

/* "N3" or "L1": the letter and a number below `limit`. */
static int parse_tagged(const char *word, char letter, int limit, int *value)
{
	char *end;
	unsigned long number;

	if (word[0] != letter || !isdigit((unsigned char)word[1]))
		return -1;
	number = strtoul(word + 1, &end, 10);
	if (*end != '\0' || number >= (unsigned long)limit)
		return -1;
	*value = (int)number;
	return 0;
}

static int parse_number(const char *word, uint64_t *value)
{
	char *end;

	if (!isdigit((unsigned char)word[0]))
		return -1;
	errno = 0;
	*value = strtoull(word, &end, 10);
	return *end == '\0' && errno == 0 ? 0 : -1;
}

static int parse_node_word(const char *word, int *node)
{
	return parse_tagged(word, 'N', PGTABLE_NUMA_NODES_MAX, node);
}

static int parse_level_word(const char *word, int *level)
{
	if (parse_tagged(word, 'L', PGTABLE_NUMA_LEVELS_MAX + 1, level) != 0)
		return -1;
	return *level >= 1 ? 0 : -1;
}

/* "root N1 replica N1" */
static int parse_root(struct pgtable_numa *numa, char *const *words, int nr_words)
{
	int node, where;

	if (nr_words != 4 || parse_node_word(words[1], &node) != 0 ||
	    parse_node_word(words[3], &where) != 0)
		return -1;
	if (strcmp(words[2], "master") != 0 && strcmp(words[2], "replica") != 0)
		return -1;
	numa->online |= UINT64_C(1) << node;
	numa->root_node[node] = where;
	numa->root_is_replica[node] = strcmp(words[2], "replica") == 0;
	return 0;
}

/* "L1 N0 master 12 replica 0" */
static int parse_pages(struct pgtable_numa *numa, char *const *words, int nr_words)
{
	int level, node;

	if (nr_words != 6 || parse_level_word(words[0], &level) != 0 ||
	    parse_node_word(words[1], &node) != 0 || strcmp(words[2], "master") != 0 ||
	    strcmp(words[4], "replica") != 0)
		return -1;
	if (parse_number(words[3], &numa->masters[level][node]) != 0)
		return -1;
	return parse_number(words[5], &numa->replicas[level][node]);
}

/* "edge N0 L1 N0 N1 512" */
static int parse_edge(struct pgtable_numa *numa, char *const *words, int nr_words)
{
	struct pgtable_numa_edge edge, *larger;

	if (nr_words != 6 || parse_node_word(words[1], &edge.tree) != 0 ||
	    parse_level_word(words[2], &edge.level) != 0 ||
	    parse_node_word(words[3], &edge.from) != 0 ||
	    parse_node_word(words[4], &edge.to) != 0 || parse_number(words[5], &edge.entries) != 0)
		return -1;
	if ((numa->nr_edges & (numa->nr_edges + 1)) == 0) {
		larger = realloc(numa->edges, (2 * numa->nr_edges + 2) * sizeof(*larger));
		if (!larger)
			return -1;
		numa->edges = larger;
	}
	numa->edges[numa->nr_edges++] = edge;
	return 0;
}

static int parse_words(struct pgtable_numa *numa, char *const *words, int nr_words)
{
	if (strcmp(words[0], "nodes") == 0) {
		if (nr_words != 2)
			return -1;
		return strcmp(words[1], "-") == 0
			       ? 0
			       : pgtable_numa_parse_nodes(words[1], &numa->nodes);
	}
	if (strcmp(words[0], "failed") == 0)
		return nr_words == 2 ? parse_number(words[1], &numa->failed) : -1;
	if (strcmp(words[0], "root") == 0)
		return parse_root(numa, words, nr_words);
	if (strcmp(words[0], "edge") == 0)
		return parse_edge(numa, words, nr_words);
	if (words[0][0] == 'L' && isdigit((unsigned char)words[0][1]))
		return parse_pages(numa, words, nr_words);
	return 0;
}

static int parse_line(struct pgtable_numa *numa, char *line)
{
	char *words[WORDS_MAX], *place;
	int nr_words = 0;

	for (char *word = strtok_r(line, " \t", &place); word;
	     word = strtok_r(NULL, " \t", &place)) {
		if (nr_words == WORDS_MAX)
			return -1;
		words[nr_words++] = word;
	}
	return nr_words ? parse_words(numa, words, nr_words) : 0;
}

int pgtable_numa_parse(struct pgtable_numa *numa, const char *text, struct err *err)
{
	char *copy = strdup(text), *rest = copy, *line;
	int number = 0, failed = 0;

	*numa = (struct pgtable_numa){.empty = text[strspn(text, " \n")] == '\0'};
	if (!copy)
		return err_set(err, ERR_INTERNAL, "out of memory for a process's page tables");
	while (!failed && (line = strsep(&rest, "\n"))) {
		char shown[64];

		number++;
		snprintf(shown, sizeof(shown), "%s", line);
		if (parse_line(numa, line) != 0)
			failed = err_set(err, ERR_INTERNAL,
					 "line %d of pgtable_numa is not understood: '%s'", number,
					 shown);
	}
	free(copy);
	return failed;
}

void pgtable_numa_free(struct pgtable_numa *numa)
{
	free(numa->edges);
	*numa = (struct pgtable_numa){0};
}

/* --- the files --- */

static void path_of(pid_t pid, char path[64])
{
	if (pid == 0)
		snprintf(path, 64, "/proc/self/pgtable_numa");
	else
		snprintf(path, 64, "/proc/%d/pgtable_numa", pid);
}

int pgtable_numa_available(const struct fs *fs, struct err *err)
{
	if (fs_exists(fs, "/proc/self/pgtable_numa"))
		return 0;
	return err_set(err, ERR_MACHINE,
		       "this kernel cannot replicate or migrate page tables (no "
		       "/proc/self/pgtable_numa): " REMEDY);
}

static int no_such_process(pid_t pid, struct err *err)
{
	return err_set(err, ERR_USAGE, "there is no process %d", pid);
}

/* Why a file of a process could not be opened, read or written. */
static int refusal(const struct fs *fs, pid_t pid, int errnum, const char *what, struct err *err)
{
	char path[64];

	if (errnum == ENOENT || errnum == ESRCH) {
		if (pgtable_numa_available(fs, err) != 0)
			return -1;
		return no_such_process(pid, err);
	}
	if (errnum == EACCES || errnum == EPERM)
		return err_set(err, ERR_MACHINE,
			       "no permission to %s the page tables of process %d: run as its "
			       "owner or as root (changing another process's takes CAP_SYS_NICE)",
			       what, pid);
	path_of(pid, path);
	return err_set_errno(err, ERR_INTERNAL, errnum, "cannot %s %s", what, path);
}

int pgtable_numa_read(struct pgtable_numa *numa, const struct fs *fs, pid_t pid, struct err *err)
{
	char path[64], *text;
	int failed;

	*numa = (struct pgtable_numa){0};
	path_of(pid, path);
	text = fs_read_all(fs, path, NULL);
	if (!text)
		return refusal(fs, pid, errno, "read", err);
	failed = pgtable_numa_parse(numa, text, err);
	free(text);
	if (failed)
		pgtable_numa_free(numa);
	return failed;
}

static int command_refused(const struct fs *fs, pid_t pid, int errnum, const char *command,
			   struct err *err)
{
	if (errnum == EINVAL)
		return err_set(err, ERR_USAGE, "the kernel does not understand '%s' for process %d",
			       command, pid);
	if (errnum == ENODEV)
		return err_set(err, ERR_USAGE, "'%s': a node is not there or has no memory",
			       command);
	if (errnum == EOPNOTSUPP)
		return err_set(err, ERR_MACHINE,
			       "this kernel refuses '%s': it was started with pgtable_repl=off, or "
			       "runs as a guest of Xen PV or Hyper-V",
			       command);
	if (errnum == ENOMEM)
		return err_set(err, ERR_MACHINE,
			       "not enough memory for '%s'; the page tables of process %d are as "
			       "before",
			       command, pid);
	return refusal(fs, pid, errnum, "change", err);
}

int pgtable_numa_command(const struct fs *fs, pid_t pid, const char *command, struct err *err)
{
	char path[64];

	path_of(pid, path);
	if (fs_write(fs, path, command) == 0)
		return 0;
	return command_refused(fs, pid, errno, command, err);
}

int pgtable_numa_set(uint64_t nodes, unsigned flags, struct err *err)
{
	/* One more than the bits, as set_mempolicy(2) counts. */
	const unsigned long mask = nodes, max_node = nodes ? PGTABLE_NUMA_NODES_MAX + 1 : 0;

	if (prctl(PGTABLE_NUMA_PR_SET, 1UL, nodes ? &mask : NULL, max_node, (unsigned long)flags) ==
	    0)
		return 0;
	if (errno == EINVAL)
		return err_set(err, ERR_MACHINE,
			       "this kernel cannot replicate page tables (prctl): " REMEDY);
	if (errno == ENODEV)
		return err_set(
			err, ERR_USAGE,
			"cannot replicate page tables: a node is not there or has no memory");
	if (errno == EOPNOTSUPP)
		return err_set(err, ERR_MACHINE,
			       "this kernel refuses to replicate page tables: it was started with "
			       "pgtable_repl=off, or runs as a guest of Xen PV or Hyper-V");
	return err_set_errno(err, ERR_MACHINE, errno, "cannot replicate page tables");
}

/* --- what it says --- */

double pgtable_numa_remote_tables(const struct pgtable_numa *numa, int tree, int level)
{
	uint64_t all = 0, remote = 0;

	for (size_t i = 0; i < numa->nr_edges; i++) {
		const struct pgtable_numa_edge *edge = &numa->edges[i];

		if (edge->tree != tree || edge->level != level)
			continue;
		all += edge->entries;
		remote += edge->from != tree ? edge->entries : 0;
	}
	return all ? (double)remote / (double)all : -1;
}

double pgtable_numa_remote_data(const struct pgtable_numa *numa, int tree)
{
	uint64_t all = 0, remote = 0;

	for (size_t i = 0; i < numa->nr_edges; i++) {
		const struct pgtable_numa_edge *edge = &numa->edges[i];

		if (edge->tree != tree || edge->level != 1)
			continue;
		all += edge->entries;
		remote += edge->to != tree ? edge->entries : 0;
	}
	return all ? (double)remote / (double)all : -1;
}

uint64_t
pgtable_numa_pages(const uint64_t pages[PGTABLE_NUMA_LEVELS_MAX + 1][PGTABLE_NUMA_NODES_MAX])
{
	uint64_t sum = 0;

	for (int level = 1; level <= PGTABLE_NUMA_LEVELS_MAX; level++)
		for (int node = 0; node < PGTABLE_NUMA_NODES_MAX; node++)
			sum += pages[level][node];
	return sum;
}
