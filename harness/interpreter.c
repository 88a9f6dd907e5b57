// SPDX-License-Identifier: MIT
#include "harness/interpreter.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define BLANKS " \t"

/* Copies the next word and returns what follows it. */
static const char *take_word(const char *text, char word[INTERPRETER_LINE_MAX])
{
	const char *start = text + strspn(text, BLANKS);
	const size_t length = strcspn(start, BLANKS);

	snprintf(word, INTERPRETER_LINE_MAX, "%.*s", (int)length, start);
	return start + length;
}

static int is_env(const char *path)
{
	const char *name = strrchr(path, '/');

	return name && strcmp(name, "/env") == 0;
}

void interpreter_parse(const char *line, struct interpreter *interpreter)
{
	const char *rest;

	*interpreter = (struct interpreter){.path = ""};
	if (strncmp(line, "#!", 2) != 0)
		return;
	rest = take_word(line + 2, interpreter->path);
	if (!is_env(interpreter->path))
		return;
	rest = take_word(rest, interpreter->program);
	/* "env -S" splits what follows into words. */
	if (strcmp(interpreter->program, "-S") == 0)
		take_word(rest, interpreter->program);
}

int interpreter_read(const char *path, struct interpreter *interpreter, struct err *err)
{
	char line[INTERPRETER_LINE_MAX];
	const int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	const ssize_t n = fd < 0 ? -1 : read(fd, line, sizeof(line) - 1);

	if (n < 0)
		err_set_errno(err, ERR_USAGE, errno, "cannot read '%s'", path);
	if (fd >= 0)
		close(fd);
	if (n < 0)
		return -1;
	line[n] = '\0';
	line[strcspn(line, "\r\n")] = '\0';
	interpreter_parse(line, interpreter);
	return 0;
}
