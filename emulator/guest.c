// SPDX-License-Identifier: MIT
/*
 * PID 1 of the emulated machine: runs the job, sends its output, result files and exit status to
 * the host, and switches the machine off. Without the last frame the host knows that it failed, so
 * an error that cannot be sent is printed to the console and ends the machine.
 */
#include <errno.h>
#include <fcntl.h>
#include <fts.h>
#include <jansson.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/reboot.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <termios.h>
#include <time.h>

#include <unistd.h>

#include "emulator/emulator.h"
#include "emulator/frame.h"
#include "emulator/guest_setup.h"
#include "emulator/initramfs.h"

#define PROGRESS_FD 3 /* in the command; named in the environment as "progress_fd" */

struct guest {
	json_t *job;
	int port, output, progress, signals; /* read ends of the command's pipes */
	pid_t command;
	int wait_status, ended;
	int alive_ms;
	char line[FRAME_PAYLOAD_MAX]; /* of the progress pipe, not complete yet */
	size_t line_length;
};

static int send_frame(const struct guest *guest, enum frame_type type, const void *payload,
		      size_t length, struct err *err)
{
	if (frame_write(guest->port, type, payload, length) == 0)
		return 0;
	return err_set_errno(err, ERR_INTERNAL, errno, "cannot write to the host");
}

static int send_json(const struct guest *guest, enum frame_type type, json_t *message,
		     struct err *err)
{
	char *text = message ? json_dumps(message, JSON_COMPACT) : NULL;
	int failed;

	json_decref(message);
	if (!text)
		return err_set(err, ERR_INTERNAL, "out of memory for a message");
	failed = send_frame(guest, type, text, strlen(text), err);
	free(text);
	return failed;
}

static int send_phase(const struct guest *guest, const char *phase, struct err *err)
{
	struct timespec now;

	clock_gettime(CLOCK_BOOTTIME, &now);
	return send_json(guest, FRAME_EVENT,
			 json_pack("{s:s, s:s, s:I}", "msg", "guest", "phase", phase, "uptime_ns",
				   (json_int_t)now.tv_sec * 1000000000 + now.tv_nsec),
			 err);
}

static int read_job(struct guest *guest, struct err *err)
{
	json_error_t error;

	guest->job = json_load_file(INITRAMFS_JOB, 0, &error);
	if (!guest->job)
		return err_set(err, ERR_INTERNAL, "cannot read %s: %s", INITRAMFS_JOB, error.text);
	guest->alive_ms = (int)json_integer_value(json_object_get(guest->job, "alive_ms"));
	return 0;
}

static char **command_arguments(const json_t *job)
{
	const json_t *list = json_object_get(job, "argv");
	char **argv = calloc(json_array_size(list) + 1, sizeof(*argv));

	for (size_t i = 0; argv && i < json_array_size(list); i++)
		argv[i] = (char *)json_string_value(json_array_get(list, i));
	return argv;
}

_Noreturn static void become_command(const struct guest *guest, int output, int progress)
{
	char **argv = command_arguments(guest->job);
	const int null = open("/dev/null", O_RDONLY);
	const char *name;
	json_t *value;
	sigset_t none;

	json_object_foreach (json_object_get(guest->job, "environment"), name, value)
		setenv(name, json_string_value(value), 1);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	if (!argv || null < 0 || setsid() < 0 || chdir(GUEST_RESULT_DIRECTORY) != 0 ||
	    dup2(null, STDIN_FILENO) < 0 || dup2(output, STDOUT_FILENO) < 0 ||
	    dup2(output, STDERR_FILENO) < 0 || dup2(progress, PROGRESS_FD) < 0)
		_exit(126);
	close_range(PROGRESS_FD + 1, ~0u, CLOSE_RANGE_CLOEXEC);
	execv(argv[0], argv);
	dprintf(STDERR_FILENO, "cannot run '%s': %s\n", argv[0], strerror(errno));
	_exit(127);
}

static int watch_children(struct guest *guest, struct err *err)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	sigprocmask(SIG_BLOCK, &set, NULL);
	guest->signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	if (guest->signals < 0)
		return err_set_errno(err, ERR_INTERNAL, errno, "cannot watch for signals");
	return 0;
}

static int start_command(struct guest *guest, struct err *err)
{
	int output[2], progress[2];

	if (watch_children(guest, err) != 0)
		return -1;
	if (pipe2(output, O_CLOEXEC) != 0 || pipe2(progress, O_CLOEXEC) != 0)
		return err_set_errno(err, ERR_INTERNAL, errno, "cannot make a pipe");
	guest->command = fork();
	if (guest->command == 0)
		become_command(guest, output[1], progress[1]);
	if (guest->command < 0)
		return err_set_errno(err, ERR_INTERNAL, errno, "cannot start the command");
	close(output[1]);
	close(progress[1]);
	guest->output = output[0];
	guest->progress = progress[0];
	fcntl(guest->output, F_SETFL, O_NONBLOCK);
	fcntl(guest->progress, F_SETFL, O_NONBLOCK);
	return 0;
}

/* Passes on what is in the pipe; closes it at its end. */
static int pump_output(struct guest *guest, struct err *err)
{
	char text[16384];
	ssize_t n = 1;

	while (guest->output >= 0) {
		n = read(guest->output, text, sizeof(text));
		if (n < 0)
			return 0;
		if (n > 0 && send_frame(guest, FRAME_LOG, text, (size_t)n, err) != 0)
			return -1;
		if (n == 0) {
			close(guest->output);
			guest->output = -1;
		}
	}
	return 0;
}

/* Each complete line is one event; the host judges whether it is JSON. */
static int send_lines(struct guest *guest, struct err *err)
{
	char *start = guest->line, *newline;
	size_t left = guest->line_length;

	while ((newline = memchr(start, '\n', left))) {
		const size_t length = (size_t)(newline - start);

		if (send_frame(guest, FRAME_EVENT, start, length, err) != 0)
			return -1;
		start += length + 1;
		left -= length + 1;
	}
	if (left == sizeof(guest->line))
		left = 0; /* no message is that long */
	memmove(guest->line, start, left);
	guest->line_length = left;
	return 0;
}

static int pump_progress(struct guest *guest, struct err *err)
{
	while (guest->progress >= 0) {
		const ssize_t n = read(guest->progress, guest->line + guest->line_length,
				       sizeof(guest->line) - guest->line_length);

		if (n < 0)
			return 0;
		if (n == 0) {
			close(guest->progress);
			guest->progress = -1;
			return 0;
		}
		guest->line_length += (size_t)n;
		if (send_lines(guest, err) != 0)
			return -1;
	}
	return 0;
}

static void reap(struct guest *guest)
{
	struct signalfd_siginfo info;
	pid_t pid;
	int status;

	while (read(guest->signals, &info, sizeof(info)) == sizeof(info))
		;
	while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
		if (pid != guest->command)
			continue;
		guest->wait_status = status;
		guest->ended = 1;
	}
}

static int pump(struct guest *guest, struct err *err)
{
	if (pump_output(guest, err) != 0)
		return -1;
	return pump_progress(guest, err);
}

/* Runs until the command itself ends; whatever it has left running is killed then. */
static int attend_command(struct guest *guest, struct err *err)
{
	while (!guest->ended) {
		struct pollfd fds[] = {
			{.fd = guest->output, .events = POLLIN},
			{.fd = guest->progress, .events = POLLIN},
			{.fd = guest->signals, .events = POLLIN},
		};
		const int ready = poll(fds, 3, guest->alive_ms);

		if (ready == 0 && send_frame(guest, FRAME_ALIVE, NULL, 0, err) != 0)
			return -1;
		if (pump(guest, err) != 0)
			return -1;
		reap(guest);
	}
	kill(-1, SIGKILL);
	while (waitpid(-1, NULL, 0) > 0)
		;
	return pump(guest, err);
}

static int send_content(const struct guest *guest, int fd, uint64_t left, const char *path,
			struct err *err)
{
	static char block[FRAME_PAYLOAD_MAX];

	while (left > 0) {
		const ssize_t n = read(fd, block, left < sizeof(block) ? left : sizeof(block));

		if (n <= 0)
			return err_set_errno(err, ERR_INTERNAL, n < 0 ? errno : EIO,
					     "cannot read the result '%s'", path);
		if (send_frame(guest, FRAME_DATA, block, (size_t)n, err) != 0)
			return -1;
		left -= (uint64_t)n;
	}
	return 0;
}

static int send_file(const struct guest *guest, const FTSENT *entry, struct err *err)
{
	const char *relative = entry->fts_path + strlen(GUEST_RESULT_DIRECTORY "/");
	const uint64_t bytes = (uint64_t)entry->fts_statp->st_size;
	const int fd = open(entry->fts_path, O_RDONLY | O_CLOEXEC);
	int failed;

	if (fd < 0)
		return err_set_errno(err, ERR_INTERNAL, errno, "cannot read the result '%s'",
				     relative);
	failed = send_json(guest, FRAME_FILE,
			   json_pack("{s:s, s:i, s:I}", "path", relative, "mode",
				     (int)(entry->fts_statp->st_mode & 0777), "bytes",
				     (json_int_t)bytes),
			   err);
	if (!failed)
		failed = send_content(guest, fd, bytes, relative, err);
	close(fd);
	return failed;
}

static int send_results(const struct guest *guest, int *nr_files, struct err *err)
{
	char *const roots[] = {(char *)GUEST_RESULT_DIRECTORY, NULL};
	FTS *tree = fts_open(roots, FTS_PHYSICAL | FTS_NOCHDIR, NULL);
	FTSENT *entry;
	int failed = 0;

	if (!tree)
		return err_set_errno(err, ERR_INTERNAL, errno, "cannot read the results");
	while (!failed && (entry = fts_read(tree))) {
		if (entry->fts_info != FTS_F)
			continue;
		failed = send_file(guest, entry, err);
		*nr_files += !failed;
	}
	fts_close(tree);
	return failed;
}

static int exit_status(int wait_status)
{
	return WIFSIGNALED(wait_status) ? 128 + WTERMSIG(wait_status) : WEXITSTATUS(wait_status);
}

static int run_job(struct guest *guest, struct err *err)
{
	int nr_files = 0;

	if (guest_setup(err) != 0 || read_job(guest, err) != 0)
		return -1;
	guest->port = guest_open_port(err);
	if (guest->port < 0 || send_phase(guest, "init", err) != 0)
		return -1;
	if (start_command(guest, err) != 0 || send_phase(guest, "command", err) != 0 ||
	    attend_command(guest, err) != 0 || send_phase(guest, "results", err) != 0 ||
	    send_results(guest, &nr_files, err) != 0)
		return -1;
	return send_json(guest, FRAME_EXIT,
			 json_pack("{s:i, s:i}", "status", exit_status(guest->wait_status), "files",
				   nr_files),
			 err);
}

_Noreturn void emulator_guest_init(int argc, char **argv)
{
	static struct guest guest = {.port = -1, .output = -1, .progress = -1, .signals = -1};
	struct err err = {0};

	(void)argc;
	if (run_job(&guest, &err) != 0)
		err_report(argv[0] ? argv[0] : "init", &err);
	/* The UART is written by the kernel as it goes; the port's buffers are the device's. */
	tcdrain(STDERR_FILENO);
	reboot(RB_POWER_OFF);
	for (;;)
		pause();
}
