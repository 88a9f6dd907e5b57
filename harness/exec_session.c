// SPDX-License-Identifier: MIT
#include "harness/exec_session.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <numaif.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "harness/deadline.h"
#include "harness/exec_model.h"
#include "harness/interrupt.h"
#include "harness/model_link.h"
#include "harness/ready_when.h"
#include "harness/record.h"
#include "harness/scene.h"

#define END_GRACE_MS 2000
#define CHORE_NS     UINT64_C(200000000)
#define WAKE_NS      UINT64_C(10000000000)

struct exec_session {
	const struct local_session_input *input;
	json_t *record;
	struct scene scene;
	struct child child;
	struct deadline deadline;
	struct ready_when *ready_when;
	struct exec_model model;
	enum { ROI_BEFORE, ROI_OPEN, ROI_OVER } roi;
	bool end_asked;                        /* by the program, which waits for the answer */
	uint64_t roi_started_ns, roi_ended_ns; /* monotonic raw */
	/* Chores while the program runs: when each is due next, by the deadline's clock. */
	uint64_t sample_ns, follow_ns;
	uint64_t resumed_ns;      /* by the deadline's clock; 0: it was not stopped */
	uint64_t moved_ns;        /* spent on moving data */
	uint64_t anonymous_bytes; /* the program's own memory, when it was sampled last */
};

static uint64_t raw_now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC_RAW, &now);
	return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

static void progress(const struct exec_session *session, const char *phase)
{
	model_link_progress(session->scene.model, phase, -1);
	if (session->input->progress)
		session->input->progress(session->input->context, phase, -1);
}

/* Data and page tables on different nodes: all starts on the tables' node, and data move later. */
static bool moves_data(const struct placement *placement)
{
	return placement->page_table_bound && placement->data_policy == PLACE_BIND &&
	       placement->data_nodes != UINT64_C(1) << placement->page_table_node;
}

/* The model adds up cycles by CPU: a thread that moves between two would look twice as fast, so in
 * the emulated machine a program has one unless it is said to have more threads. */
static void limit_cpus(struct exec_session *session)
{
	const int64_t threads = session->input->options->threads;
	const int64_t wanted = threads ? threads : session->scene.model ? 1 : INT_MAX;

	if (wanted < session->scene.nr_cpus)
		session->scene.nr_cpus = (int)wanted;
}

static int step_scene(struct exec_session *session, struct err *err)
{
	const struct local_session_input *input = session->input;

	if (scene_open(&session->scene, input->options, input->config, false, input->directory,
		       session->record, err) != 0)
		return -1;
	if (session->scene.placement.migration == MIGRATION_MREMAP)
		return err_set(err, ERR_MACHINE,
			       "%s: page tables of a program that is not ours cannot be moved on "
			       "this kernel (page-table migration in the kernel is missing)",
			       input->config->name);
	limit_cpus(session);
	return exec_model_open(&session->model, &session->scene, err);
}

static int step_settings(struct exec_session *session, struct err *err)
{
	return scene_apply_settings(&session->scene, err);
}

static void fragment_progress(void *context, const char *phase, double done)
{
	const struct exec_session *session = context;

	model_link_progress(session->scene.model, phase, done);
	if (session->input->progress)
		session->input->progress(session->input->context, phase, done);
}

static int step_fragment(struct exec_session *session, struct err *err)
{
	return scene_fragment(&session->scene, deadline_after(session->input->options->timeout_ns),
			      fragment_progress, session, err);
}

static int step_watch(struct exec_session *session, struct err *err)
{
	const char *text = session->input->options->ready_when;

	session->deadline = deadline_after(session->input->options->timeout_ns);
	return text ? ready_when_open(&session->ready_when, text, err) : 0;
}

/* Where an output goes: a log of its own with --quiet and --json, and a pipe when it is searched
 * for a line. -1 with err set; -2: inherited. */
static int output_fd(struct exec_session *session, const char *name, struct err *err)
{
	const struct run_options *options = session->input->options;
	char path[PATHS_MAX];
	int fd;

	if (!options->quiet && !options->json && !session->scene.model)
		return -2;
	snprintf(path, sizeof(path), "%s/%s", session->input->directory, name);
	fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
	return fd >= 0 ? fd : err_set_errno(err, ERR_MACHINE, errno, "cannot write '%s'", path);
}

/* Where stdout (0) and stderr (1) of the program go: -1 for where ours do. */
static int stream_fd(const struct exec_session *session, int stream, int log_fd)
{
	const int sink = log_fd >= 0 ? log_fd : STDOUT_FILENO + stream;
	const int searched =
		session->ready_when ? ready_when_output(session->ready_when, stream, sink) : -1;

	if (searched >= 0)
		return searched;
	return log_fd >= 0 ? log_fd : -1;
}

static int start_under(struct exec_session *session, int output, int messages, struct err *err)
{
	struct child_spec spec = {
		.argv = session->input->options->rest,
		.stdout_fd = stream_fd(session, 0, output),
		.stderr_fd = stream_fd(session, 1, messages),
		.wire = ready_when_by_program(session->ready_when),
		.keep_stdin = true,
		.stop_at_exec = true,
		.foreground = isatty(STDIN_FILENO) && tcgetpgrp(STDIN_FILENO) == getpgrp(),
	};

	scene_place_child(&session->scene, &spec);
	if (child_start(&session->child, &spec, err) != 0)
		return -1;
	if (session->ready_when)
		ready_when_started(session->ready_when);
	return 0;
}

static int step_start(struct exec_session *session, struct err *err)
{
	int output = output_fd(session, EXEC_LOG_OUTPUT, err);
	int messages = output == -1 ? -1 : output_fd(session, EXEC_LOG_MESSAGES, err);
	int failed = -1;

	if (output != -1 && messages != -1)
		failed = start_under(session, output, messages, err);
	if (output >= 0)
		close(output);
	if (messages >= 0)
		close(messages);
	return failed;
}

static int step_interfere(struct exec_session *session, struct err *err)
{
	const struct scene *scene = &session->scene;

	return scene_start_interference(&session->scene, scene->cpus, scene->nr_cpus,
					session->deadline, err);
}

/* --- the program's own markers: docs/OWN_PROGRAM.md ---------------------------------------------
 */

static int answer(struct exec_session *session, const char *refused, struct err *err)
{
	json_t *message = refused ? json_pack("{s:s, s:s}", "msg", "refused", "reason", refused)
				  : json_pack("{s:s}", "msg", "ok");
	const int failed = wire_send(&session->child.wire, message, err);

	json_decref(message);
	return failed;
}

/* The times that the program itself took, if they can be: without the way here and back. */
static void take_times(struct exec_session *session, const json_t *message)
{
	const uint64_t begun_ns =
		(uint64_t)json_integer_value(json_object_get(message, "begun_ns"));
	const uint64_t ended_ns =
		(uint64_t)json_integer_value(json_object_get(message, "ended_ns"));

	session->roi_ended_ns = raw_now_ns();
	if (begun_ns < session->roi_started_ns || ended_ns <= begun_ns ||
	    ended_ns > session->roi_ended_ns)
		return;
	session->roi_started_ns = begun_ns;
	session->roi_ended_ns = ended_ns;
}

static int understand(struct exec_session *session, const json_t *message, struct err *err)
{
	const char *name = json_string_value(json_object_get(message, "msg"));

	if (name && strcmp(name, "roi_begin") == 0) {
		if (session->roi != ROI_BEFORE)
			return answer(session, "the region has begun before", err);
		ready_when_program_is(session->ready_when);
		return 0;
	}
	if (name && strcmp(name, "roi_end") == 0) {
		if (session->roi != ROI_OPEN)
			return answer(session, "no region is open", err);
		take_times(session, message);
		session->end_asked = true;
		return 0;
	}
	return err_set(err, ERR_RUN, "'%s' sent the message '%s', which is no marker",
		       session->input->options->rest[0], name ? name : "");
}

static int hear(struct exec_session *session, struct err *err)
{
	struct wire *wire = &session->child.wire;
	struct pollfd pfd = {.fd = wire->fd, .events = POLLIN};
	json_t *message;
	int got;

	if (wire->fd < 0 || poll(&pfd, 1, 0) <= 0)
		return 0;
	got = wire_receive(wire, END_GRACE_MS, &message, err);
	if (got < 0)
		return err_prefix(err, "the markers of '%s'", session->input->options->rest[0]);
	if (got == 0) { /* it has ended, or closed the channel */
		wire_close(wire);
		return 0;
	}
	got = understand(session, message, err);
	json_decref(message);
	return got;
}

/* --- waiting -------------------------------------------------------------------------------- */

/*
 * A program that watches a child as a shell does (su, runuser, sudo) notices after our stop that
 * its child had stopped, and stops as well: after we let both go on. It means to be woken again.
 */
static void keep_awake(const struct exec_session *session)
{
	siginfo_t info = {0};

	if (session->resumed_ns == 0 || deadline_now_ns() - session->resumed_ns > WAKE_NS)
		return;
	if (waitid(P_PID, (id_t)session->child.pid, &info, WSTOPPED | WNOHANG) == 0 &&
	    info.si_pid == session->child.pid)
		kill(-session->child.pid, SIGCONT);
}

/* One turn of waiting: 1 the program has ended, 0 not yet, -1 error. */
static int watch(struct exec_session *session, struct err *err)
{
	const int left_ms = deadline_left_ms(&session->deadline, INTERRUPT_SLICE_MS / 2);
	const struct ready_when *ready_when = session->ready_when;
	struct pollfd fds[] = {
		{.fd = session->child.pidfd, .events = POLLIN},
		{.fd = ready_when ? ready_when_fd(ready_when, 0) : -1, .events = POLLIN},
		{.fd = ready_when ? ready_when_fd(ready_when, 1) : -1, .events = POLLIN},
		{.fd = session->child.wire.fd, .events = POLLIN},
	};

	if (deadline_check_interrupt(err) != 0)
		return -1;
	if (left_ms == 0)
		return err_set(err, ERR_RUN, "time-out: '%s' has not ended in time (--timeout)",
			       session->input->options->rest[0]);
	poll(fds, sizeof(fds) / sizeof(fds[0]), left_ms);
	keep_awake(session);
	if (hear(session, err) != 0)
		return -1;
	if (session->ready_when && ready_when_pump(session->ready_when, err) != 0)
		return -1;
	if (interference_check(session->scene.interference, err) != 0)
		return -1;
	return child_wait(&session->child, 0) ? 1 : 0;
}

static int await_ready(struct exec_session *session, struct err *err)
{
	const uint64_t begun_ns = deadline_now_ns();
	int ready;

	progress(session, "setup");
	while ((ready = ready_when_check(session->ready_when, err)) == 0) {
		const int ended = watch(session, err);

		if (ended < 0)
			return -1;
		if (ended > 0)
			return err_set(err, ERR_RUN,
				       "'%s' ended before it was ready (--ready-when %s)%s",
				       session->input->options->rest[0],
				       session->input->options->ready_when,
				       ready_when_by_program(session->ready_when)
					       ? ": it did not call mitosis_roi_begin()"
					       : "");
	}
	record_phase(session->record, "setup", deadline_now_ns() - begun_ns);
	return ready < 0 ? -1 : 0;
}

/* The kernel moves pages and leaves page tables where they are. A program that has just ended has
 * none to move. */
static int move_data(struct exec_session *session, struct err *err)
{
	const struct placement *placement = &session->scene.placement;
	const unsigned long from = 1ul << placement->page_table_node;
	const unsigned long to = placement->data_nodes;
	const uint64_t begun_ns = deadline_now_ns();

	if (migrate_pages(session->child.pid, sizeof(from) * 8 + 1, &from, &to) < 0 &&
	    errno != ESRCH)
		return err_set_errno(err, ERR_MACHINE, errno, "cannot move the program's pages");
	session->moved_ns += deadline_now_ns() - begun_ns;
	return 0;
}

static int begin_roi(struct exec_session *session, struct err *err)
{
	struct scene *scene = &session->scene;

	if (child_wait(&session->child, 0))
		return err_set(err, ERR_RUN, "'%s' ended before its measured region could begin",
			       session->input->options->rest[0]);
	if (scene_open_counters(scene, &session->child.pid, 1, err) != 0)
		return -1;
	if (scene->model && exec_model_begin(&session->model, scene, session->child.pid, err) != 0)
		return -1;
	if (scene->counters && counters_start(scene->counters, err) != 0)
		return -1;
	session->roi_started_ns = raw_now_ns();
	session->roi = ROI_OPEN;
	progress(session, "roi");
	return 0;
}

/* Bytes that are the program's own: pages of files lie where somebody read them first. */
static uint64_t anonymous_bytes(const struct exec_session *session)
{
	char path[48], text[4096];
	const char *line;

	snprintf(path, sizeof(path), "/proc/%d/status", (int)session->child.pid);
	if (fs_read(&session->scene.root, path, text, sizeof(text)) < 0)
		return 0;
	line = strstr(text, "RssAnon:");
	return line ? strtoull(line + strlen("RssAnon:"), NULL, 10) * 1024 : 0;
}

static int sample(struct exec_session *session, enum verify_moment moment, struct err *err)
{
	const uint64_t bytes = anonymous_bytes(session);

	if (bytes == 0) /* it is ending */
		return 0;
	session->anonymous_bytes = bytes;
	return scene_dump(&session->scene, moment, &session->child.pid, 1, err);
}

/* With the program stopped, so that what is done to it takes none of its time. */
static int arrange(struct exec_session *session, struct err *err)
{
	if (moves_data(&session->scene.placement) && move_data(session, err) != 0)
		return -1;
	if (sample(session, VERIFY_READY, err) != 0)
		return -1;
	return begin_roi(session, err);
}

static int begin_when_ready(struct exec_session *session, struct err *err)
{
	int failed;

	if (await_ready(session, err) != 0)
		return -1;
	kill(-session->child.pid, SIGSTOP);
	failed = arrange(session, err);
	kill(-session->child.pid, SIGCONT);
	session->resumed_ns = deadline_now_ns();
	if (!failed && ready_when_by_program(session->ready_when))
		failed = answer(session, NULL, err);
	return failed;
}

static int step_begin(struct exec_session *session, struct err *err)
{
	if (session->ready_when)
		return child_continue(&session->child, err) != 0 ? -1
								 : begin_when_ready(session, err);
	return begin_roi(session, err) != 0 ? -1 : child_continue(&session->child, err);
}

/* A chore that took so long is done again after twenty times as long: 5% at most. */
static uint64_t next_turn(uint64_t begun_ns)
{
	const uint64_t now_ns = deadline_now_ns();
	const uint64_t pause_ns = (now_ns - begun_ns) * 20;

	return now_ns + (pause_ns > CHORE_NS ? pause_ns : CHORE_NS);
}

/*
 * While the program runs: without --ready-when its data follow to their node as they are made; and
 * as page tables end with their process, the latest sample is what the record shows as "done".
 */
static int do_chores(struct exec_session *session, struct err *err)
{
	struct scene *scene = &session->scene;
	const uint64_t now_ns = deadline_now_ns();

	if (!session->ready_when && moves_data(&scene->placement) && now_ns >= session->follow_ns) {
		if (move_data(session, err) != 0)
			return -1;
		session->follow_ns = next_turn(now_ns);
	}
	if (now_ns >= session->sample_ns) {
		const uint64_t begun_ns = deadline_now_ns();

		sample(session, VERIFY_DONE, NULL);
		session->sample_ns = next_turn(begun_ns);
	}
	return 0;
}

static int stop_counting(struct exec_session *session, struct err *err)
{
	struct scene *scene = &session->scene;
	uint64_t runtime_ns = session->roi_ended_ns - session->roi_started_ns;
	const char *clock = "monotonic_raw";

	if (scene->counters && counters_stop(scene->counters, err) != 0)
		return -1;
	if (scene->model) {
		clock = "model";
		if (exec_model_end(&session->model, session->record, &runtime_ns, err) != 0)
			return -1;
	} else {
		json_object_set_new(session->record, "counters", scene_counters_to_json(scene));
	}
	json_object_set_new(session->record, "runtime_ns", json_integer((json_int_t)runtime_ns));
	json_object_set_new(session->record, "clock", json_string(clock));
	record_phase(session->record, "roi", session->roi_ended_ns - session->roi_started_ns);
	json_object_set_new(session->record, "metrics",
			    json_pack("[{s:s, s:s, s:f, s:s, s:b}]", "name", "runtime", "unit", "s",
				      "value", (double)runtime_ns / 1e9, "better", "lower",
				      "primary", 1));
	return 0;
}

/* The program asked for it, and waits: its tables are still there. */
static int end_by_program(struct exec_session *session, struct err *err)
{
	session->end_asked = false;
	session->roi = ROI_OVER;
	if (stop_counting(session, err) != 0 || sample(session, VERIFY_DONE, err) != 0)
		return -1;
	progress(session, "after the region");
	return answer(session, NULL, err);
}

static int step_run(struct exec_session *session, struct err *err)
{
	int ended;

	session->sample_ns = deadline_now_ns() + CHORE_NS / 4;
	while ((ended = watch(session, err)) == 0) {
		if (session->end_asked && end_by_program(session, err) != 0)
			return -1;
		if (session->roi == ROI_OPEN && do_chores(session, err) != 0)
			return -1;
	}
	if (session->moved_ns > 0)
		record_phase(session->record, "migrate", session->moved_ns);
	if (ended < 0 || session->roi == ROI_OVER)
		return ended < 0 ? -1 : 0;
	session->roi = ROI_OVER;
	session->roi_ended_ns = raw_now_ns();
	return stop_counting(session, err);
}

static int step_end(struct exec_session *session, struct err *err)
{
	struct scene *scene = &session->scene;

	json_object_set_new(session->record, "verification",
			    json_pack("{s:s, s:s, s:n, s:n}", "status", "skipped", "detail",
				      "the program is not ours: its work is not checked", "checked",
				      "errors"));
	if (scene_stop_interference(scene, err) != 0)
		return -1;
	return scene_stop_fragmentation(scene, err);
}

static int step_judge(struct exec_session *session, struct err *err)
{
	char how[CHILD_TEXT_MAX];

	if (session->child.status == 0)
		return 0;
	/* Ctrl-C on a terminal goes to the program that has the foreground. */
	if (WIFSIGNALED(session->child.status) && WTERMSIG(session->child.status) == SIGINT)
		return err_set(err, ERR_INTERRUPTED, "'%s' was interrupted",
			       session->input->options->rest[0]);
	return err_set(err, ERR_RUN, "'%s' %s%s", session->input->options->rest[0],
		       WIFSIGNALED(session->child.status) ? "was " : "",
		       child_describe(session->child.status, how));
}

static int (*const steps[])(struct exec_session *, struct err *) = {
	step_scene,     step_settings, step_fragment, step_watch, step_start,
	step_interfere, step_begin,    step_run,      step_end,   step_judge,
};

static void close_session(struct exec_session *session)
{
	child_end(&session->child, END_GRACE_MS);
	ready_when_close(session->ready_when);
	exec_model_close(&session->model);
}

int exec_session_run(const struct local_session_input *input, json_t *record, struct err *err)
{
	struct exec_session *session = calloc(1, sizeof(*session));
	int failed = 0;

	if (!session)
		return err_set(err, ERR_INTERNAL, "out of memory");
	session->input = input;
	session->record = record;
	session->child = CHILD_NONE;
	session->scene.root.root_fd = -1;
	for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]) && !failed; i++) {
		failed = deadline_check_interrupt(err);
		if (!failed)
			failed = steps[i](session, err);
	}
	close_session(session);
	if (session->scene.have_topology &&
	    scene_verify(&session->scene, session->anonymous_bytes, failed ? NULL : err))
		failed = -1;
	if (scene_close(&session->scene, err) != 0)
		failed = -1;
	free(session);
	return failed;
}

int exec_session_find(const char *program, char path[PATHS_MAX], struct err *err)
{
	const char *search = getenv("PATH");
	char *copy, *save = NULL;
	bool found = false;

	if (strchr(program, '/')) {
		if (realpath(program, path) && access(path, X_OK) == 0)
			return 0;
		return err_set_errno(err, ERR_USAGE, errno, "cannot run '%s'", program);
	}
	copy = strdup(search ? search : "/usr/local/bin:/usr/bin:/bin");
	if (!copy)
		return err_set(err, ERR_INTERNAL, "out of memory");
	for (char *directory = strtok_r(copy, ":", &save); directory && !found;
	     directory = strtok_r(NULL, ":", &save)) {
		char candidate[PATHS_MAX];
		struct stat st;

		snprintf(candidate, sizeof(candidate), "%s/%s", directory, program);
		found = access(candidate, X_OK) == 0 && stat(candidate, &st) == 0 &&
			S_ISREG(st.st_mode) && realpath(candidate, path);
	}
	free(copy);
	return found ? 0 : err_set(err, ERR_USAGE, "there is no program '%s' in PATH", program);
}
