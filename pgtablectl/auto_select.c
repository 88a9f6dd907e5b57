// SPDX-License-Identifier: MIT
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "pgtablectl/auto_options.h"

struct selection {
	pid_t *pids;
	int nr;
};

static int add(struct selection *selection, pid_t pid, struct err *err)
{
	pid_t *larger;

	if (pid == getpid())
		return 0;
	for (int i = 0; i < selection->nr; i++)
		if (selection->pids[i] == pid)
			return 0;
	larger = realloc(selection->pids, (size_t)(selection->nr + 1) * sizeof(*larger));
	if (!larger)
		return err_set(err, ERR_INTERNAL, "out of memory for a list of processes");
	selection->pids = larger;
	selection->pids[selection->nr++] = pid;
	return 0;
}

static bool has_name(const struct auto_options *options, const struct fs *fs, const char *pid)
{
	char path[300], name[32];

	snprintf(path, sizeof(path), "/proc/%s/comm", pid);
	if (fs_read(fs, path, name, sizeof(name)) < 0)
		return false;
	for (int i = 0; i < options->nr_names; i++)
		if (strcmp(options->names[i], name) == 0)
			return true;
	return false;
}

static int add_named(struct selection *selection, const struct auto_options *options,
		     const struct fs *fs, struct err *err)
{
	const int fd = openat(fs->root_fd, "proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *proc = fd >= 0 ? fdopendir(fd) : NULL;
	struct dirent *entry;
	int failed = 0;

	if (!proc)
		return err_set_errno(err, ERR_MACHINE, errno, "cannot read /proc");
	while (!failed && (entry = readdir(proc)))
		if (isdigit((unsigned char)entry->d_name[0]) &&
		    has_name(options, fs, entry->d_name))
			failed = add(selection, atoi(entry->d_name), err);
	closedir(proc);
	return failed;
}

static int add_group(struct selection *selection, const char *group, const struct fs *fs,
		     struct err *err)
{
	char path[1024], *text, *rest, *line;
	int failed = 0;

	snprintf(path, sizeof(path), "%s%s/cgroup.procs",
		 strncmp(group, "/sys/", 5) == 0 ? "" : "/sys/fs/cgroup/", group);
	text = fs_read_all(fs, path, NULL);
	if (!text)
		return err_set_errno(err, ERR_MACHINE, errno,
				     "cannot read the control group's '%s'", path);
	rest = text;
	while (!failed && (line = strsep(&rest, "\n")))
		if (isdigit((unsigned char)*line) && atoi(line) > 0)
			failed = add(selection, atoi(line), err);
	free(text);
	return failed;
}

static int by_number(const void *a, const void *b)
{
	const pid_t *first = a, *second = b;

	return (*first > *second) - (*first < *second);
}

int auto_select(const struct auto_options *options, const struct fs *fs, pid_t **pids, int *nr,
		struct err *err)
{
	struct selection selection = {0};
	int failed = 0;

	for (int i = 0; i < options->nr_pids && !failed; i++)
		failed = add(&selection, options->pids[i], err);
	if (!failed && options->nr_names)
		failed = add_named(&selection, options, fs, err);
	if (!failed && options->cgroup)
		failed = add_group(&selection, options->cgroup, fs, err);
	if (failed) {
		free(selection.pids);
		return -1;
	}
	if (selection.nr > 0)
		qsort(selection.pids, (size_t)selection.nr, sizeof(pid_t), by_number);
	*pids = selection.pids;
	*nr = selection.nr;
	return 0;
}
