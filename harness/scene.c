// SPDX-License-Identifier: MIT
#include "harness/scene.h"

#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "harness/counters_option.h"
#include "harness/cpulist.h"
#include "harness/machine.h"
#include "harness/model_link.h"

static int resolve(struct scene *scene, const struct config *config, bool ours, struct err *err)
{
	const struct placement_options options = {
		.local_node = (int)scene->options->local_node,
		.remote_node = (int)scene->options->remote_node,
	};
	const struct placement_means means = {
		.mremap = ours,
		.interference_modelled = scene->model != NULL,
		.fragmenter = fragmentation_available(),
	};

	if (placement_resolve(config, &scene->topology, &options, &means, &scene->placement, err) !=
	    0)
		return -1;
	scene->cpus =
		cpulist_of_nodes(&scene->topology, scene->placement.cpu_nodes, &scene->nr_cpus);
	if (!scene->cpus)
		return err_set(err, ERR_INTERNAL, "out of memory");
	json_object_set_new(scene->record, "placement_plan", placement_to_json(&scene->placement));
	return 0;
}

static int describe_machine(struct scene *scene, struct err *err)
{
	json_t *machine = machine_to_json(&scene->topology, &scene->root, err);

	if (!machine)
		return -1;
	json_object_set_new(scene->record, "machine", machine);
	return 0;
}

int scene_open(struct scene *scene, const struct run_options *options, const struct config *config,
	       bool ours, const char *directory, json_t *record, struct err *err)
{
	*scene = (struct scene){
		.options = options,
		.directory = directory,
		.record = record,
		.root = {.root_fd = -1},
	};
	if (model_link_environment(&scene->model, err) != 0 ||
	    fs_open(&scene->root, "/", err) != 0 ||
	    topology_read(&scene->topology, &scene->root, err) != 0)
		return -1;
	scene->have_topology = true;
	if (resolve(scene, config, ours, err) != 0 || describe_machine(scene, err) != 0)
		return -1;
	if (scene->model)
		json_object_set_new(record, "provenance", json_string("modelled"));
	return 0;
}

/* The system's own setting stays for a config without huge pages: the child is kept off them by
 * prctl(2) instead. */
int scene_apply_settings(struct scene *scene, struct err *err)
{
	const struct placement *placement = &scene->placement;

	if (knobs_open(&scene->knobs, &scene->root, NULL, err) != 0)
		return -1;
	if (placement->thp && (knobs_set(scene->knobs, "thp_enabled", "always", err) != 0 ||
			       knobs_set(scene->knobs, "thp_defrag", "always", err) != 0))
		return -1;
	return knobs_set(scene->knobs, "numa_balancing", placement->autonuma ? "1" : "0", err);
}

void scene_place_child(const struct scene *scene, struct child_spec *spec)
{
	const struct placement *placement = &scene->placement;

	spec->cpus = scene->cpus;
	spec->nr_cpus = scene->nr_cpus;
	spec->thp_off = !placement->thp;
	if (placement->page_table_bound) {
		spec->memory = CHILD_MEMORY_BIND;
		spec->memory_nodes = UINT64_C(1) << placement->page_table_node;
	} else if (placement->data_policy == PLACE_INTERLEAVE) {
		/* As numactl --interleave in the papers: tables take turns like the data. */
		spec->memory = CHILD_MEMORY_INTERLEAVE;
		spec->memory_nodes = placement->data_nodes;
	}
}

static bool can_dump(struct scene *scene)
{
	const struct ptdump_options options = {.root = &scene->root};
	struct err err = {0};

	if (scene->ptdump)
		return true;
	if (scene->no_dump[0])
		return false;
	if (ptdump_open(&scene->ptdump, &options, &err) == 0)
		return true;
	scene->ptdump = NULL;
	snprintf(scene->no_dump, sizeof(scene->no_dump), "%.*s", (int)sizeof(scene->no_dump) - 1,
		 err.text);
	return false;
}

int scene_dump(struct scene *scene, enum verify_moment moment, const pid_t *pids, int nr_pids,
	       struct err *err)
{
	if (!can_dump(scene))
		return 0;
	for (int i = 0; i < nr_pids; i++) {
		struct ptdump_result one;

		if (ptdump_process(scene->ptdump, pids[i], &one, err) != 0)
			return err_prefix(err, "cannot read the page tables of the workload");
		if (i == 0)
			scene->dumps[moment] = one;
		else
			ptdump_add(&scene->dumps[moment], &one);
	}
	scene->have_dump[moment] = true;
	return 0;
}

int scene_root(struct scene *scene, pid_t pid, uint64_t *root_address, int *levels, struct err *err)
{
	if (!can_dump(scene))
		return err_set(err, ERR_MACHINE,
			       "the model cannot be told the page tables' root: %s",
			       scene->no_dump);
	return ptdump_root(scene->ptdump, pid, root_address, levels, err);
}

static bool contains(const int *values, int n, int value)
{
	for (int i = 0; i < n; i++) {
		if (values[i] == value)
			return true;
	}
	return false;
}

int scene_step_aside(const struct scene *scene, const int *busy_cpus, int nr_busy_cpus)
{
	const struct topology *topology = &scene->topology;
	cpu_set_t set;

	CPU_ZERO(&set);
	for (int i = 0; i < topology->nr_nodes; i++) {
		for (int j = 0; j < topology->nodes[i].nr_cpus; j++) {
			const int cpu = topology->nodes[i].cpus[j];

			if (cpu < CPU_SETSIZE && !contains(busy_cpus, nr_busy_cpus, cpu))
				CPU_SET((size_t)cpu, &set);
		}
	}
	return CPU_COUNT(&set) > 0 ? sched_setaffinity(0, sizeof(set), &set) : -1;
}

int scene_start_interference(struct scene *scene, const int *busy_cpus, int nr_busy_cpus,
			     struct deadline deadline, struct err *err)
{
	const struct interference_spec spec = {
		.nodes = scene->placement.interference_nodes,
		.busy_cpus = busy_cpus,
		.nr_busy_cpus = nr_busy_cpus,
		.log_directory = scene->directory,
		.deadline = deadline,
	};

	if (spec.nodes == 0 || scene->model)
		return 0;
	return interference_start(&scene->interference, &spec, &scene->topology, err);
}

int scene_stop_interference(struct scene *scene, struct err *err)
{
	struct err lost = {0};

	if (!scene->interference)
		return 0;
	json_object_set_new(scene->record, "interference",
			    interference_stop(scene->interference, &lost));
	interference_close(scene->interference);
	scene->interference = NULL;
	return lost.kind ? err_set(err, lost.kind, "%s", lost.text) : 0;
}

int scene_fragment(struct scene *scene, struct deadline deadline, link_progress_fn *progress,
		   void *context, struct err *err)
{
	const struct placement *placement = &scene->placement;
	struct fragmentation_spec spec = {
		.nodes = placement->data_nodes,
		.log_directory = scene->directory,
		.deadline = deadline,
		.progress = progress,
		.context = context,
	};

	if (!placement->fragment)
		return 0;
	for (int i = 0; spec.nodes == 0 && i < scene->topology.nr_nodes; i++) {
		if (scene->topology.nodes[i].memory_bytes > 0)
			spec.nodes |= UINT64_C(1) << scene->topology.nodes[i].id;
	}
	return fragmentation_start(&scene->fragmentation, &spec, err);
}

int scene_stop_fragmentation(struct scene *scene, struct err *err)
{
	json_t *report = NULL;
	int failed;

	if (!scene->fragmentation)
		return 0;
	failed = fragmentation_stop(scene->fragmentation, &report, scene->fragmentation_off, err);
	json_object_set_new(scene->record, "fragmentation", report);
	fragmentation_close(scene->fragmentation);
	scene->fragmentation = NULL;
	return failed;
}

int scene_open_counters(struct scene *scene, const pid_t *pids, int nr_pids, struct err *err)
{
	struct counters_options options;

	counters_option_parse(scene->options->counters, &options);
	if (scene->model || options.backend == COUNTERS_NONE)
		return 0;
	return counters_open(&scene->counters, &options, &scene->topology, pids, nr_pids, err);
}

json_t *scene_counters_to_json(const struct scene *scene)
{
	if (scene->counters)
		return counters_to_json(scene->counters);
	return json_pack("{s:s, s:s, s:[], s:[]}", "source", "none", "note", "--counters none",
			 "events", "derived");
}

static json_t *dump_to_json(const struct scene *scene, enum verify_moment moment)
{
	return scene->have_dump[moment] ? ptdump_to_json(&scene->dumps[moment]) : json_null();
}

int scene_verify(struct scene *scene, uint64_t arena_bytes, struct err *err)
{
	struct err off = {0};
	struct verify_input input = {
		.placement = &scene->placement,
		.arena_bytes = arena_bytes,
		.reason = scene->no_dump[0] ? scene->no_dump : NULL,
		.fragmentation_off = scene->fragmentation_off,
	};
	json_t *verdict;

	for (int i = 0; i < VERIFY_MOMENTS; i++)
		input.dumps[i] = scene->have_dump[i] ? &scene->dumps[i] : NULL;
	verdict = verify_placement(&input, &off);
	json_object_set_new(scene->record, "placement", verdict);
	json_object_set_new(scene->record, "page_tables",
			    json_pack("{s:o, s:o, s:s?}", "ready",
				      dump_to_json(scene, VERIFY_READY), "done",
				      dump_to_json(scene, VERIFY_DONE), "reason", input.reason));
	if (off.kind != ERR_NONE && scene->options->strict)
		return err_set(err, ERR_RUN, "%s (--strict)", off.text);
	return 0;
}

static void note_changes(struct scene *scene)
{
	json_t *machine = json_object_get(scene->record, "machine");

	if (json_is_object(machine))
		json_object_set_new(machine, "changed", knobs_to_json(scene->knobs));
}

int scene_close(struct scene *scene, struct err *err)
{
	int failed = 0;

	interference_close(scene->interference);
	fragmentation_close(scene->fragmentation);
	if (scene->counters)
		counters_close(scene->counters);
	if (scene->ptdump)
		ptdump_close(scene->ptdump);
	if (scene->knobs) {
		failed = knobs_restore(scene->knobs, err);
		note_changes(scene);
		knobs_close(scene->knobs);
	}
	if (scene->have_topology)
		topology_free(&scene->topology);
	fs_close(&scene->root);
	free(scene->cpus);
	json_decref(scene->model);
	return failed;
}
