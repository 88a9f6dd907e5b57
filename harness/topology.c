// SPDX-License-Identifier: MIT
/*
 * Nodes from /sys/devices/system/node (Documentation/ABI/stable/sysfs-devices-node), the processor
 * from /proc/cpuinfo. A kernel without NUMA support has no node directory; such a machine is one
 * node with everything.
 */
#include "harness/topology.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NODE_DIRECTORY "/sys/devices/system/node"

static bool parse_number(const char **text, int *value)
{
	long number;
	char *end;

	if (!isdigit((unsigned char)**text))
		return false;
	errno = 0;
	number = strtol(*text, &end, 10);
	if (errno != 0 || number > 1 << 30)
		return false;
	*value = (int)number;
	*text = end;
	return true;
}

int topology_parse_list(const char *text, int *values, int max)
{
	int count = 0, previous = -1;

	while (*text) {
		int first, last;

		if (!parse_number(&text, &first))
			return -1;
		last = first;
		if (*text == '-') {
			text++;
			if (!parse_number(&text, &last))
				return -1;
		}
		if (first <= previous || last < first || last - first >= max - count)
			return -1;
		for (int value = first; value <= last; value++)
			values[count++] = value;
		previous = last;
		if (*text == ',' && text[1])
			text++;
		else if (*text)
			return -1;
	}
	return count;
}

static int read_list(const struct fs *fs, const char *path, int *values, int max, struct err *err)
{
	char text[16384];
	int count;

	if (fs_read(fs, path, text, sizeof(text)) < 0)
		return err_set_errno(err, ERR_MACHINE, errno, "cannot read '%s'", path);
	count = topology_parse_list(text, values, max);
	if (count < 0)
		return err_set(err, ERR_MACHINE,
			       "'%s' holds '%.80s', which is no list of at most %d ascending "
			       "numbers",
			       path, text, max);
	return count;
}

/* The value in kB after `key` in a meminfo file, in bytes; 0 when the line is not there. */
static uint64_t meminfo_bytes(const char *text, const char *key)
{
	const char *at = strstr(text, key);

	return at ? strtoull(at + strlen(key), NULL, 10) * 1024 : 0;
}

static int read_memory(struct topology_node *node, const struct fs *fs, const char *path,
		       struct err *err)
{
	char *text = fs_read_all(fs, path, NULL);

	if (!text)
		return err_set_errno(err, ERR_MACHINE, errno, "cannot read '%s'", path);
	node->memory_bytes = meminfo_bytes(text, "MemTotal:");
	node->free_bytes = meminfo_bytes(text, "MemFree:");
	free(text);
	return 0;
}

static int read_cpus(struct topology_node *node, const struct fs *fs, const char *path,
		     struct err *err)
{
	int cpus[TOPOLOGY_CPUS_MAX];
	const int count = read_list(fs, path, cpus, TOPOLOGY_CPUS_MAX, err);

	if (count < 0)
		return -1;
	node->cpus = malloc(sizeof(int) * (size_t)(count > 0 ? count : 1));
	if (!node->cpus)
		return err_set(err, ERR_INTERNAL, "out of memory");
	memcpy(node->cpus, cpus, sizeof(int) * (size_t)count);
	node->nr_cpus = count;
	return 0;
}

/* The kernel prints one distance per online node, in the order of their ids, not by id. */
static int read_distances(struct topology *topology, struct topology_node *node,
			  const struct fs *fs, struct err *err)
{
	char path[96], text[1024];
	char *at = text;

	snprintf(path, sizeof(path), NODE_DIRECTORY "/node%d/distance", node->id);
	if (fs_read(fs, path, text, sizeof(text)) < 0)
		return err_set_errno(err, ERR_MACHINE, errno, "cannot read '%s'", path);
	for (int i = 0; i < topology->nr_nodes; i++) {
		char *end;
		const long distance = strtol(at, &end, 10);

		if (end == at || distance < 1 || distance > 255)
			return err_set(err, ERR_MACHINE,
				       "'%s' holds '%.80s', not %d distances from 1 to 255", path,
				       text, topology->nr_nodes);
		node->distance[topology->nodes[i].id] = (int)distance;
		at = end;
	}
	return 0;
}

static int read_node(struct topology *topology, struct topology_node *node, const struct fs *fs,
		     struct err *err)
{
	char path[96];

	snprintf(path, sizeof(path), NODE_DIRECTORY "/node%d/meminfo", node->id);
	if (read_memory(node, fs, path, err) != 0)
		return -1;
	snprintf(path, sizeof(path), NODE_DIRECTORY "/node%d/cpulist", node->id);
	if (read_cpus(node, fs, path, err) != 0)
		return -1;
	topology->nr_cpus += node->nr_cpus;
	return read_distances(topology, node, fs, err);
}

static int read_nodes(struct topology *topology, const struct fs *fs, struct err *err)
{
	int ids[TOPOLOGY_CPUS_MAX];
	const int count = read_list(fs, NODE_DIRECTORY "/online", ids, TOPOLOGY_CPUS_MAX, err);

	if (count < 0)
		return -1;
	if (count == 0)
		return err_set(err, ERR_MACHINE, "'" NODE_DIRECTORY "/online' names no node");
	if (ids[count - 1] >= TOPOLOGY_NODES_MAX)
		return err_set(err, ERR_MACHINE,
			       "this machine has a node %d; the suite serves node ids up to %d",
			       ids[count - 1], TOPOLOGY_NODES_MAX - 1);
	topology->nr_nodes = count;
	for (int i = 0; i < count; i++)
		topology->nodes[i].id = ids[i];
	for (int i = 0; i < count; i++)
		if (read_node(topology, &topology->nodes[i], fs, err) != 0)
			return -1;
	return 0;
}

static int read_single_node(struct topology *topology, const struct fs *fs, struct err *err)
{
	struct topology_node *node = &topology->nodes[0];

	topology->nr_nodes = 1;
	node->distance[0] = 10;
	if (read_memory(node, fs, "/proc/meminfo", err) != 0 ||
	    read_cpus(node, fs, "/sys/devices/system/cpu/online", err) != 0)
		return -1;
	topology->nr_cpus = node->nr_cpus;
	return 0;
}

/* "key<blanks>: value" of the first processor; false when the key is not there. */
static bool cpuinfo_value(const char *text, const char *key, char *value, size_t size)
{
	const size_t length = strlen(key);

	for (const char *line = text; line; line = strchr(line, '\n')) {
		const char *at;

		line += *line == '\n';
		if (strncmp(line, key, length) != 0)
			continue;
		at = line + length + strspn(line + length, " \t");
		if (*at != ':')
			continue;
		at += 1 + strspn(at + 1, " \t");
		snprintf(value, size, "%.*s", (int)strcspn(at, "\n"), at);
		return true;
	}
	return false;
}

static int cpuinfo_number(const char *text, const char *key)
{
	char value[32];

	return cpuinfo_value(text, key, value, sizeof(value)) ? (int)strtol(value, NULL, 10) : -1;
}

/* Arm names its processors by the numbers of MIDR_EL1 ("CPU implementer", "CPU part"). */
static int read_processor(struct topology *topology, const struct fs *fs, struct err *err)
{
	char *text = fs_read_all(fs, "/proc/cpuinfo", NULL);

	if (!text)
		return err_set_errno(err, ERR_MACHINE, errno, "cannot read '/proc/cpuinfo'");
	if (!cpuinfo_value(text, "vendor_id", topology->cpu_vendor, sizeof(topology->cpu_vendor)))
		cpuinfo_value(text, "CPU implementer", topology->cpu_vendor,
			      sizeof(topology->cpu_vendor));
	if (!cpuinfo_value(text, "model name", topology->cpu_model, sizeof(topology->cpu_model)))
		cpuinfo_value(text, "CPU part", topology->cpu_model, sizeof(topology->cpu_model));
	cpuinfo_value(text, "microcode", topology->microcode, sizeof(topology->microcode));
	topology->cpu_family = cpuinfo_number(text, "cpu family");
	topology->cpu_model_number = cpuinfo_number(text, "model");
	topology->cpu_stepping = cpuinfo_number(text, "stepping");
	free(text);
	return 0;
}

int topology_read(struct topology *topology, const struct fs *fs, struct err *err)
{
	int failed;

	memset(topology, 0, sizeof(*topology));
	failed = fs_exists(fs, NODE_DIRECTORY "/online") ? read_nodes(topology, fs, err)
							 : read_single_node(topology, fs, err);
	if (!failed)
		failed = read_processor(topology, fs, err);
	if (!failed && fs_read(fs, "/proc/sys/kernel/osrelease", topology->kernel,
			       sizeof(topology->kernel)) < 0)
		failed = err_set_errno(err, ERR_MACHINE, errno,
				       "cannot read '/proc/sys/kernel/osrelease'");
	if (failed)
		topology_free(topology);
	return failed;
}

void topology_free(struct topology *topology)
{
	for (int i = 0; i < TOPOLOGY_NODES_MAX; i++)
		free(topology->nodes[i].cpus);
	memset(topology, 0, sizeof(*topology));
}

const struct topology_node *topology_node(const struct topology *topology, int id)
{
	for (int i = 0; i < topology->nr_nodes; i++)
		if (topology->nodes[i].id == id)
			return &topology->nodes[i];
	return NULL;
}

int topology_memory_nodes(const struct topology *topology)
{
	int count = 0;

	for (int i = 0; i < topology->nr_nodes; i++)
		count += topology->nodes[i].memory_bytes > 0;
	return count;
}

int topology_farthest(const struct topology *topology, int node)
{
	const struct topology_node *from = topology_node(topology, node);
	int farthest = -1;

	if (!from)
		return -1;
	for (int i = 0; i < topology->nr_nodes; i++) {
		const struct topology_node *to = &topology->nodes[i];

		if (to->id == node || to->memory_bytes == 0)
			continue;
		if (farthest < 0 || from->distance[to->id] > from->distance[farthest])
			farthest = to->id;
	}
	return farthest;
}
