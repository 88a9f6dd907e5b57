// SPDX-License-Identifier: MIT
#include "harness/execution.h"

#include <stdio.h>
#include <string.h>

#include "common/paths.h"
#include "harness/exec_session.h"
#include "harness/record.h"
#include "harness/remote_session.h"

static const char *base_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash && slash[1] ? slash + 1 : path;
}

int execution_prepare(struct execution *execution, struct err *err)
{
	const struct cell *cell = execution->cell;
	const struct run_options *options = execution->options;

	if (!options->into)
		return results_create(options->results, cell->workload, cell->config->config.name,
				      cell->repeat_index, execution->directory, execution->id, err);
	snprintf(execution->directory, sizeof(execution->directory), "%s", options->into);
	snprintf(execution->id, sizeof(execution->id), "%.*s", RESULTS_ID_MAX - 1,
		 base_name(options->into));
	return results_use(execution->directory, err);
}

static json_t *start_record(const struct execution *execution)
{
	const struct cell *cell = execution->cell;
	const struct run_options *options = execution->options;
	const struct record_start start = {
		.id = execution->id,
		.command = execution->command,
		.nr_command = execution->nr_command,
		.workload = cell->workload,
		.arguments = cell->plan ? cell->plan->arguments : options->rest + 1,
		.nr_arguments = cell->plan ? cell->plan->nr_given : options->nr_rest - 1,
		.config = cell->config->config.name,
		.repeat_index = cell->repeat_index,
		.repeat_of = cell->repeat_of,
	};
	json_t *record = record_new(&start);

	if (record && cell->plan)
		driver_plan_describe(cell->plan, record);
	if (record)
		json_object_set_new(record, "placement_plan",
				    placement_to_json(&cell->config->placement));
	return record;
}

static int run_here(const struct execution *execution, json_t *record, struct err *err)
{
	char driver[PATHS_MAX];
	const struct local_session_input input = {
		.options = execution->options,
		.plan = execution->cell->plan,
		.config = &execution->cell->config->config,
		.driver = driver,
		.directory = execution->directory,
		.progress = execution->progress,
		.context = execution->context,
	};

	if (!execution->cell->plan)
		return exec_session_run(&input, record, err);
	if (paths_program(driver, "bench", err) != 0)
		return -1;
	return local_session_run(&input, record, err);
}

int execution_run(const struct execution *execution, struct err *err)
{
	json_t *record = start_record(execution);
	struct err unwritten = {0};
	int failed;

	if (!record)
		return err_set(err, ERR_INTERNAL, "out of memory");
	if (record_write(record, execution->directory, err) != 0) {
		json_decref(record);
		return -1;
	}
	if (execution->cell->config->target.emulated)
		failed = remote_session_run(execution, &record, err);
	else
		failed = run_here(execution, record, err);
	record_exit(record, err);
	if (record_write(record, execution->directory, &unwritten) != 0 && !failed)
		failed = err_set(err, unwritten.kind, "%s", unwritten.text);
	json_decref(record);
	return failed;
}
