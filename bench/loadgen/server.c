// SPDX-License-Identifier: MIT
#include "bench/loadgen/server.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/close_range.h>
#include <netinet/in.h>
#include <numaif.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "bench/team.h"

#define START_TIMEOUT_MS 60000
#define STOP_TIMEOUT_MS  10000
#define RETRY_MS         10
#define SAID_MAX         240

void server_command_add(struct server_command *command, const char *format, ...)
{
	va_list arguments;

	if (command->nr_words == SERVER_ARGUMENTS_MAX)
		abort(); /* a bug of ours: no user decides how many there are */
	va_start(arguments, format);
	vsnprintf(command->words[command->nr_words], SERVER_WORD_MAX, format, arguments);
	va_end(arguments);
	command->nr_words++;
}

/* --- where the program is --------------------------------------------------------------------- */

static bool runnable(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && S_ISREG(st.st_mode) && access(path, X_OK) == 0;
}

/* Links are not followed: a program may look at the name that it was started by. */
int server_find(const char *wanted, char path[WORKLOAD_PATH_MAX], struct err *err)
{
	const char *search = getenv("PATH");
	char all[8192];

	if (strchr(wanted, '/')) {
		if (wanted[0] != '/')
			return err_set(err, ERR_USAGE, "--server: '%s' is no absolute path",
				       wanted);
		if (runnable(wanted) &&
		    snprintf(path, WORKLOAD_PATH_MAX, "%s", wanted) < WORKLOAD_PATH_MAX)
			return 0;
		return err_set(err, ERR_MACHINE, "--server: there is no program '%s'", wanted);
	}
	/* Daemons may live where a user's PATH does not look. */
	snprintf(all, sizeof(all), "%s:/usr/local/bin:/usr/bin:/usr/local/sbin:/usr/sbin",
		 search ? search : "");
	for (char *save = NULL, *directory = strtok_r(all, ":", &save); directory;
	     directory = strtok_r(NULL, ":", &save)) {
		if (snprintf(path, WORKLOAD_PATH_MAX, "%s/%s", directory, wanted) <
			    WORKLOAD_PATH_MAX &&
		    runnable(path))
			return 0;
	}
	return err_set(err, ERR_MACHINE,
		       "the server program '%s' is not installed; install it (make setup) or name "
		       "it with --server PATH",
		       wanted);
}

/* --- its address ------------------------------------------------------------------------------ */

/* Binds the port for a moment; returns the number, or -1 with errno. */
static int try_port(int port)
{
	struct sockaddr_in address = {
		.sin_family = AF_INET,
		.sin_port = htons((uint16_t)port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	socklen_t length = sizeof(address);
	const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), one = 1;
	int failed, saved;

	if (fd < 0)
		return -1;
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	failed = bind(fd, (struct sockaddr *)&address, sizeof(address)) != 0 ||
		 listen(fd, 1) != 0 || getsockname(fd, (struct sockaddr *)&address, &length) != 0;
	saved = errno;
	close(fd);
	errno = saved;
	return failed ? -1 : ntohs(address.sin_port);
}

int server_prepare(struct server *server, enum server_transport transport, int port,
		   struct err *err)
{
	const char *base = getenv("TMPDIR");

	/* A socket's path has room for 107 characters. */
	if (!base || strlen(base) > 32)
		base = "/tmp";
	snprintf(server->directory, sizeof(server->directory), "%s/mitosis-server.XXXXXX", base);
	if (!mkdtemp(server->directory)) {
		server->directory[0] = '\0';
		return err_set_errno(err, ERR_MACHINE, errno,
				     "cannot make a directory for the server in '%s'", base);
	}
	if (transport == SERVER_UNIX) {
		snprintf(server->address.path, sizeof(server->address.path), "%s/socket",
			 server->directory);
		return 0;
	}
	server->address.port = try_port(port);
	if (server->address.port > 0)
		return 0;
	if (errno == EADDRINUSE)
		return err_set(err, ERR_USAGE,
			       "--port: %d is in use; take another, or 0 for a free one", port);
	return err_set_errno(err, ERR_MACHINE, errno, "--port: cannot listen on port %d", port);
}

/* --- start ------------------------------------------------------------------------------------ */

static int bind_cpus(const struct server_place *place)
{
	cpu_set_t *set = CPU_ALLOC(TEAM_CPUS_MAX);
	const size_t size = CPU_ALLOC_SIZE(TEAM_CPUS_MAX);
	int failed;

	if (!set)
		return -1;
	CPU_ZERO_S(size, set);
	for (int i = 0; i < place->nr_cpus; i++)
		CPU_SET_S((size_t)place->cpus[i], size, set);
	failed = sched_setaffinity(0, size, set);
	CPU_FREE(set);
	return failed;
}

/* A caller that is bound to a node wants page tables there; data move later. */
static int set_memory(const struct arena_policy *policy)
{
	const unsigned long mask = policy->nodes;
	int mode = MPOL_DEFAULT;

	if (policy->placement == ARENA_FIRST_TOUCH || get_mempolicy(&mode, NULL, 0, NULL, 0) != 0 ||
	    mode == MPOL_BIND)
		return 0;
	return (int)set_mempolicy(policy->placement == ARENA_BIND ? MPOL_BIND : MPOL_INTERLEAVE,
				  &mask, sizeof(mask) * 8 + 1);
}

_Noreturn static void become(const struct server *server, const struct server_command *command,
			     const struct server_place *place, pid_t parent)
{
	static const char text[] = "cannot be placed or started: ";
	const char *why;

	if (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0 || getppid() != parent)
		_exit(126);
	if (dup2(server->log_fd, STDOUT_FILENO) >= 0 && dup2(server->log_fd, STDERR_FILENO) >= 0 &&
	    chdir(server->directory) == 0 && close_range(3, ~0u, CLOSE_RANGE_CLOEXEC) == 0 &&
	    bind_cpus(place) == 0 && set_memory(place->policy) == 0 &&
	    (place->policy->thp != ARENA_THP_NEVER || prctl(PR_SET_THP_DISABLE, 1, 0, 0, 0) == 0)) {
		signal(SIGPIPE, SIG_DFL);
		execv(command->argv[0], command->argv);
	}
	why = strerror(errno);
	if (write(server->log_fd, text, sizeof(text) - 1) < 0 ||
	    write(server->log_fd, why, strlen(why)) < 0)
		_exit(126);
	_exit(127);
}

/* The last line of what the server has printed, without the time in front of it. */
static const char *last_words(const struct server *server, char text[SAID_MAX])
{
	const off_t end = lseek(server->log_fd, 0, SEEK_END);
	const off_t from = end > SAID_MAX - 1 ? end - (SAID_MAX - 1) : 0;
	const ssize_t n = pread(server->log_fd, text, SAID_MAX - 1, from);
	char *line;

	text[n > 0 ? n : 0] = '\0';
	for (size_t used = strlen(text); used > 0 && text[used - 1] == '\n'; used--)
		text[used - 1] = '\0';
	line = strrchr(text, '\n');
	return line ? line + 1 : text;
}

static bool has_ended(struct server *server, int timeout_ms)
{
	struct pollfd pfd = {.fd = server->pidfd, .events = POLLIN};

	if (server->ended)
		return true;
	if (poll(&pfd, 1, timeout_ms) <= 0)
		return false;
	server->ended = waitpid(server->pid, &server->status, WNOHANG) == server->pid;
	return server->ended;
}

static int tell_end(const struct server *server, struct err *err)
{
	char text[SAID_MAX], how[64];
	const char *said = last_words(server, text);

	if (WIFSIGNALED(server->status))
		snprintf(how, sizeof(how), "was killed by SIG%s",
			 sigabbrev_np(WTERMSIG(server->status)));
	else
		snprintf(how, sizeof(how), "ended with status %d", WEXITSTATUS(server->status));
	return err_set(err, ERR_RUN, "the server (%s) %s%s%s%s", server->name, how,
		       *said ? "; its last words: '" : "", said, *said ? "'" : "");
}

int server_check(struct server *server, struct err *err)
{
	if (!has_ended(server, 0))
		return 0;
	return tell_end(server, err);
}

static int await_listening(struct server *server, struct err *err)
{
	for (int waited_ms = 0; waited_ms < START_TIMEOUT_MS; waited_ms += RETRY_MS) {
		const int fd = client_connect(&server->address, NULL);

		if (fd >= 0) {
			close(fd);
			return 0;
		}
		if (has_ended(server, RETRY_MS))
			return tell_end(server, err);
	}
	return err_set(err, ERR_RUN, "the server (%s) did not listen within %d s", server->name,
		       START_TIMEOUT_MS / 1000);
}

int server_start(struct server *server, const struct server_command *command,
		 const struct server_place *place, struct err *err)
{
	const pid_t parent = getpid();
	struct server_command whole = *command;

	for (int i = 0; i < whole.nr_words; i++)
		whole.argv[i] = whole.words[i];
	whole.argv[whole.nr_words] = NULL;
	server->log_fd = memfd_create("server-log", MFD_CLOEXEC);
	if (server->log_fd < 0 || fcntl(server->log_fd, F_SETFL, O_APPEND) != 0)
		return err_set_errno(err, ERR_INTERNAL, errno, "cannot make the server's log");
	fflush(NULL);
	server->pid = fork();
	if (server->pid == 0)
		become(server, &whole, place, parent);
	if (server->pid < 0) {
		server->pid = 0;
		return err_set_errno(err, ERR_MACHINE, errno, "cannot start the server");
	}
	server->pidfd = (int)syscall(SYS_pidfd_open, server->pid, 0);
	if (server->pidfd < 0)
		return err_set_errno(err, ERR_MACHINE, errno,
				     "cannot watch a process (Linux 5.3 or later is needed)");
	return await_listening(server, err);
}

/* --- end -------------------------------------------------------------------------------------- */

void server_hide(struct server *server)
{
	if (server->address.path[0])
		unlink(server->address.path);
	if (server->directory[0] && rmdir(server->directory) == 0)
		server->directory[0] = '\0';
}

void server_stop(struct server *server)
{
	if (server->pid > 0 && !server->ended) {
		kill(server->pid, SIGTERM);
		if (server->pidfd < 0 || !has_ended(server, STOP_TIMEOUT_MS)) {
			kill(server->pid, SIGKILL);
			while (waitpid(server->pid, &server->status, 0) < 0 && errno == EINTR)
				;
		}
	}
	server_hide(server);
	if (server->pidfd >= 0)
		close(server->pidfd);
	if (server->log_fd >= 0)
		close(server->log_fd);
	*server = SERVER_NONE;
}

/* --- what it takes ---------------------------------------------------------------------------- */

static uint64_t kib_of(const char *text, const char *name)
{
	const char *line = strstr(text, name);

	return line ? strtoull(line + strlen(name), NULL, 10) * 1024 : 0;
}

static ssize_t read_file(const char *path, char *text, size_t size)
{
	const int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = -1;

	if (fd >= 0) {
		n = read(fd, text, size - 1);
		close(fd);
	}
	text[n > 0 ? n : 0] = '\0';
	return n;
}

/* Fields 14 and 15 of /proc/PID/stat, counted from behind the name in parentheses: proc(5). */
static void read_times(pid_t pid, struct server_usage *usage)
{
	const uint64_t tick_ns = UINT64_C(1000000000) / (uint64_t)sysconf(_SC_CLK_TCK);
	char path[48], text[1024];
	unsigned long long user = 0, system = 0;
	const char *at;

	snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
	read_file(path, text, sizeof(text));
	at = strrchr(text, ')');
	if (at)
		sscanf(at + 1, " %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %llu %llu", &user,
		       &system);
	usage->user_ns = user * tick_ns;
	usage->system_ns = system * tick_ns;
}

int server_usage(const struct server *server, struct server_usage *usage, struct err *err)
{
	struct timespec cpu;
	char path[48], text[4096];
	clockid_t clock;

	*usage = (struct server_usage){0};
	snprintf(path, sizeof(path), "/proc/%d/status", (int)server->pid);
	if (read_file(path, text, sizeof(text)) <= 0 || !strstr(text, "VmRSS:") ||
	    clock_getcpuclockid(server->pid, &clock) != 0 || clock_gettime(clock, &cpu) != 0)
		return err_set(err, ERR_RUN, "the server (%s) has ended", server->name);
	usage->cpu_ns = (uint64_t)cpu.tv_sec * 1000000000u + (uint64_t)cpu.tv_nsec;
	usage->rss_bytes = kib_of(text, "VmRSS:");
	usage->anonymous_bytes = kib_of(text, "RssAnon:");
	usage->page_table_bytes = kib_of(text, "VmPTE:");
	read_times(server->pid, usage);
	return 0;
}
