// SPDX-License-Identifier: MIT
#include "harness/journal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "common/fs.h"

#define BOOT_ID_MAX 64

static bool journal_path(char path[PATHS_MAX], const char *directory, const char *name)
{
	return snprintf(path, PATHS_MAX, "%s/%s", directory, name) < PATHS_MAX;
}

/* Processes and boots are always those of the real machine, whatever root the settings have. */
static ssize_t read_real(const char *path, char *text, size_t size)
{
	struct fs real;
	ssize_t length;

	if (fs_open(&real, "/", NULL) != 0)
		return -1;
	length = fs_read(&real, path, text, size);
	fs_close(&real);
	return length;
}

static void read_boot_id(char id[BOOT_ID_MAX])
{
	if (read_real("/proc/sys/kernel/random/boot_id", id, BOOT_ID_MAX) <= 0)
		snprintf(id, BOOT_ID_MAX, "unknown");
}

/* 0 when there is no such process, or only its remains (a zombie) are left. */
static json_int_t process_start(json_int_t pid)
{
	char path[64], text[2048];
	unsigned long long start;
	const char *at;
	char state;

	snprintf(path, sizeof(path), "/proc/%lld/stat", (long long)pid);
	if (read_real(path, text, sizeof(text)) <= 0)
		return 0;
	/* The name of the program, in parentheses, may hold anything. */
	at = strrchr(text, ')');
	if (!at || sscanf(at + 1,
			  " %c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %*u %*u %*d %*d %*d %*d %*d "
			  "%*d %llu",
			  &state, &start) != 2)
		return 0;
	return state == 'Z' || state == 'X' ? 0 : (json_int_t)start;
}

static json_int_t member(const json_t *object, const char *name)
{
	return json_integer_value(json_object_get(object, name));
}

static bool holder_lives(const json_t *holder)
{
	const json_int_t start = process_start(member(holder, "pid"));

	return start != 0 && start == member(holder, "start");
}

/* A dead run may have had our pid. */
static bool holder_is_us(const json_t *holder)
{
	return member(holder, "pid") == getpid() && holder_lives(holder);
}

static size_t find_us(const json_t *entry)
{
	const json_t *holders = json_object_get(entry, "holders");
	size_t i = 0;

	while (i < json_array_size(holders) && !holder_is_us(json_array_get(holders, i)))
		i++;
	return i;
}

bool journal_holds(const json_t *entry)
{
	return find_us(entry) < json_array_size(json_object_get(entry, "holders"));
}

void journal_leave(json_t *entry)
{
	json_array_remove(json_object_get(entry, "holders"), find_us(entry));
}

void journal_join(json_t *entry)
{
	journal_leave(entry);
	json_array_append_new(json_object_get(entry, "holders"),
			      json_pack("{s:I, s:I}", "pid", (json_int_t)getpid(), "start",
					process_start(getpid())));
}

int journal_live_holder(json_t *entry)
{
	json_t *holders = json_object_get(entry, "holders");
	int other = 0;

	for (size_t i = json_array_size(holders); i-- > 0;) {
		const json_t *holder = json_array_get(holders, i);

		if (!holder_lives(holder))
			json_array_remove(holders, i);
		else if (!holder_is_us(holder))
			other = (int)member(holder, "pid");
	}
	return other;
}

json_t *journal_find(const struct journal *journal, const char *path)
{
	size_t i;
	json_t *entry;

	/* Without entries (a journal that could not be opened) the loop does nothing. */
	json_array_foreach (journal->entries, i, entry)
		if (strcmp(json_string_value(json_object_get(entry, "path")), path) == 0)
			return entry;
	return NULL;
}

json_t *journal_add(struct journal *journal, const char *knob, const char *path, const char *before,
		    const char *set, struct err *err)
{
	char boot[BOOT_ID_MAX];
	json_t *entry;

	read_boot_id(boot);
	entry = json_pack("{s:s, s:s, s:s, s:s, s:s, s:[]}", "path", path, "knob", knob, "before",
			  before, "set", set, "boot", boot, "holders");
	if (!entry || json_array_append_new(journal->entries, entry) != 0) {
		err_set(err, ERR_INTERNAL, "cannot journal the value '%.60s' of '%s'", before,
			path);
		return NULL;
	}
	return entry;
}

void journal_remove(struct journal *journal, const json_t *entry)
{
	for (size_t i = json_array_size(journal->entries); i-- > 0;)
		if (json_array_get(journal->entries, i) == entry)
			json_array_remove(journal->entries, i);
}

int journal_drop_old_boots(struct journal *journal)
{
	char boot[BOOT_ID_MAX];
	int dropped = 0;

	read_boot_id(boot);
	for (size_t i = json_array_size(journal->entries); i-- > 0;) {
		const json_t *entry = json_array_get(journal->entries, i);

		if (strcmp(json_string_value(json_object_get(entry, "boot")), boot) == 0)
			continue;
		json_array_remove(journal->entries, i);
		dropped++;
	}
	return dropped;
}

/* NULL for anything but an entry with all its members. */
static json_t *parse_line(const char *line, size_t length)
{
	json_t *entry = json_loadb(line, length, 0, NULL);
	const char *path, *knob, *before, *set, *boot;
	json_t *holders, *holder;
	size_t i;
	bool good;

	if (!entry)
		return NULL;
	good = json_unpack(entry, "{s:s, s:s, s:s, s:s, s:s, s:o}", "path", &path, "knob", &knob,
			   "before", &before, "set", &set, "boot", &boot, "holders",
			   &holders) == 0 &&
	       json_is_array(holders);
	if (good)
		json_array_foreach (holders, i, holder)
			good &= json_is_integer(json_object_get(holder, "pid")) &&
				json_is_integer(json_object_get(holder, "start"));
	if (good)
		return entry;
	json_decref(entry);
	return NULL;
}

static void parse_lines(struct journal *journal, const char *text, size_t length)
{
	const char *const end = text + length;

	while (text < end) {
		const char *newline = memchr(text, '\n', (size_t)(end - text));
		json_t *entry = newline ? parse_line(text, (size_t)(newline - text)) : NULL;

		if (entry)
			json_array_append_new(journal->entries, entry);
		else
			journal->damaged_lines++;
		text = newline ? newline + 1 : end;
	}
}

static int load(struct journal *journal, struct err *err)
{
	struct fs directory;
	size_t length;
	char *text;
	int saved;

	if (fs_open(&directory, journal->directory, err) != 0)
		return -1;
	text = fs_read_all(&directory, "journal", &length);
	saved = errno;
	fs_close(&directory);
	if (!text && saved != ENOENT)
		return err_set_errno(err, ERR_MACHINE, saved, "cannot read '%s/journal'",
				     journal->directory);
	journal->entries = json_array();
	if (!journal->entries) {
		free(text);
		return err_set(err, ERR_INTERNAL, "out of memory");
	}
	if (text)
		parse_lines(journal, text, length);
	free(text);
	return 0;
}

static int lock(struct journal *journal, struct err *err)
{
	char path[PATHS_MAX];
	int result;

	if (!journal_path(path, journal->directory, "lock"))
		return err_set(err, ERR_USAGE, "the path of the state directory is too long");
	if (fs_mkdir_parents(journal->directory) == 0)
		journal->lock_fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0644);
	if (journal->lock_fd < 0)
		return err_set_errno(err, ERR_MACHINE, errno,
				     "cannot use the state directory '%s', where changed settings "
				     "are noted; set MITOSIS_SUITE_STATE to a directory of yours",
				     journal->directory);
	do
		result = flock(journal->lock_fd, LOCK_EX);
	while (result != 0 && errno == EINTR);
	if (result != 0)
		return err_set_errno(err, ERR_MACHINE, errno, "cannot lock '%s'", path);
	return 0;
}

bool journal_exists(const char *directory)
{
	char path[PATHS_MAX];

	return journal_path(path, directory, "journal") && access(path, F_OK) == 0;
}

int journal_open(struct journal *journal, const char *directory, struct err *err)
{
	memset(journal, 0, sizeof(*journal));
	journal->lock_fd = -1;
	snprintf(journal->directory, sizeof(journal->directory), "%s", directory);
	if (lock(journal, err) == 0 && load(journal, err) == 0)
		return 0;
	journal_close(journal);
	return -1;
}

void journal_close(struct journal *journal)
{
	json_decref(journal->entries);
	journal->entries = NULL;
	if (journal->lock_fd >= 0)
		close(journal->lock_fd);
	journal->lock_fd = -1;
}

static int store_text(const char *path, const json_t *entries, struct err *err)
{
	char *text = NULL;
	size_t size, i;
	json_t *entry;
	FILE *out = open_memstream(&text, &size);
	int result;

	if (!out)
		return err_set(err, ERR_INTERNAL, "out of memory");
	json_array_foreach (entries, i, entry) {
		json_dumpf(entry, out, JSON_COMPACT);
		fputc('\n', out);
	}
	if (fclose(out) != 0)
		result = err_set(err, ERR_INTERNAL, "out of memory");
	else
		result = fs_replace(path, text, size, err);
	free(text);
	return result;
}

int journal_store(struct journal *journal, struct err *err)
{
	char path[PATHS_MAX];

	if (!journal_path(path, journal->directory, "journal"))
		return err_set(err, ERR_USAGE, "the path of the state directory is too long");
	if (json_array_size(journal->entries) > 0)
		return store_text(path, journal->entries, err);
	/* An unlink that a power cut undoes is harmless: the boot is another one then. */
	if (unlink(path) != 0 && errno != ENOENT)
		return err_set_errno(err, ERR_INTERNAL, errno, "cannot remove '%s'", path);
	return 0;
}

void journal_keep_damaged(const struct journal *journal)
{
	char from[PATHS_MAX], to[PATHS_MAX];

	if (journal_path(from, journal->directory, "journal") &&
	    journal_path(to, journal->directory, "journal.damaged"))
		(void)rename(from, to);
}
