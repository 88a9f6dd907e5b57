// SPDX-License-Identifier: MIT
/* Settings while their runs live; journal_test.c has what happens when runs die. */
#include "tests/knobs_fixture.h"

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
		TEST(holders_share_a_value),
		TEST(a_value_that_was_so_is_held),
		TEST(many_runs_at_once),
		TEST(state_directory_from_environment),
		TEST(no_state_directory),
		TEST(table_is_whole),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
