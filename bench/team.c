// SPDX-License-Identifier: MIT
#include "bench/team.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/syscall.h>
#include <unistd.h>

struct member {
	struct team *team;
	pthread_t thread;
	pid_t tid;
	int number;
};

/* glibc's condition variables and barriers sleep in futex(2) and do not spin. */
struct team {
	pthread_mutex_t lock;
	pthread_cond_t work;
	pthread_barrier_t barrier;
	team_fn *fn;
	void *context;
	uint64_t job; /* number of the current job; members run each once */
	int unfinished;
	int nr_started, nr_threads;
	int done_fd;
	struct member members[];
};

static void report_done(struct team *team)
{
	const uint64_t one = 1;

	/* Cannot fail: the counter of an eventfd that is read after every job stays at 1. */
	if (write(team->done_fd, &one, sizeof(one)) != sizeof(one))
		abort();
}

static void finish_job(struct team *team)
{
	pthread_mutex_lock(&team->lock);
	if (--team->unfinished == 0)
		report_done(team);
	pthread_mutex_unlock(&team->lock);
}

static void *member_main(void *argument)
{
	struct member *member = argument;
	struct team *team = member->team;
	uint64_t last_job = 0;

	member->tid = (pid_t)syscall(SYS_gettid);
	finish_job(team); /* the first "job" is to be there */
	for (;;) {
		team_fn *fn;

		pthread_mutex_lock(&team->lock);
		while (team->job == last_job)
			pthread_cond_wait(&team->work, &team->lock);
		last_job = team->job;
		fn = team->fn;
		pthread_mutex_unlock(&team->lock);
		if (!fn)
			return NULL;
		fn(team->context, member->number);
		finish_job(team);
	}
}

static int start_member(struct team *team, int cpu, struct err *err)
{
	struct member *member = &team->members[team->nr_started];
	cpu_set_t *set = CPU_ALLOC(TEAM_CPUS_MAX);
	const size_t size = CPU_ALLOC_SIZE(TEAM_CPUS_MAX);
	pthread_attr_t attributes;
	int failed;

	if (!set)
		return err_set(err, ERR_INTERNAL, "out of memory for a thread");
	*member = (struct member){.team = team, .number = team->nr_started};
	CPU_ZERO_S(size, set);
	CPU_SET_S((size_t)cpu, size, set);
	pthread_attr_init(&attributes);
	/* From birth, so that the stack is first touched on the right node. */
	pthread_attr_setaffinity_np(&attributes, size, set);
	failed = pthread_create(&member->thread, &attributes, member_main, member);
	pthread_attr_destroy(&attributes);
	CPU_FREE(set);
	if (failed == EINVAL)
		return err_set(err, ERR_MACHINE,
			       "CPU %d cannot be used; --cpus must name online CPUs of this "
			       "process's cpuset",
			       cpu);
	if (failed)
		return err_set_errno(err, ERR_MACHINE, failed, "cannot start thread %d",
				     team->nr_started);
	team->nr_started++;
	return 0;
}

int team_create(struct team **result, const int *cpus, int nr_cpus, int nr_threads, struct err *err)
{
	struct team *team =
		calloc(1, sizeof(*team) + (size_t)nr_threads * sizeof(team->members[0]));

	if (!team)
		return err_set(err, ERR_INTERNAL, "out of memory for %d threads", nr_threads);
	pthread_mutex_init(&team->lock, NULL);
	pthread_cond_init(&team->work, NULL);
	pthread_barrier_init(&team->barrier, NULL, (unsigned)nr_threads);
	team->nr_threads = nr_threads;
	team->unfinished = nr_threads;
	team->done_fd = eventfd(0, EFD_CLOEXEC);
	if (team->done_fd < 0) {
		team_destroy(team);
		return err_set_errno(err, ERR_INTERNAL, errno, "cannot create an eventfd");
	}
	while (team->nr_started < nr_threads) {
		if (start_member(team, cpus[team->nr_started % nr_cpus], err) != 0) {
			team_destroy(team);
			return -1;
		}
	}
	team_wait(team);
	*result = team;
	return 0;
}

void team_destroy(struct team *team)
{
	if (!team)
		return;
	pthread_mutex_lock(&team->lock);
	team->fn = NULL;
	team->job++;
	pthread_cond_broadcast(&team->work);
	pthread_mutex_unlock(&team->lock);
	for (int i = 0; i < team->nr_started; i++)
		pthread_join(team->members[i].thread, NULL);
	if (team->done_fd >= 0)
		close(team->done_fd);
	pthread_barrier_destroy(&team->barrier);
	pthread_cond_destroy(&team->work);
	pthread_mutex_destroy(&team->lock);
	free(team);
}

int team_size(const struct team *team)
{
	return team->nr_threads;
}

pid_t team_tid(const struct team *team, int thread)
{
	return team->members[thread].tid;
}

void team_start(struct team *team, team_fn *fn, void *context)
{
	pthread_mutex_lock(&team->lock);
	team->fn = fn;
	team->context = context;
	team->unfinished = team->nr_threads;
	team->job++;
	pthread_cond_broadcast(&team->work);
	pthread_mutex_unlock(&team->lock);
}

int team_fd(const struct team *team)
{
	return team->done_fd;
}

void team_wait(struct team *team)
{
	uint64_t count;

	while (read(team->done_fd, &count, sizeof(count)) < 0 && errno == EINTR)
		;
}

void team_run(struct team *team, team_fn *fn, void *context)
{
	team_start(team, fn, context);
	team_wait(team);
}

void team_barrier(struct team *team)
{
	pthread_barrier_wait(&team->barrier);
}

struct team_slice team_slice(uint64_t total, uint64_t granule, int thread, int nr_threads)
{
	const uint64_t granules = total / granule + (total % granule != 0);
	const uint64_t each = granules / (uint64_t)nr_threads;
	const uint64_t extra = granules % (uint64_t)nr_threads;
	const uint64_t number = (uint64_t)thread;
	const uint64_t begin = each * number + (number < extra ? number : extra);
	const uint64_t end = begin + each + (number < extra);
	struct team_slice slice = {begin * granule, end * granule};

	if (slice.begin > total)
		slice.begin = total;
	if (slice.end > total)
		slice.end = total;
	return slice;
}
