/* SPDX-License-Identifier: MIT */
/*
 * Machines for tests, written down after the kinds that exist. A file tests/machines/NAME.machine
 * holds the files that the suite reads on such a machine: a line "@ /path" starts a file, the lines
 * up to the next one are its content, '#' before the first '@' starts a comment. machine_open()
 * writes them below a temporary directory, which stands in for "/".
 */
#ifndef TESTS_MACHINE_H
#define TESTS_MACHINE_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/fs.h"

struct machine {
	char root[64];
	struct fs fs;
};

static inline void machine_fail(const char *what, const char *name)
{
	fprintf(stderr, "tests/machine.h: cannot %s '%s'\n", what, name);
	abort();
}

/* An empty root, for tests that write their own files. */
static inline void machine_create(struct machine *machine)
{
	const char *base = getenv("TMPDIR");

	snprintf(machine->root, sizeof(machine->root), "%s/machine.XXXXXX", base ? base : "/tmp");
	if (!mkdtemp(machine->root) || fs_open(&machine->fs, machine->root, NULL) != 0)
		machine_fail("create", machine->root);
}

/* Writes (or replaces) one file of the machine. */
static inline void machine_write(const struct machine *machine, const char *path, const char *text)
{
	char full[512];
	FILE *file;

	snprintf(full, sizeof(full), "%s%s", machine->root, path);
	*strrchr(full, '/') = '\0';
	if (fs_mkdir_parents(full) != 0)
		machine_fail("create", full);
	snprintf(full, sizeof(full), "%s%s", machine->root, path);
	file = fopen(full, "w");
	if (!file || fputs(text, file) < 0 || fclose(file) != 0)
		machine_fail("write", full);
}

static inline void machine_open(struct machine *machine, const char *name)
{
	char path[256], line[4096], target[256] = "", content[16384] = "";
	FILE *file;

	snprintf(path, sizeof(path), "tests/machines/%s.machine", name);
	file = fopen(path, "r");
	if (!file)
		machine_fail("open (tests run in the top directory)", path);
	machine_create(machine);
	while (fgets(line, sizeof(line), file)) {
		if (strncmp(line, "@ ", 2) != 0) {
			strncat(content, line, sizeof(content) - strlen(content) - 1);
			continue;
		}
		if (*target)
			machine_write(machine, target, content);
		snprintf(target, sizeof(target), "%.*s", (int)strcspn(line + 2, "\n"), line + 2);
		*content = '\0';
	}
	if (*target)
		machine_write(machine, target, content);
	fclose(file);
}

static inline void machine_close(struct machine *machine)
{
	char command[128];

	fs_close(&machine->fs);
	snprintf(command, sizeof(command), "rm -rf '%s'", machine->root);
	if (system(command) != 0)
		machine_fail("remove", machine->root);
}

#endif
