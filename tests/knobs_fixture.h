/* SPDX-License-Identifier: MIT */
/*
 * For tests of settings and their journal: a temporary directory stands in for /proc and /sys, and
 * runs in other processes can be told what to set and be killed. The files do not behave like the
 * kernel's (a write leaves the word alone, without its alternatives), so values are compared by
 * knobs_read().
 */
#ifndef TESTS_KNOBS_FIXTURE_H
#define TESTS_KNOBS_FIXTURE_H

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <cmocka.h>

#include "harness/knobs.h"
#include "tests/machine.h"

#define THP      "/sys/kernel/mm/transparent_hugepage/enabled"
#define AUTONUMA "/proc/sys/kernel/numa_balancing"
#define GOVERNOR "/sys/devices/system/cpu/cpufreq/policy"

struct fixture {
	struct machine machine;
	char state[128], journal[160];
};

static inline int setup(void **state)
{
	struct fixture *fixture = calloc(1, sizeof(*fixture));

	machine_create(&fixture->machine);
	machine_write(&fixture->machine, THP, "always [madvise] never\n");
	machine_write(&fixture->machine, AUTONUMA, "1\n");
	machine_write(&fixture->machine, GOVERNOR "0/scaling_governor", "schedutil\n");
	machine_write(&fixture->machine, GOVERNOR "4/scaling_governor", "ondemand\n");
	machine_write(&fixture->machine, "/proc/sys/vm/drop_caches", "0\n");
	snprintf(fixture->state, sizeof(fixture->state), "%s/state/suite", fixture->machine.root);
	snprintf(fixture->journal, sizeof(fixture->journal), "%s/journal", fixture->state);
	*state = fixture;
	return 0;
}

static inline int teardown(void **state)
{
	struct fixture *fixture = *state;

	machine_close(&fixture->machine);
	free(fixture);
	return 0;
}

static inline struct knobs *must_open(struct fixture *fixture)
{
	struct knobs *knobs;

	assert_int_equal(knobs_open(&knobs, &fixture->machine.fs, fixture->state, NULL), 0);
	return knobs;
}

static inline void must_set(struct knobs *knobs, const char *name, const char *value)
{
	struct err err = {0};

	if (knobs_set(knobs, name, value, &err) != 0)
		fail_msg("%s = %s: %s", name, value, err.text);
}

static inline void must_read(struct fixture *fixture, const char *name, const char *value)
{
	char now[64];

	assert_int_equal(knobs_read(&fixture->machine.fs, name, now, sizeof(now)), 0);
	assert_string_equal(now, value);
}

static inline int recover(struct fixture *fixture)
{
	struct err err = {0};
	int restored;

	if (knobs_recover(&fixture->machine.fs, fixture->state, &restored, &err) != 0)
		fail_msg("%s", err.text);
	return restored;
}

/* How many settings dead runs have left. */
static inline int stale(const struct fixture *fixture)
{
	struct err err = {0};
	int count;

	assert_int_equal(knobs_stale(fixture->state, &count, &err), 0);
	return count;
}

static inline bool has_journal(struct fixture *fixture)
{
	return access(fixture->journal, F_OK) == 0;
}

/* The journal's text, with `from` replaced by `to` and written back, if `from` is not NULL. */
static inline void edit_journal(struct fixture *fixture, const char *from, const char *to)
{
	struct fs fs;
	char *text, *at;
	FILE *out;

	assert_int_equal(fs_open(&fs, fixture->state, NULL), 0);
	text = fs_read_all(&fs, "journal", NULL);
	assert_non_null(text);
	at = strstr(text, from);
	assert_non_null(at);
	out = fopen(fixture->journal, "w");
	assert_non_null(out);
	fprintf(out, "%.*s%s%s", (int)(at - text), text, to, at + strlen(from));
	fclose(out);
	free(text);
	fs_close(&fs);
}

/* A run in another process, which does as it is told over a pipe and is killed in the end. */
struct run {
	pid_t pid;
	int orders, answers;
};

struct order {
	char what; /* 's'et, 'r'estore, 'q'uit without restoring */
	char name[32], value[32];
};

_Noreturn static inline void run_child(struct fixture *fixture, int orders, int answers)
{
	struct knobs *knobs = must_open(fixture);
	struct order order;

	while (read(orders, &order, sizeof(order)) == sizeof(order) && order.what != 'q') {
		struct err err = {0};

		if (order.what == 's')
			knobs_set(knobs, order.name, order.value, &err);
		else
			knobs_restore(knobs, &err);
		if (write(answers, &err, sizeof(err)) != sizeof(err))
			break;
	}
	_exit(0);
}

static inline struct run run_start(struct fixture *fixture)
{
	struct run run;
	int orders[2], answers[2];

	assert_int_equal(pipe(orders), 0);
	assert_int_equal(pipe(answers), 0);
	run.pid = fork();
	assert_true(run.pid >= 0);
	if (run.pid == 0) {
		close(orders[1]);
		run_child(fixture, orders[0], answers[1]);
	}
	close(orders[0]);
	close(answers[1]);
	run.orders = orders[1];
	run.answers = answers[0];
	return run;
}

static inline struct err run_order(const struct run *run, char what, const char *name,
				   const char *value)
{
	struct order order = {.what = what};
	struct err err;

	snprintf(order.name, sizeof(order.name), "%s", name);
	snprintf(order.value, sizeof(order.value), "%s", value);
	assert_int_equal(write(run->orders, &order, sizeof(order)), sizeof(order));
	assert_int_equal(read(run->answers, &err, sizeof(err)), sizeof(err));
	return err;
}

static inline void run_kill(struct run *run, bool reap)
{
	assert_int_equal(kill(run->pid, SIGKILL), 0);
	if (reap)
		assert_int_equal(waitpid(run->pid, NULL, 0), run->pid);
	else
		waitid(P_PID, (id_t)run->pid, &(siginfo_t){0}, WEXITED | WNOWAIT);
	close(run->orders);
	close(run->answers);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

#endif
