/* SPDX-License-Identifier: MIT */
/*
 * The emulated NUMA machine: QEMU (TCG) with several nodes, a real Linux kernel and a model of
 * TLBs, page walks, caches and memory latency. Carries one job in and its result files out.
 */
#ifndef EMULATOR_EMULATOR_H
#define EMULATOR_EMULATOR_H

#include <jansson.h>
#include <stdint.h>

#include "common/err.h"

#define EMULATOR_DEFAULT_PROFILE "xeon-e7-4850v3-2s"

struct emulator_file {
	const char *host_path;  /* what to take along; ELF files bring their libraries */
	const char *guest_path; /* absolute */
};

/* Reported while the guest works: "boot", "setup", "roi", ...; message objects of docs/PROTOCOL.md.
 */
typedef void emulator_progress_fn(void *context, const json_t *event);

struct emulator_job {
	const char *profile; /* a name in emulator/profiles, or a path */
	const char *kernel;  /* a bzImage; NULL: the one in precompiled/ */
	char *const *argv;   /* the command in the guest; argv[0] is a guest path */
	const struct emulator_file *files;
	int nr_files;
	uint64_t footprint_bytes; /* of the workload; the guest's nodes are sized from it */
	double scale;             /* caches are divided by it; 0: as the profile says */
	int cpus; /* brought up, from the lowest on, which saves time; 0: all of the profile */
	uint64_t timeout_ns; /* 0: none */
	const char
		*result_directory; /* on the host; what the guest leaves in /result arrives here */
	emulator_progress_fn *progress;
	void *progress_context;
	int interrupt_fd;  /* readable: stop now (a signalfd); 0: none */
	uint64_t stall_ns; /* a hang: no sign of life for so long; 0: 60 s. 120 s at least before
			      init */
	int without_model; /* boot without the plugin: for tests of the machine alone */

	/* For tests of a kernel. */
	const char *kernel_arguments; /* after our own on the kernel's command line; NULL: none */
	const char *plugin; /* another one than the model, which gets log_fd=N alone; NULL: none */
	int clock_by_instructions; /* the guest's time is what it has executed, not the host's */
};

struct emulator_result {
	int guest_status; /* exit status of argv */
	json_t *machine;  /* record's "machine" additions: profile, scale, kernel, QEMU version,
			     nodes */
};

/* What a profile is, for `harness list machines` and for planning. */
struct emulator_profile_info {
	char name[64], summary[160];
	int nr_nodes, cpus_per_node;
	uint64_t frequency_hz;
};

/*
 * ERR_MACHINE: no QEMU, no kernel, not enough memory. ERR_USAGE: unknown profile. ERR_RUN: the
 * guest panicked, hung or ended early (with its last lines). ERR_INTERRUPTED after a signal. No
 * QEMU, file or shared memory outlives the call, whatever happens.
 */
int emulator_run(const struct emulator_job *job, struct emulator_result *result, struct err *err);

int emulator_profile_info(const char *profile, struct emulator_profile_info *info, struct err *err);
/* Names of the profiles that are installed; a JSON array of strings, new reference. */
json_t *emulator_profiles(struct err *err);

/*
 * Whether this host can run it: 0, or ERR_MACHINE with what is missing. The second form is for
 * another profile or kernel than the default (NULL: the default).
 */
int emulator_check(struct err *err);
int emulator_check_with(const char *profile, const char *kernel, struct err *err);

/* PID 1 of the guest (`harness` started as /init); does not return. */
_Noreturn void emulator_guest_init(int argc, char **argv);

/* Set in the guest's environment to the JSON object described in docs/EMULATOR.md. */
#define EMULATOR_ENV "MITOSIS_SUITE_EMULATED"

#endif
