/* SPDX-License-Identifier: MIT */
/*
 * The QEMU process: its command line, start and end. Nothing it uses has a name in a file system:
 * memory, initramfs and channels are descriptors that it inherits.
 */
#ifndef EMULATOR_QEMU_H
#define EMULATOR_QEMU_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "common/err.h"
#include "emulator/layout.h"
#include "emulator/profile.h"

#define QEMU_ENV       "MITOSIS_SUITE_QEMU" /* another program instead of QEMU_PROGRAM */
#define QEMU_PROGRAM   "qemu-system-x86_64"
#define QEMU_MIN_MAJOR 7
#define QEMU_MIN_MINOR 2

struct qemu_spec {
	const char *program, *kernel;
	const char *plugin;           /* NULL: without the model */
	bool plugin_is_foreign;       /* it gets none of the model's options */
	const char *kernel_arguments; /* NULL: none but our own */
	bool clock_by_instructions;
	const char *profile_path; /* for the plugin */
	const struct profile *profile;
	const struct layout *layout;
	double scale;
	int cpus; /* brought up by the kernel; 0: all */
	int node_fds[ROI_NODES_MAX];
	int initramfs_fd, console_fd, result_fd;
	int talk_fd; /* becomes QEMU's standard error; the plugin logs there too */
};

struct qemu {
	pid_t pid; /* 0: none */
	int pidfd;
	int status; /* as of waitpid(2), after qemu_reap() */
};

#define QEMU_NONE ((struct qemu){.pidfd = -1})

/*
 * The command line as one malloc'd vector, ended by NULL; qemu_free_arguments() frees it. NULL with
 * ERR_INTERNAL when memory runs out.
 */
char **qemu_arguments(const struct qemu_spec *spec, struct err *err);
void qemu_free_arguments(char **arguments);

/*
 * Starts it in a process group of its own; the kernel kills it when the calling thread ends,
 * however that happens.
 */
int qemu_start(struct qemu *qemu, const struct qemu_spec *spec, struct err *err);

/* Kills it if it still runs, and reaps it. */
void qemu_end(struct qemu *qemu);

/*
 * How long its most starved thread has been ready to run without a CPU (proc(5), schedstat); 0
 * where the kernel does not tell.
 */
uint64_t qemu_starved_ns(const struct qemu *qemu);

/* The first line of `program --version`; ERR_MACHINE when there is none or it is too old. */
int qemu_version(const char *program, char *text, size_t size, struct err *err);

/* "QEMU emulator version 7.2.22 (Debian ...)"; 0 and the numbers, or -1. */
int qemu_parse_version(const char *text, int *major, int *minor);

#endif
