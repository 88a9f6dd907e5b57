// SPDX-License-Identifier: MIT
#include "harness/cells.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/units.h"
#include "emulator/emulator.h"
#include "harness/fragmentation.h"
#include "harness/record.h"
#include "harness/results.h"

/* --- configs --------------------------------------------------------------------------------- */

static int resolve(struct cell_config *config, const struct run_options *options, bool ours,
		   const struct topology *topology, struct err *err)
{
	const struct placement_options where = {
		.local_node = (int)options->local_node,
		.remote_node = (int)options->remote_node,
	};
	const struct placement_means means = {
		.mremap = ours,
		.interference_modelled = config->target.emulated || getenv(EMULATOR_ENV),
		.fragmenter = fragmentation_available(),
	};

	if (placement_resolve(&config->config, topology, &where, &means, &config->placement, err) !=
	    0)
		return -1;
	config->explanation = placement_explain(&config->placement, topology);
	return config->explanation ? 0 : err_set(err, ERR_INTERNAL, "out of memory");
}

static int plan_config(struct cell_config *config, const char *name,
		       const struct run_options *options, bool ours, const struct topology *here,
		       const struct fs *root, struct err *err)
{
	struct topology topology;
	int failed;

	if (config_parse(name, &config->config, err) != 0 ||
	    target_choose(&config->target, options->machine, &config->config, here, err) != 0 ||
	    target_topology(&config->target, root, &topology, err) != 0)
		return -1;
	failed = resolve(config, options, ours, &topology, err);
	topology_free(&topology);
	return failed;
}

static int plan_configs(struct cells *cells, const struct run_options *options, bool ours,
			const struct topology *here, const struct fs *root, struct err *err)
{
	cells->configs = calloc(RUN_LIST_MAX, sizeof(*cells->configs));
	if (!cells->configs)
		return err_set(err, ERR_INTERNAL, "out of memory");
	for (char *const *name = options->configs; *name; name++) {
		struct cell_config *config = &cells->configs[cells->nr_configs++];

		if (plan_config(config, *name, options, ours, here, root, err) != 0)
			return -1;
	}
	return 0;
}

/* --- plans of the driver -----------------------------------------------------------------------
 */

static bool binds_one_node(const struct placement *placement)
{
	return placement->data_policy == PLACE_BIND;
}

/* The plan of a workload for that sort of config: made at most three times per workload. */
static int find_plan(struct cells *cells, const char *workload, const struct cell_config *config,
		     const struct run_options *options, const struct topology *here,
		     struct driver_plan **plan, struct err *err)
{
	const struct driver_plan_target target = {
		.emulated = config->target.emulated,
		.one_node = binds_one_node(&config->placement),
		.topology = here,
	};
	const int sort = target.emulated ? 2 : target.one_node;

	for (int i = 0; i < cells->nr_plans; i++) {
		if (strcmp(cells->plans[i].workload, workload) == 0 &&
		    cells->plans[i].sort == sort) {
			*plan = &cells->plans[i];
			return 0;
		}
	}
	*plan = &cells->plans[cells->nr_plans];
	if (driver_plan_make(*plan, workload, options, &target, err) != 0)
		return -1;
	(*plan)->sort = sort;
	cells->nr_plans++;
	return 0;
}

/* What no setting can help: more memory than the nodes of the data have. */
static int check_memory(const struct cell_config *config, const struct driver_plan *plan,
			const struct topology *here, struct err *err)
{
	uint64_t bytes = 0;

	if (config->target.emulated || config->placement.data_policy == PLACE_FIRST_TOUCH)
		return 0;
	for (int i = 0; i < here->nr_nodes; i++) {
		if (config->placement.data_nodes >> here->nodes[i].id & 1)
			bytes += here->nodes[i].memory_bytes;
	}
	if (plan->footprint_bytes > bytes) {
		char needed[UNITS_TEXT_MAX], there[UNITS_TEXT_MAX];

		return err_set(err, ERR_MACHINE,
			       "%s %s needs %s of memory, and the nodes of its data have %s; "
			       "choose a smaller --size",
			       plan->workload, config->config.name,
			       units_format_size(plan->footprint_bytes, needed),
			       units_format_size(bytes, there));
	}
	return 0;
}

/* A server's page tables can only be moved by the kernel. */
static int check_server(const struct cell_config *config, const struct driver_plan *plan,
			struct err *err)
{
	if (!json_object_get(plan->json, "server") ||
	    config->placement.migration != MIGRATION_MREMAP)
		return 0;
	return err_set(
		err, ERR_MACHINE,
		"%s %s: page tables of a server, a program that is not ours, cannot be moved "
		"on this kernel (page-table migration in the kernel is missing); %s-inproc "
		"has its own store in the driver, whose tables can",
		plan->workload, config->config.name, plan->workload);
}

static double scale_of(const struct cell *cell, const struct run_options *options)
{
	if (options->scale > 0)
		return options->scale;
	if (!cell->plan || cell->plan->published_footprint_bytes <= cell->footprint_bytes)
		return 0;
	return (double)cell->plan->published_footprint_bytes / (double)cell->footprint_bytes;
}

/* --- the cells ----------------------------------------------------------------------------------
 */

static void add_cell(struct cells *cells, const struct run_options *options, const char *workload,
		     const struct driver_plan *plan, const struct cell_config *config,
		     int64_t repeat)
{
	struct cell *cell = &cells->items[cells->nr_items++];

	*cell = (struct cell){
		.config = config,
		.plan = plan,
		.workload = workload,
		.repeat_index = repeat,
		.repeat_of = options->repeat,
		.footprint_bytes = plan ? plan->footprint_bytes : options->memory_bytes,
	};
	cell->scale = scale_of(cell, options);
	if (options->repeat > 1)
		snprintf(cell->name, sizeof(cell->name), "%.48s %s %lld/%lld", workload,
			 config->config.name, (long long)repeat, (long long)options->repeat);
	else
		snprintf(cell->name, sizeof(cell->name), "%.48s %s", workload, config->config.name);
}

static const char *base_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

/* One repetition of everything before the next, so that slow drift of the machine hits all configs
 * alike. */
static int lay_out(struct cells *cells, const struct run_options *options,
		   const struct topology *here, struct err *err)
{
	char *program[] = {(char *)base_name(options->nr_rest ? options->rest[0] : ""), NULL};
	const bool ours = options->workloads[0] != NULL;
	char *const *workloads = ours ? options->workloads : program;

	for (int64_t repeat = 1; repeat <= options->repeat; repeat++) {
		for (char *const *workload = workloads; *workload; workload++) {
			for (int i = 0; i < cells->nr_configs; i++) {
				struct cell_config *config = &cells->configs[i];
				struct driver_plan *plan = NULL;

				if (ours && (find_plan(cells, *workload, config, options, here,
						       &plan, err) != 0 ||
					     check_memory(config, plan, here, err) != 0 ||
					     check_server(config, plan, err) != 0))
					return -1;
				add_cell(cells, options, *workload, plan, config, repeat);
			}
		}
	}
	return 0;
}

/* xorshift64*, by Vigna (2016); good enough to deal cards. */
static uint64_t next_random(uint64_t *state)
{
	*state ^= *state >> 12;
	*state ^= *state << 25;
	*state ^= *state >> 27;
	return *state * UINT64_C(2685821657736338717);
}

void cells_order(int *order, int n, bool shuffle, uint64_t seed)
{
	uint64_t state = seed * UINT64_C(0x9e3779b97f4a7c15) + 1;

	for (int i = 0; i < n; i++)
		order[i] = i;
	for (int i = n - 1; shuffle && i > 0; i--) {
		const int j = (int)(next_random(&state) % (uint64_t)(i + 1));
		const int swapped = order[i];

		order[i] = order[j];
		order[j] = swapped;
	}
}

static int apply_order(struct cells *cells, const struct run_options *options, struct err *err)
{
	int *order = calloc((size_t)cells->nr_items, sizeof(int));
	struct cell *items = calloc((size_t)cells->nr_items, sizeof(*items));

	if (!order || !items) {
		free(order);
		free(items);
		return err_set(err, ERR_INTERNAL, "out of memory");
	}
	cells_order(order, cells->nr_items, options->shuffle,
		    options->have_seed ? options->seed : 1);
	for (int i = 0; i < cells->nr_items; i++)
		items[i] = cells->items[order[i]];
	free(order);
	free(cells->items);
	cells->items = items;
	return 0;
}

static int count_names(char *const *names)
{
	int n = 0;

	while (names[n])
		n++;
	return n;
}

static int plan_all(struct cells *cells, const struct run_options *options,
		    enum run_command command, const struct topology *here, const struct fs *root,
		    struct err *err)
{
	const int workloads = command == RUN_COMMAND_RUN ? count_names(options->workloads) : 1;
	const int64_t total = options->repeat * workloads * count_names(options->configs);

	if (total > INT32_MAX / 2)
		return err_set(err, ERR_USAGE, "%lld runs are too many for one command",
			       (long long)total);
	cells->items = calloc((size_t)total, sizeof(*cells->items));
	cells->plans = calloc((size_t)workloads * 3, sizeof(*cells->plans));
	if (!cells->items || !cells->plans)
		return err_set(err, ERR_INTERNAL, "out of memory");
	if (plan_configs(cells, options, command == RUN_COMMAND_RUN, here, root, err) != 0 ||
	    lay_out(cells, options, here, err) != 0)
		return -1;
	return apply_order(cells, options, err);
}

int cells_plan(struct cells *cells, const struct run_options *options, enum run_command command,
	       const struct fs *root, struct err *err)
{
	struct topology here;
	int failed;

	*cells = (struct cells){0};
	if (topology_read(&here, root, err) != 0)
		return -1;
	failed = plan_all(cells, options, command, &here, root, err);
	topology_free(&here);
	if (failed)
		cells_free(cells);
	return failed;
}

/* A record as far as it is known before the run. */
static json_t *foresee(const struct cell *cell)
{
	const struct record_start start = {
		.id = "",
		.workload = cell->workload,
		.config = cell->config->config.name,
		.repeat_index = cell->repeat_index,
		.repeat_of = cell->repeat_of,
	};
	json_t *record = record_new(&start);

	if (cell->plan)
		driver_plan_describe(cell->plan, record);
	json_object_set_new(record, "placement_plan", placement_to_json(&cell->config->placement));
	json_object_set_new(record, "machine", target_to_json(&cell->config->target, cell->scale));
	return record;
}

void cells_look_up(struct cells *cells, const struct run_options *options)
{
	json_t *records = results_scan(options->results);
	const bool with_scale = options->scale > 0;

	for (int i = 0; i < cells->nr_items; i++) {
		struct cell *cell = &cells->items[i];
		json_t *record = foresee(cell);
		json_t *identity = results_identity(record, with_scale);
		const char *id = results_find(records, identity, with_scale);

		cell->estimate_ns = results_estimate_ns(records, identity, with_scale);
		if (id && options->resume)
			cell->done_by = strdup(id);
		json_decref(identity);
		json_decref(record);
	}
	json_decref(records);
}

int cells_left(const struct cells *cells, uint64_t *estimate_ns)
{
	bool known = true;
	int left = 0;

	*estimate_ns = 0;
	for (int i = 0; i < cells->nr_items; i++) {
		const struct cell *cell = &cells->items[i];

		if (cell->done_by)
			continue;
		left++;
		known = known && cell->estimate_ns > 0;
		*estimate_ns += cell->estimate_ns;
	}
	if (!known)
		*estimate_ns = 0;
	return left;
}

void cells_free(struct cells *cells)
{
	for (int i = 0; i < cells->nr_items; i++)
		free(cells->items[i].done_by);
	for (int i = 0; i < cells->nr_plans; i++)
		driver_plan_free(&cells->plans[i]);
	for (int i = 0; i < cells->nr_configs; i++)
		free(cells->configs[i].explanation);
	free(cells->items);
	free(cells->plans);
	free(cells->configs);
	*cells = (struct cells){0};
}
