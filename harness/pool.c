// SPDX-License-Identifier: MIT
#include "harness/pool.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "harness/deadline.h"
#include "harness/interrupt.h"
#include "harness/record.h"
#include "harness/summary.h"
#include "harness/worker.h"

#define STOP_GRACE_NS UINT64_C(20000000000) /* a guest is shut down and its record written */

struct pool {
	const struct pool_input *input;
	int next;     /* the cell to look at next */
	int failed;   /* cells */
	bool closing; /* nothing new begins */
	struct worker *workers;
	int nr_workers, nr_busy;
	struct err first; /* error of the first failed cell, or of the interrupted one */
};

struct shown {
	struct pool *pool;
	const struct cell *cell;
};

static void show_cell(void *context, const char *phase, double done)
{
	const struct shown *shown = context;

	progress_phase(shown->pool->input->progress, shown->cell->name, phase, done);
}

static void settle(struct pool *pool, const struct execution *execution, const struct err *err)
{
	const struct pool_input *input = pool->input;
	char path[PATHS_MAX + sizeof(RECORD_FILE) + 1], line[SUMMARY_LINE_MAX];
	json_t *record;

	snprintf(path, sizeof(path), "%s/%s", execution->directory, RECORD_FILE);
	record = record_read(path, NULL);
	summary_line(execution->cell, record, err, execution->directory,
		     input->cells->nr_items == 1, line);
	progress_finish(input->progress, err->kind != ERR_NONE, line);
	if (err->kind != ERR_NONE) {
		if (pool->failed++ == 0 || err->kind == ERR_INTERRUPTED)
			pool->first = *err;
		pool->closing =
			pool->closing || input->options->fail_fast || err->kind == ERR_INTERRUPTED;
	}
	if (record && input->finished)
		input->finished(input->context, execution->cell, execution->directory, record);
	json_decref(record);
}

static int prepare(struct pool *pool, const struct cell *cell, struct execution *execution,
		   struct err *err)
{
	*execution = (struct execution){
		.cell = cell,
		.options = pool->input->options,
		.command = pool->input->command,
		.nr_command = pool->input->nr_command,
	};
	if (execution_prepare(execution, err) != 0)
		return -1;
	progress_start(pool->input->progress, cell->name);
	return 0;
}

static int run_here(struct pool *pool, const struct cell *cell, struct err *err)
{
	struct execution execution;
	struct shown shown = {.pool = pool, .cell = cell};
	struct err outcome = {0};

	if (prepare(pool, cell, &execution, err) != 0)
		return -1;
	execution.progress = show_cell;
	execution.context = &shown;
	execution_run(&execution, &outcome);
	settle(pool, &execution, &outcome);
	return 0;
}

static int run_apart(struct pool *pool, const struct cell *cell, struct err *err)
{
	struct worker *worker = pool->workers;

	while (worker->pid != 0)
		worker++;
	*worker = (struct worker){.wire = {.fd = -1}};
	if (prepare(pool, cell, &worker->execution, err) != 0 || worker_start(worker, err) != 0)
		return -1;
	pool->nr_busy++;
	return 0;
}

/* Waits up to a slice for something to happen, and collects the workers that have ended. */
static void attend(struct pool *pool)
{
	struct pollfd *fds = calloc((size_t)pool->nr_workers, sizeof(*fds));

	if (fds) {
		for (int i = 0; i < pool->nr_workers; i++) {
			fds[i].fd = pool->workers[i].pid ? pool->workers[i].wire.fd : -1;
			fds[i].events = POLLIN;
		}
		poll(fds, (nfds_t)pool->nr_workers, INTERRUPT_SLICE_MS);
		free(fds);
	}
	for (int i = 0; i < pool->nr_workers; i++) {
		struct worker *worker = &pool->workers[i];
		struct shown shown = {.pool = pool, .cell = worker->execution.cell};

		if (worker->pid == 0 || worker_listen(worker, show_cell, &shown))
			continue;
		worker_reap(worker);
		pool->nr_busy--;
		settle(pool, &worker->execution, &worker->err);
	}
}

static void stop_workers(struct pool *pool, bool force)
{
	for (int i = 0; i < pool->nr_workers; i++) {
		if (pool->workers[i].pid)
			worker_stop(&pool->workers[i], force);
	}
}

/* Lets the workers end by themselves, or, after a signal, within a grace time. */
static void drain(struct pool *pool, bool stop)
{
	uint64_t stopped_ns = 0;

	while (pool->nr_busy > 0) {
		if (!stopped_ns && (stop || interrupt_signal)) {
			stop_workers(pool, false);
			stopped_ns = deadline_now_ns();
			pool->closing = true;
		}
		if (stopped_ns && deadline_now_ns() - stopped_ns > STOP_GRACE_NS)
			stop_workers(pool, true);
		attend(pool);
	}
}

/* Starts the next cell if there is one and room for it. 1: something was done; 0: nothing to do. */
static int advance(struct pool *pool, struct err *err)
{
	const struct cells *cells = pool->input->cells;
	const struct cell *cell;

	while (pool->next < cells->nr_items && cells->items[pool->next].done_by)
		pool->next++;
	if (pool->next == cells->nr_items || pool->closing)
		return 0;
	cell = &cells->items[pool->next];
	if (cell->config->target.emulated) {
		if (pool->nr_busy == pool->nr_workers) {
			attend(pool);
			return 1;
		}
		pool->next++;
		return run_apart(pool, cell, err) == 0 ? 1 : -1;
	}
	if (pool->nr_busy > 0) { /* a measurement gets the machine for itself */
		attend(pool);
		return 1;
	}
	pool->next++;
	return run_here(pool, cell, err) == 0 ? 1 : -1;
}

static int conclude(const struct pool *pool, struct err *err)
{
	if (deadline_check_interrupt(err) != 0)
		return -1;
	if (pool->failed == 0)
		return 0;
	if (pool->input->cells->nr_items == 1 || pool->first.kind == ERR_INTERRUPTED)
		return err_set(err, pool->first.kind, "%s", pool->first.text);
	return err_set(err, ERR_RUN, "%d of %d runs failed; the first: %s", pool->failed,
		       pool->input->progress->finished, pool->first.text);
}

int pool_run(const struct pool_input *input, struct err *err)
{
	struct pool pool = {.input = input, .nr_workers = (int)input->options->jobs};
	int status = 1;

	if (pool.nr_workers > input->cells->nr_items)
		pool.nr_workers = input->cells->nr_items;
	pool.workers = calloc((size_t)pool.nr_workers + 1, sizeof(*pool.workers));
	if (!pool.workers)
		return err_set(err, ERR_INTERNAL, "out of memory");
	while (status > 0 && !interrupt_signal)
		status = advance(&pool, err);
	drain(&pool, status < 0);
	free(pool.workers);
	return status < 0 ? -1 : conclude(&pool, err);
}
