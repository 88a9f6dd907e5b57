// SPDX-License-Identifier: MIT
//
// Counting through perf_event_open(2). Every thread gets every event; the events of a group share a
// leader, so that the kernel schedules them together and their ratio is of the same moments. A
// thread that is created later inherits the events. Counts are read one by one because a group read
// (PERF_FORMAT_GROUP) of inherited events does not exist before Linux 6.13.
#include <dirent.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "harness/counters_set.h"

/* Descriptors the process needs beside its counters: logs, sockets, pipes of children. */
#define SPARE_FILES 128

static int linux_open(void *context, struct perf_event_attr *attr, pid_t pid, int cpu, int group_fd,
		      unsigned long flags)
{
	(void)context;
	return (int)syscall(SYS_perf_event_open, attr, pid, cpu, group_fd, flags);
}

static ssize_t linux_read(void *context, int fd, void *data, size_t size)
{
	(void)context;
	return read(fd, data, size);
}

static int linux_control(void *context, int fd, unsigned long request)
{
	(void)context;
	return ioctl(fd, request, 0);
}

static int linux_close(void *context, int fd)
{
	(void)context;
	return close(fd);
}

static int linux_threads(void *context, pid_t pid, pid_t **tids, int nr_tids)
{
	char path[64];
	struct dirent *entry;
	DIR *directory;
	int found = 0;

	(void)context;
	snprintf(path, sizeof(path), "/proc/%d/task", pid);
	directory = opendir(path);
	if (!directory)
		return -1;
	while ((entry = readdir(directory))) {
		const int tid = atoi(entry->d_name);
		pid_t *larger;

		if (tid <= 0)
			continue;
		larger = realloc(*tids, (size_t)(nr_tids + found + 1) * sizeof(pid_t));
		if (!larger) {
			closedir(directory);
			errno = ENOMEM;
			return -1;
		}
		*tids = larger;
		larger[nr_tids + found++] = tid;
	}
	closedir(directory);
	return found;
}

const struct perf_kernel perf_kernel_linux = {
	.open = linux_open,
	.read = linux_read,
	.control = linux_control,
	.close = linux_close,
	.threads = linux_threads,
};

/* The soft limit of open files is often 1024, which 60 threads with 20 events exceed. */
static void raise_file_limit(size_t needed)
{
	struct rlimit limit;

	needed += SPARE_FILES;
	if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur >= needed)
		return;
	limit.rlim_cur = needed < limit.rlim_max ? needed : limit.rlim_max;
	setrlimit(RLIMIT_NOFILE, &limit);
}

/* What errno of perf_event_open(2) means to the user; the manual page lists the values. */
static const struct {
	int error;
	const char *text;
} reasons[] = {
	{ENOENT, "the kernel offers no such counter here; virtual machines often have none"},
	{EOPNOTSUPP, "the CPU or its hypervisor does not support it"},
	{ENODEV, "this CPU does not have it"},
	{ENXIO, "this CPU does not have it"},
	{EACCES, "no permission; run as root, or set /proc/sys/kernel/perf_event_paranoid to 1"},
	{EPERM, "no permission; run as root, or set /proc/sys/kernel/perf_event_paranoid to 1"},
	{EMFILE, "too many open files: one for each event and thread; raise 'ulimit -n'"},
	{ENFILE, "too many open files on this machine; raise /proc/sys/fs/file-max"},
	{EBUSY, "another user holds the counter exclusively"},
	{ESRCH, "the process has ended"},
};

static void explain(struct counter *counter, int error)
{
	for (size_t i = 0; i < sizeof(reasons) / sizeof(reasons[0]); i++)
		if (reasons[i].error == error) {
			counter_absent(counter, "%s", reasons[i].text);
			return;
		}
	counter_absent(counter, "the kernel refuses it: %s", strerror(error));
}

bool counters_hardware_available(char reason[COUNTER_REASON_MAX])
{
	struct perf_event_attr attr = {
		.type = PERF_TYPE_HARDWARE,
		.size = sizeof(attr),
		.config = PERF_COUNT_HW_CPU_CYCLES,
		.disabled = 1,
		.exclude_kernel = 1,
		.exclude_hv = 1,
	};
	const int fd = linux_open(NULL, &attr, 0, -1, -1, PERF_FLAG_FD_CLOEXEC);
	struct counter counter = {0};

	if (fd >= 0) {
		close(fd);
		return true;
	}
	explain(&counter, errno);
	snprintf(reason, COUNTER_REASON_MAX, "%s", counter.reason);
	return false;
}

static void close_fds(struct counters *counters, struct counter *counter)
{
	for (int t = 0; counter->fds && t < counters->nr_tids; t++)
		if (counter->fds[t] >= 0) {
			counters->kernel->close(counters->kernel->context, counter->fds[t]);
			counter->fds[t] = -1;
		}
	counter->opened = false;
}

static int open_one(struct counters *counters, struct counter *counter, int thread, int group_fd)
{
	struct perf_event_attr attr = counter->attr;

	/* A disabled leader holds back its whole group; enabling it starts all at once. */
	attr.disabled = group_fd < 0;
	attr.inherit = 1;
	attr.read_format = PERF_FORMAT_TOTAL_TIME_ENABLED | PERF_FORMAT_TOTAL_TIME_RUNNING;
	return counters->kernel->open(counters->kernel->context, &attr, counters->tids[thread], -1,
				      group_fd, PERF_FLAG_FD_CLOEXEC);
}

/*
 * Software events happen in the kernel as well and are counted there too where that is allowed. The
 * scheduler's would be 0 in user mode: better not counted.
 */
static bool retry_in_user_mode(struct counter *counter, int error)
{
	if (counter->hardware || counter->attr.exclude_kernel ||
	    (error != EACCES && error != EPERM) ||
	    strcmp(counter->group, COUNTERS_KERNEL_GROUP) == 0)
		return false;
	counter->attr.exclude_kernel = 1;
	return true;
}

/* Opens the counter on every thread; a thread that has ended since is left out. */
static int open_counter(struct counters *counters, struct counter *counter, const int *leader_fds)
{
	int alive = 0;

	for (int t = 0; t < counters->nr_tids; t++) {
		const int group_fd = leader_fds ? leader_fds[t] : -1;
		int fd = open_one(counters, counter, t, group_fd);

		if (fd < 0 && retry_in_user_mode(counter, errno))
			fd = open_one(counters, counter, t, group_fd);
		if (fd < 0 && errno != ESRCH) {
			const int saved = errno;

			close_fds(counters, counter);
			return saved;
		}
		counter->fds[t] = fd;
		alive += fd >= 0;
	}
	counter->opened = alive > 0;
	return alive > 0 ? 0 : ESRCH;
}

/*
 * Opens list[first..last), of one group. The first hardware event that opens leads; one that the
 * kernel cannot put in the group (EINVAL: more events than counters) is counted by itself rather
 * than not at all. Software events need no counter and lead themselves.
 */
static void open_group(struct counters *counters, int first, int last)
{
	const int *leader_fds = NULL;

	for (int i = first; i < last; i++) {
		struct counter *counter = &counters->list[i];
		int error;

		if (!counter->fds)
			continue;
		counter->leads = !leader_fds;
		error = open_counter(counters, counter, leader_fds);
		if (error == EINVAL && leader_fds) {
			counter->leads = true;
			error = open_counter(counters, counter, NULL);
			if (error == 0)
				snprintf(counter->reason, sizeof(counter->reason),
					 "counted outside its group '%s', which was full",
					 counter->group);
		}
		if (error != 0)
			explain(counter, error);
		else if (counter->hardware && !leader_fds)
			leader_fds = counter->fds;
	}
}

int counters_find_threads(struct counters *counters, const pid_t *pids, int nr_pids,
			  struct err *err)
{
	const struct perf_kernel *kernel = counters->kernel;

	for (int i = 0; i < nr_pids; i++) {
		const int found = kernel->threads(kernel->context, pids[i], &counters->tids,
						  counters->nr_tids);

		if (found < 0)
			return err_set_errno(err, ERR_RUN, errno,
					     "cannot attach counters to process %d", pids[i]);
		counters->nr_tids += found;
	}
	if (counters->nr_tids == 0)
		return err_set(err, ERR_RUN, "there is no thread to attach counters to");
	return 0;
}

static int allocate_fds(struct counters *counters, struct err *err)
{
	const size_t nr_tids = (size_t)counters->nr_tids;
	size_t needed = 0;

	for (int i = 0; i < counters->nr; i++) {
		struct counter *counter = &counters->list[i];

		if (counter->sum || !counter->event[0])
			continue;
		counter->fds = malloc(nr_tids * sizeof(int));
		if (!counter->fds)
			return err_set(err, ERR_INTERNAL, "out of memory for %zu threads", nr_tids);
		for (size_t t = 0; t < nr_tids; t++)
			counter->fds[t] = -1;
		needed += nr_tids;
	}
	if (counters->kernel == &perf_kernel_linux)
		raise_file_limit(needed);
	return 0;
}

static bool attached(const struct counters *counters, pid_t tid)
{
	for (int t = 0; t < counters->nr_tids; t++)
		if (counters->tids[t] == tid)
			return true;
	return false;
}

/* Threads that appeared while events were attached may have been born before their parent's. */
static void count_late_threads(struct counters *counters, const pid_t *pids, int nr_pids)
{
	const struct perf_kernel *kernel = counters->kernel;
	pid_t *tids = NULL;
	int nr_tids = 0;

	for (int i = 0; i < nr_pids; i++) {
		const int found = kernel->threads(kernel->context, pids[i], &tids, nr_tids);

		nr_tids += found > 0 ? found : 0;
	}
	for (int t = 0; t < nr_tids; t++)
		counters->nr_late_threads += !attached(counters, tids[t]);
	free(tids);
}

/* Software events first: when files run out, hardware events are what is given up. */
static void open_all(struct counters *counters, bool hardware)
{
	int last;

	for (int first = 0; first < counters->nr; first = last) {
		const struct counter *leader = &counters->list[first];

		for (last = first + 1; last < counters->nr; last++)
			if (strcmp(counters->list[last].group, leader->group) != 0 ||
			    counters->list[last].hardware != leader->hardware)
				break;
		if (leader->hardware == hardware)
			open_group(counters, first, last);
	}
}

int counters_perf_open(struct counters *counters, const pid_t *pids, int nr_pids, struct err *err)
{
	if (counters_find_threads(counters, pids, nr_pids, err) != 0 ||
	    allocate_fds(counters, err) != 0)
		return -1;
	open_all(counters, false);
	open_all(counters, true);
	count_late_threads(counters, pids, nr_pids);
	return 0;
}

/* Groups are switched by their leaders. */
static int control_all(struct counters *counters, unsigned long request, struct err *err)
{
	const struct perf_kernel *kernel = counters->kernel;

	for (int i = 0; i < counters->nr; i++) {
		const struct counter *counter = &counters->list[i];

		if (!counter->opened || !counter->leads)
			continue;
		for (int t = 0; t < counters->nr_tids; t++)
			if (counter->fds[t] >= 0 &&
			    kernel->control(kernel->context, counter->fds[t], request) != 0)
				return err_set_errno(err, ERR_INTERNAL, errno,
						     "cannot switch the counter '%s'",
						     counter->name);
	}
	return 0;
}

int counters_perf_start(struct counters *counters, struct err *err)
{
	return control_all(counters, PERF_EVENT_IOC_ENABLE, err);
}

static void read_counter(struct counters *counters, struct counter *counter)
{
	const struct perf_kernel *kernel = counters->kernel;

	counter->raw = counter->time_enabled_ns = counter->time_running_ns = 0;
	counter->has_times = true;
	for (int t = 0; t < counters->nr_tids; t++) {
		uint64_t data[3]; /* value, time enabled, time running: perf_event_open(2) */

		if (counter->fds[t] < 0)
			continue;
		/* An empty read means that the kernel gave the event up: its share is unknown. */
		if (kernel->read(kernel->context, counter->fds[t], data, sizeof(data)) !=
		    (ssize_t)sizeof(data)) {
			counter_absent(counter, "thread %d's share could not be read",
				       counters->tids[t]);
			return;
		}
		counter->raw += data[0];
		counter->time_enabled_ns += data[1];
		counter->time_running_ns += data[2];
	}
	counter_scale(counter);
}

int counters_perf_stop(struct counters *counters, struct err *err)
{
	if (control_all(counters, PERF_EVENT_IOC_DISABLE, err) != 0)
		return -1;
	for (int i = 0; i < counters->nr; i++)
		if (counters->list[i].opened)
			read_counter(counters, &counters->list[i]);
	return 0;
}

void counters_perf_close(struct counters *counters)
{
	for (int i = 0; i < counters->nr; i++) {
		close_fds(counters, &counters->list[i]);
		free(counters->list[i].fds);
		counters->list[i].fds = NULL;
	}
}
