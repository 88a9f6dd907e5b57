// SPDX-License-Identifier: MIT
#include "emulator/initramfs.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "emulator/closure.h"
#include "emulator/cpio.h"

struct initramfs {
	struct cpio cpio;
	json_t *paths;     /* guest path -> host path, or "" for what has none; a set */
	json_t *libraries; /* host path, the same in the guest */
};

static const char *const base_directories[] = {
	"/proc",
	"/sys",
	"/dev",
	"/tmp",
	"/etc",
	"/root",
	"/run",
	"/result",
	"/usr",
	"/suite/bin",
	"/suite/emulator/profiles",
};

static const struct {
	const char *path, *text;
} base_files[] = {
	{"/etc/passwd", "root:x:0:0:root:/root:/bin/sh\n"},
	{"/etc/group", "root:x:0:\n"},
	{"/etc/hosts", "127.0.0.1 localhost\n"},
};

static const struct {
	const char *path, *target;
} base_links[] = {
	{"/init", INITRAMFS_HARNESS},
	{INITRAMFS_SUITE "/bin/page_table_dump", "harness"},
};

/* Notes the path; 1 when it is new, 0 when it is there already. */
static int claim(struct initramfs *initramfs, const char *path, const char *host_path,
		 struct err *err)
{
	const char *before = json_string_value(json_object_get(initramfs->paths, path));

	if (before && strcmp(before, host_path) == 0)
		return 0;
	if (before)
		return err_set(err, ERR_USAGE, "'%s' in the guest would be both '%s' and '%s'",
			       path, before, host_path);
	if (json_object_set_new(initramfs->paths, path, json_string(host_path)) != 0)
		return err_set(err, ERR_INTERNAL, "cannot note the file name '%s'", path);
	return 1;
}

static int add_directories(struct initramfs *initramfs, char *path, struct err *err)
{
	for (char *slash = strchr(path + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
		int fresh;

		*slash = '\0';
		fresh = claim(initramfs, path, "", err);
		if (fresh > 0)
			fresh = cpio_directory(&initramfs->cpio, path, 0755, err);
		*slash = '/';
		if (fresh < 0)
			return -1;
	}
	return 0;
}

static int add_parents(struct initramfs *initramfs, const char *path, struct err *err)
{
	char copy[PATH_MAX];

	if (path[0] != '/' || strlen(path) >= sizeof(copy) || strstr(path, "/../"))
		return err_set(err, ERR_USAGE, "'%.200s' is not an absolute path for the guest",
			       path);
	return add_directories(initramfs, strcpy(copy, path), err);
}

static int add_copy(struct initramfs *initramfs, const char *path, const char *host_path,
		    struct err *err)
{
	const int fresh = claim(initramfs, path, host_path, err);
	struct stat st;

	if (fresh <= 0)
		return fresh;
	if (stat(host_path, &st) != 0)
		return err_set_errno(err, ERR_USAGE, errno, "cannot read '%s'", host_path);
	if (add_parents(initramfs, path, err) != 0)
		return -1;
	return cpio_copy(&initramfs->cpio, path, st.st_mode & 0777, host_path, err);
}

static int add_file(struct initramfs *initramfs, const struct emulator_file *file, struct err *err)
{
	if (add_copy(initramfs, file->guest_path, file->host_path, err) != 0)
		return -1;
	return closure_add(initramfs->libraries, file->host_path, err);
}

static int add_base(struct initramfs *initramfs, struct err *err)
{
	struct cpio *cpio = &initramfs->cpio;
	char path[PATH_MAX];

	for (size_t i = 0; i < sizeof(base_directories) / sizeof(base_directories[0]); i++) {
		/* The trailing slash makes the directory itself a parent. */
		strcat(strcpy(path, base_directories[i]), "/");
		if (add_directories(initramfs, path, err) != 0)
			return -1;
	}
	for (size_t i = 0; i < sizeof(base_files) / sizeof(base_files[0]); i++)
		if (claim(initramfs, base_files[i].path, "", err) < 0 ||
		    cpio_file(cpio, base_files[i].path, 0644, base_files[i].text,
			      strlen(base_files[i].text), err) != 0)
			return -1;
	for (size_t i = 0; i < sizeof(base_links) / sizeof(base_links[0]); i++)
		if (claim(initramfs, base_links[i].path, "", err) < 0 ||
		    cpio_symlink(cpio, base_links[i].path, base_links[i].target, err) != 0)
			return -1;
	/* The kernel opens it for init before /dev is mounted. */
	return cpio_character_device(cpio, "/dev/console", 0600, 5, 1, err);
}

/*
 * glibc loads libgcc_s by name when a thread is cancelled or exits, and aborts without it; it is in
 * no program's list of libraries.
 */
static int add_unwinder(struct initramfs *initramfs, struct err *err)
{
	const char *library;
	json_t *unused;

	json_object_foreach (initramfs->libraries, library, unused) {
		const char *name = strrchr(library, '/');
		char unwinder[PATH_MAX];

		if (strcmp(name, "/libc.so.6") != 0)
			continue;
		snprintf(unwinder, sizeof(unwinder), "%.*s/libgcc_s.so.1", (int)(name - library),
			 library);
		if (access(unwinder, R_OK) == 0 &&
		    add_copy(initramfs, unwinder, unwinder, err) != 0)
			return -1;
	}
	return 0;
}

static int note_search_path(const struct initramfs *initramfs, json_t *job, struct err *err)
{
	json_t *environment = json_object_get(job, "environment");
	char search_path[8192] = "";
	json_t *seen = json_object(), *unused;
	const char *library;
	size_t used = 0;
	int failed = 0;

	json_object_foreach (initramfs->libraries, library, unused) {
		char directory[PATH_MAX];
		const size_t length = (size_t)(strrchr(library, '/') - library);

		snprintf(directory, sizeof(directory), "%.*s", (int)length, library);
		if (json_object_get(seen, directory) || length + 2 > sizeof(search_path) - used)
			continue;
		failed |= json_object_set_new(seen, directory, json_true());
		used += (size_t)snprintf(search_path + used, sizeof(search_path) - used, "%s%s",
					 used ? ":" : "", directory);
	}
	json_decref(seen);
	if (failed ||
	    json_object_set_new(environment, "LD_LIBRARY_PATH", json_string(search_path)) != 0)
		return err_set(err, ERR_INTERNAL, "out of memory for the guest's environment");
	return 0;
}

static int add_libraries(struct initramfs *initramfs, struct err *err)
{
	const char *library;
	json_t *unused;

	json_object_foreach (initramfs->libraries, library, unused) {
		if (add_copy(initramfs, library, library, err) != 0)
			return -1;
	}
	return add_unwinder(initramfs, err);
}

static int add_job(struct initramfs *initramfs, json_t *job, struct err *err)
{
	char *text;
	int failed;

	if (note_search_path(initramfs, job, err) != 0)
		return -1;
	text = json_dumps(job, JSON_COMPACT);
	if (!text)
		return err_set(err, ERR_INTERNAL, "out of memory for the guest's job");
	failed = cpio_file(&initramfs->cpio, INITRAMFS_JOB, 0644, text, strlen(text), err);
	free(text);
	return failed;
}

static int add_everything(struct initramfs *initramfs, json_t *job,
			  const struct emulator_file *files, int nr_files, struct err *err)
{
	const struct emulator_file harness = {"/proc/self/exe", INITRAMFS_HARNESS};

	if (add_base(initramfs, err) != 0 || add_file(initramfs, &harness, err) != 0)
		return -1;
	for (int i = 0; i < nr_files; i++)
		if (add_file(initramfs, &files[i], err) != 0)
			return -1;
	if (add_libraries(initramfs, err) != 0)
		return -1;
	return add_job(initramfs, job, err);
}

int initramfs_build(int fd, json_t *job, const struct emulator_file *files, int nr_files,
		    uint64_t *bytes, struct err *err)
{
	struct initramfs initramfs = {.paths = json_object(), .libraries = json_object()};
	int failed;

	if (!initramfs.paths || !initramfs.libraries)
		failed = err_set(err, ERR_INTERNAL, "out of memory for the guest's initramfs");
	else
		failed = cpio_open(&initramfs.cpio, fd, err);
	if (!failed) {
		failed = add_everything(&initramfs, job, files, nr_files, err);
		if (!failed)
			failed = cpio_finish(&initramfs.cpio, err);
		*bytes = initramfs.cpio.bytes;
		cpio_abandon(&initramfs.cpio);
	}
	json_decref(initramfs.paths);
	json_decref(initramfs.libraries);
	return failed;
}
