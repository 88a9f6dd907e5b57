// SPDX-License-Identifier: MIT
#include "emulator/closure.h"

#include <errno.h>
#include <fcntl.h>
#include <gelf.h>
#include <libelf.h>
#include <limits.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* Copies the name of the program's loader; 1 found, 0 none (static, or no ELF at all). */
static int read_interpreter(int fd, char loader[PATH_MAX])
{
	Elf *elf;
	size_t nr_headers = 0;
	int found = 0;

	if (elf_version(EV_CURRENT) == EV_NONE || !(elf = elf_begin(fd, ELF_C_READ, NULL)))
		return 0;
	elf_getphdrnum(elf, &nr_headers);
	for (size_t i = 0; i < nr_headers && !found; i++) {
		GElf_Phdr header;

		if (!gelf_getphdr(elf, (int)i, &header) || header.p_type != PT_INTERP ||
		    header.p_filesz == 0 || header.p_filesz > PATH_MAX)
			continue;
		found = pread(fd, loader, header.p_filesz, (off_t)header.p_offset) ==
			(ssize_t)header.p_filesz;
		loader[header.p_filesz - 1] = '\0';
	}
	elf_end(elf);
	return found;
}

int closure_parse_line(char *line, const char **library, struct err *err)
{
	static const char complaint[] = "error while loading shared libraries: ";
	char *name = line + strspn(line, " \t");
	char *path = strstr(name, " => ");
	char *end = strstr(name, complaint);

	line[strcspn(line, "\n")] = '\0';
	if (end)
		return err_set(err, ERR_USAGE, "a shared library is not on this host: %s",
			       end + strlen(complaint));
	if (path && strcmp(path, " => not found") == 0) {
		*path = '\0';
		return err_set(err, ERR_USAGE, "a shared library is not on this host: %s", name);
	}
	path = path ? path + strlen(" => ") : name;
	end = strstr(path, " (0x");
	if (path[0] != '/' || !end)
		return 0; /* the vDSO, "statically linked" */
	*end = '\0';
	*library = path;
	return 1;
}

static int read_answer(FILE *answer, json_t *libraries, struct err *err)
{
	char *line = NULL;
	size_t size = 0;
	int result = 0;

	while (result == 0 && getline(&line, &size, answer) >= 0) {
		const char *library;

		result = closure_parse_line(line, &library, err);
		if (result > 0)
			result = json_object_set_new(libraries, library, json_true());
	}
	free(line);
	if (result != 0)
		err_set(err, ERR_INTERNAL, "out of memory for a list of libraries");
	return result;
}

/* The caller's preloads are not the program's needs. */
static char **environment_without_preloads(void)
{
	static const char *const dropped[] = {"LD_PRELOAD=", "LD_AUDIT=", "LD_DEBUG="};
	size_t nr = 0, kept = 0;
	char **copy;

	while (environ[nr])
		nr++;
	copy = calloc(nr + 1, sizeof(*copy));
	for (size_t i = 0; copy && i < nr; i++) {
		size_t d = 0;

		while (d < 3 && strncmp(environ[i], dropped[d], strlen(dropped[d])) != 0)
			d++;
		if (d == 3)
			copy[kept++] = environ[i];
	}
	return copy;
}

static pid_t spawn_loader(const char *loader, const char *path, int output)
{
	char *const argv[] = {(char *)loader, "--list", (char *)path, NULL};
	char **environment = environment_without_preloads();
	posix_spawn_file_actions_t actions;
	pid_t pid = -1;

	if (!environment)
		return -1;
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_adddup2(&actions, output, STDOUT_FILENO);
	posix_spawn_file_actions_adddup2(&actions, output, STDERR_FILENO); /* see complaint */
	errno = posix_spawn(&pid, loader, &actions, NULL, argv, environment);
	posix_spawn_file_actions_destroy(&actions);
	free(environment);
	return errno == 0 ? pid : -1;
}

static int ask_loader(json_t *libraries, const char *loader, const char *path, struct err *err)
{
	FILE *answer = NULL;
	int ends[2], status = 0, failed;
	pid_t pid;

	if (pipe2(ends, O_CLOEXEC) != 0)
		return err_set_errno(err, ERR_INTERNAL, errno, "cannot make a pipe");
	pid = spawn_loader(loader, path, ends[1]);
	failed =
		pid < 0 ? err_set_errno(err, ERR_USAGE, errno, "cannot run its loader '%s'", loader)
			: 0;
	close(ends[1]);
	if (!failed && !(answer = fdopen(ends[0], "r")))
		failed = err_set_errno(err, ERR_INTERNAL, errno, "cannot read a pipe");
	if (!failed)
		failed = read_answer(answer, libraries, err);
	if (answer)
		fclose(answer);
	else
		close(ends[0]);
	while (pid > 0 && waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	if (!failed && status != 0)
		failed = err_set(err, ERR_USAGE, "its loader '%s' does not accept it", loader);
	return failed;
}

int closure_add(json_t *libraries, const char *path, struct err *err)
{
	char loader[PATH_MAX], real[PATH_MAX];
	int dynamic, fd = -1;

	/* "/proc/self/exe" would be another file for the loader. */
	if (realpath(path, real))
		fd = open(real, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0)
		return err_set_errno(err, ERR_USAGE, errno, "cannot read '%s'", path);
	dynamic = read_interpreter(fd, loader);
	close(fd);
	if (!dynamic)
		return 0;
	if (ask_loader(libraries, loader, real, err) != 0)
		return err_prefix(err, "cannot take '%s' along", path);
	if (json_object_set_new(libraries, loader, json_true()) != 0)
		return err_set(err, ERR_INTERNAL, "out of memory for a list of libraries");
	return 0;
}
