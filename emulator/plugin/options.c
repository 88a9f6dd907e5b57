// SPDX-License-Identifier: MIT
#include "emulator/plugin/options.h"

#include <limits.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/units.h"

static int parse_number(const char *key, const char *value, uint64_t max, uint64_t *number,
			struct err *err)
{
	if (units_parse_size(value, key, number, err) != 0)
		return -1;
	if (*number > max)
		return err_set(err, ERR_USAGE, "%s=%s is above %llu", key, value,
			       (unsigned long long)max);
	return 0;
}

static int parse_vcpu_nodes(struct options *options, const char *value, struct err *err)
{
	const char *rest = value;

	for (;;) {
		char *end;
		const unsigned long node = strtoul(rest, &end, 10);

		if (end == rest || node >= ROI_NODES_MAX || options->nr_vcpus == ROI_VCPUS_MAX)
			return err_set(err, ERR_USAGE, "vcpu_nodes=%s is no list of nodes", value);
		options->vcpu_nodes[options->nr_vcpus++] = (unsigned)node;
		if (*end == '\0')
			return 0;
		rest = end + 1;
		if (*end != '/')
			return err_set(err, ERR_USAGE, "vcpu_nodes=%s is no list of nodes", value);
	}
}

/* mem<i>_fd and mem<i>_bytes; 1: the key is neither. */
static int parse_memory(struct options *options, const char *key, const char *value,
			struct err *err)
{
	uint64_t number;
	unsigned node;
	int used = 0;

	if (sscanf(key, "mem%u%n", &node, &used) != 1 || node >= ROI_NODES_MAX)
		return 1;
	if (strcmp(key + used, "_bytes") == 0)
		return parse_number(key, value, UINT64_MAX / 2, &options->memory_bytes[node], err);
	if (strcmp(key + used, "_fd") != 0)
		return 1;
	if (parse_number(key, value, INT_MAX, &number, err) != 0)
		return -1;
	options->memory_fds[node] = (int)number;
	return 0;
}

static int parse_one(struct options *options, const char *key, const char *value, struct err *err)
{
	uint64_t number;
	int status;

	if (strcmp(key, "profile") == 0) {
		options->profile_path = value;
		return 0;
	}
	if (strcmp(key, "scale") == 0)
		return units_parse_double(value, key, &options->scale, err);
	if (strcmp(key, "vcpu_nodes") == 0)
		return parse_vcpu_nodes(options, value, err);
	if (strcmp(key, "below_4g_bytes") == 0)
		return parse_number(key, value, UINT64_C(4) << 30, &options->below_4g_bytes, err);
	status = parse_memory(options, key, value, err);
	if (status <= 0)
		return status;
	if (strcmp(key, "nodes") != 0 && strcmp(key, "log_fd") != 0)
		return err_set(err, ERR_USAGE, "unknown argument '%s'", key);
	if (parse_number(key, value, strcmp(key, "nodes") == 0 ? ROI_NODES_MAX : INT_MAX, &number,
			 err) != 0)
		return -1;
	if (strcmp(key, "nodes") == 0)
		options->nr_nodes = (unsigned)number;
	else
		options->log_fd = (int)number;
	return 0;
}

static int check(const struct options *options, struct err *err)
{
	if (!options->profile_path)
		return err_set(err, ERR_USAGE, "no profile=PATH");
	if (!(options->scale >= 1.0))
		return err_set(err, ERR_USAGE, "scale=%g is below 1", options->scale);
	if (options->nr_nodes == 0)
		return err_set(err, ERR_USAGE, "no nodes=N");
	if (options->nr_vcpus == 0)
		return err_set(err, ERR_USAGE, "no vcpu_nodes=0/1");
	for (unsigned i = 0; i < options->nr_nodes; i++)
		if (options->memory_fds[i] < 0 || options->memory_bytes[i] == 0)
			return err_set(err, ERR_USAGE, "no mem%u_fd=FD or mem%u_bytes=B", i, i);
	for (unsigned i = 0; i < options->nr_vcpus; i++)
		if (options->vcpu_nodes[i] >= options->nr_nodes)
			return err_set(err, ERR_USAGE, "vcpu_nodes: vCPU %u is on node %u of %u", i,
				       options->vcpu_nodes[i], options->nr_nodes);
	if (options->below_4g_bytes == 0)
		return err_set(err, ERR_USAGE, "no below_4g_bytes=B");
	return 0;
}

int options_parse(struct options *options, int argc, char *const *argv, struct err *err)
{
	*options = (struct options){.scale = 1.0, .log_fd = -1};
	for (unsigned i = 0; i < ROI_NODES_MAX; i++)
		options->memory_fds[i] = -1;
	for (int i = 0; i < argc; i++) {
		const char *equals = strchr(argv[i], '=');
		char key[32];

		if (!equals || (size_t)(equals - argv[i]) >= sizeof(key))
			return err_set(err, ERR_USAGE, "unknown argument '%s'", argv[i]);
		snprintf(key, sizeof(key), "%.*s", (int)(equals - argv[i]), argv[i]);
		if (parse_one(options, key, equals + 1, err) != 0)
			return -1;
	}
	return check(options, err);
}
