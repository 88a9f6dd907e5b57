// SPDX-License-Identifier: MIT
/*
 * One guest from its command line to its results: everything that has to be put away again lives
 * in a struct session.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "common/fs.h"
#include "common/units.h"
#include "emulator/emulator.h"
#include "emulator/host.h"
#include "emulator/initramfs.h"
#include "emulator/layout.h"
#include "emulator/qemu.h"
#include "emulator/receiver.h"
#include "emulator/tail.h"

#define CONSOLE_LOG "emulator-console.log"
#define OUTPUT_LOG  "emulator-output.log"
#define QEMU_LOG    "emulator-qemu.log"

#define SECOND_NS        UINT64_C(1000000000)
#define STALL_DEFAULT_NS (60 * SECOND_NS)
#define ALIVE_MS         5000
/* Until its init runs a guest is silent, for 3 s on an idle host and many times that on a busy one.
 */
#define BOOT_STALL_NS (120 * SECOND_NS)
/* After its last frame a guest only has to switch itself off. */
#define POWER_OFF_NS (10 * SECOND_NS)

/* Channels from QEMU, in the order of the poll set. */
enum channel { CHANNEL_RESULT, CHANNEL_CONSOLE, CHANNEL_TALK, NR_CHANNELS };

struct session {
	const struct emulator_job *job;
	struct profile profile;
	struct host host;
	struct layout layout;
	json_t *machine; /* what the guest and the record are told */
	int initramfs_fd, node_fds[ROI_NODES_MAX];
	int channels[NR_CHANNELS][2]; /* ours, QEMU's */
	struct tail console, output, talk;
	struct receiver receiver;
	struct qemu qemu;
	uint64_t started_ns, last_sign_ns, exited_ns;
	uint64_t starved_at_sign_ns; /* what qemu_starved_ns() was then */
	bool init_runs;              /* something has come through its port */
	bool panicked;
};

static uint64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * SECOND_NS + (uint64_t)now.tv_nsec;
}

static void close_fd(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

static void session_init(struct session *session, const struct emulator_job *job)
{
	*session = (struct session){.job = job, .initramfs_fd = -1, .qemu = QEMU_NONE};
	for (int i = 0; i < ROI_NODES_MAX; i++)
		session->node_fds[i] = -1;
	for (int i = 0; i < NR_CHANNELS; i++)
		session->channels[i][0] = session->channels[i][1] = -1;
	session->console.fd = session->output.fd = session->talk.fd = -1;
	session->receiver.directory_fd = session->receiver.file_fd = -1;
}

static void session_close(struct session *session)
{
	qemu_end(&session->qemu);
	receiver_close(&session->receiver);
	tail_close(&session->console);
	tail_close(&session->output);
	tail_close(&session->talk);
	for (int i = 0; i < NR_CHANNELS; i++) {
		close_fd(&session->channels[i][0]);
		close_fd(&session->channels[i][1]);
	}
	for (int i = 0; i < ROI_NODES_MAX; i++)
		close_fd(&session->node_fds[i]);
	close_fd(&session->initramfs_fd);
	json_decref(session->machine);
	free(session);
}

static double scale_of(const struct session *session)
{
	if (session->job->scale > 0)
		return session->job->scale;
	return profile_scale(&session->profile, session->job->footprint_bytes);
}

/* The record's "machine" additions (docs/RECORD.md); the guest gets the same object. */
static int describe_machine(struct session *session, struct err *err)
{
	struct utsname host;
	char name[PROFILE_NAME_MAX + 8];

	uname(&host);
	snprintf(name, sizeof(name), "emu:%s", session->profile.name);
	session->machine = json_pack(
		"{s:s, s:s, s:s, s:f, s:I, s:b, s:s, s:s, s:{s:s, s:s, s:s}}", "kind", "emu",
		"name", name, "profile", session->profile.name, "scale", scale_of(session),
		"frequency_hz", (json_int_t)session->profile.frequency_hz, "model",
		!session->job->without_model, "qemu", session->host.qemu_version, "kernel_image",
		session->host.kernel, "host", "kernel", host.release, "architecture", host.machine,
		"name", host.nodename);
	if (session->machine)
		return 0;
	return err_set(err, ERR_INTERNAL, "cannot describe the emulated machine");
}

static json_t *environment_of(const struct session *session)
{
	json_t *told = json_copy(session->machine);
	char *text;
	json_t *environment;

	json_object_set_new(told, "progress_fd", json_integer(3));
	text = json_dumps(told, JSON_COMPACT);
	json_decref(told);
	environment = json_pack("{s:s, s:s, s:s, s:s, s:s, s:s}", EMULATOR_ENV, text ? text : "",
				"MITOSIS_SUITE_ROOT", INITRAMFS_SUITE, "PATH",
				INITRAMFS_SUITE "/bin:/usr/bin:/bin", "HOME", "/root", "TMPDIR",
				"/tmp", "LC_ALL", "C.UTF-8");
	free(text);
	return environment;
}

static json_t *describe_job(const struct session *session, struct err *err)
{
	json_t *argv = json_array();
	json_t *job;

	for (char *const *argument = session->job->argv; *argument; argument++)
		if (json_array_append_new(argv, json_string(*argument)) != 0) {
			json_decref(argv);
			err_set(err, ERR_USAGE, "the argument '%s' is not UTF-8", *argument);
			return NULL;
		}
	job = json_pack("{s:o, s:o, s:i}", "argv", argv, "environment", environment_of(session),
			"alive_ms", ALIVE_MS);
	if (!job)
		err_set(err, ERR_INTERNAL, "out of memory for the guest's job");
	return job;
}

/* These go along by themselves, where they are built. */
static const struct {
	const char *name, *in_guest;
} own_programs[] = {
	{"bench", INITRAMFS_SUITE "/bin/bench"},
	{"fragment", INITRAMFS_SUITE "/bin/fragment"},
};

#define NR_OWN ((int)(sizeof(own_programs) / sizeof(own_programs[0])))

static int build_initramfs(struct session *session, uint64_t *bytes, struct err *err)
{
	const struct emulator_job *job = session->job;
	struct emulator_file *files = calloc((size_t)job->nr_files + NR_OWN, sizeof(*files));
	json_t *description = describe_job(session, err);
	char own[NR_OWN][PATHS_MAX];
	int nr_files = job->nr_files, failed = -1;

	session->initramfs_fd = memfd_create("initramfs", MFD_CLOEXEC);
	if (!files || session->initramfs_fd < 0) {
		err_set_errno(err, ERR_INTERNAL, errno, "cannot make the guest's initramfs");
	} else if (description) {
		for (int i = 0; i < nr_files; i++)
			files[i] = job->files[i];
		for (int i = 0; i < NR_OWN; i++)
			if (paths_program(own[i], own_programs[i].name, NULL) == 0)
				files[nr_files++] =
					(struct emulator_file){own[i], own_programs[i].in_guest};
		failed = initramfs_build(session->initramfs_fd, description, files, nr_files, bytes,
					 err);
	}
	json_decref(description);
	free(files);
	return failed;
}

/*
 * Memory without a name: it cannot outlive the processes that have it open, and there is no mount
 * point whose size would matter.
 */
static int make_memory(struct session *session, struct err *err)
{
	const struct layout *layout = &session->layout;

	for (int i = 0; i < layout->nr_nodes; i++) {
		const int fd = memfd_create("guest-node", MFD_CLOEXEC);

		session->node_fds[i] = fd;
		if (fd < 0 || ftruncate(fd, (off_t)layout->node_bytes[i]) != 0)
			return err_set_errno(err, ERR_MACHINE, errno,
					     "cannot make the memory of node %d", i);
	}
	return 0;
}

static int size_machine(struct session *session, uint64_t initramfs_bytes, struct err *err)
{
	struct fs fs;
	int failed;

	if (layout_compute(&session->layout, (int)session->profile.nr_nodes,
			   session->job->footprint_bytes, initramfs_bytes, err) != 0 ||
	    fs_open(&fs, "/", err) != 0)
		return -1;
	failed = layout_check_host(&session->layout, &fs, err);
	fs_close(&fs);
	return failed ? failed : make_memory(session, err);
}

static int open_outputs(struct session *session, struct err *err)
{
	const struct emulator_job *job = session->job;
	struct receiver *receiver = &session->receiver;

	if (fs_mkdir_parents(job->result_directory) != 0)
		return err_set_errno(err, ERR_INTERNAL, errno, "cannot make the directory '%s'",
				     job->result_directory);
	if (receiver_open(receiver, job->result_directory, &session->output, err) != 0 ||
	    tail_open(&session->console, receiver->directory_fd, CONSOLE_LOG, err) != 0 ||
	    tail_open(&session->output, receiver->directory_fd, OUTPUT_LOG, err) != 0 ||
	    tail_open(&session->talk, receiver->directory_fd, QEMU_LOG, err) != 0)
		return -1;
	receiver->progress = job->progress;
	receiver->progress_context = job->progress_context;
	for (int i = 0; i < NR_CHANNELS; i++)
		if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, session->channels[i]) != 0)
			return err_set_errno(err, ERR_INTERNAL, errno, "cannot make a channel");
	return 0;
}

static int start(struct session *session, struct err *err)
{
	struct qemu_spec spec = {
		.program = session->host.qemu,
		.kernel = session->host.kernel,
		.plugin = session->job->plugin          ? session->job->plugin
			  : session->job->without_model ? NULL
							: session->host.plugin,
		.plugin_is_foreign = session->job->plugin != NULL,
		.kernel_arguments = session->job->kernel_arguments,
		.clock_by_instructions = session->job->clock_by_instructions,
		.profile_path = session->host.profile,
		.profile = &session->profile,
		.layout = &session->layout,
		.scale = scale_of(session),
		.cpus = session->job->cpus,
		.initramfs_fd = session->initramfs_fd,
		.console_fd = session->channels[CHANNEL_CONSOLE][1],
		.result_fd = session->channels[CHANNEL_RESULT][1],
		.talk_fd = session->channels[CHANNEL_TALK][1],
	};

	memcpy(spec.node_fds, session->node_fds, sizeof(spec.node_fds));
	session->started_ns = session->last_sign_ns = now_ns();
	if (qemu_start(&session->qemu, &spec, err) != 0)
		return -1;
	for (int i = 0; i < NR_CHANNELS; i++)
		close_fd(&session->channels[i][1]);
	return 0;
}

static void report_phase(const struct session *session, const char *phase)
{
	json_t *event = json_pack("{s:s, s:s}", "msg", "guest", "phase", phase);

	if (session->job->progress && event)
		session->job->progress(session->job->progress_context, event);
	json_decref(event);
}

/* Text of a console or of QEMU; 1, or 0 at its end. */
static int read_text(int fd, struct tail *tail)
{
	char text[4096];
	const ssize_t n = read(fd, text, sizeof(text));

	if (n > 0)
		tail_add(tail, text, (size_t)n);
	return n > 0 || (n < 0 && (errno == EINTR || errno == EAGAIN));
}

static int read_channel(struct session *session, enum channel channel, struct err *err)
{
	const int fd = session->channels[channel][0];

	session->last_sign_ns = now_ns();
	session->starved_at_sign_ns = qemu_starved_ns(&session->qemu);
	if (channel == CHANNEL_CONSOLE)
		return read_text(fd, &session->console);
	if (channel == CHANNEL_TALK)
		return read_text(fd, &session->talk);
	session->init_runs = true;
	return receiver_read(&session->receiver, fd, err);
}

/* Closes the channels that have ended; -1 on a damaged stream. */
static int read_channels(struct session *session, const struct pollfd *fds, struct err *err)
{
	for (int i = 0; i < NR_CHANNELS; i++) {
		int more;

		if (!fds[i].revents)
			continue;
		more = read_channel(session, (enum channel)i, err);
		if (more < 0)
			return -1;
		if (more == 0)
			close_fd(&session->channels[i][0]);
	}
	if (session->receiver.exited && !session->exited_ns)
		session->exited_ns = now_ns();
	return 0;
}

/* When the wait has to end, and what it is then called. */
struct deadline {
	uint64_t at_ns;
	enum { DEADLINE_TIMEOUT, DEADLINE_STALL, DEADLINE_POWER_OFF } kind;
};

static struct deadline next_deadline(const struct session *session)
{
	const struct emulator_job *job = session->job;
	const uint64_t starved_ns = qemu_starved_ns(&session->qemu);
	uint64_t stall_ns = job->stall_ns ? job->stall_ns : STALL_DEFAULT_NS;
	struct deadline next;

	if (!session->init_runs && stall_ns < BOOT_STALL_NS)
		stall_ns = BOOT_STALL_NS;
	/* A guest does not hang while its host is busy with something else. */
	next = (struct deadline){session->last_sign_ns + stall_ns, DEADLINE_STALL};
	if (starved_ns > session->starved_at_sign_ns)
		next.at_ns += starved_ns - session->starved_at_sign_ns;

	if (session->exited_ns)
		return (struct deadline){session->exited_ns + POWER_OFF_NS, DEADLINE_POWER_OFF};
	if (job->timeout_ns && session->started_ns + job->timeout_ns < next.at_ns)
		next = (struct deadline){session->started_ns + job->timeout_ns, DEADLINE_TIMEOUT};
	return next;
}

/* Fails with what happened and the last lines of the command, the console and QEMU. */
static int fail(struct session *session, struct err *err, const char *what)
{
	const struct {
		const struct tail *tail;
		const char *name;
	} logs[] = {
		{&session->output, "output"},
		{&session->console, "console"},
		{&session->talk, "QEMU"},
	};
	char text[960] = "";
	size_t used = 0;

	for (size_t i = 0; i < sizeof(logs) / sizeof(logs[0]); i++) {
		char lines[300];

		if (*tail_format(logs[i].tail, lines, sizeof(lines)))
			used += (size_t)snprintf(text + used, sizeof(text) - used, "; %s: %s",
						 logs[i].name, lines);
	}
	return err_set(err, ERR_RUN, "%s%s", what, used ? text : "; it said nothing");
}

static int fail_deadline(struct session *session, const struct deadline *deadline, struct err *err)
{
	char what[128], time[UNITS_TEXT_MAX];
	const uint64_t silent_ns = now_ns() - session->last_sign_ns;

	if (deadline->kind == DEADLINE_POWER_OFF)
		return 0; /* the results are complete; it is killed now */
	if (deadline->kind == DEADLINE_STALL)
		snprintf(what, sizeof(what), "the guest hangs: no sign of life for %s",
			 units_format_duration(silent_ns, time));
	else
		snprintf(what, sizeof(what), "the guest was not done within %s (--timeout)",
			 units_format_duration(session->job->timeout_ns, time));
	return fail(session, err, what);
}

static int fail_early_end(struct session *session, struct err *err)
{
	char what[384], line[160], where[160] = "";

	if (tail_find(&session->console, "Kernel panic", line, sizeof(line))) {
		session->panicked = true;
		tail_find(&session->console, "RIP:", where, sizeof(where));
		snprintf(what, sizeof(what),
			 "the guest's kernel panicked: '%s'%s%s (" CONSOLE_LOG ")", line,
			 *where ? " at " : "", where);
		/* The end of the console is registers and stack; the log has them. */
		session->console.used = 0;
	} else if (WIFSIGNALED(session->qemu.status)) {
		snprintf(what, sizeof(what), "QEMU was killed by SIG%s",
			 sigabbrev_np(WTERMSIG(session->qemu.status)));
	} else if (WEXITSTATUS(session->qemu.status) != 0) {
		snprintf(what, sizeof(what), "QEMU ended with status %d",
			 WEXITSTATUS(session->qemu.status));
	} else {
		snprintf(what, sizeof(what), "the guest switched off before it was done");
	}
	return fail(session, err, what);
}

/* QEMU is gone: what it wrote last is still in the channels. */
static int finish(struct session *session, struct err *err)
{
	qemu_end(&session->qemu);
	for (int i = 0; i < NR_CHANNELS; i++) {
		while (session->channels[i][0] >= 0) {
			const int more = read_channel(session, (enum channel)i, err);

			if (more < 0)
				return -1;
			if (more == 0)
				close_fd(&session->channels[i][0]);
		}
	}
	return session->receiver.exited ? 0 : fail_early_end(session, err);
}

static int attend(struct session *session, struct err *err)
{
	for (;;) {
		const int interrupt_fd = session->job->interrupt_fd;
		const struct deadline deadline = next_deadline(session);
		const uint64_t now = now_ns();
		struct pollfd fds[NR_CHANNELS + 2];
		uint64_t left_ms;

		if (now >= deadline.at_ns)
			return fail_deadline(session, &deadline, err);
		for (int i = 0; i < NR_CHANNELS; i++)
			fds[i] = (struct pollfd){session->channels[i][0], POLLIN, 0};
		fds[NR_CHANNELS] = (struct pollfd){session->qemu.pidfd, POLLIN, 0};
		fds[NR_CHANNELS + 1] =
			(struct pollfd){interrupt_fd > 0 ? interrupt_fd : -1, POLLIN, 0};
		left_ms = (deadline.at_ns - now) / 1000000 + 1;
		if (poll(fds, NR_CHANNELS + 2, left_ms > 60000 ? 60000 : (int)left_ms) < 0)
			continue; /* EINTR */
		if (fds[NR_CHANNELS + 1].revents)
			return err_set(err, ERR_INTERRUPTED, "interrupted");
		if (read_channels(session, fds, err) != 0)
			return -1;
		if (fds[NR_CHANNELS].revents)
			return finish(session, err);
	}
}

static int run(struct session *session, struct err *err)
{
	const struct emulator_job *job = session->job;
	const struct host_wish wish = {job->profile, job->kernel,
				       job->without_model || job->plugin};
	uint64_t initramfs_bytes = 0;

	if (host_find(&session->host, &session->profile, &wish, err) != 0 ||
	    describe_machine(session, err) != 0 ||
	    build_initramfs(session, &initramfs_bytes, err) != 0 ||
	    size_machine(session, initramfs_bytes, err) != 0 || open_outputs(session, err) != 0 ||
	    start(session, err) != 0)
		return -1;
	report_phase(session, "boot");
	return attend(session, err);
}

static int try_once(const struct emulator_job *job, struct emulator_result *result, bool *panicked,
		    struct err *err)
{
	struct session *session = malloc(sizeof(*session));
	int failed;

	if (!session)
		return err_set(err, ERR_INTERNAL, "out of memory for an emulated machine");
	session_init(session, job);
	failed = run(session, err);
	if (!failed) {
		result->guest_status = session->receiver.status;
		result->machine = json_incref(session->machine);
	}
	*panicked = session->panicked;
	session_close(session);
	return failed;
}

/* The console of the guest that panicked stays beside the other's, so that it shows in the record.
 */
static void keep_console(const struct emulator_job *job)
{
	char from[PATHS_MAX], to[PATHS_MAX + 16];

	if (snprintf(from, sizeof(from), "%s/" CONSOLE_LOG, job->result_directory) >=
	    (int)sizeof(from))
		return;
	snprintf(to, sizeof(to), "%s.panicked", from);
	(void)rename(from, to);
}

/*
 * A guest of many vCPUs may panic for reasons of QEMU's own (qemu_arguments.c: add_accelerator).
 * That says nothing about the job, which is given one more guest. A kernel of the user's own is
 * not: there a panic is what they want to know.
 */
int emulator_run(const struct emulator_job *job, struct emulator_result *result, struct err *err)
{
	bool panicked = false;
	struct err why = {0};

	*result = (struct emulator_result){0};
	if (try_once(job, result, &panicked, &why) == 0)
		return 0;
	if (!panicked || job->kernel)
		return err_set(err, why.kind, "%s", why.text);
	keep_console(job);
	return try_once(job, result, &panicked, err);
}
