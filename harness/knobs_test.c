// SPDX-License-Identifier: MIT
/*
 * A temporary directory stands in for /proc and /sys. Its files do not behave like the kernel's (a
 * write leaves the word alone, without its alternatives), so values are compared by knobs_read().
 */
#include "harness/knobs.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <cmocka.h>

#include "tests/machine.h"

#define THP      "/sys/kernel/mm/transparent_hugepage/enabled"
#define AUTONUMA "/proc/sys/kernel/numa_balancing"
#define GOVERNOR "/sys/devices/system/cpu/cpufreq/policy"

struct fixture {
	struct machine machine;
	char state[128], journal[160];
};

static int setup(void **state)
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

static int teardown(void **state)
{
	struct fixture *fixture = *state;

	machine_close(&fixture->machine);
	free(fixture);
	return 0;
}

static struct knobs *must_open(struct fixture *fixture)
{
	struct knobs *knobs;

	assert_int_equal(knobs_open(&knobs, &fixture->machine.fs, fixture->state, NULL), 0);
	return knobs;
}

static void must_set(struct knobs *knobs, const char *name, const char *value)
{
	struct err err = {0};

	if (knobs_set(knobs, name, value, &err) != 0)
		fail_msg("%s = %s: %s", name, value, err.text);
}

static void must_read(struct fixture *fixture, const char *name, const char *value)
{
	char now[64];

	assert_int_equal(knobs_read(&fixture->machine.fs, name, now, sizeof(now)), 0);
	assert_string_equal(now, value);
}

static int recover(struct fixture *fixture)
{
	struct err err = {0};
	int restored;

	if (knobs_recover(&fixture->machine.fs, fixture->state, &restored, &err) != 0)
		fail_msg("%s", err.text);
	return restored;
}

static bool has_journal(struct fixture *fixture)
{
	return access(fixture->journal, F_OK) == 0;
}

/* The journal's text, with `from` replaced by `to` and written back, if `from` is not NULL. */
static void edit_journal(struct fixture *fixture, const char *from, const char *to)
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

_Noreturn static void run_child(struct fixture *fixture, int orders, int answers)
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

static struct run run_start(struct fixture *fixture)
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

static struct err run_order(const struct run *run, char what, const char *name, const char *value)
{
	struct order order = {.what = what};
	struct err err;

	snprintf(order.name, sizeof(order.name), "%s", name);
	snprintf(order.value, sizeof(order.value), "%s", value);
	assert_int_equal(write(run->orders, &order, sizeof(order)), sizeof(order));
	assert_int_equal(read(run->answers, &err, sizeof(err)), sizeof(err));
	return err;
}

static void run_kill(struct run *run, bool reap)
{
	assert_int_equal(kill(run->pid, SIGKILL), 0);
	if (reap)
		assert_int_equal(waitpid(run->pid, NULL, 0), run->pid);
	else
		waitid(P_PID, (id_t)run->pid, &(siginfo_t){0}, WEXITED | WNOWAIT);
	close(run->orders);
	close(run->answers);
}

static const char *change_text(const json_t *changed, size_t i, const char *name)
{
	return json_string_value(json_object_get(json_array_get(changed, i), name));
}

static void sets_and_restores(void **state)
{
	struct fixture *fixture = *state;
	struct knobs *knobs = must_open(fixture);
	json_t *changed;

	assert_false(has_journal(fixture));
	must_set(knobs, "thp_enabled", "never");
	must_set(knobs, "numa_balancing", "0");
	must_set(knobs, "governor", "performance");
	must_read(fixture, "thp_enabled", "never");
	must_read(fixture, "numa_balancing", "0");
	assert_true(has_journal(fixture));
	assert_int_equal(knobs_restore(knobs, NULL), 0);
	must_read(fixture, "thp_enabled", "madvise");
	must_read(fixture, "numa_balancing", "1");
	must_read(fixture, "governor", "schedutil");
	assert_false(has_journal(fixture));
	changed = knobs_to_json(knobs);
	assert_int_equal(json_array_size(changed), 4);
	assert_string_equal(change_text(changed, 0, "path"), THP);
	assert_string_equal(change_text(changed, 0, "before"), "madvise");
	assert_string_equal(change_text(changed, 0, "set"), "never");
	assert_true(json_is_true(json_object_get(json_array_get(changed, 0), "restored")));
	/* Each policy of the governor has its own value back. */
	assert_string_equal(change_text(changed, 3, "path"), GOVERNOR "4/scaling_governor");
	assert_string_equal(change_text(changed, 3, "before"), "ondemand");
	json_decref(changed);
	knobs_close(knobs);
}

static void close_restores(void **state)
{
	struct fixture *fixture = *state;
	struct knobs *knobs = must_open(fixture);

	must_set(knobs, "thp_enabled", "always");
	knobs_close(knobs);
	must_read(fixture, "thp_enabled", "madvise");
	knobs_close(NULL);
}

static void leaves_alone_what_is_so(void **state)
{
	struct fixture *fixture = *state;
	struct knobs *knobs = must_open(fixture);
	json_t *changed;

	must_set(knobs, "thp_enabled", "madvise");
	must_set(knobs, "numa_balancing", "1");
	/* A machine without the file already behaves like this value. */
	must_set(knobs, "ksm", "0");
	changed = knobs_to_json(knobs);
	assert_int_equal(json_array_size(changed), 0);
	json_decref(changed);
	knobs_close(knobs);
	assert_false(has_journal(fixture));
}

static void changes_twice(void **state)
{
	struct fixture *fixture = *state;
	struct knobs *knobs = must_open(fixture);
	json_t *changed;

	must_set(knobs, "thp_enabled", "never");
	must_set(knobs, "thp_enabled", "always");
	changed = knobs_to_json(knobs);
	assert_int_equal(json_array_size(changed), 1);
	assert_string_equal(change_text(changed, 0, "before"), "madvise");
	assert_string_equal(change_text(changed, 0, "set"), "always");
	json_decref(changed);
	knobs_close(knobs);
	must_read(fixture, "thp_enabled", "madvise");
}

static void actions_leave_no_trace(void **state)
{
	struct fixture *fixture = *state;
	struct knobs *knobs = must_open(fixture);
	char text[16];

	must_set(knobs, "drop_caches", "3");
	assert_true(fs_read(&fixture->machine.fs, "/proc/sys/vm/drop_caches", text, sizeof(text)) >
		    0);
	assert_string_equal(text, "3");
	assert_false(has_journal(fixture));
	knobs_close(knobs);
	assert_int_equal(knobs_read(&fixture->machine.fs, "drop_caches", text, sizeof(text)), -1);
}

static void refuses(void **state)
{
	static const struct {
		const char *name, *value;
		enum err_kind kind;
		const char *says;
	} bad[] = {
		{"thp_enabled", "sometimes", ERR_MACHINE, "offers 'always [madvise] never'"},
		{"thp_enabled", "alway", ERR_MACHINE, "not 'alway'"},
		{"ksm", "1", ERR_MACHINE, "/sys/kernel/mm/ksm/run"},
		{"no_turbo", "1", ERR_MACHINE, "no setting 'no_turbo'"},
		{"huge", "1", ERR_USAGE, "no setting 'huge'"},
	};
	struct fixture *fixture = *state;
	struct knobs *knobs = must_open(fixture);

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct err err = {0};

		assert_int_equal(knobs_set(knobs, bad[i].name, bad[i].value, &err), -1);
		assert_int_equal(err.kind, bad[i].kind);
		if (!strstr(err.text, bad[i].says))
			fail_msg("'%s' does not say '%s'", err.text, bad[i].says);
	}
	knobs_close(knobs);
	must_read(fixture, "thp_enabled", "madvise");
	assert_false(has_journal(fixture));
}

/* A link to /dev/full reads as zeros without end and fails each write with ENOSPC. */
static void failed_write(void **state)
{
	struct fixture *fixture = *state;
	struct knobs *knobs = must_open(fixture);
	struct err err = {0};
	char path[256];

	snprintf(path, sizeof(path), "%s%s", fixture->machine.root, AUTONUMA);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(symlink("/dev/full", path), 0);
	assert_int_equal(knobs_set(knobs, "numa_balancing", "0", &err), -1);
	assert_int_equal(err.kind, ERR_MACHINE);
	assert_non_null(strstr(err.text, AUTONUMA));
	assert_non_null(strstr(err.text, "run as root"));
	assert_false(has_journal(fixture));
	knobs_close(knobs);
}

/* A write that is accepted and ignored, as some firmware does. */
static void ignored_write(void **state)
{
	struct fixture *fixture = *state;
	struct knobs *knobs = must_open(fixture);
	struct err err = {0};
	char path[256];

	snprintf(path, sizeof(path), "%s%s", fixture->machine.root, AUTONUMA);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(symlink("/dev/null", path), 0);
	assert_int_equal(knobs_set(knobs, "numa_balancing", "0", &err), -1);
	assert_non_null(strstr(err.text, "was set to '0' and reads ''"));
	assert_false(has_journal(fixture));
	knobs_close(knobs);
}

static void unusable_state_directory(void **state)
{
	struct fixture *fixture = *state;
	struct err err = {0};
	struct knobs *knobs;

	machine_write(&fixture->machine, "/file", "");
	snprintf(fixture->state, sizeof(fixture->state), "%s/file/state", fixture->machine.root);
	knobs = must_open(fixture);
	/* What needs no change needs no journal either. */
	must_set(knobs, "thp_enabled", "madvise");
	assert_int_equal(knobs_set(knobs, "thp_enabled", "never", &err), -1);
	assert_int_equal(err.kind, ERR_MACHINE);
	assert_non_null(strstr(err.text, "MITOSIS_SUITE_STATE"));
	must_read(fixture, "thp_enabled", "madvise");
	knobs_close(knobs);
	assert_int_equal(recover(fixture), 0);
}

static void keeps_a_users_change(void **state)
{
	struct fixture *fixture = *state;
	struct knobs *knobs = must_open(fixture);
	json_t *changed;

	must_set(knobs, "thp_enabled", "never");
	machine_write(&fixture->machine, THP, "[always] madvise never\n");
	assert_int_equal(knobs_restore(knobs, NULL), 0);
	must_read(fixture, "thp_enabled", "always");
	changed = knobs_to_json(knobs);
	assert_true(json_is_false(json_object_get(json_array_get(changed, 0), "restored")));
	json_decref(changed);
	knobs_close(knobs);
}

static int stale(const struct fixture *fixture)
{
	struct err err = {0};
	int count;

	assert_int_equal(knobs_stale(fixture->state, &count, &err), 0);
	return count;
}

static void recovers_after_sigkill(void **state)
{
	struct fixture *fixture = *state;

	/* A killed run is as dead while nobody has reaped it. */
	for (int reap = 0; reap < 2; reap++) {
		struct run run = run_start(fixture);

		run_order(&run, 's', "thp_enabled", "never");
		run_order(&run, 's', "thp_enabled", "always");
		run_order(&run, 's', "numa_balancing", "0");
		assert_int_equal(recover(fixture), 0);
		must_read(fixture, "thp_enabled", "always");
		assert_int_equal(stale(fixture), 0);
		run_kill(&run, reap);
		assert_int_equal(stale(fixture), 2);
		must_read(fixture, "thp_enabled", "always");
		assert_int_equal(recover(fixture), 2);
		assert_int_equal(stale(fixture), 0);
		must_read(fixture, "thp_enabled", "madvise");
		must_read(fixture, "numa_balancing", "1");
		assert_false(has_journal(fixture));
		assert_int_equal(recover(fixture), 0);
		if (!reap)
			waitpid(run.pid, NULL, 0);
	}
}

static void recovers_between_journal_and_write(void **state)
{
	struct fixture *fixture = *state;
	struct run run = run_start(fixture);

	/* The note is on disk, the file has still the value before. */
	run_order(&run, 's', "thp_enabled", "never");
	machine_write(&fixture->machine, THP, "always [madvise] never\n");
	run_kill(&run, true);
	assert_int_equal(recover(fixture), 0);
	must_read(fixture, "thp_enabled", "madvise");
	assert_false(has_journal(fixture));
	/* The same for a second value: the file has still the first. */
	run = run_start(fixture);
	run_order(&run, 's', "thp_enabled", "never");
	run_order(&run, 's', "thp_enabled", "always");
	machine_write(&fixture->machine, THP, "always madvise [never]\n");
	run_kill(&run, true);
	assert_int_equal(recover(fixture), 1);
	must_read(fixture, "thp_enabled", "madvise");
}

/*
 * A plain file is empty for a moment when it is replaced, which the kernel's files never are; a
 * process killed in that moment has not written.
 */
static void unwrite(struct fixture *fixture, const char *path, const char *text)
{
	char now[32];

	if (fs_read(&fixture->machine.fs, path, now, sizeof(now)) == 0)
		machine_write(&fixture->machine, path, text);
}

/* Killed at any instant: whatever was on disk then, the old values come back. */
static void recovers_from_any_instant(void **state)
{
	struct fixture *fixture = *state;

	for (int round = 0; round < 100; round++) {
		const pid_t pid = fork();

		if (pid == 0) {
			struct knobs *knobs = must_open(fixture);

			for (;;) {
				knobs_set(knobs, "thp_enabled", "never", NULL);
				knobs_set(knobs, "numa_balancing", "0", NULL);
				knobs_set(knobs, "thp_enabled", "always", NULL);
				knobs_restore(knobs, NULL);
			}
		}
		usleep((useconds_t)(1000 + 97 * round));
		kill(pid, SIGKILL);
		waitpid(pid, NULL, 0);
		unwrite(fixture, THP, "always [madvise] never\n");
		unwrite(fixture, AUTONUMA, "1\n");
		recover(fixture);
		must_read(fixture, "thp_enabled", "madvise");
		must_read(fixture, "numa_balancing", "1");
		assert_false(has_journal(fixture));
	}
}

static void another_process_with_its_pid(void **state)
{
	struct fixture *fixture = *state;
	struct run run = run_start(fixture);
	char pid[32];

	run_order(&run, 's', "thp_enabled", "never");
	snprintf(pid, sizeof(pid), "\"pid\":%d,", run.pid);
	run_kill(&run, true);
	/* Process 1 lives, with another start time; and so do we. */
	edit_journal(fixture, pid, "\"pid\":1,");
	assert_int_equal(recover(fixture), 1);
	must_read(fixture, "thp_enabled", "madvise");
}

static void drops_an_earlier_boot(void **state)
{
	struct fixture *fixture = *state;
	struct run run = run_start(fixture);

	run_order(&run, 's', "thp_enabled", "never");
	run_kill(&run, true);
	edit_journal(fixture, "\"boot\":\"", "\"boot\":\"earlier-");
	/* After a boot 'never' is what the machine was started with. */
	assert_int_equal(recover(fixture), 0);
	must_read(fixture, "thp_enabled", "never");
	assert_false(has_journal(fixture));
}

static void forged_paths_are_not_written(void **state)
{
	struct fixture *fixture = *state;
	struct run run = run_start(fixture);
	char text[32];

	machine_write(&fixture->machine, "/etc/passwd", "never\n");
	run_order(&run, 's', "thp_enabled", "never");
	run_kill(&run, true);
	edit_journal(fixture, THP, "/etc/passwd");
	assert_int_equal(recover(fixture), 0);
	fs_read(&fixture->machine.fs, "/etc/passwd", text, sizeof(text));
	assert_string_equal(text, "never");
}

static void holders_share_a_value(void **state)
{
	struct fixture *fixture = *state;
	struct knobs *knobs = must_open(fixture);
	struct run run = run_start(fixture);
	json_t *changed;
	struct err err;
	char pid[32];

	must_set(knobs, "thp_enabled", "never");
	err = run_order(&run, 's', "thp_enabled", "never");
	assert_int_equal(err.kind, ERR_NONE);
	err = run_order(&run, 's', "thp_enabled", "always");
	assert_int_equal(err.kind, ERR_MACHINE);
	snprintf(pid, sizeof(pid), "pid %d", getpid());
	assert_non_null(strstr(err.text, pid));
	/* The first to leave leaves the value to the other. */
	assert_int_equal(knobs_restore(knobs, NULL), 0);
	must_read(fixture, "thp_enabled", "never");
	changed = knobs_to_json(knobs);
	assert_true(json_is_false(json_object_get(json_array_get(changed, 0), "restored")));
	assert_int_equal(json_integer_value(json_object_get(json_array_get(changed, 0), "held_by")),
			 run.pid);
	json_decref(changed);
	err = run_order(&run, 'r', "", "");
	assert_int_equal(err.kind, ERR_NONE);
	must_read(fixture, "thp_enabled", "madvise");
	assert_false(has_journal(fixture));
	run_kill(&run, true);
	knobs_close(knobs);
}

static void a_value_that_was_so_is_held(void **state)
{
	struct fixture *fixture = *state;
	struct knobs *knobs = must_open(fixture);
	struct run run = run_start(fixture);
	struct err err;

	must_set(knobs, "thp_enabled", "madvise");
	err = run_order(&run, 's', "thp_enabled", "never");
	assert_int_equal(err.kind, ERR_MACHINE);
	assert_int_equal(knobs_restore(knobs, NULL), 0);
	err = run_order(&run, 's', "thp_enabled", "never");
	assert_int_equal(err.kind, ERR_NONE);
	run_kill(&run, true);
	assert_int_equal(recover(fixture), 1);
	must_read(fixture, "thp_enabled", "madvise");
	knobs_close(knobs);
}

static void a_dead_holder_is_succeeded(void **state)
{
	struct fixture *fixture = *state;
	struct knobs *knobs = must_open(fixture);
	struct run run = run_start(fixture);

	run_order(&run, 's', "thp_enabled", "never");
	run_kill(&run, true);
	/* Nobody has recovered; another value may be set, and the first of all comes back. */
	must_set(knobs, "thp_enabled", "always");
	knobs_close(knobs);
	must_read(fixture, "thp_enabled", "madvise");
	assert_false(has_journal(fixture));
}

static void a_users_change_after_a_dead_holder(void **state)
{
	struct fixture *fixture = *state;
	struct knobs *knobs = must_open(fixture);
	struct run run = run_start(fixture);

	run_order(&run, 's', "thp_enabled", "never");
	run_kill(&run, true);
	machine_write(&fixture->machine, THP, "[always] madvise never\n");
	must_set(knobs, "thp_enabled", "never");
	knobs_close(knobs);
	must_read(fixture, "thp_enabled", "always");
}

static void many_runs_at_once(void **state)
{
	struct fixture *fixture = *state;
	pid_t pids[6];

	for (int i = 0; i < 6; i++) {
		pids[i] = fork();
		if (pids[i] != 0)
			continue;
		for (int round = 0; round < 15; round++) {
			struct knobs *knobs = must_open(fixture);
			char now[32];

			if (knobs_set(knobs, "thp_enabled", "never", NULL) != 0 ||
			    knobs_read(&fixture->machine.fs, "thp_enabled", now, sizeof(now)) !=
				    0 ||
			    strcmp(now, "never") != 0)
				_exit(1);
			knobs_close(knobs);
		}
		_exit(0);
	}
	for (int i = 0; i < 6; i++) {
		int status;

		waitpid(pids[i], &status, 0);
		assert_int_equal(status, 0);
	}
	must_read(fixture, "thp_enabled", "madvise");
	assert_false(has_journal(fixture));
}

/* Cut off after any byte: the lines before the cut are honoured, the rest is reported. */
static void torn_journal(void **state)
{
	struct fixture *fixture = *state;
	struct run run = run_start(fixture);
	struct fs fs;
	char *text;
	size_t length, first;

	run_order(&run, 's', "numa_balancing", "0");
	run_order(&run, 's', "thp_enabled", "never");
	run_kill(&run, true);
	assert_int_equal(fs_open(&fs, fixture->state, NULL), 0);
	text = fs_read_all(&fs, "journal", &length);
	first = (size_t)(strchr(text, '\n') + 1 - text);
	for (size_t cut = 0; cut <= length; cut++) {
		FILE *out = fopen(fixture->journal, "w");
		struct err err = {0};
		int restored, result;

		fwrite(text, 1, cut, out);
		fclose(out);
		machine_write(&fixture->machine, THP, "always madvise [never]\n");
		machine_write(&fixture->machine, AUTONUMA, "0\n");
		result = knobs_recover(&fixture->machine.fs, fixture->state, &restored, &err);
		assert_int_equal(result, cut == 0 || cut == first || cut == length ? 0 : -1);
		must_read(fixture, "numa_balancing", cut < first ? "0" : "1");
		must_read(fixture, "thp_enabled", cut < length ? "never" : "madvise");
		assert_int_equal(restored, (cut >= first) + (cut == length));
		if (result != 0) {
			assert_int_equal(err.kind, ERR_INTERNAL);
			assert_non_null(strstr(err.text, "journal.damaged"));
			assert_int_equal(faccessat(fs.root_fd, "journal.damaged", F_OK, 0), 0);
		}
		assert_false(has_journal(fixture));
		assert_int_equal(recover(fixture), 0);
	}
	free(text);
	fs_close(&fs);
}

static void journal_of_garbage(void **state)
{
	static const char *const garbage[] = {
		"\n",
		"{}\n",
		"[1,2]\n",
		"null\n",
		"{\"path\":1}\n",
		"\xff\xfe\n",
		"{\"path\":\"" THP
		"\",\"knob\":\"thp_enabled\",\"before\":\"always\",\"set\":\"madvise\","
		"\"boot\":\"x\",\"holders\":[7]}\n",
		"{\"path\":\"" THP
		"\",\"knob\":\"thp_enabled\",\"before\":\"always\",\"set\":\"madvise\","
		"\"boot\":\"x\",\"holders\":3}\n",
	};
	struct fixture *fixture = *state;

	for (size_t i = 0; i < sizeof(garbage) / sizeof(garbage[0]); i++) {
		struct err err = {0};
		struct knobs *knobs = must_open(fixture);
		int restored;

		machine_write(&fixture->machine, "/state/suite/journal", garbage[i]);
		assert_int_equal(knobs_set(knobs, "thp_enabled", "never", &err), -1);
		assert_non_null(strstr(err.text, "harness restore"));
		err_clear(&err);
		assert_int_equal(
			knobs_recover(&fixture->machine.fs, fixture->state, &restored, &err), -1);
		assert_int_equal(err.kind, ERR_INTERNAL);
		must_read(fixture, "thp_enabled", "madvise");
		must_set(knobs, "thp_enabled", "never");
		knobs_close(knobs);
		must_read(fixture, "thp_enabled", "madvise");
	}
}

/* Somebody removes or ruins the journal in mid-run: what we changed is still known to us. */
static void lost_journal(void **state)
{
	struct fixture *fixture = *state;
	struct knobs *knobs = must_open(fixture);

	must_set(knobs, "thp_enabled", "never");
	assert_int_equal(unlink(fixture->journal), 0);
	assert_int_equal(knobs_restore(knobs, NULL), 0);
	must_read(fixture, "thp_enabled", "madvise");
	must_set(knobs, "thp_enabled", "never");
	machine_write(&fixture->machine, "/state/suite/journal", "torn");
	assert_int_equal(knobs_restore(knobs, NULL), 0);
	must_read(fixture, "thp_enabled", "madvise");
	knobs_close(knobs);
}

static void state_directory_from_environment(void **state)
{
	struct fixture *fixture = *state;
	struct knobs *knobs;
	int restored;

	setenv("MITOSIS_SUITE_STATE", fixture->state, 1);
	assert_int_equal(knobs_open(&knobs, &fixture->machine.fs, NULL, NULL), 0);
	must_set(knobs, "thp_enabled", "never");
	assert_true(has_journal(fixture));
	assert_int_equal(knobs_recover(&fixture->machine.fs, NULL, &restored, NULL), 0);
	assert_int_equal(restored, 0);
	knobs_close(knobs);
	unsetenv("MITOSIS_SUITE_STATE");
}

/* A user without a home can run what needs no change. */
static void no_state_directory(void **state)
{
	struct fixture *fixture = *state;
	struct knobs *knobs;
	struct err err = {0};
	const pid_t pid = fork();
	int status;

	if (pid == 0) {
		unsetenv("HOME");
		unsetenv("XDG_STATE_HOME");
		if (geteuid() == 0 && chmod(fixture->machine.root, 0755) == 0 &&
		    seteuid(65534) != 0)
			_exit(1);
		if (knobs_open(&knobs, &fixture->machine.fs, NULL, &err) != 0 ||
		    knobs_set(knobs, "thp_enabled", "madvise", &err) != 0)
			_exit(2);
		if (knobs_set(knobs, "thp_enabled", "never", &err) == 0 ||
		    err.kind != ERR_MACHINE || !strstr(err.text, "MITOSIS_SUITE_STATE"))
			_exit(3);
		err_clear(&err);
		if (knobs_restore(knobs, &err) != 0)
			_exit(4);
		knobs_close(knobs);
		_exit(0);
	}
	waitpid(pid, &status, 0);
	assert_int_equal(status, 0);
	must_read(fixture, "thp_enabled", "madvise");
}

static void table_is_whole(void **state)
{
	(void)state;
	for (int i = 0; knobs_table(i); i++) {
		const struct knob *knob = knobs_table(i);

		assert_ptr_equal(knobs_find(knob->name), knob);
		assert_true(knob->path[0] == '/' && knob->values && knob->why);
	}
	assert_null(knobs_find("nothing"));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(sets_and_restores),
		TEST(close_restores),
		TEST(leaves_alone_what_is_so),
		TEST(changes_twice),
		TEST(actions_leave_no_trace),
		TEST(refuses),
		TEST(failed_write),
		TEST(ignored_write),
		TEST(unusable_state_directory),
		TEST(keeps_a_users_change),
		TEST(recovers_after_sigkill),
		TEST(recovers_between_journal_and_write),
		TEST(recovers_from_any_instant),
		TEST(another_process_with_its_pid),
		TEST(drops_an_earlier_boot),
		TEST(forged_paths_are_not_written),
		TEST(holders_share_a_value),
		TEST(a_value_that_was_so_is_held),
		TEST(a_dead_holder_is_succeeded),
		TEST(a_users_change_after_a_dead_holder),
		TEST(many_runs_at_once),
		TEST(torn_journal),
		TEST(journal_of_garbage),
		TEST(lost_journal),
		TEST(state_directory_from_environment),
		TEST(no_state_directory),
		TEST(table_is_whole),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
