// SPDX-License-Identifier: MIT
/* What dead runs leave, and what is done with a journal that is damaged. */
#include "tests/knobs_fixture.h"

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

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(recovers_after_sigkill),
		TEST(recovers_between_journal_and_write),
		TEST(recovers_from_any_instant),
		TEST(another_process_with_its_pid),
		TEST(drops_an_earlier_boot),
		TEST(forged_paths_are_not_written),
		TEST(a_dead_holder_is_succeeded),
		TEST(a_users_change_after_a_dead_holder),
		TEST(torn_journal),
		TEST(journal_of_garbage),
		TEST(lost_journal),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
