// SPDX-License-Identifier: MIT
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>

#include <cmocka.h>
#include <poll.h>
#include <sched.h>
#include <time.h>
#include <unistd.h>

#include "bench/team.h"

static int first_cpu(void)
{
	cpu_set_t set;

	sched_getaffinity(0, sizeof(set), &set);
	for (int cpu = 0; cpu < CPU_SETSIZE; cpu++)
		if (CPU_ISSET(cpu, &set))
			return cpu;
	return -1;
}

struct job {
	struct team *team;
	atomic_int calls, arrived, early;
	int cpu[8];
};

static void note(void *context, int thread)
{
	struct job *job = context;

	job->cpu[thread] = sched_getcpu();
	job->calls++;
	for (int round = 1; round <= 100; round++) {
		job->arrived++;
		team_barrier(job->team);
		job->early += job->arrived < 4 * round;
		team_barrier(job->team);
	}
}

static void members_are_pinned_and_meet(void **state)
{
	const int cpu = first_cpu();
	struct err err = {0};
	struct job job = {0};

	(void)state;
	assert_int_equal(team_create(&job.team, &cpu, 1, 4, &err), 0);
	assert_int_equal(team_size(job.team), 4);
	assert_true(team_tid(job.team, 0) > 0 && team_tid(job.team, 0) != getpid());
	for (int repeat = 0; repeat < 3; repeat++) {
		job.calls = job.arrived = 0;
		team_run(job.team, note, &job);
		assert_int_equal(job.calls, 4);
		assert_int_equal(job.early, 0);
	}
	for (int thread = 0; thread < 4; thread++)
		assert_int_equal(job.cpu[thread], cpu);
	team_destroy(job.team);
}

static void nap(void *context, int thread)
{
	const struct timespec delay = {0, 20000000};

	(void)context;
	(void)thread;
	nanosleep(&delay, NULL);
}

static void the_end_can_be_polled(void **state)
{
	const int cpu = first_cpu();
	struct err err = {0};
	struct team *team;
	struct pollfd pfd;

	(void)state;
	assert_int_equal(team_create(&team, &cpu, 1, 2, &err), 0);
	pfd = (struct pollfd){.fd = team_fd(team), .events = POLLIN};
	assert_int_equal(poll(&pfd, 1, 0), 0);
	team_start(team, nap, NULL);
	assert_int_equal(poll(&pfd, 1, 5000), 1);
	team_wait(team);
	assert_int_equal(poll(&pfd, 1, 0), 0);
	team_destroy(team);
}

static double cpu_seconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static void nobody_spins(void **state)
{
	const struct timespec delay = {0, 300000000};
	const int cpu = first_cpu();
	struct err err = {0};
	struct team *team;
	double before;

	(void)state;
	assert_int_equal(team_create(&team, &cpu, 1, 4, &err), 0);
	before = cpu_seconds();
	nanosleep(&delay, NULL);
	assert_true(cpu_seconds() - before < 0.02);
	team_destroy(team);
}

static void a_missing_cpu_is_refused(void **state)
{
	const int cpu = TEAM_CPUS_MAX - 1;
	struct err err = {0};
	struct team *team;

	(void)state;
	assert_int_equal(team_create(&team, &cpu, 1, 1, &err), -1);
	assert_int_equal(err.kind, ERR_MACHINE);
	team_destroy(NULL);
}

static void slices_cover_everything_once(void **state)
{
	static const uint64_t totals[] = {0, 1, 511, 512, 513, 100000, UINT64_C(1) << 60};

	(void)state;
	for (size_t i = 0; i < sizeof(totals) / sizeof(totals[0]); i++) {
		for (int threads = 1; threads <= 9; threads++) {
			uint64_t at = 0;

			for (int thread = 0; thread < threads; thread++) {
				const struct team_slice slice =
					team_slice(totals[i], 512, thread, threads);

				assert_true(slice.begin == at && slice.end >= at);
				assert_true(slice.begin % 512 == 0 || slice.begin == totals[i]);
				at = slice.end;
			}
			assert_true(at == totals[i]);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(members_are_pinned_and_meet),
		cmocka_unit_test(the_end_can_be_polled),
		cmocka_unit_test(nobody_spins),
		cmocka_unit_test(a_missing_cpu_is_refused),
		cmocka_unit_test(slices_cover_everything_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
