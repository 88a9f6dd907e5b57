/* SPDX-License-Identifier: MIT */
/*
 * The journal of changed settings: one JSON object per line, replaced as a whole (written beside,
 * fsync, rename), so that a reader after a crash sees the state before or after a change.
 *
 * An entry: {"path", "knob", "before", "set", "was", "boot", "holders": [{"pid", "start"}]}.
 * "was" is what was set before "set", if anything. "start" is the start time of the process in
 * clock ticks since boot (field 22 of /proc/PID/stat, proc(5)), which tells a holder from a later
 * process with its pid.
 */
#ifndef HARNESS_JOURNAL_H
#define HARNESS_JOURNAL_H

#include <jansson.h>
#include <stdbool.h>

#include "common/err.h"
#include "common/paths.h"

struct journal {
	char directory[PATHS_MAX];
	int lock_fd; /* flock(2) on directory/lock from open to close */
	json_t *entries;
	int damaged_lines;
};

/* Whether there is anything to open; takes no lock and makes no directory. */
bool journal_exists(const char *directory);

/* Locks (waits for other processes) and loads. ERR_MACHINE if the directory cannot be used. */
int journal_open(struct journal *journal, const char *directory, struct err *err);
int journal_store(struct journal *journal, struct err *err);
void journal_close(struct journal *journal);

/* Keeps the damaged file as journal.damaged, so that journal_store() does not lose it. */
void journal_keep_damaged(const struct journal *journal);

/* The entry of that path from this boot, or NULL (borrowed). */
json_t *journal_find(const struct journal *journal, const char *path);

/* An entry without holders, at the end. ERR_INTERNAL if a text is not UTF-8. */
json_t *journal_add(struct journal *journal, const char *knob, const char *path, const char *before,
		    const char *set, struct err *err);
void journal_remove(struct journal *journal, const json_t *entry);

/* Entries of an earlier boot are about settings that are gone. Returns how many were dropped. */
int journal_drop_old_boots(struct journal *journal);

/* This process as a holder: joins once, leaves. */
void journal_join(json_t *entry);
void journal_leave(json_t *entry);

/* Forgets holders that are dead; returns the pid of one that lives and is not us, or 0. */
int journal_live_holder(json_t *entry);

/* Whether this process holds it. */
bool journal_holds(const json_t *entry);

#endif
