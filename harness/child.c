// SPDX-License-Identifier: MIT
#include "harness/child.h"

#include <errno.h>
#include <fcntl.h>
#include <numaif.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define REAP_TRIES 1000 /* of a millisecond each */

/* What the child reports through the close-on-exec pipe when it does not get as far as exec. */
struct failure {
	int errnum;
	enum err_kind kind;
	char what[64];
};

/* Pipe and socket ends of one start; -1 when closed or unused. */
struct ends {
	int report[2];
	int wire[2];
};

static void close_fd(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

static void close_ends(struct ends *ends)
{
	for (int i = 0; i < 2; i++) {
		close_fd(&ends->report[i]);
		close_fd(&ends->wire[i]);
	}
}

_Noreturn static void give_up(int report, enum err_kind kind, const char *what)
{
	struct failure failure = {.errnum = errno, .kind = kind};

	snprintf(failure.what, sizeof(failure.what), "%s", what);
	if (write(report, &failure, sizeof(failure)) != sizeof(failure))
		_exit(126);
	_exit(127);
}

static int set_cpus(const int *cpus, int nr_cpus)
{
	const int highest = cpus[nr_cpus - 1];
	cpu_set_t *set = CPU_ALLOC((size_t)highest + 1);
	const size_t size = CPU_ALLOC_SIZE((size_t)highest + 1);
	int failed;

	if (!set)
		return -1;
	CPU_ZERO_S(size, set);
	for (int i = 0; i < nr_cpus; i++)
		CPU_SET_S((size_t)cpus[i], size, set);
	failed = sched_setaffinity(0, size, set);
	CPU_FREE(set);
	return failed;
}

static int set_memory(enum child_memory memory, uint64_t nodes)
{
	static const int modes[] = {
		[CHILD_MEMORY_DEFAULT] = MPOL_DEFAULT,
		[CHILD_MEMORY_BIND] = MPOL_BIND,
		[CHILD_MEMORY_INTERLEAVE] = MPOL_INTERLEAVE,
	};
	const unsigned long mask = nodes;

	if (memory == CHILD_MEMORY_DEFAULT)
		return (int)set_mempolicy(MPOL_DEFAULT, NULL, 0);
	/* The kernel ignores the last bit it is told about: one more than there are. */
	return (int)set_mempolicy(modes[memory], &mask, sizeof(mask) * 8 + 1);
}

static void place(const struct child_spec *spec, int report)
{
	if (spec->nr_cpus > 0 && set_cpus(spec->cpus, spec->nr_cpus) != 0)
		give_up(report, ERR_MACHINE, "bind the program to its CPUs");
	if (set_memory(spec->memory, spec->memory_nodes) != 0 &&
	    !(errno == ENOSYS && spec->memory == CHILD_MEMORY_DEFAULT))
		give_up(report, ERR_MACHINE, "set the memory policy of the program");
	if (spec->thp_off && prctl(PR_SET_THP_DISABLE, 1, 0, 0, 0) != 0)
		give_up(report, ERR_MACHINE, "keep the program off transparent huge pages");
}

static void redirect(const struct child_spec *spec, int report)
{
	if (!spec->keep_stdin) {
		const int null = open("/dev/null", O_RDONLY | O_CLOEXEC);

		if (null < 0 || dup2(null, STDIN_FILENO) < 0)
			give_up(report, ERR_INTERNAL, "read from /dev/null");
	}
	if (spec->stdout_fd >= 0 && dup2(spec->stdout_fd, STDOUT_FILENO) < 0)
		give_up(report, ERR_INTERNAL, "redirect the output of the program");
	if (spec->stderr_fd >= 0 && dup2(spec->stderr_fd, STDERR_FILENO) < 0)
		give_up(report, ERR_INTERNAL, "redirect the messages of the program");
}

static void take_terminal(void)
{
	const struct sigaction ignore = {.sa_handler = SIG_IGN};
	struct sigaction before;

	/* A background group that sets the foreground group is stopped by SIGTTOU otherwise. */
	sigaction(SIGTTOU, &ignore, &before);
	tcsetpgrp(STDIN_FILENO, getpgrp());
	sigaction(SIGTTOU, &before, NULL);
}

static void pass_wire(int wire_fd, int report)
{
	char number[16];

	if (wire_fd < 0) {
		unsetenv(WIRE_ENV);
		return;
	}
	snprintf(number, sizeof(number), "%d", wire_fd);
	if (fcntl(wire_fd, F_SETFD, 0) != 0 || setenv(WIRE_ENV, number, 1) != 0)
		give_up(report, ERR_INTERNAL, "pass the channel to the program");
}

_Noreturn static void become(const struct child_spec *spec, const struct ends *ends, pid_t parent)
{
	const int report = ends->report[1];

	if (setpgid(0, 0) != 0 || prctl(PR_SET_PDEATHSIG, SIGKILL) != 0)
		give_up(report, ERR_INTERNAL, "set up the process group of the program");
	if (getppid() != parent)
		_exit(126); /* the harness died before the line above could help */
	if (spec->foreground)
		take_terminal();
	redirect(spec, report);
	pass_wire(ends->wire[1], report);
	place(spec, report);
	if (spec->stop_at_exec && ptrace(PTRACE_TRACEME, 0, NULL, NULL) != 0)
		give_up(report, ERR_MACHINE, "trace the program up to its start");
	signal(SIGPIPE, SIG_DFL); /* the harness ignores it; exec would keep that */
	execvp(spec->argv[0], spec->argv);
	give_up(report, ERR_USAGE, "start the program");
}

static int wait_for_exec(int report, const struct child_spec *spec, struct err *err)
{
	struct failure failure;
	ssize_t n;

	do
		n = read(report, &failure, sizeof(failure));
	while (n < 0 && errno == EINTR);
	if (n == 0)
		return 0;
	if (n != sizeof(failure))
		return err_set(err, ERR_INTERNAL, "'%s' died before it was started", spec->argv[0]);
	return err_set_errno(err, failure.kind, failure.errnum, "cannot %s ('%s')", failure.what,
			     spec->argv[0]);
}

static int open_ends(struct ends *ends, bool wire, struct err *err)
{
	*ends = (struct ends){.report = {-1, -1}, .wire = {-1, -1}};
	if (pipe2(ends->report, O_CLOEXEC) == 0 &&
	    (!wire || socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends->wire) == 0))
		return 0;
	err_set_errno(err, ERR_INTERNAL, errno, "cannot make a channel to a program");
	close_ends(ends);
	return -1;
}

int child_start(struct child *child, const struct child_spec *spec, struct err *err)
{
	const pid_t parent = getpid();
	struct ends ends;
	int failed;

	*child = CHILD_NONE;
	if (open_ends(&ends, spec->wire, err) != 0)
		return -1;
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	fflush(NULL); /* buffered text must not be printed twice */
	child->pid = fork();
	if (child->pid == 0)
		become(spec, &ends, parent);
	close_fd(&ends.report[1]);
	close_fd(&ends.wire[1]);
	if (child->pid < 0) {
		failed =
			err_set_errno(err, ERR_INTERNAL, errno, "cannot start '%s'", spec->argv[0]);
		*child = CHILD_NONE;
		close_ends(&ends);
		return failed;
	}
	setpgid(child->pid, child->pid); /* whichever of the two is first */
	child->terminal = spec->foreground;
	child->pidfd = (int)syscall(SYS_pidfd_open, child->pid, 0);
	wire_init(&child->wire, ends.wire[0]);
	failed = wait_for_exec(ends.report[0], spec, err);
	close_fd(&ends.report[0]);
	if (!failed && child->pidfd < 0)
		failed = err_set_errno(err, ERR_MACHINE, errno,
				       "cannot watch a process (Linux 5.3 or later is needed)");
	if (!failed && spec->stop_at_exec && waitpid(child->pid, &child->status, 0) < 0)
		failed = err_set_errno(err, ERR_INTERNAL, errno, "cannot wait for '%s' to start",
				       spec->argv[0]);
	if (failed)
		child_end(child, 0);
	return failed;
}

int child_continue(struct child *child, struct err *err)
{
	if (ptrace(PTRACE_DETACH, child->pid, NULL, NULL) == 0)
		return 0;
	return err_set_errno(err, ERR_RUN, errno, "cannot let the program run");
}

bool child_wait(struct child *child, int timeout_ms)
{
	struct pollfd pfd = {.fd = child->pidfd, .events = POLLIN};
	siginfo_t info = {0};

	if (child->pid <= 0 || child->ended)
		return true;
	if (child->pidfd >= 0 && poll(&pfd, 1, timeout_ms) <= 0)
		return false;
	/* Left a zombie until child_end(): its number, which is the group's, stays taken. */
	if (waitid(P_PID, (id_t)child->pid, &info, WEXITED | WNOWAIT) == 0)
		child->status = info.si_code == CLD_EXITED ? W_EXITCODE(info.si_status, 0)
							   : W_EXITCODE(0, info.si_status);
	return true;
}

/* All of the group have been sent SIGKILL. Orphans of the group come to us (PR_SET_CHILD_SUBREAPER
 * in child_start()), each when its own parent has died. */
static void reap_group(struct child *child)
{
	const struct timespec pause = {.tv_nsec = 1000000};
	int status, tries = 0;
	pid_t pid;

	while ((pid = waitpid(child->pid, &status, 0)) < 0 && errno == EINTR)
		;
	if (pid == child->pid)
		child->status = status;
	child->ended = true;
	do {
		pid = waitpid(-child->pid, &status, WNOHANG);
		if (pid == 0)
			nanosleep(&pause, NULL);
	} while (pid > 0 || (pid == 0 && tries++ < REAP_TRIES));
}

static void give_terminal_back(const struct child *child)
{
	const struct sigaction ignore = {.sa_handler = SIG_IGN};
	struct sigaction before;

	if (!child->terminal)
		return;
	sigaction(SIGTTOU, &ignore, &before);
	tcsetpgrp(STDIN_FILENO, getpgrp());
	sigaction(SIGTTOU, &before, NULL);
}

void child_end(struct child *child, int grace_ms)
{
	if (child->pid > 0 && !child->ended) {
		if (grace_ms > 0 && !child_wait(child, 0)) {
			kill(-child->pid, SIGTERM);
			kill(-child->pid, SIGCONT);
			child_wait(child, grace_ms);
		}
		kill(-child->pid, SIGKILL);
		reap_group(child);
		give_terminal_back(child);
	}
	close_fd(&child->pidfd);
	if (child->wire.fd >= 0)
		wire_close(&child->wire);
}

const char *child_describe(int status, char text[CHILD_TEXT_MAX])
{
	if (WIFSIGNALED(status))
		snprintf(text, CHILD_TEXT_MAX, "killed by SIG%s (%s)",
			 sigabbrev_np(WTERMSIG(status)), strsignal(WTERMSIG(status)));
	else
		snprintf(text, CHILD_TEXT_MAX, "exited with status %d", WEXITSTATUS(status));
	return text;
}
