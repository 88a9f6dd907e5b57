// SPDX-License-Identifier: MIT
/*
 * The command as a user meets it: exit status, stdout and stderr. Runs on a recorded image, so that
 * neither root nor a special kernel is needed.
 */
#include <signal.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "harness/ptdump.h"
#include "harness/ptdump_testing.h"

#define IMAGE "--reader=image:tests/page_tables/linux-6.1-4-level.gz"
#define PID   "116"

struct outcome {
	int status;
	char out[65536];
	char err[4096];
};

static void slurp(FILE *file, char *text, size_t size)
{
	size_t length;

	rewind(file);
	length = fread(text, 1, size - 1, file);
	text[length] = '\0';
	fclose(file);
}

static pid_t start(char **argv, FILE *out, FILE *err)
{
	const pid_t child = fork();
	int argc = 0;

	if (child != 0)
		return child;
	dup2(fileno(out), STDOUT_FILENO);
	dup2(fileno(err), STDERR_FILENO);
	while (argv[argc])
		argc++;
	/* Not exit(): cmocka's and the sanitizer's ends are the parent's. */
	argc = ptdump_command(argc, argv);
	fflush(stdout);
	_exit(argc);
}

static struct outcome finish(pid_t child, FILE *out, FILE *err)
{
	struct outcome outcome;
	int status;

	assert_int_equal(waitpid(child, &status, 0), child);
	outcome.status = WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
	slurp(out, outcome.out, sizeof(outcome.out));
	slurp(err, outcome.err, sizeof(outcome.err));
	return outcome;
}

static struct outcome run(char **argv)
{
	FILE *out = tmpfile(), *err = tmpfile();

	fflush(stdout);
	return finish(start(argv, out, err), out, err);
}

#define RUN(...) run((char *[]){"harness dump", __VA_ARGS__, NULL})

static void assert_one_line(const struct outcome *outcome, int status, const char *expected)
{
	const char *newline = strchr(outcome->err, '\n');

	if (!strstr(outcome->err, expected))
		fail_msg("'%s' does not mention '%s'", outcome->err, expected);
	assert_int_equal(outcome->status, status);
	assert_string_equal(outcome->out, "");
	assert_non_null(newline);
	assert_string_equal(newline, "\n");
}

static void test_bad_usage(void **state)
{
	struct outcome outcome;

	(void)state;
	outcome = run((char *[]){"harness dump", NULL});
	assert_one_line(&outcome, 2, "which process?");
	outcome = RUN("12x");
	assert_one_line(&outcome, 2, "'12x' is no process id");
	outcome = RUN("0");
	assert_one_line(&outcome, 2, "'0' is no process id");
	outcome = RUN("99999999999");
	assert_one_line(&outcome, 2, "is no process id");
	outcome = RUN(IMAGE, PID, "--interval", "soon");
	assert_one_line(&outcome, 2, "--interval");
	outcome = RUN(IMAGE, PID, "--count", "3");
	assert_one_line(&outcome, 2, "--count needs --interval");
	outcome = RUN(PID, "--reader", "module");
	assert_one_line(&outcome, 2, "unknown reader 'module'");
	outcome = RUN(IMAGE, "117");
	assert_one_line(&outcome, 2, "not of 117");
	outcome = RUN(IMAGE, PID, "--record", "/no/such/directory/x");
	assert_one_line(&outcome, 2, "cannot create");
	outcome = RUN("--frobnicate");
	assert_int_equal(outcome.status, 2);
	assert_string_equal(outcome.out, "");
}

static void test_json_lines(void **state)
{
	struct outcome outcome = RUN(IMAGE, "--json", "--interval=1ms", "--count=3", PID, PID);
	char *rest = outcome.out, *line;
	unsigned int lines = 0;

	(void)state;
	assert_int_equal(outcome.status, 0);
	assert_string_equal(outcome.err, "");
	while ((line = strsep(&rest, "\n")) && *line) {
		json_t *object = json_loads(line, 0, NULL);

		assert_non_null(object);
		assert_int_equal(json_integer_value(json_object_get(object, "pid")), 116);
		/* Each process has its own last dump. */
		assert_int_equal(json_object_get(object, "change") != NULL, lines >= 2);
		json_decref(object);
		lines++;
	}
	assert_int_equal(lines, 6);
}

static void test_csv_has_one_header(void **state)
{
	struct outcome outcome = RUN(IMAGE, "--csv", "--interval=1ms", "--count=2", PID, PID);
	const char *first = strstr(outcome.out, "time_ns,pid");

	(void)state;
	assert_int_equal(outcome.status, 0);
	assert_ptr_equal(first, outcome.out);
	assert_null(strstr(first + 1, "time_ns,pid"));
}

static void test_table(void **state)
{
	struct outcome outcome = RUN(IMAGE, PID);

	(void)state;
	assert_int_equal(outcome.status, 0);
	assert_non_null(strstr(outcome.out, "process 116: 4-level page tables, 60 KiB"));
	assert_non_null(strstr(outcome.out, "as seen from node 1: leaf entries 33.85% local"));
}

/* Until the first dump is out: it then waits for the next. */
static void await_output(FILE *out)
{
	struct stat st = {0};

	for (; st.st_size == 0; usleep(1000))
		assert_int_equal(fstat(fileno(out), &st), 0);
}

static void interrupt_with(int number)
{
	char *argv[] = {"harness dump", IMAGE, "--csv", "--interval=1h", PID, NULL};
	FILE *out = tmpfile(), *err = tmpfile();
	struct outcome outcome;
	pid_t child;

	fflush(stdout);
	child = start(argv, out, err);
	await_output(out);
	kill(child, number);
	outcome = finish(child, out, err);
	assert_int_equal(outcome.status, 130);
	assert_string_equal(outcome.err, "");
}

static void test_interrupt(void **state)
{
	(void)state;
	interrupt_with(SIGINT);
	interrupt_with(SIGTERM);
}

/* The series of a process ends with it. Needs a reader of live processes. */
static void test_process_ends(void **state)
{
	char pid[16], *argv[] = {"/usr/bin/page_table_dump", "--csv", "-i", "1ms", pid, NULL};
	FILE *out = tmpfile(), *err = tmpfile();
	struct outcome outcome;
	struct ptdump *ptdump;
	pid_t sleeper, child;

	(void)state;
	if (ptdump_open(&ptdump, NULL, NULL)) {
		fclose(out);
		fclose(err);
		skip();
	}
	ptdump_close(ptdump);
	fflush(stdout);
	sleeper = fork();
	if (sleeper == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		pause();
	}
	snprintf(pid, sizeof(pid), "%d", (int)sleeper);
	child = start(argv, out, err);
	await_output(out);
	kill(sleeper, SIGKILL);
	waitpid(sleeper, NULL, 0);
	outcome = finish(child, out, err);
	assert_int_equal(outcome.status, 0);
	assert_int_equal(strncmp(outcome.err, "page_table_dump: process ", 25), 0);
	assert_non_null(strstr(outcome.err, " has ended\n"));
}

static void test_full_disk(void **state)
{
	char *argv[] = {"harness dump", IMAGE, PID, NULL};
	FILE *full = fopen("/dev/full", "w"), *err = tmpfile(), *unused = tmpfile();
	struct outcome outcome;

	(void)state;
	if (!full)
		skip();
	fflush(stdout);
	outcome = finish(start(argv, full, err), unused, err);
	assert_one_line(&outcome, 1, "cannot write the dump");
	fclose(full);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_bad_usage),          cmocka_unit_test(test_json_lines),
		cmocka_unit_test(test_csv_has_one_header), cmocka_unit_test(test_table),
		cmocka_unit_test(test_interrupt),          cmocka_unit_test(test_process_ends),
		cmocka_unit_test(test_full_disk),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
