/* SPDX-License-Identifier: MIT */
/* A recorded machine below a folder of its own: what the tests of pgtablectl read as /proc and
 * /sys. */
#ifndef PGTABLECTL_PROC_FIXTURE_H
#define PGTABLECTL_PROC_FIXTURE_H

#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/fs.h"

struct proc_fixture {
	char root[64];
	struct fs fs;
};

__attribute__((format(printf, 3, 4))) static inline void
proc_put(const struct proc_fixture *fixture, const char *path, const char *format, ...)
{
	char full[256], folder[256];
	va_list args;
	FILE *file;

	snprintf(full, sizeof(full), "%s%s", fixture->root, path);
	strcpy(folder, full);
	*strrchr(folder, '/') = '\0';
	assert_int_equal(fs_mkdir_parents(folder), 0);
	file = fopen(full, "w");
	assert_non_null(file);
	va_start(args, format);
	vfprintf(file, format, args);
	va_end(args);
	fclose(file);
}

/* Two nodes with CPUs 0-1 and 2-3. */
static inline void proc_open(struct proc_fixture *fixture)
{
	struct err err = {0};

	strcpy(fixture->root, "/tmp/pgtablectl.XXXXXX");
	assert_non_null(mkdtemp(fixture->root));
	assert_int_equal(fs_open(&fixture->fs, fixture->root, &err), 0);
	proc_put(fixture, "/sys/devices/system/node/online", "0-1\n");
	proc_put(fixture, "/sys/devices/system/node/has_memory", "0-1\n");
	for (int node = 0; node < 2; node++) {
		char path[128];

		snprintf(path, sizeof(path), "/sys/devices/system/node/node%d/cpulist", node);
		proc_put(fixture, path, "%d-%d\n", 2 * node, 2 * node + 1);
		snprintf(path, sizeof(path), "/sys/devices/system/node/node%d/distance", node);
		proc_put(fixture, path, "%s\n", node ? "21 10" : "10 21");
		snprintf(path, sizeof(path), "/sys/devices/system/node/node%d/meminfo", node);
		proc_put(fixture, path,
			 "Node %d MemTotal:       1048576 kB\nNode %d MemFree:        524288 kB\n",
			 node, node);
	}
	proc_put(fixture, "/sys/devices/system/cpu/online", "0-3\n");
	proc_put(fixture, "/proc/cpuinfo", "processor : 0\nvendor_id : GenuineIntel\n");
	proc_put(fixture, "/proc/sys/kernel/osrelease", "6.12.0\n");
	proc_put(fixture, "/proc/self/pgtable_numa", "nodes -\n");
}

static inline void proc_close(struct proc_fixture *fixture)
{
	char command[128];

	fs_close(&fixture->fs);
	snprintf(command, sizeof(command), "rm -rf '%s'", fixture->root);
	assert_int_equal(system(command), 0);
}

/* The text of a stat file as Linux 6.12 writes it; the fields that nobody reads are recorded ones.
 */
static inline void proc_put_stat(const struct proc_fixture *fixture, const char *path,
				 const char *command, uint64_t faults, uint64_t ticks,
				 uint64_t start_ticks, int cpu)
{
	proc_put(fixture, path,
		 "1234 (%s) R 1 1234 1234 34816 1234 4194304 %" PRIu64 " 0 2 0 %" PRIu64
		 " 5 0 0 20 0 1 0 %" PRIu64
		 " 8654848 1297 18446744073709551615 94 95 140 0 0 0 0 0 0 "
		 "1 0 0 17 %d 0 0 0 0 0 94 95 96 140 140 140 140 0\n",
		 command, faults, ticks - 5, start_ticks, cpu);
}

/* A process of two threads, the second with the id pid + 1. */
static inline void proc_put_process(const struct proc_fixture *fixture, int pid,
				    const char *command, uint64_t faults, const uint64_t ticks[2],
				    const int cpus[2])
{
	char path[128];

	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	proc_put_stat(fixture, path, command, faults, ticks[0] + ticks[1], 777, cpus[0]);
	snprintf(path, sizeof(path), "/proc/%d/comm", pid);
	proc_put(fixture, path, "%s\n", command);
	for (int i = 0; i < 2; i++) {
		snprintf(path, sizeof(path), "/proc/%d/task/%d/stat", pid, pid + i);
		proc_put_stat(fixture, path, command, 0, ticks[i], 777, cpus[i]);
	}
}

#endif
