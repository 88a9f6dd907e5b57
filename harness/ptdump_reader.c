// SPDX-License-Identifier: MIT
#include "harness/ptdump_reader.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* The lines of the first CPU are enough: the kernel requires them to be alike. */
#define CPUINFO_BYTES 16384

static bool has_flag(const char *flags, const char *flag)
{
	const size_t length = strlen(flag);

	for (const char *at = strstr(flags, flag); at; at = strstr(at + 1, flag)) {
		if (at[-1] == ' ' && (at[length] == ' ' || at[length] == '\0'))
			return true;
	}
	return false;
}

int ptdump_cpu_read(struct ptdump_cpu *cpu, const struct fs *fs, struct err *err)
{
	char text[CPUINFO_BYTES];
	char *flags, *end;
	const char *sizes;
	unsigned int bits = 0;

	if (fs_read(fs, "/proc/cpuinfo", text, sizeof(text)) < 0)
		return err_set_errno(err, ERR_MACHINE, errno, "cannot read /proc/cpuinfo");
	sizes = strstr(text, "\naddress sizes");
	flags = strstr(text, "\nflags");
	if (sizes)
		sizes = strchr(sizes, ':');
	if (!flags || !sizes || sscanf(sizes, ": %u bits physical", &bits) != 1 || bits < 32 ||
	    bits > 52)
		return err_set(err, ERR_MACHINE,
			       "the page tables of this CPU are not known: only x86-64 is");
	end = strchr(flags + 1, '\n');
	if (end)
		*end = '\0';
	/*
	 * The kernel hides la57 when it was started with 4 levels (no5lvl, or built without), so
	 * the flag means that they are in use. The physical bits exclude those that select
	 * encryption.
	 */
	cpu->levels = has_flag(flags, "la57") ? 5 : 4;
	cpu->frame_mask = ((UINT64_C(1) << bits) - 1) & ~UINT64_C(0xfff);
	return 0;
}

bool ptdump_locked_down(const struct fs *fs)
{
	char lockdown[128];

	return fs_read(fs, "/sys/kernel/security/lockdown", lockdown, sizeof(lockdown)) > 0 &&
	       strstr(lockdown, "[confidentiality]");
}

const char *ptdump_refusal(const struct fs *fs, char *text, size_t size)
{
	const char *remedy = "CAP_SYS_RAWIO, CAP_PERFMON and CAP_SYS_ADMIN are needed: run outside "
			     "of the container";

	if (geteuid() != 0)
		remedy = "run as root";
	else if (ptdump_locked_down(fs))
		remedy = "the kernel is locked down for confidentiality: start it with "
			 "lockdown=integrity or none";
	snprintf(text, size, "%s", remedy);
	return text;
}

/* PROC_PID_INIT_INO of include/linux/proc_ns.h: the same on every kernel. */
#define INITIAL_PID_NAMESPACE "pid:[4026531836]"

/* In another namespace a PID names another process for the kernel than for the user. */
static int check_pid_namespace(const struct fs *fs, struct err *err)
{
	char name[64];
	const ssize_t n = readlinkat(fs->root_fd, "proc/self/ns/pid", name, sizeof(name) - 1);

	if (n < 0)
		return 0;
	name[n] = '\0';
	if (strcmp(name, INITIAL_PID_NAMESPACE) == 0)
		return 0;
	return err_set(err, ERR_MACHINE,
		       "this is a container with its own process ids: run outside of it, or with "
		       "the host's (--pid=host)");
}

int ptdump_reader_init(struct ptdump_reader *reader, const struct ptdump_reader_ops *ops,
		       const struct fs *fs, struct ptdump_cpu *cpu, struct err *err)
{
	if (check_pid_namespace(fs, err) || ptdump_cpu_read(cpu, fs, err) ||
	    nodemap_read(&reader->nodes, fs, err))
		return -1;
	reader->ops = ops;
	reader->frame_mask = cpu->frame_mask;
	return 0;
}
