// SPDX-License-Identifier: MIT
#include "bench/driver.h"

#include <errno.h>
#include <numaif.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bench/output.h"
#include "bench/protocol.h"
#include "bench/settings.h"
#include "common/fs.h"
#include "common/version.h"
#include "emulator/emulator.h"

#define RESTARTED_ENV "MITOSIS_SUITE_BENCH_RESTARTED"

struct driver {
	struct settings settings;
	struct protocol protocol;
	struct arena arena;
	struct team *team;
	struct roi roi;
	struct workload_run run;
	struct outcome outcome;
};

/* --- signals -------------------------------------------------------------------------------- */

enum { SIGNAL_EXITS, SIGNAL_ASKS, SIGNAL_CAME };

/* The one flag: whether a signal ends the process at once, or asks an endless run to end. */
static volatile sig_atomic_t signal_mode = SIGNAL_EXITS;

static void on_signal(int number)
{
	static const char text[] = "bench: interrupted\n";

	(void)number;
	if (signal_mode == SIGNAL_ASKS) {
		signal_mode = SIGNAL_CAME;
		return;
	}
	/* Nothing outlives the process: no files, no children, no settings. */
	if (write(STDERR_FILENO, text, sizeof(text) - 1) < 0)
		_exit(ERR_INTERRUPTED);
	_exit(ERR_INTERRUPTED);
}

static const int caught[] = {SIGINT, SIGTERM, SIGHUP};

static void catch_signals(void)
{
	struct sigaction action = {.sa_handler = on_signal, .sa_flags = SA_RESTART};

	sigemptyset(&action.sa_mask);
	for (size_t i = 0; i < sizeof(caught) / sizeof(caught[0]); i++)
		sigaction(caught[i], &action, NULL);
}

/* --- page tables of a run without a harness ------------------------------------------------- */

static bool policy_is_bound_to(int node)
{
	unsigned long mask[16] = {0};
	int mode;

	if (get_mempolicy(&mode, mask, sizeof(mask) * 8, NULL, 0) != 0)
		return false;
	return mode == MPOL_BIND && mask[0] == 1ul << node;
}

/*
 * The upper page tables of a process are allocated by exec, under the policy that holds then: so
 * the policy is set and the program executed once more.
 */
static int restart_under_policy(int node, char **argv, struct err *err)
{
	const unsigned long mask = 1ul << node;

	if (policy_is_bound_to(node))
		return 0;
	if (getenv(RESTARTED_ENV))
		return err_set(err, ERR_MACHINE, "the kernel does not keep page tables on node %d",
			       node);
	if (set_mempolicy(MPOL_BIND, &mask, 65) != 0)
		return err_set_errno(err, ERR_MACHINE, errno,
				     "--page-table-node: page tables cannot be placed on node %d",
				     node);
	setenv(RESTARTED_ENV, "1", 1);
	execv("/proc/self/exe", argv);
	return err_set_errno(err, ERR_INTERNAL, errno, "cannot restart the program");
}

/* --- the phases ------------------------------------------------------------------------------ */

static void report_progress(struct workload_run *run, double done)
{
	struct driver *driver = run->driver;

	protocol_progress(&driver->protocol, "setup", done);
}

static int check_memory(const struct settings *settings, struct err *err)
{
	struct fs fs;
	int failed;

	if (fs_open(&fs, "/", err) != 0)
		return -1;
	failed = arena_check_memory(&fs, &settings->policy, settings->footprint_bytes, err);
	fs_close(&fs);
	return failed;
}

/* What the driver's own thread touches first should lie where the team's first thread runs. A CPU
 * that a member of the team could have, this thread can have. */
static void pin_self(int cpu)
{
	cpu_set_t *set = CPU_ALLOC(TEAM_CPUS_MAX);
	const size_t size = CPU_ALLOC_SIZE(TEAM_CPUS_MAX);

	if (!set)
		return;
	CPU_ZERO_S(size, set);
	CPU_SET_S((size_t)cpu, size, set);
	sched_setaffinity(0, size, set);
	CPU_FREE(set);
}

/* Only the driver's thread takes signals, so that they interrupt its waits. */
static int start_team(struct driver *driver, struct err *err)
{
	const struct settings *settings = &driver->settings;
	sigset_t ours, old;
	int failed;

	sigemptyset(&ours);
	for (size_t i = 0; i < sizeof(caught) / sizeof(caught[0]); i++)
		sigaddset(&ours, caught[i]);
	pthread_sigmask(SIG_BLOCK, &ours, &old);
	failed = protocol_watch(&driver->protocol, err);
	if (!failed)
		failed = team_create(&driver->team, settings->team_cpus, settings->nr_team_cpus,
				     settings->nr_team, err);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	if (!failed)
		pin_self(settings->team_cpus[0]);
	return failed;
}

/* CPUs that the threads use, or a server's. */
static int nr_used_cpus(const struct settings *settings)
{
	return settings->nr_cpus < settings->nr_threads ? settings->nr_cpus : settings->nr_threads;
}

static int set_up(struct driver *driver, struct err *err)
{
	const struct settings *settings = &driver->settings;
	const uint64_t start_ns = roi_now_ns();

	arena_init(&driver->arena, &settings->policy);
	if (roi_open(&driver->roi, settings->modelled, err) != 0 ||
	    check_memory(settings, err) != 0 || start_team(driver, err) != 0)
		return -1;
	driver->run.options = &settings->options;
	driver->run.arena = &driver->arena;
	driver->run.team = driver->team;
	driver->run.nr_threads = settings->nr_threads;
	driver->run.cpus = settings->cpus;
	driver->run.nr_cpus = nr_used_cpus(settings);
	driver->run.server = settings->has_server ? &settings->server : NULL;
	driver->run.modelled = settings->modelled;
	driver->run.seed = settings->seed;
	driver->run.roi = &driver->roi;
	driver->run.progress = report_progress;
	driver->run.driver = driver;
	report_progress(&driver->run, 0);
	if (settings->workload->setup(&driver->run, err) != 0)
		return -1;
	driver->outcome.setup_ns = roi_now_ns() - start_ns;
	return 0;
}

static void run_thread(void *context, int thread)
{
	struct driver *driver = context;

	driver->settings.workload->run(&driver->run, thread);
}

static int send_ready(struct driver *driver, struct err *err)
{
	const struct protocol_ready ready = {
		.arena = &driver->arena,
		.team = driver->team,
		.run = &driver->run,
		.client_cpus = driver->settings.team_cpus,
		.nr_client_cpus = driver->settings.nr_team_cpus,
		.setup_ns = driver->outcome.setup_ns,
	};

	return protocol_ready(&driver->protocol, &ready, err);
}

static int run_region(struct driver *driver, struct err *err)
{
	const struct settings *settings = &driver->settings;
	json_t *model;
	int failed;

	if (send_ready(driver, err) != 0 ||
	    protocol_await_go(&driver->protocol, &driver->arena, &model, err) != 0)
		return -1;
	failed = roi_configure(&driver->roi, model, settings->workload->name, settings->cpus,
			       settings->nr_cpus, err);
	json_decref(model);
	if (failed || roi_begin(&driver->roi, err) != 0)
		return -1;
	team_run(driver->team, run_thread, driver);
	if (settings->workload->check_run && settings->workload->check_run(&driver->run, err) != 0)
		return -1;
	if (roi_end(&driver->roi, err) != 0 ||
	    protocol_roi_end(&driver->protocol, &driver->roi, err) != 0)
		return -1;
	return protocol_await_continue(&driver->protocol, err);
}

/* Waits a second; 1 when the load should stop. */
static int await_stop(struct driver *driver, int timeout_ms, struct err *err)
{
	const struct timespec delay = {timeout_ms / 1000, timeout_ms % 1000 * 1000000L};

	if (driver->protocol.connected)
		return protocol_await_stop(&driver->protocol, timeout_ms, err);
	nanosleep(&delay, NULL);
	return signal_mode == SIGNAL_CAME;
}

static int supervise_load(struct driver *driver, struct err *err)
{
	struct workload_run *run = &driver->run;
	uint64_t last_ns = roi_now_ns(), last_bytes = 0;
	int stop = 0;

	while (!stop && atomic_load(&run->threads_moving) < run->nr_threads)
		stop = await_stop(driver, 10, err);
	if (stop == 0 && send_ready(driver, err) != 0)
		return -1;
	while (stop == 0) {
		uint64_t now_ns, bytes;

		stop = await_stop(driver, 1000, err);
		now_ns = roi_now_ns();
		bytes = atomic_load(&run->bytes_moved);
		if (stop == 0 && driver->protocol.connected &&
		    protocol_alive(&driver->protocol,
				   (double)(bytes - last_bytes) / (double)(now_ns - last_ns),
				   err) != 0)
			return -1;
		last_ns = now_ns;
		last_bytes = bytes;
	}
	return stop < 0 ? -1 : 0;
}

/* The interference load: runs from the start, says so, and ends when it is told. */
static int run_until_stopped(struct driver *driver, struct err *err)
{
	int failed;

	if (!driver->protocol.connected) {
		fprintf(stderr, "bench: running until Ctrl-C\n");
		signal_mode = SIGNAL_ASKS;
	}
	if (roi_begin(&driver->roi, err) != 0)
		return -1;
	team_start(driver->team, run_thread, driver);
	failed = supervise_load(driver, err);
	atomic_store(&driver->run.stop, true);
	team_wait(driver->team);
	if (roi_end(&driver->roi, failed ? NULL : err) != 0)
		return -1;
	return failed;
}

static int finish(struct driver *driver, struct err *err)
{
	const struct workload *workload = driver->settings.workload;
	struct outcome *outcome = &driver->outcome;
	const uint64_t start_ns = roi_now_ns();

	if (workload->verify(&driver->run, &outcome->verification, err) != 0)
		return -1;
	outcome->verify_ns = roi_now_ns() - start_ns;
	workload->metrics(&driver->run, &outcome->metrics);
	if (workload->series)
		outcome->series = workload->series(&driver->run);
	return protocol_done(&driver->protocol, &outcome->metrics, &outcome->verification,
			     outcome->series, err);
}

static int run_phases(struct driver *driver, struct err *err)
{
	if (protocol_hello(&driver->protocol, driver->settings.workload,
			   driver->settings.footprint_bytes, &driver->settings.options, err) != 0 ||
	    set_up(driver, err) != 0)
		return -1;
	if ((driver->settings.endless ? run_until_stopped : run_region)(driver, err) != 0)
		return -1;
	return finish(driver, err);
}

/* --- one workload ---------------------------------------------------------------------------- */

static void fill_outcome(struct driver *driver, int argc, char *const *argv)
{
	const struct settings *settings = &driver->settings;

	driver->outcome = (struct outcome){
		.workload = settings->workload,
		.options = &settings->options,
		.preset = settings->preset ? settings->preset->name : NULL,
		.argc = argc,
		.argv = argv,
		.nr_threads = settings->nr_threads,
		.cpus = settings->cpus,
		.nr_cpus = settings->nr_cpus,
		.seed = settings->seed,
		.footprint_bytes = settings->footprint_bytes,
		.planned_memory_bytes = settings->memory_bytes,
		.emulated_defaults = settings->emulated,
		.server_program = settings->has_server ? settings->server.program : NULL,
		.roi = &driver->roi,
	};
}

static int print_outcome(const struct driver *driver)
{
	if (driver->settings.json)
		output_print_json(stdout, output_record(&driver->outcome));
	else
		output_print_summary(stdout, &driver->outcome);
	fflush(stdout);
	if (signal_mode == SIGNAL_CAME)
		return ERR_INTERRUPTED;
	return driver->outcome.verification.status == VERIFICATION_FAIL ? ERR_RUN : 0;
}

static void tear_down(struct driver *driver)
{
	if (driver->run.driver)
		driver->settings.workload->teardown(&driver->run);
	json_decref(driver->outcome.series);
	team_destroy(driver->team);
	arena_fini(&driver->arena);
	roi_close(&driver->roi);
	protocol_close(&driver->protocol);
}

static void print_workload_help(const struct workload *workload)
{
	const struct option_preset *preset = workload->presets;

	printf("bench %s: %s\n\noptions of %s:\n", workload->name, workload->summary,
	       workload->name);
	options_print_help(stdout, workload->options);
	for (; preset && preset->name; preset++)
		printf("%s  %-26s %s (%s)\n", preset == workload->presets ? "presets:\n" : "",
		       preset->name, preset->summary, preset->settings);
	printf("options of every workload:\n");
	options_print_help(stdout, settings_rows());
}

static int run_workload(struct driver *driver, int argc, char **argv, struct err *err)
{
	const struct workload *workload = workload_find(argv[1], err);
	const struct settings *settings = &driver->settings;

	if (!workload ||
	    settings_resolve(&driver->settings, workload, argc - 2, argv + 2, err) != 0)
		return -1;
	if (settings->help) {
		print_workload_help(workload);
		return 0;
	}
	fill_outcome(driver, argc - 2, argv + 2);
	if (settings->plan) {
		output_print_json(stdout, output_plan(&driver->outcome));
		return 0;
	}
	if (settings->page_table_node >= 0 &&
	    restart_under_policy(settings->page_table_node, argv, err) != 0)
		return -1;
	if (run_phases(driver, err) != 0)
		return -1;
	return print_outcome(driver);
}

/* --- the program ------------------------------------------------------------------------------ */

static int print_list(bool json)
{
	const struct workload *workload;
	json_t *array = json_array();

	for (int i = 0; (workload = workload_at(i)) != NULL; i++) {
		if (!json)
			printf("%-14s %s\n", workload->name, workload->summary);
		json_array_append_new(
			array, json_pack("{s:s, s:s, s:I, s:i, s:o}", "name", workload->name,
					 "summary", workload->summary, "published_footprint_bytes",
					 (json_int_t)workload->published_footprint_bytes,
					 "published_threads", workload->published_threads,
					 "options", options_describe(workload->options)));
	}
	if (json)
		output_print_json(stdout, array);
	else
		json_decref(array);
	return 0;
}

static int print_help(void)
{
	printf("bench %s: the workloads of the Mitosis suite\n\n"
	       "  bench WORKLOAD [OPTIONS]   run it and print what it did\n"
	       "  bench WORKLOAD --help      its options\n"
	       "  bench list [--json]        all workloads\n\n"
	       "exit status: 0 done and verified, 1 internal error, 2 usage, 3 this machine cannot,\n"
	       "4 the run failed or its work was wrong, 130 interrupted\n\n"
	       "workloads:\n",
	       suite_version);
	return print_list(false);
}

static int print_version(void)
{
	printf("bench %s (%s)\n", suite_version, suite_commit);
	return 0;
}

int bench_main(int argc, char **argv)
{
	struct driver driver = {.protocol.wire.fd = -1, .protocol.watcher_fd = -1};
	struct err err = {0};
	int status;

	if (argc < 2 || strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0)
		return print_help();
	if (strcmp(argv[1], "--version") == 0)
		return print_version();
	if (strcmp(argv[1], "list") == 0)
		return print_list(argc > 2 && strcmp(argv[2], "--json") == 0);
	catch_signals();
	status = protocol_open(&driver.protocol, &err);
	if (status == 0)
		status = run_workload(&driver, argc, argv, &err);
	if (status < 0) {
		status = err_report("bench", &err);
		protocol_error(&driver.protocol, &err);
	}
	tear_down(&driver);
	return status;
}
