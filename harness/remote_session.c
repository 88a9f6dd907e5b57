// SPDX-License-Identifier: MIT
#include "harness/remote_session.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/paths.h"
#include "emulator/emulator.h"
#include "harness/exec_session.h"
#include "harness/interpreter.h"
#include "harness/log_line.h"
#include "harness/record.h"

#define SECOND_NS         UINT64_C(1000000000)
#define BOOT_ALLOWANCE_NS (120 * SECOND_NS) /* what the host waits beyond the run's own limit */
#define FILES_MAX         32
#define OUTPUT_LOG        "emulator-output.log" /* of the command in the guest */

/* Options that mean inside what they mean outside. */
static void add_options(struct words *argv, const struct run_options *options)
{
	words_add(argv, "--timeout");
	words_format(argv, "%lluns", (unsigned long long)options->timeout_ns);
	if (options->local_node >= 0) {
		words_add(argv, "--local-node");
		words_format(argv, "%d", (int)options->local_node);
	}
	if (options->remote_node >= 0) {
		words_add(argv, "--remote-node");
		words_format(argv, "%d", (int)options->remote_node);
	}
	if (options->strict)
		words_add(argv, "--strict");
}

static void add_workload(struct words *argv, const struct driver_plan *plan)
{
	words_add_all(argv, plan->arguments);
}

static void add_program(struct words *argv, const struct run_options *options)
{
	if (options->threads > 0) {
		words_add(argv, "--threads");
		words_format(argv, "%d", (int)options->threads);
	}
	if (options->ready_when) {
		words_add(argv, "--ready-when");
		words_add(argv, options->ready_when);
	}
	words_add(argv, "--");
	words_add_all(argv, options->rest);
}

void remote_session_argv(const struct execution *execution, struct words *argv)
{
	const struct cell *cell = execution->cell;

	words_add(argv, REMOTE_ROOT "/bin/harness");
	words_add(argv, cell->plan ? "run" : "exec");
	if (cell->plan)
		words_add(argv, cell->workload);
	words_add(argv, cell->config->config.name);
	words_add(argv, "--machine");
	words_add(argv, "native");
	words_add(argv, "--into");
	words_add(argv, REMOTE_RESULT);
	add_options(argv, execution->options);
	if (cell->plan)
		add_workload(argv, cell->plan);
	else
		add_program(argv, execution->options);
}

/* --- the job ------------------------------------------------------------------------------------
 */

static void pass_progress(void *context, const json_t *event)
{
	const struct execution *execution = context;
	const char *phase = json_string_value(json_object_get(event, "phase"));
	const json_t *done = json_object_get(event, "done");

	if (!phase)
		phase = json_string_value(json_object_get(event, "msg"));
	if (phase && execution->progress)
		execution->progress(execution->context, phase,
				    json_is_number(done) ? json_number_value(done) : -1);
}

/* Files that go along, with both of their paths. */
struct files {
	struct emulator_file list[FILES_MAX];
	char host[FILES_MAX][PATHS_MAX], guest[FILES_MAX][PATHS_MAX];
	int count;
};

/* Takes a file along into a directory of its own and puts its new name into the command. */
static int take_file(struct files *files, const char *host_path, char **word, struct err *err)
{
	const int i = files->count;
	const char *slash = strrchr(host_path, '/');

	if (i == FILES_MAX)
		return err_set(err, ERR_USAGE, "over %d files in the program's arguments",
			       FILES_MAX);
	snprintf(files->host[i], PATHS_MAX, "%s", host_path);
	snprintf(files->guest[i], PATHS_MAX, REMOTE_ROOT "/files/%d/%.255s", i,
		 slash ? slash + 1 : host_path);
	files->list[i] = (struct emulator_file){files->host[i], files->guest[i]};
	files->count++;
	free(*word);
	*word = strdup(files->guest[i]);
	return *word ? 0 : err_set(err, ERR_INTERNAL, "out of memory");
}

/* A workload's server is found in the guest where it is on the host. */
static int take_server(struct files *files, const struct driver_plan *plan, struct err *err)
{
	const char *path = json_string_value(json_object_get(plan->json, "server"));
	const int i = files->count;

	if (!path)
		return 0;
	if (strlen(path) >= PATHS_MAX)
		return err_set(err, ERR_USAGE, "the path of the server is too long: '%s'", path);
	snprintf(files->host[i], PATHS_MAX, "%s", path);
	files->list[files->count++] = (struct emulator_file){files->host[i], files->host[i]};
	return 0;
}

/* A file that a script needs, at the place where it looks for it. */
static int take_needed(struct files *files, const char *host_path, const char *guest_path,
		       struct err *err)
{
	const int i = files->count;

	if (i == FILES_MAX)
		return err_set(err, ERR_USAGE, "over %d files in the program's arguments",
			       FILES_MAX);
	if (!realpath(host_path, files->host[i]))
		return err_set_errno(err, ERR_USAGE, errno, "cannot take '%s' along", host_path);
	snprintf(files->guest[i], PATHS_MAX, "%s", guest_path);
	files->list[i] = (struct emulator_file){files->host[i], files->guest[i]};
	files->count++;
	return 0;
}

/* The interpreter that a script names in its first line, and what env is to find for it. */
static int take_interpreter(struct files *files, const char *script, struct err *err)
{
	struct interpreter interpreter;
	char program[PATHS_MAX], guest_path[PATHS_MAX];
	const char *slash;

	if (interpreter_read(script, &interpreter, err) != 0)
		return -1;
	if (!*interpreter.path)
		return 0;
	if (take_needed(files, interpreter.path, interpreter.path, err) != 0)
		return err_prefix(err, "'%s'", script);
	if (!*interpreter.program)
		return 0;
	if (exec_session_find(interpreter.program, program, err) != 0)
		return err_prefix(err, "'%s'", script);
	slash = strrchr(interpreter.program, '/');
	snprintf(guest_path, sizeof(guest_path), "/usr/bin/%.255s",
		 slash ? slash + 1 : interpreter.program);
	return take_needed(files, program, guest_path, err);
}

/*
 * The program, and each of its arguments that names a file, scripts with their interpreters:
 * nothing else of the host is in the guest. Harness and driver go along by themselves.
 */
static int collect_files(const struct execution *execution, struct files *files, struct words *argv,
			 struct err *err)
{
	char path[PATHS_MAX];
	int i = 0;

	if (execution->cell->plan)
		return take_server(files, execution->cell->plan, err);
	while (i < argv->count && strcmp(argv->items[i], "--") != 0)
		i++;
	if (exec_session_find(execution->options->rest[0], path, err) != 0 ||
	    take_file(files, path, &argv->items[++i], err) != 0 ||
	    take_interpreter(files, path, err) != 0)
		return -1;
	for (i++; i < argv->count; i++) {
		struct stat st;

		if (stat(argv->items[i], &st) == 0 && S_ISREG(st.st_mode) &&
		    realpath(argv->items[i], path) &&
		    (take_file(files, path, &argv->items[i], err) != 0 ||
		     take_interpreter(files, path, err) != 0))
			return -1;
	}
	return 0;
}

/* What the program wrote, as if it had run here. Its logs stay. */
static void show_output(const struct execution *execution)
{
	static const struct {
		const char *name;
		FILE **stream;
	} outputs[] = {{EXEC_LOG_OUTPUT, &stdout}, {EXEC_LOG_MESSAGES, &stderr}};

	if (execution->cell->plan || execution->options->quiet || execution->options->json)
		return;
	for (size_t i = 0; i < sizeof(outputs) / sizeof(outputs[0]); i++) {
		char path[PATHS_MAX + 32], block[65536];
		FILE *file;
		size_t n;

		snprintf(path, sizeof(path), "%s/%s", execution->directory, outputs[i].name);
		file = fopen(path, "re");
		while (file && (n = fread(block, 1, sizeof(block), file)) > 0)
			fwrite(block, 1, n, *outputs[i].stream);
		fflush(*outputs[i].stream);
		if (file)
			fclose(file);
	}
}

/* --- the record ---------------------------------------------------------------------------------
 */

/* The rest of "machine" is what the guest saw. */
static void complete_machine(json_t *record, const json_t *additions)
{
	static const char *const members[] = {"kind", "name",         "profile", "scale",
					      "qemu", "frequency_hz", "host",    "kernel_image"};
	json_t *machine = json_object_get(record, "machine");

	if (!json_is_object(machine)) {
		machine = json_object();
		json_object_set_new(record, "machine", machine);
	}
	for (size_t i = 0; i < sizeof(members) / sizeof(members[0]); i++) {
		json_t *value = json_object_get(additions, members[i]);

		if (value)
			json_object_set(machine, members[i], value);
	}
}

void remote_session_complete(json_t *record, const json_t *host_record, const json_t *machine)
{
	static const char *const members[] = {"id", "command", "repeat", "started_at", "suite"};
	json_t *workload = json_object_get(record, "workload");

	for (size_t i = 0; i < sizeof(members) / sizeof(members[0]); i++)
		json_object_set(record, members[i], json_object_get(host_record, members[i]));
	if (json_is_object(workload))
		json_object_set(workload, "arguments",
				record_get(host_record, "workload.arguments"));
	complete_machine(record, machine);
}

/* The guest's own account of its run; an err_kind other than ERR_NONE with its reason. */
static int judge(const json_t *record, struct err *err)
{
	const char *status = json_string_value(record_get(record, "exit.status"));
	const char *reason = json_string_value(record_get(record, "exit.reason"));
	const char *clock = json_string_value(json_object_get(record, "clock"));
	const json_int_t code = json_integer_value(record_get(record, "exit.code"));

	if (!status || strcmp(status, "ok") != 0)
		return err_set(err,
			       code == ERR_MACHINE || code == ERR_USAGE ? (enum err_kind)code
									: ERR_RUN,
			       "%s", reason ? reason : "the guest's record gives no reason");
	if (!clock || strcmp(clock, "model") != 0)
		return err_set(err, ERR_RUN, "the guest's record has times that no model made");
	return 0;
}

/* The harness inside ended before it could write one; the last that it said is the reason. */
static int no_record(const struct execution *execution, const struct emulator_result *result,
		     struct err *err)
{
	char path[PATHS_MAX + sizeof(OUTPUT_LOG) + 1], line[LOG_LINE_MAX];

	snprintf(path, sizeof(path), "%s/" OUTPUT_LOG, execution->directory);
	log_last_line(path, line);
	return err_set(err, ERR_RUN, "the guest left no record and ended with status %d: %s",
		       result->guest_status, line);
}

static int take_record(const struct execution *execution, const struct emulator_result *result,
		       json_t **record, struct err *err)
{
	char path[PATHS_MAX + sizeof(RECORD_FILE) + 1];
	json_t *guest;

	snprintf(path, sizeof(path), "%s/%s", execution->directory, RECORD_FILE);
	guest = record_read(path, err);
	if (!guest)
		return -1;
	/* The same id: our own first record is still there, the guest wrote none. */
	if (json_equal(json_object_get(guest, "id"), json_object_get(*record, "id"))) {
		json_decref(guest);
		complete_machine(*record, result->machine);
		return no_record(execution, result, err);
	}
	remote_session_complete(guest, *record, result->machine);
	json_decref(*record);
	*record = guest;
	return judge(guest, err);
}

/* For the time of the run signals are read from a descriptor, which the emulator polls; one that
 * has come is delivered again afterwards, to the flag. */
static int run_interruptible(struct emulator_job *job, struct emulator_result *result,
			     struct err *err)
{
	sigset_t signals, before;
	int failed;

	sigemptyset(&signals);
	sigaddset(&signals, SIGINT);
	sigaddset(&signals, SIGTERM);
	sigaddset(&signals, SIGHUP);
	sigprocmask(SIG_BLOCK, &signals, &before);
	job->interrupt_fd = signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK);
	if (job->interrupt_fd < 0)
		failed = err_set_errno(err, ERR_INTERNAL, errno, "cannot watch for signals");
	else
		failed = emulator_run(job, result, err);
	if (job->interrupt_fd >= 0)
		close(job->interrupt_fd);
	sigprocmask(SIG_SETMASK, &before, NULL);
	return failed;
}

/*
 * CPUs that the guest has to bring up: those before and of the workload's threads, and one for the
 * harness inside, which must not run on theirs. 0: all.
 */
static int count_cpus(const struct execution *execution, const struct emulator_profile_info *info)
{
	const struct placement *placement = &execution->cell->config->placement;
	const int64_t threads = execution->options->threads ? execution->options->threads : 1;
	int64_t cpus;

	if (__builtin_popcountll(placement->cpu_nodes) != 1 || threads > info->cpus_per_node)
		return 0;
	cpus = (int64_t)__builtin_ctzll(placement->cpu_nodes) * info->cpus_per_node + threads + 1;
	return cpus < (int64_t)info->nr_nodes * info->cpus_per_node ? (int)cpus : 0;
}

static int boot(const struct execution *execution, struct words *argv, json_t **record,
		struct err *err)
{
	const struct cell *cell = execution->cell;
	struct emulator_result result = {0};
	struct files *files = calloc(1, sizeof(*files));
	struct emulator_profile_info info;
	struct emulator_job job = {
		.profile = cell->config->target.profile,
		.kernel = execution->options->kernel,
		.footprint_bytes = cell->footprint_bytes,
		.scale = cell->scale,
		.timeout_ns = execution->options->timeout_ns + BOOT_ALLOWANCE_NS,
		.result_directory = execution->directory,
		.progress = pass_progress,
		.progress_context = (void *)execution,
	};
	int failed = -1;

	if (!files)
		return err_set(err, ERR_INTERNAL, "out of memory");
	if (emulator_profile_info(job.profile, &info, err) == 0 &&
	    collect_files(execution, files, argv, err) == 0) {
		job.cpus = count_cpus(execution, &info);
		job.argv = argv->items;
		job.files = files->list;
		job.nr_files = files->count;
		failed = run_interruptible(&job, &result, err);
		show_output(execution);
		if (!failed)
			failed = take_record(execution, &result, record, err);
	}
	json_decref(result.machine);
	free(files);
	return failed;
}

int remote_session_run(const struct execution *execution, json_t **record, struct err *err)
{
	struct words argv = {0};
	int failed;

	json_object_set_new(*record, "provenance", json_string("modelled"));
	json_object_set_new(
		*record, "machine",
		target_to_json(&execution->cell->config->target, execution->cell->scale));
	remote_session_argv(execution, &argv);
	if (argv.failed)
		failed = err_set(err, ERR_INTERNAL, "out of memory");
	else
		failed = boot(execution, &argv, record, err);
	words_free(&argv);
	return failed;
}
