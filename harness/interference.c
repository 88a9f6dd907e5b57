// SPDX-License-Identifier: MIT
#include "harness/interference.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/paths.h"
#include "common/units.h"
#include "harness/child.h"
#include "harness/cpulist.h"
#include "harness/driver_link.h"

#define SILENCE_NS   UINT64_C(10000000000) /* a load reports every second */
#define STOP_NS      UINT64_C(10000000000)
#define END_GRACE_MS 1000

struct load {
	int node;
	char name[48], log_path[PATHS_MAX];
	struct child child;
	struct driver_link link;
	double gb_per_s; /* as last reported */
	uint64_t heard_ns;
};

struct interference {
	int nr_loads;
	struct load loads[TOPOLOGY_NODES_MAX];
};

static bool contains(const int *values, int n, int value)
{
	for (int i = 0; i < n; i++) {
		if (values[i] == value)
			return true;
	}
	return false;
}

/* CPUs of the node that are not the workload's; malloc'd. */
static int *spare_cpus(const struct topology_node *node, const struct interference_spec *spec,
		       int *nr_cpus)
{
	int *cpus = calloc((size_t)node->nr_cpus + 1, sizeof(int));

	*nr_cpus = 0;
	for (int i = 0; cpus && i < node->nr_cpus; i++) {
		if (!contains(spec->busy_cpus, spec->nr_busy_cpus, node->cpus[i]))
			cpus[(*nr_cpus)++] = node->cpus[i];
	}
	return cpus;
}

static int spawn(struct load *load, const int *cpus, int nr_cpus, struct err *err)
{
	char program[PATHS_MAX], threads[16], policy[32];
	char *list = cpulist_format(cpus, nr_cpus);
	char *argv[] = {program,  "stream", "--until-stopped", "--threads", threads,
			"--cpus", list,     "--data-policy",   policy,      NULL};
	struct child_spec child = {
		.argv = argv,
		.wire = true,
		.cpus = cpus,
		.nr_cpus = nr_cpus,
		.memory = CHILD_MEMORY_BIND,
		.memory_nodes = UINT64_C(1) << load->node,
	};
	int failed = -1;

	snprintf(threads, sizeof(threads), "%d", nr_cpus);
	snprintf(policy, sizeof(policy), "bind:%d", load->node);
	child.stdout_fd = open(load->log_path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
	child.stderr_fd = child.stdout_fd;
	if (!list)
		err_set(err, ERR_INTERNAL, "out of memory");
	else if (child.stdout_fd < 0)
		err_set_errno(err, ERR_MACHINE, errno, "cannot write '%s'", load->log_path);
	else if (paths_program(program, "bench", err) == 0)
		failed = child_start(&load->child, &child, err);
	if (child.stdout_fd >= 0)
		close(child.stdout_fd);
	free(list);
	return failed;
}

static int start_load(struct load *load, int node_id, const struct interference_spec *spec,
		      const struct topology *topology, struct err *err)
{
	const struct topology_node *node = topology_node(topology, node_id);
	int nr_cpus = 0, failed;
	int *cpus = node ? spare_cpus(node, spec, &nr_cpus) : NULL;

	*load = (struct load){.node = node_id, .child = CHILD_NONE};
	snprintf(load->name, sizeof(load->name), "the interference load on node %d", node_id);
	snprintf(load->log_path, sizeof(load->log_path), "%s/interference-node%d.log",
		 spec->log_directory, node_id);
	load->link = (struct driver_link){
		.name = load->name,
		.child = &load->child,
		.stderr_path = load->log_path,
		.deadline = spec->deadline,
	};
	if (nr_cpus == 0)
		failed = err_set(err, ERR_MACHINE,
				 "node %d has no CPU left for the interference load", node_id);
	else
		failed = spawn(load, cpus, nr_cpus, err);
	free(cpus);
	return failed;
}

static int await_load(struct load *load, struct err *err)
{
	static const char *const messages[] = {"hello", "ready"};

	for (size_t i = 0; i < sizeof(messages) / sizeof(messages[0]); i++) {
		json_t *message;

		if (driver_link_expect(&load->link, messages[i], &message, err) != 0)
			return -1;
		json_decref(message);
	}
	load->heard_ns = deadline_now_ns();
	return 0;
}

static int await_loads(struct interference *interference, struct err *err)
{
	for (int i = 0; i < interference->nr_loads; i++) {
		if (await_load(&interference->loads[i], err) != 0)
			return -1;
	}
	return 0;
}

int interference_start(struct interference **result, const struct interference_spec *spec,
		       const struct topology *topology, struct err *err)
{
	struct interference *interference = calloc(1, sizeof(*interference));

	if (!interference)
		return err_set(err, ERR_INTERNAL, "out of memory");
	for (int node = 0; node < TOPOLOGY_NODES_MAX; node++) {
		if (!(spec->nodes >> node & 1))
			continue;
		if (start_load(&interference->loads[interference->nr_loads++], node, spec, topology,
			       err) != 0)
			goto fail;
	}
	if (await_loads(interference, err) != 0)
		goto fail;
	*result = interference;
	return 0;
fail:
	interference_close(interference);
	return -1;
}

static int listen_to(struct load *load, struct err *err)
{
	json_t *message;
	int got;

	while ((got = driver_link_poll(&load->link, &message, err)) > 0) {
		const json_t *rate = json_object_get(message, "gb_per_s");

		if (json_is_number(rate))
			load->gb_per_s = json_number_value(rate);
		load->heard_ns = deadline_now_ns();
		json_decref(message);
	}
	if (got < 0)
		return -1;
	if (deadline_now_ns() - load->heard_ns > SILENCE_NS)
		return err_set(err, ERR_RUN, "%s has not reported for %d s", load->name,
			       (int)(SILENCE_NS / 1000000000));
	return 0;
}

int interference_check(struct interference *interference, struct err *err)
{
	for (int i = 0; interference && i < interference->nr_loads; i++) {
		if (listen_to(&interference->loads[i], err) != 0)
			return -1;
	}
	return 0;
}

static void take_rate(struct load *load, const json_t *done)
{
	json_t *metric;
	size_t i;

	json_array_foreach (json_object_get(done, "metrics"), i, metric) {
		if (json_is_true(json_object_get(metric, "primary")))
			load->gb_per_s = json_number_value(json_object_get(metric, "value"));
	}
}

static int stop_load(struct load *load, struct err *err)
{
	json_t *done;

	load->link.deadline = deadline_after(STOP_NS);
	if (driver_link_send(&load->link, "stop", NULL, err) != 0 ||
	    driver_link_expect(&load->link, "done", &done, err) != 0)
		return -1;
	take_rate(load, done);
	json_decref(done);
	return 0;
}

json_t *interference_stop(struct interference *interference, struct err *err)
{
	json_t *array = json_array();

	for (int i = 0; interference && i < interference->nr_loads; i++) {
		struct load *load = &interference->loads[i];
		const bool alive = stop_load(load, err) == 0;

		child_end(&load->child, END_GRACE_MS);
		json_array_append_new(
			array,
			json_pack("{s:i, s:o, s:b}", "node", load->node, "gb_per_s",
				  load->gb_per_s > 0 ? json_real(load->gb_per_s) : json_null(),
				  "alive", alive));
	}
	return array;
}

void interference_close(struct interference *interference)
{
	for (int i = 0; interference && i < interference->nr_loads; i++)
		child_end(&interference->loads[i].child, END_GRACE_MS);
	free(interference);
}
