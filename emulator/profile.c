// SPDX-License-Identifier: MIT
#include "emulator/profile.h"

#include <errno.h>
#include <ini.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/paths.h"
#include "common/units.h"

#define LINE_BYTES 64

enum kind { SIZE, COUNT, FLAG };

/* One row per key: where it goes and what a machine may have. */
struct key {
	const char *section, *name;
	enum kind kind;
	size_t offset;
	uint64_t min, max;
};

#define AT(field) offsetof(struct profile, field)

static const struct key keys[] = {
	{"machine", "nodes", COUNT, AT(nr_nodes), 1, ROI_NODES_MAX},
	{"machine", "cpus_per_node", COUNT, AT(cpus_per_node), 1, ROI_VCPUS_MAX},
	{"machine", "frequency_hz", COUNT, AT(frequency_hz), 1000000, 20000000000},
	{"machine", "la57", FLAG, AT(la57), 0, 1},
	{"machine", "reference_footprint_bytes", SIZE, AT(reference_footprint_bytes), 1u << 20,
	 UINT64_C(1) << 52},
	{"memory", "cores_per_node", COUNT, AT(cores_per_node), 1, 1024},
	{"memory", "outstanding_per_core", COUNT, AT(outstanding_per_core), 1, 1024},
	{"memory", "bandwidth_bytes_per_s", COUNT, AT(bandwidth_bytes_per_s), 1000000,
	 UINT64_C(100000000000000)},
	{"tlb", "l1_4k_entries", COUNT, AT(l1_4k.entries), 1, 1 << 20},
	{"tlb", "l1_4k_ways", COUNT, AT(l1_4k.ways), 1, 1 << 12},
	{"tlb", "l1_2m_entries", COUNT, AT(l1_2m.entries), 1, 1 << 20},
	{"tlb", "l1_2m_ways", COUNT, AT(l1_2m.ways), 1, 1 << 12},
	{"tlb", "l1_1g_entries", COUNT, AT(l1_1g.entries), 1, 1 << 20},
	{"tlb", "l1_1g_ways", COUNT, AT(l1_1g.ways), 1, 1 << 12},
	{"tlb", "l2_entries", COUNT, AT(l2.entries), 1, 1 << 20},
	{"tlb", "l2_ways", COUNT, AT(l2.ways), 1, 1 << 12},
	{"tlb", "l2_hit_cycles", COUNT, AT(l2_hit_cycles), 0, 1000},
	{"tlb", "l2_holds_2m", FLAG, AT(l2_holds_2m), 0, 1},
	{"walker", "walkers", COUNT, AT(walkers), 1, 16},
	{"walker", "start_cycles", COUNT, AT(walk_start_cycles), 0, 1000},
	{"walker", "restart_cycles", COUNT, AT(walk_restart_cycles), 0, 1000},
	{"walker", "pwc_pde_entries", COUNT, AT(pwc[0].entries), 0, 1 << 16},
	{"walker", "pwc_pde_ways", COUNT, AT(pwc[0].ways), 1, 1 << 12},
	{"walker", "pwc_pdpte_entries", COUNT, AT(pwc[1].entries), 0, 1 << 16},
	{"walker", "pwc_pdpte_ways", COUNT, AT(pwc[1].ways), 1, 1 << 12},
	{"walker", "pwc_pml4e_entries", COUNT, AT(pwc[2].entries), 0, 1 << 16},
	{"walker", "pwc_pml4e_ways", COUNT, AT(pwc[2].ways), 1, 1 << 12},
	{"walker", "pwc_pml5e_entries", COUNT, AT(pwc[3].entries), 0, 1 << 16},
	{"walker", "pwc_pml5e_ways", COUNT, AT(pwc[3].ways), 1, 1 << 12},
	{"l1d", "bytes", SIZE, AT(l1d.bytes), 1 << 10, 1 << 24},
	{"l1d", "ways", COUNT, AT(l1d.ways), 1, 64},
	{"l1d", "latency_cycles", COUNT, AT(l1d.latency_cycles), 1, 100},
	{"l2", "bytes", SIZE, AT(l2_cache.bytes), 1 << 12, 1 << 28},
	{"l2", "ways", COUNT, AT(l2_cache.ways), 1, 64},
	{"l2", "latency_cycles", COUNT, AT(l2_cache.latency_cycles), 1, 1000},
	{"llc", "bytes", SIZE, AT(llc.bytes), 1 << 14, UINT64_C(1) << 34},
	{"llc", "ways", COUNT, AT(llc.ways), 1, 64},
	{"llc", "latency_cycles", COUNT, AT(llc.latency_cycles), 1, 10000},
	{"llc", "adaptive", FLAG, AT(llc_adaptive), 0, 1},
	{"core", "issue_width", COUNT, AT(issue_width), 1, 32},
	{"core", "rob_entries", COUNT, AT(rob_entries), 1, 4095},
	{"core", "line_fill_buffers", COUNT, AT(line_fill_buffers), 1, 256},
	{"core", "store_buffer_entries", COUNT, AT(store_buffer_entries), 1, 256},
	{"core", "store_forward_cycles", COUNT, AT(store_forward_cycles), 1, 100},
	{"core", "mispredict_cycles", COUNT, AT(mispredict_cycles), 0, 100},
};

#define NR_KEYS (sizeof(keys) / sizeof(keys[0]))

/* Matrices are given a row per key: distance_0 = 10 21, latency_cycles_0 = 280 580. */
struct matrix {
	const char *prefix;
	size_t offset;
	uint64_t min, max;
};

static const struct matrix matrices[] = {
	{"distance_", AT(distance), 10, 254},
	{"latency_cycles_", AT(latency_cycles), 1, 100000},
};

#define NR_MATRICES (sizeof(matrices) / sizeof(matrices[0]))

struct reader {
	struct profile *profile;
	const char *path;
	FILE *file;
	int line;
	bool seen[NR_KEYS], seen_summary;
	unsigned row_length[NR_MATRICES][ROI_NODES_MAX];
	struct err *err;
};

static uint64_t *field(struct profile *profile, size_t offset)
{
	return (uint64_t *)((char *)profile + offset);
}

static int parse_value(enum kind kind, const char *text, uint64_t *value, struct err *err)
{
	if (kind == SIZE)
		return units_parse_size(text, "the value", value, err);
	return units_parse_count(text, "the value", value, err);
}

static int take_number(struct reader *reader, const struct key *key, const char *text)
{
	uint64_t value;

	if (parse_value(key->kind, text, &value, reader->err) != 0)
		return err_prefix(reader->err, "%s:%d: %s in [%s]", reader->path, reader->line,
				  key->name, key->section);
	if (value < key->min || value > key->max)
		return err_set(reader->err, ERR_USAGE,
			       "%s:%d: %s in [%s] is %s; possible is %llu to %llu", reader->path,
			       reader->line, key->name, key->section, text,
			       (unsigned long long)key->min, (unsigned long long)key->max);
	*field(reader->profile, key->offset) = value;
	return 0;
}

static int complain(struct reader *reader, const char *section, const char *name, const char *what)
{
	return err_set(reader->err, ERR_USAGE, "%s:%d: %s '%s' in [%s]", reader->path, reader->line,
		       what, name, section);
}

static int take_row(struct reader *reader, size_t index, const char *name, const char *text)
{
	const struct matrix *matrix = &matrices[index];
	const char *digits = name + strlen(matrix->prefix);
	char copy[512], *rest = copy, *word, *end;
	const unsigned long row = strtoul(digits, &end, 10);
	unsigned column = 0;

	if (end == digits || *end != '\0' || row >= ROI_NODES_MAX)
		return complain(reader, "memory", name, "no such node:");
	if (reader->row_length[index][row] != 0)
		return complain(reader, "memory", name, "a second");
	if (snprintf(copy, sizeof(copy), "%s", text) >= (int)sizeof(copy))
		return complain(reader, "memory", name, "too long a row");
	while ((word = strsep(&rest, " \t")) != NULL) {
		const struct key cell = {
			"memory",
			name,
			COUNT,
			matrix->offset + (row * ROI_NODES_MAX + column) * sizeof(uint64_t),
			matrix->min,
			matrix->max};

		if (*word == '\0')
			continue;
		if (column++ == ROI_NODES_MAX)
			return complain(reader, "memory", name, "too many values for");
		if (take_number(reader, &cell, word) != 0)
			return -1;
	}
	reader->row_length[index][row] = column;
	return 0;
}

static int take_summary(struct reader *reader, const char *value)
{
	if (reader->seen_summary)
		return complain(reader, "machine", "summary", "a second");
	if (snprintf(reader->profile->summary, PROFILE_SUMMARY_MAX, "%s", value) >=
	    PROFILE_SUMMARY_MAX)
		return complain(reader, "machine", "summary", "too long");
	reader->seen_summary = true;
	return 0;
}

static int take(struct reader *reader, const char *section, const char *name, const char *value)
{
	if (strcmp(section, "machine") == 0 && strcmp(name, "summary") == 0)
		return take_summary(reader, value);
	for (size_t i = 0; i < NR_MATRICES && strcmp(section, "memory") == 0; i++)
		if (strncmp(name, matrices[i].prefix, strlen(matrices[i].prefix)) == 0)
			return take_row(reader, i, name, value);
	for (size_t i = 0; i < NR_KEYS; i++) {
		if (strcmp(section, keys[i].section) != 0 || strcmp(name, keys[i].name) != 0)
			continue;
		if (reader->seen[i])
			return complain(reader, section, name, "a second");
		reader->seen[i] = true;
		return take_number(reader, &keys[i], value);
	}
	return complain(reader, section, name, "unknown key");
}

/* inih goes on after a refused key; the first error is the one that is kept. */
static int handle(void *context, const char *section, const char *name, const char *value)
{
	struct reader *reader = context;

	return reader->err->kind == ERR_NONE && take(reader, section, name, value) == 0;
}

/* Reads for inih and counts the lines, which its handler is not told. */
static char *next_line(char *text, int size, void *context)
{
	struct reader *reader = context;

	if (!fgets(text, size, reader->file))
		return NULL;
	reader->line++;
	if (!strchr(text, '\n') && !feof(reader->file)) {
		err_set(reader->err, ERR_USAGE, "%s:%d: the line is longer than %d characters",
			reader->path, reader->line, size - 2);
		return NULL;
	}
	return text;
}

static int check_complete(const struct reader *reader)
{
	const uint64_t nr_nodes = reader->profile->nr_nodes;

	if (!reader->seen_summary)
		return err_set(reader->err, ERR_USAGE, "%s:%d: no 'summary' in [machine]",
			       reader->path, reader->line);
	for (size_t i = 0; i < NR_KEYS; i++)
		if (!reader->seen[i])
			return err_set(reader->err, ERR_USAGE, "%s:%d: no '%s' in [%s]",
				       reader->path, reader->line, keys[i].name, keys[i].section);
	for (size_t i = 0; i < NR_MATRICES; i++)
		for (unsigned node = 0; node < ROI_NODES_MAX; node++)
			if (reader->row_length[i][node] != (node < nr_nodes ? nr_nodes : 0))
				return err_set(reader->err, ERR_USAGE,
					       "%s: '%s%u' in [memory] has %u values; a profile of "
					       "%llu nodes needs that many rows and values",
					       reader->path, matrices[i].prefix, node,
					       reader->row_length[i][node],
					       (unsigned long long)nr_nodes);
	return 0;
}

static int check_structure(const char *path, const char *section, const char *what, uint64_t items,
			   uint64_t ways, struct err *err)
{
	if (items % ways == 0)
		return 0;
	return err_set(err, ERR_USAGE, "%s: %s in [%s] are %llu, which %llu ways do not divide",
		       path, what, section, (unsigned long long)items, (unsigned long long)ways);
}

static int check_structures(const struct profile *p, const char *path, struct err *err)
{
	const struct {
		const char *section, *what;
		uint64_t items, ways;
	} structures[] = {
		{"tlb", "l1_4k_entries", p->l1_4k.entries, p->l1_4k.ways},
		{"tlb", "l1_2m_entries", p->l1_2m.entries, p->l1_2m.ways},
		{"tlb", "l1_1g_entries", p->l1_1g.entries, p->l1_1g.ways},
		{"tlb", "l2_entries", p->l2.entries, p->l2.ways},
		{"walker", "pwc_pde_entries", p->pwc[0].entries, p->pwc[0].ways},
		{"walker", "pwc_pdpte_entries", p->pwc[1].entries, p->pwc[1].ways},
		{"walker", "pwc_pml4e_entries", p->pwc[2].entries, p->pwc[2].ways},
		{"walker", "pwc_pml5e_entries", p->pwc[3].entries, p->pwc[3].ways},
		{"l1d", "bytes", p->l1d.bytes, p->l1d.ways * LINE_BYTES},
		{"l2", "bytes", p->l2_cache.bytes, p->l2_cache.ways * LINE_BYTES},
		{"llc", "bytes", p->llc.bytes, p->llc.ways * LINE_BYTES},
	};

	for (size_t i = 0; i < sizeof(structures) / sizeof(structures[0]); i++)
		if (check_structure(path, structures[i].section, structures[i].what,
				    structures[i].items, structures[i].ways, err) != 0)
			return -1;
	return 0;
}

/* What is nearer must not be slower. */
static int check_order(const struct profile *p, const char *path, struct err *err)
{
	if (p->l1d.latency_cycles > p->l2_cache.latency_cycles ||
	    p->l2_cache.latency_cycles > p->llc.latency_cycles)
		return err_set(err, ERR_USAGE,
			       "%s: latency_cycles of [l1d], [l2], [llc] are %llu, %llu, %llu: an "
			       "outer cache is not faster",
			       path, (unsigned long long)p->l1d.latency_cycles,
			       (unsigned long long)p->l2_cache.latency_cycles,
			       (unsigned long long)p->llc.latency_cycles);
	for (unsigned from = 0; from < p->nr_nodes; from++) {
		const uint64_t local = p->latency_cycles[from][from];

		for (unsigned to = 0; to < p->nr_nodes; to++)
			if (p->latency_cycles[from][to] < local ||
			    p->distance[from][to] < p->distance[from][from] ||
			    local < p->llc.latency_cycles)
				return err_set(err, ERR_USAGE,
					       "%s: latency_cycles_%u or distance_%u in [memory]: "
					       "node %u is nearer than the node itself or the LLC",
					       path, from, from, to);
	}
	return 0;
}

static int check(const struct reader *reader)
{
	const struct profile *p = reader->profile;

	if (check_complete(reader) != 0 || check_structures(p, reader->path, reader->err) != 0 ||
	    check_order(p, reader->path, reader->err) != 0)
		return -1;
	if (p->nr_nodes * p->cpus_per_node > ROI_VCPUS_MAX)
		return err_set(reader->err, ERR_USAGE,
			       "%s: nodes x cpus_per_node in [machine] is %llu; at most %d",
			       reader->path, (unsigned long long)(p->nr_nodes * p->cpus_per_node),
			       ROI_VCPUS_MAX);
	return 0;
}

static int find(char path[PATHS_MAX], const char *name, struct err *err)
{
	char relative[256];

	if (strchr(name, '/')) {
		if (snprintf(path, PATHS_MAX, "%s", name) >= PATHS_MAX)
			return err_set(err, ERR_USAGE, "the path of the profile is too long");
		return 0;
	}
	if (snprintf(relative, sizeof(relative), "emulator/profiles/%s" PROFILE_SUFFIX, name) >=
	    (int)sizeof(relative))
		return err_set(err, ERR_USAGE, "the name of the profile is too long");
	return paths_file(path, relative, err);
}

static int set_name(struct profile *profile, const char *path, struct err *err)
{
	const char *slash = strrchr(path, '/');
	const char *base = slash ? slash + 1 : path;
	size_t length = strlen(base);
	const size_t suffix = strlen(PROFILE_SUFFIX);

	if (length > suffix && strcmp(base + length - suffix, PROFILE_SUFFIX) == 0)
		length -= suffix;
	if (length >= PROFILE_NAME_MAX)
		return err_set(err, ERR_USAGE, "%s: the name is longer than %d characters", path,
			       PROFILE_NAME_MAX - 1);
	memcpy(profile->name, base, length);
	return 0;
}

int profile_load(struct profile *profile, const char *name, struct err *err)
{
	struct err own = {.kind = ERR_NONE};
	char path[PATHS_MAX];
	struct reader reader = {.profile = profile, .path = path, .err = err ? err : &own};
	int bad_line;

	memset(profile, 0, sizeof(*profile));
	if (find(path, name, reader.err) != 0 || set_name(profile, path, reader.err) != 0)
		return -1;
	reader.file = fopen(path, "re");
	if (!reader.file)
		return err_set_errno(reader.err, ERR_USAGE, errno,
				     "cannot read the machine profile '%s' (%s); 'harness list "
				     "machines' shows the profiles",
				     name, path);
	bad_line = ini_parse_stream(next_line, &reader, handle, &reader);
	fclose(reader.file);
	if (reader.err->kind != ERR_NONE)
		return -1;
	if (bad_line != 0)
		return err_set(reader.err, ERR_USAGE,
			       "%s:%d: neither a [section] nor a 'key = value'", path, bad_line);
	return check(&reader);
}

double profile_scale(const struct profile *profile, uint64_t footprint_bytes)
{
	const double reference = (double)profile->reference_footprint_bytes;

	if (footprint_bytes == 0 || (double)footprint_bytes >= reference)
		return 1.0;
	return reference / (double)footprint_bytes;
}

double profile_latency_cycles(const struct profile *profile, unsigned from, unsigned to,
			      int contended)
{
	const double idle = (double)profile->latency_cycles[from][to];
	const double local = (double)profile->latency_cycles[to][to];
	const double queued_bytes =
		(double)(profile->cores_per_node * profile->outstanding_per_core * LINE_BYTES);
	const double queue_cycles = queued_bytes / (double)profile->bandwidth_bytes_per_s *
				    (double)profile->frequency_hz;

	if (!contended || queue_cycles <= local)
		return idle;
	return queue_cycles + (idle - local);
}
