// SPDX-License-Identifier: MIT
#include "harness/log_line.h"

#include <stdio.h>
#include <string.h>

void log_last_line(const char *path, char line[LOG_LINE_MAX])
{
	char tail[2 * LOG_LINE_MAX];
	FILE *file = path ? fopen(path, "re") : NULL;
	size_t n;
	char *start;

	line[0] = '\0';
	if (!file)
		return;
	if (fseek(file, -(long)(sizeof(tail) - 1), SEEK_END) != 0)
		rewind(file);
	n = fread(tail, 1, sizeof(tail) - 1, file);
	fclose(file);
	while (n > 0 && (tail[n - 1] == '\n' || tail[n - 1] == '\0'))
		n--;
	tail[n] = '\0';
	start = strrchr(tail, '\n');
	snprintf(line, LOG_LINE_MAX, "%.*s", LOG_LINE_MAX - 1, start ? start + 1 : tail);
}
