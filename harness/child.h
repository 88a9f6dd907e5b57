/* SPDX-License-Identifier: MIT */
/*
 * Child processes that never outlive their purpose: each in its own process group, killed by the
 * kernel when the harness dies, watched through a pidfd, and placed before exec, because page
 * tables of the upper levels are allocated by exec under the policy of the task (ARCHITECTURE: a
 * task's policy governs its page-table pages, a mapping's policy its data).
 */
#ifndef HARNESS_CHILD_H
#define HARNESS_CHILD_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "common/err.h"
#include "common/wire.h"

enum child_memory { CHILD_MEMORY_DEFAULT, CHILD_MEMORY_BIND, CHILD_MEMORY_INTERLEAVE };

struct child_spec {
	char *const *argv; /* argv[0] is looked up in PATH when it has no slash */
	int stdout_fd;     /* -1: inherited */
	int stderr_fd;
	bool keep_stdin;   /* otherwise /dev/null */
	bool wire;         /* give it one end of a socket pair (docs/PROTOCOL.md) */
	bool foreground;   /* it gets the terminal, if there is one */
	bool stop_at_exec; /* it stops before its first instruction; child_continue() lets it go */
	const int *cpus;   /* NULL: as the harness */
	int nr_cpus;
	enum child_memory memory;
	uint64_t memory_nodes; /* mask */
	bool thp_off;          /* no transparent huge pages, whatever the system's setting */
};

struct child {
	pid_t pid; /* 0: none */
	int pidfd;
	struct wire wire; /* fd -1 without spec.wire */
	bool ended;       /* reaped; `status` is as waitpid(2) gives it */
	bool terminal;    /* holds the terminal's foreground */
	int status;
};

#define CHILD_NONE ((struct child){.pidfd = -1, .wire = {.fd = -1}})

/* ERR_USAGE when there is no such program, ERR_MACHINE when it cannot be placed. */
int child_start(struct child *child, const struct child_spec *spec, struct err *err);

/* With stop_at_exec: lets the child run, untraced from now on. */
int child_continue(struct child *child, struct err *err);

/* Waits for the end of the child itself; true when it has ended. timeout_ms < 0: for ever. */
bool child_wait(struct child *child, int timeout_ms);

/*
 * Ends the whole process group: SIGTERM, SIGKILL after grace_ms (0: at once), everything reaped.
 * Also for a child that has ended by itself: what it left running goes with it. Closes the wire.
 */
void child_end(struct child *child, int grace_ms);

/* "killed by SIGSEGV (Segmentation fault)", "exited with status 3"; the buffer is returned. */
#define CHILD_TEXT_MAX 96
const char *child_describe(int status, char text[CHILD_TEXT_MAX]);

#endif
