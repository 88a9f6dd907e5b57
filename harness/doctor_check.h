/* SPDX-License-Identifier: MIT */
/*
 * The checks of `harness doctor`. A check judges one thing: from files below a root, so that
 * recorded machines can be examined, or through a probe, which tests replace.
 */
#ifndef HARNESS_DOCTOR_CHECK_H
#define HARNESS_DOCTOR_CHECK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/err.h"
#include "common/fs.h"
#include "harness/topology.h"

enum doctor_verdict {
	DOCTOR_OK,
	DOCTOR_WARN,   /* runs are possible, but worth less */
	DOCTOR_BLOCKS, /* something the suite does cannot be done here */
};

struct doctor_finding {
	const char *check;
	enum doctor_verdict verdict;
	char detail[768];
	char fix[256]; /* empty: nothing to do */
};

#define DOCTOR_FINDINGS_MAX 32

/* What cannot be read from files. All say why not in their last argument. */
struct doctor_probes {
	int (*numa_policy)(struct err *err); /* get_mempolicy(2) works */
	int (*driver)(struct err *err);      /* bin/bench is there */
	int (*page_tables)(char *reader, size_t size, struct err *err);
	int (*emulator)(struct err *err);
	int (*hardware_counters)(struct err *err);
	int (*stale_settings)(int *count, struct err *err); /* left by runs that died */
	int (*disk_free)(const char *path, uint64_t *bytes, struct err *err);
	bool (*program)(const char *name); /* in PATH */
	bool (*capability)(int number);    /* effective, capabilities(7) */
};

/* Numbers of capabilities(7). */
enum {
	DOCTOR_CAP_SYS_RAWIO = 17,
	DOCTOR_CAP_SYS_ADMIN = 21,
	DOCTOR_CAP_SYS_NICE = 23,
	DOCTOR_CAP_PERFMON = 38,
};

extern const struct doctor_probes doctor_probes_real;

struct doctor {
	const struct fs *root;
	const struct doctor_probes *probes;
	const char *results;      /* directory of results */
	struct topology topology; /* of no node when it could not be read */
	struct err topology_error;
	struct doctor_finding findings[DOCTOR_FINDINGS_MAX];
	int nr_findings;
	/* What runs here, as the findings say: one sentence each. */
	bool native, emulated;
	char native_text[256], emulated_text[256];
};

/* Examines everything; the caller frees the topology. */
void doctor_examine(struct doctor *doctor);

/* The finding of a check, or NULL. */
const struct doctor_finding *doctor_finding(const struct doctor *doctor, const char *check);

__attribute__((format(printf, 3, 4))) void
doctor_say(struct doctor_finding *finding, enum doctor_verdict verdict, const char *format, ...);
__attribute__((format(printf, 2, 3))) void doctor_fix(struct doctor_finding *finding,
						      const char *format, ...);

/* The checks of settings and memory (doctor_settings.c); an entry without name ends them. */
struct doctor_check {
	const char *name;
	void (*examine)(const struct doctor *doctor, struct doctor_finding *finding);
};
extern const struct doctor_check doctor_settings_checks[];

#endif
