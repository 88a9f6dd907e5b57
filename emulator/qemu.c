// SPDX-License-Identifier: MIT
#include "emulator/qemu.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/* Descriptors that the harness opened close-on-exec and QEMU shall have. */
static int keep_descriptors(const struct qemu_spec *spec)
{
	const int channels[] = {spec->initramfs_fd, spec->console_fd, spec->result_fd};
	int failed = 0;

	for (int i = 0; i < spec->layout->nr_nodes; i++)
		failed |= fcntl(spec->node_fds[i], F_SETFD, 0);
	for (size_t i = 0; i < sizeof(channels) / sizeof(channels[0]); i++)
		failed |= fcntl(channels[i], F_SETFD, 0);
	return failed;
}

/* Between fork and exec; tells its errno through the close-on-exec pipe. */
_Noreturn static void become_qemu(const struct qemu_spec *spec, char **arguments, pid_t parent,
				  int report)
{
	const struct sigaction standard = {.sa_handler = SIG_DFL};
	const int null = open("/dev/null", O_RDWR | O_CLOEXEC);
	sigset_t none;
	int saved;

	setpgid(0, 0);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		_exit(127); /* it died before the line above could help */
	sigemptyset(&none);
	sigaction(SIGPIPE, &standard, NULL);
	sigprocmask(SIG_SETMASK, &none, NULL);
	if (null >= 0 && dup2(null, STDIN_FILENO) >= 0 && dup2(spec->talk_fd, STDOUT_FILENO) >= 0 &&
	    dup2(spec->talk_fd, STDERR_FILENO) >= 0 && keep_descriptors(spec) == 0)
		execvp(arguments[0], arguments);
	saved = errno;
	if (write(report, &saved, sizeof(saved)) < 0)
		_exit(126);
	_exit(127);
}

static int wait_for_exec(const struct qemu_spec *spec, int report, struct err *err)
{
	int errnum;
	ssize_t n;

	do
		n = read(report, &errnum, sizeof(errnum));
	while (n < 0 && errno == EINTR);
	if (n == 0)
		return 0;
	if (n != sizeof(errnum))
		errnum = EIO;
	return err_set_errno(err, ERR_MACHINE, errnum, "cannot start '%s'", spec->program);
}

int qemu_start(struct qemu *qemu, const struct qemu_spec *spec, struct err *err)
{
	const pid_t parent = getpid();
	char **arguments;
	int report[2], failed;

	*qemu = QEMU_NONE;
	arguments = qemu_arguments(spec, err);
	if (!arguments)
		return -1;
	if (pipe2(report, O_CLOEXEC) != 0) {
		qemu_free_arguments(arguments);
		return err_set_errno(err, ERR_INTERNAL, errno, "cannot make a pipe");
	}
	qemu->pid = fork();
	if (qemu->pid == 0)
		become_qemu(spec, arguments, parent, report[1]);
	close(report[1]);
	if (qemu->pid < 0) {
		*qemu = QEMU_NONE;
		failed =
			err_set_errno(err, ERR_INTERNAL, errno, "cannot start '%s'", spec->program);
	} else {
		qemu->pidfd = (int)syscall(SYS_pidfd_open, qemu->pid, 0);
		failed = wait_for_exec(spec, report[0], err);
	}
	if (!failed && qemu->pidfd < 0)
		failed = err_set_errno(err, ERR_MACHINE, errno,
				       "cannot watch a process (Linux 5.3 or later is needed)");
	close(report[0]);
	qemu_free_arguments(arguments);
	if (failed)
		qemu_end(qemu);
	return failed;
}

void qemu_end(struct qemu *qemu)
{
	if (qemu->pid > 0) {
		/* Not the group alone: the child may not have made it yet. */
		kill(qemu->pid, SIGKILL);
		kill(-qemu->pid, SIGKILL);
		while (waitpid(qemu->pid, &qemu->status, 0) < 0 && errno == EINTR)
			;
	}
	if (qemu->pidfd >= 0)
		close(qemu->pidfd);
	qemu->pid = 0;
	qemu->pidfd = -1;
}

static uint64_t thread_starved_ns(int tasks_fd, const char *thread)
{
	char path[32], text[64];
	uint64_t ran_ns, waited_ns = 0;
	ssize_t n;
	int fd;

	snprintf(path, sizeof(path), "%.15s/schedstat", thread);
	fd = openat(tasks_fd, path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return 0;
	n = read(fd, text, sizeof(text) - 1);
	close(fd);
	text[n > 0 ? n : 0] = '\0';
	return sscanf(text, "%" SCNu64 " %" SCNu64, &ran_ns, &waited_ns) == 2 ? waited_ns : 0;
}

uint64_t qemu_starved_ns(const struct qemu *qemu)
{
	char path[32];
	const struct dirent *entry;
	uint64_t most_ns = 0;
	DIR *tasks;

	snprintf(path, sizeof(path), "/proc/%d/task", (int)qemu->pid);
	tasks = qemu->pid > 0 ? opendir(path) : NULL;
	while (tasks && (entry = readdir(tasks))) {
		const uint64_t thread_ns = thread_starved_ns(dirfd(tasks), entry->d_name);

		if (thread_ns > most_ns)
			most_ns = thread_ns;
	}
	if (tasks)
		closedir(tasks);
	return most_ns;
}

int qemu_parse_version(const char *text, int *major, int *minor)
{
	const char *number = strstr(text, "version ");

	return number && sscanf(number, "version %d.%d", major, minor) == 2 ? 0 : -1;
}

int qemu_version(const char *program, char *text, size_t size, struct err *err)
{
	int ends[2], major, minor, status;
	FILE *answer;
	pid_t pid;

	if (pipe2(ends, O_CLOEXEC) != 0)
		return err_set_errno(err, ERR_INTERNAL, errno, "cannot make a pipe");
	pid = fork();
	if (pid == 0) {
		const int null = open("/dev/null", O_RDWR | O_CLOEXEC);

		if (dup2(ends[1], STDOUT_FILENO) >= 0 && dup2(null, STDERR_FILENO) >= 0)
			execlp(program, program, "--version", (char *)NULL);
		_exit(127);
	}
	close(ends[1]);
	answer = fdopen(ends[0], "r");
	if (!answer || !fgets(text, (int)size, answer))
		text[0] = '\0';
	if (answer)
		fclose(answer);
	while (pid > 0 && waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	text[strcspn(text, "\n")] = '\0';
	if (qemu_parse_version(text, &major, &minor) != 0)
		return err_set(err, ERR_MACHINE,
			       "'%s' does not run; install QEMU (Debian: qemu-system-x86) or name "
			       "it in %s",
			       program, QEMU_ENV);
	if (major < QEMU_MIN_MAJOR || (major == QEMU_MIN_MAJOR && minor < QEMU_MIN_MINOR))
		return err_set(err, ERR_MACHINE, "'%s' is version %d.%d; at least %d.%d is needed",
			       program, major, minor, QEMU_MIN_MAJOR, QEMU_MIN_MINOR);
	return 0;
}
