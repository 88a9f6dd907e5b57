// SPDX-License-Identifier: MIT
#include "harness/knobs.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/paths.h"
#include "harness/journal.h"
#include "harness/knob_files.h"

struct knobs {
	const struct fs *root;
	char directory[PATHS_MAX];
	struct err no_directory; /* told only when a setting must be changed */
	json_t *changed;         /* the record's array, in the order of the changes */
};

static int refuse_write(const char *path, const char *value, int errnum, struct err *err)
{
	return err_set_errno(err, ERR_MACHINE, errnum,
			     "may not write '%s' to %s; run as root, or first 'echo %s | sudo tee "
			     "%s'",
			     value, path, value, path);
}

static int state_directory(char directory[PATHS_MAX], const char *given, struct err *err)
{
	const char *from_environment = getenv("MITOSIS_SUITE_STATE");
	const char *xdg = getenv("XDG_STATE_HOME"), *home = getenv("HOME");
	int length;

	if (!given && from_environment && *from_environment)
		given = from_environment;
	if (!given && geteuid() == 0)
		given = "/var/lib/mitosis-suite";
	if (given)
		length = snprintf(directory, PATHS_MAX, "%s", given);
	else if (xdg && *xdg)
		length = snprintf(directory, PATHS_MAX, "%s/mitosis-suite", xdg);
	else if (home && *home)
		length = snprintf(directory, PATHS_MAX, "%s/.local/state/mitosis-suite", home);
	else
		return err_set(err, ERR_MACHINE,
			       "no place for the notes on changed settings: HOME is not set; set "
			       "MITOSIS_SUITE_STATE to a directory");
	/* Room for the names of the files in it. */
	if (length > PATHS_MAX - 64)
		return err_set(err, ERR_USAGE, "the path of the state directory is too long");
	return 0;
}

int knobs_open(struct knobs **knobs, const struct fs *root, const char *state_dir, struct err *err)
{
	struct knobs *new = calloc(1, sizeof(*new));

	*knobs = NULL;
	if (!new)
		return err_set(err, ERR_INTERNAL, "out of memory");
	new->root = root;
	new->changed = json_array();
	if (state_directory(new->directory, state_dir, &new->no_directory) != 0)
		*new->directory = '\0';
	*knobs = new;
	return 0;
}

static const char *text_of(const json_t *entry, const char *name)
{
	return json_string_value(json_object_get(entry, name));
}

static json_t *find_change(const struct knobs *knobs, const char *path)
{
	json_t *change;
	size_t i;

	json_array_foreach (knobs->changed, i, change)
		if (strcmp(text_of(change, "path"), path) == 0)
			return change;
	return NULL;
}

/* For the record; a second change of a setting keeps its first value. */
static void note_change(struct knobs *knobs, const struct knob *knob, const char *path,
			const char *before, const char *set)
{
	json_t *change = find_change(knobs, path);

	if (change)
		json_object_update_new(change, json_pack("{s:s, s:b}", "set", set, "restored", 0));
	else
		json_array_append_new(knobs->changed, json_pack("{s:s, s:s, s:s, s:s, s:b}", "knob",
								knob->name, "path", path, "before",
								before, "set", set, "restored", 0));
}

/* Our entry for the path, joined or new, in memory only. */
static json_t *hold(struct journal *journal, const struct knob *knob, const char *path,
		    const char *current, const char *value, struct err *err)
{
	json_t *entry = journal_find(journal, path);
	int other;

	if (!entry) {
		entry = journal_add(journal, knob->name, path, current, value, err);
		if (!entry)
			return NULL;
	}
	other = journal_live_holder(entry);
	/* A dead run's note on a value that is no longer its own says nothing about this one. */
	if (!other && !journal_holds(entry) && strcmp(text_of(entry, "set"), current) != 0)
		json_object_set_new(entry, "before", json_string(current));
	if (other && strcmp(text_of(entry, "set"), value) != 0) {
		err_set(err, ERR_MACHINE,
			"the run with pid %d needs %s = %s (%s), and this one %s; wait until it "
			"has ended",
			other, knob->name, text_of(entry, "set"), path, value);
		return NULL;
	}
	journal_join(entry);
	/* Until the new value is written, the file has the one before it. */
	json_object_set(entry, "was", json_object_get(entry, "set"));
	json_object_set_new(entry, "set", json_string(value));
	return entry;
}

static int write_and_verify(const struct fs *root, const char *path, const char *value,
			    struct err *err)
{
	char now[KNOB_VALUE_MAX];

	if (fs_write(root, path, value) != 0)
		return refuse_write(path, value, errno, err);
	if (knob_read_value(root, path, now, sizeof(now)) != 0)
		return err_set_errno(err, ERR_MACHINE, errno, "cannot read %s back", path);
	if (strcmp(now, value) != 0)
		return err_set(err, ERR_MACHINE, "%s was set to '%s' and reads '%s'", path, value,
			       now);
	return 0;
}

/* After a failed write: the setting is not ours any more, and has its old value. */
static void give_up(struct knobs *knobs, struct journal *journal, json_t *entry)
{
	json_t *change = find_change(knobs, text_of(entry, "path"));

	journal_leave(entry);
	if (!journal_live_holder(entry)) {
		(void)fs_write(knobs->root, text_of(entry, "path"), text_of(entry, "before"));
		if (change)
			json_object_set_new(change, "restored", json_true());
		journal_remove(journal, entry);
	}
	(void)journal_store(journal, NULL);
}

static int set_journalled(struct knobs *knobs, struct journal *journal, const struct knob *knob,
			  const char *path, const char *current, const char *value, struct err *err)
{
	const bool already = strcmp(current, value) == 0;
	struct err store_err = {0};
	json_t *entry;

	if (journal->damaged_lines > 0)
		return err_set(err, ERR_INTERNAL,
			       "%s/journal is damaged; run 'harness restore' first",
			       journal->directory);
	journal_drop_old_boots(journal);
	entry = hold(journal, knob, path, current, value, err);
	if (!entry)
		return -1;
	if (journal_store(journal, &store_err) != 0 && !already)
		return err_set(err, store_err.kind, "%s: nothing was changed", store_err.text);
	if (!already && write_and_verify(knobs->root, path, value, err) != 0) {
		give_up(knobs, journal, entry);
		return -1;
	}
	if (strcmp(text_of(entry, "before"), value) != 0 || !already)
		note_change(knobs, knob, path, text_of(entry, "before"), value);
	return 0;
}

static int set_file(struct knobs *knobs, const struct knob *knob, const char *path,
		    const char *value, struct err *err)
{
	char text[KNOB_VALUE_MAX], current[KNOB_VALUE_MAX];
	struct err journal_err = knobs->no_directory;
	struct journal journal = {.lock_fd = -1};
	int result;

	/* The lock comes before the look: the value may be changing under another run's hands. */
	if (*knobs->directory)
		(void)journal_open(&journal, knobs->directory, &journal_err);
	if (fs_read(knobs->root, path, text, sizeof(text)) < 0)
		result = err_set_errno(err, ERR_MACHINE, errno, "cannot read %s", path);
	else if (!knob_value_offered(text, value))
		result = err_set(err, ERR_MACHINE, "%s offers '%s', not '%s'", path, text, value);
	else {
		knob_chosen_value(text, current, sizeof(current));
		if (journal.entries)
			result = set_journalled(knobs, &journal, knob, path, current, value, err);
		else if (strcmp(current, value) == 0)
			result = 0;
		else
			result = err_set(err, journal_err.kind, "%s", journal_err.text);
	}
	journal_close(&journal);
	return result;
}

static int set_files(struct knobs *knobs, const struct knob *knob, const char *value,
		     struct err *err)
{
	int result = 0;
	size_t prefix;
	glob_t files;

	if (knob_files(knobs->root, knob, &files, &prefix) != 0) {
		if (knob->absent && strcmp(knob->absent, value) == 0)
			return 0;
		return err_set(err, ERR_MACHINE, "this machine has no setting '%s' (%s)",
			       knob->name, knob->path);
	}
	for (size_t i = 0; result == 0 && i < files.gl_pathc; i++) {
		const char *path = files.gl_pathv[i] + prefix;

		if (!knob->write_only)
			result = set_file(knobs, knob, path, value, err);
		else if (fs_write(knobs->root, path, value) != 0)
			result = refuse_write(path, value, errno, err);
	}
	globfree(&files);
	return result;
}

int knobs_set(struct knobs *knobs, const char *name, const char *value, struct err *err)
{
	const struct knob *knob = knobs_find(name);

	if (!knob)
		return err_set(err, ERR_USAGE, "there is no setting '%s'", name);
	return set_files(knobs, knob, value, err);
}

enum put_back { PUT_BACK_FAILED, PUT_BACK_NOT_OURS, PUT_BACK_NEEDLESS, PUT_BACK_DONE };

/* Writes the old value if the setting still has the one that was set. */
static enum put_back put_back(const struct fs *root, const json_t *entry, struct err *err)
{
	const char *path = text_of(entry, "path"), *before = text_of(entry, "before");
	const char *was = text_of(entry, "was");
	char now[KNOB_VALUE_MAX];

	if (!knob_is_path(path) || knob_read_value(root, path, now, sizeof(now)) != 0)
		return PUT_BACK_NOT_OURS;
	if (strcmp(now, before) == 0)
		return PUT_BACK_NEEDLESS;
	if (strcmp(now, text_of(entry, "set")) != 0 && (!was || strcmp(now, was) != 0))
		return PUT_BACK_NOT_OURS;
	if (write_and_verify(root, path, before, err) == 0)
		return PUT_BACK_DONE;
	err_prefix(err, "putting %s back to '%s'", path, before);
	return PUT_BACK_FAILED;
}

static int put_back_change(struct knobs *knobs, json_t *change, struct err *err)
{
	const enum put_back outcome = put_back(knobs->root, change, err);

	if (outcome == PUT_BACK_FAILED)
		return -1;
	json_object_set_new(change, "restored", json_boolean(outcome != PUT_BACK_NOT_OURS));
	return 0;
}

static int release(struct knobs *knobs, struct journal *journal, json_t *entry, struct err *err)
{
	json_t *change = find_change(knobs, text_of(entry, "path"));
	int other;

	journal_leave(entry);
	other = journal_live_holder(entry);
	if (other && change)
		json_object_set_new(change, "held_by", json_integer(other));
	if (other)
		return 0;
	if (change && put_back_change(knobs, change, err) != 0)
		return -1;
	journal_remove(journal, entry);
	return 0;
}

static int release_all(struct knobs *knobs, struct journal *journal, struct err *err)
{
	int result = 0;

	journal_drop_old_boots(journal);
	for (size_t i = json_array_size(journal->entries); i-- > 0;) {
		json_t *entry = json_array_get(journal->entries, i);

		if (journal_holds(entry))
			result |= release(knobs, journal, entry, err);
	}
	/* A damaged file stays as it is: 'harness restore' looks after it. */
	if (journal->damaged_lines == 0)
		result |= journal_store(journal, err);
	return result;
}

/* What the journal has lost is still known here. */
static int restore_forgotten(struct knobs *knobs, const struct journal *journal, struct err *err)
{
	int result = 0;

	for (size_t i = json_array_size(knobs->changed); i-- > 0;) {
		json_t *change = json_array_get(knobs->changed, i);

		if (json_is_false(json_object_get(change, "restored")) &&
		    !json_object_get(change, "held_by") &&
		    !journal_find(journal, text_of(change, "path")))
			result |= put_back_change(knobs, change, err);
	}
	return result;
}

int knobs_restore(struct knobs *knobs, struct err *err)
{
	struct journal journal;
	int result;

	if (!*knobs->directory)
		return 0;
	if (!journal_exists(knobs->directory) && json_array_size(knobs->changed) == 0)
		return 0;
	result = journal_open(&journal, knobs->directory, err);
	if (result == 0)
		result = release_all(knobs, &journal, err);
	result |= restore_forgotten(knobs, &journal, err);
	journal_close(&journal);
	return result;
}

json_t *knobs_to_json(const struct knobs *knobs)
{
	return json_deep_copy(knobs->changed);
}

void knobs_close(struct knobs *knobs)
{
	if (!knobs)
		return;
	(void)knobs_restore(knobs, NULL);
	json_decref(knobs->changed);
	free(knobs);
}

static int recover_entries(struct journal *journal, const struct fs *root, int *restored,
			   struct err *err)
{
	int result = 0;

	for (size_t i = json_array_size(journal->entries); i-- > 0;) {
		json_t *entry = json_array_get(journal->entries, i);
		enum put_back outcome;

		if (journal_live_holder(entry) || journal_holds(entry))
			continue;
		outcome = put_back(root, entry, err);
		if (outcome == PUT_BACK_FAILED) {
			result = -1;
			continue;
		}
		*restored += outcome == PUT_BACK_DONE;
		journal_remove(journal, entry);
	}
	return result;
}

int knobs_recover(const struct fs *root, const char *state_dir, int *restored, struct err *err)
{
	char directory[PATHS_MAX];
	struct journal journal;
	int result;

	*restored = 0;
	/* Without a place for notes there are none. */
	if (state_directory(directory, state_dir, NULL) != 0 || !journal_exists(directory))
		return 0;
	if (journal_open(&journal, directory, err) != 0)
		return -1;
	journal_drop_old_boots(&journal);
	result = recover_entries(&journal, root, restored, err);
	if (journal.damaged_lines > 0) {
		journal_keep_damaged(&journal);
		result = err_set(err, ERR_INTERNAL,
				 "%d lines of '%s/journal' are damaged and what they said was not "
				 "put back; look at THP and AutoNUMA yourself (the file is kept as "
				 "journal.damaged)",
				 journal.damaged_lines, directory);
	}
	result |= journal_store(&journal, err);
	journal_close(&journal);
	return result;
}

int knobs_stale(const char *state_dir, int *count, struct err *err)
{
	char directory[PATHS_MAX];
	struct journal journal;
	json_t *entry;
	size_t i;

	*count = 0;
	if (state_directory(directory, state_dir, NULL) != 0 || !journal_exists(directory))
		return 0;
	if (journal_open(&journal, directory, err) != 0)
		return -1;
	journal_drop_old_boots(&journal);
	*count = journal.damaged_lines;
	json_array_foreach (journal.entries, i, entry)
		*count += !journal_live_holder(entry) && !journal_holds(entry);
	journal_close(&journal);
	return 0;
}
