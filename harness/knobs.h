/* SPDX-License-Identifier: MIT */
/*
 * System settings that a run changes, and their way back.
 *
 * Before a setting is written, its value is put into a journal on disk (fsync). It is put back when
 * the run ends, and after a SIGKILL by the next start of the harness or by `harness restore`.
 * Settings do not outlive a reboot, so a journal from before it is dropped.
 *
 * Runs side by side: a setting that a live run holds may be held by another run with the same value
 * and is put back by the last of them; another value is refused. A setting that has the wanted
 * value already is held as well, so that nobody changes it under a run.
 *
 * One `struct knobs` per process: a holder is a process (pid, start time, boot).
 */
#ifndef HARNESS_KNOBS_H
#define HARNESS_KNOBS_H

#include <jansson.h>
#include <stddef.h>

#include "common/err.h"
#include "common/fs.h"

/* One row of the table of settings; `harness doctor` prints it. */
struct knob {
	const char *name;   /* "thp_enabled" */
	const char *path;   /* may have one '*': the setting is all files that match */
	const char *values; /* what may be written, for messages */
	const char *absent; /* a machine without the file behaves like this value; NULL: unknown */
	const char *why;    /* why a run would change it */
	int write_only;     /* an action (drop_caches): not journalled, not put back */
};

/* NULL after the last. */
const struct knob *knobs_table(int index);
const struct knob *knobs_find(const char *name);

/*
 * The current value: the chosen word of "always [madvise] never", the text of other files, the
 * value of `absent` if there is no file. With a '*', that of the first file. -1 with errno set if
 * it cannot be had.
 */
int knobs_read(const struct fs *root, const char *name, char *value, size_t size);

struct knobs;

/*
 * `state_dir` NULL: $MITOSIS_SUITE_STATE, else /var/lib/mitosis-suite for root, else
 * $XDG_STATE_HOME/mitosis-suite or ~/.local/state/mitosis-suite. Touches no file yet; without
 * any of these (no HOME) it is knobs_set() that fails, if it must change something. `root` must
 * outlive the knobs.
 */
int knobs_open(struct knobs **knobs, const struct fs *root, const char *state_dir, struct err *err);

/*
 * Journals the present value, writes the new one and verifies it by reading it back. ERR_USAGE for
 * an unknown knob; ERR_MACHINE, with path and remedy, when the machine has no such setting or
 * value, when it may not be written, or when a live run holds another value.
 */
int knobs_set(struct knobs *knobs, const char *name, const char *value, struct err *err);

/*
 * Puts everything back in reverse order. Goes on after a failure and reports the first; what could
 * not be put back stays in the journal. A value that somebody else changed meanwhile is theirs and
 * is left alone.
 */
int knobs_restore(struct knobs *knobs, struct err *err);

/*
 * The record's machine.changed: [{knob, path, before, set, restored}], with held_by (a pid) where
 * another run still needs the value. A new reference.
 */
json_t *knobs_to_json(const struct knobs *knobs);

/* Restores what is not restored yet, and frees. NULL is allowed. */
void knobs_close(struct knobs *knobs);

/*
 * Puts back what dead runs left; *restored is the number of values written. Runs that live are left
 * alone. Damaged lines of the journal cannot be put back: the file is kept as journal.damaged, the
 * other lines are honoured, and ERR_INTERNAL says so, once.
 */
int knobs_recover(const struct fs *root, const char *state_dir, int *restored, struct err *err);

/* How many settings knobs_recover() would have to see to. Changes nothing. */
int knobs_stale(const char *state_dir, int *count, struct err *err);

#endif
