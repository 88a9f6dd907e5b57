// SPDX-License-Identifier: MIT
//
// The probes of `harness doctor` on the real machine. None changes anything.
#include <errno.h>
#include <limits.h>
#include <numaif.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "common/paths.h"
#include "emulator/emulator.h"
#include "harness/counters_set.h"
#include "harness/doctor_check.h"
#include "harness/knobs.h"
#include "harness/ptdump.h"

static int numa_policy(struct err *err)
{
	int mode;

	if (get_mempolicy(&mode, NULL, 0, NULL, 0) == 0)
		return 0;
	return err_set_errno(err, ERR_MACHINE, errno, "memory policies cannot be set");
}

static int driver(struct err *err)
{
	char path[PATHS_MAX];

	return paths_program(path, "bench", err);
}

/* Opening a reader is not enough: whether it can find this process shows what it is worth. */
static int page_tables(char *reader, size_t size, struct err *err)
{
	struct ptdump_result *result = malloc(sizeof(*result));
	struct ptdump *ptdump = NULL;
	int status = -1;

	if (!result)
		return err_set(err, ERR_INTERNAL, "out of memory");
	if (ptdump_open(&ptdump, NULL, err) == 0)
		status = ptdump_process(ptdump, getpid(), result, err);
	if (status == 0)
		snprintf(reader, size, "%s", result->reader);
	ptdump_close(ptdump);
	free(result);
	return status;
}

static int hardware_counters(struct err *err)
{
	char reason[COUNTER_REASON_MAX];

	if (counters_hardware_available(reason))
		return 0;
	return err_set(err, ERR_MACHINE, "no hardware counters: %s", reason);
}

static int stale_settings(int *count, struct err *err)
{
	return knobs_stale(NULL, count, err);
}

/* The directory may not be there yet: then its nearest parent that is. */
static int disk_free(const char *path, uint64_t *bytes, struct err *err)
{
	char nearest[PATHS_MAX];
	struct statvfs vfs;

	snprintf(nearest, sizeof(nearest), "%s%s", path[0] == '/' ? "" : "./", path);
	while (access(nearest, F_OK) != 0) {
		char *slash = strrchr(nearest, '/');

		if (!slash || slash == nearest) {
			snprintf(nearest, sizeof(nearest), "%s", slash ? "/" : ".");
			break;
		}
		*slash = '\0';
	}
	if (access(nearest, W_OK) != 0)
		return err_set_errno(err, ERR_MACHINE, errno, "cannot write results below '%s'",
				     nearest);
	if (statvfs(nearest, &vfs) != 0)
		return err_set_errno(err, ERR_MACHINE, errno, "cannot examine '%s'", nearest);
	*bytes = (uint64_t)vfs.f_bavail * vfs.f_frsize;
	return 0;
}

static bool program(const char *name)
{
	const char *directories = getenv("PATH");
	char path[PATHS_MAX];

	while (directories && *directories) {
		const size_t length = strcspn(directories, ":");

		snprintf(path, sizeof(path), "%.*s/%s", (int)length, directories, name);
		if (length > 0 && access(path, X_OK) == 0)
			return true;
		directories += length + (directories[length] == ':');
	}
	return false;
}

/* CapEff of /proc/self/status: capabilities(7), proc(5). */
static bool capability(int number)
{
	char line[256];
	FILE *status = fopen("/proc/self/status", "r");
	unsigned long long effective = 0;

	while (status && fgets(line, sizeof(line), status))
		if (sscanf(line, "CapEff: %llx", &effective) == 1)
			break;
	if (status)
		fclose(status);
	return effective >> number & 1;
}

const struct doctor_probes doctor_probes_real = {
	.numa_policy = numa_policy,
	.driver = driver,
	.page_tables = page_tables,
	.emulator = emulator_check,
	.hardware_counters = hardware_counters,
	.stale_settings = stale_settings,
	.disk_free = disk_free,
	.program = program,
	.capability = capability,
};
