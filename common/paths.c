// SPDX-License-Identifier: MIT
#include "common/paths.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int own_directory(char path[PATHS_MAX])
{
	const ssize_t n = readlink("/proc/self/exe", path, PATHS_MAX - 1);
	char *slash;

	if (n < 0)
		return -1;
	path[n] = '\0';
	slash = strrchr(path, '/');
	if (!slash)
		return -1;
	*slash = '\0';
	return 0;
}

static int join(char path[PATHS_MAX], const char *directory, const char *name, struct err *err)
{
	if (snprintf(path, PATHS_MAX, "%s/%s", directory, name) >= PATHS_MAX)
		return err_set(err, ERR_INTERNAL, "the path of '%s' is too long", name);
	return 0;
}

int paths_root(char path[PATHS_MAX], struct err *err)
{
	const char *given = getenv("MITOSIS_SUITE_ROOT");
	char probe[PATHS_MAX];
	char *slash;

	if (given && *given)
		return join(path, given, "", err);
	if (own_directory(path) != 0)
		return err_set(err, ERR_INTERNAL,
			       "cannot find out where this program is installed");
	while ((slash = strrchr(path, '/')) != NULL) {
		if (join(probe, path, "emulator/profiles", err) != 0)
			return -1;
		if (access(probe, F_OK) == 0)
			return 0;
		*slash = '\0';
	}
	return err_set(err, ERR_INTERNAL,
		       "the suite's own files are not above this program; set MITOSIS_SUITE_ROOT");
}

int paths_file(char path[PATHS_MAX], const char *relative, struct err *err)
{
	char root[PATHS_MAX];

	if (paths_root(root, err) != 0)
		return -1;
	return join(path, root, relative, err);
}

int paths_program(char path[PATHS_MAX], const char *name, struct err *err)
{
	char directory[PATHS_MAX];

	if (own_directory(directory) == 0 && join(path, directory, name, err) == 0 &&
	    access(path, X_OK) == 0)
		return 0;
	if (paths_root(directory, err) != 0)
		return -1;
	if (snprintf(path, PATHS_MAX, "%s/bin/%s", directory, name) >= PATHS_MAX ||
	    access(path, X_OK) != 0)
		return err_set(err, ERR_INTERNAL, "the program '%s' is not built; run 'make'",
			       name);
	return 0;
}
