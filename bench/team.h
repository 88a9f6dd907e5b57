/* SPDX-License-Identifier: MIT */
/*
 * A team of pinned threads that sleep between jobs. The thread that owns the team is not a member:
 * it sleeps (or polls) while the team works. Nobody spins, so an idle member takes no cycles from a
 * model or from a hyperthread beside it.
 */
#ifndef BENCH_TEAM_H
#define BENCH_TEAM_H

#include <stdint.h>
#include <sys/types.h>

#include "common/err.h"

#define TEAM_THREADS_MAX 4096
#define TEAM_CPUS_MAX    4096

struct team;

typedef void team_fn(void *context, int thread);

/*
 * Starts `nr_threads` threads, thread i pinned to cpus[i % nr_cpus]. ERR_MACHINE when a CPU cannot
 * be had. Memory policies of the caller are inherited.
 */
int team_create(struct team **team, const int *cpus, int nr_cpus, int nr_threads, struct err *err);
void team_destroy(struct team *team); /* NULL is fine; the team must be idle */

int team_size(const struct team *team);
pid_t team_tid(const struct team *team, int thread);

/* Every member calls fn(context, its number); team_run returns when all have returned. */
void team_run(struct team *team, team_fn *fn, void *context);

/* The same in two halves. team_fd() becomes readable (poll) when the job is done. */
void team_start(struct team *team, team_fn *fn, void *context);
int team_fd(const struct team *team);
void team_wait(struct team *team);

/* Called by every member within a job: waits for the others. */
void team_barrier(struct team *team);

/* The part of [0, total) that belongs to a member; every part but the last is a multiple of
 * `granule`. */
struct team_slice {
	uint64_t begin, end;
};
struct team_slice team_slice(uint64_t total, uint64_t granule, int thread, int nr_threads);

#endif
