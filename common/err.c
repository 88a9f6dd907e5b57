// SPDX-License-Identifier: MIT
#include "common/err.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

int err_set(struct err *err, enum err_kind kind, const char *format, ...)
{
	va_list args;

	if (!err || err->kind != ERR_NONE)
		return -1;
	err->kind = kind;
	va_start(args, format);
	vsnprintf(err->text, sizeof(err->text), format, args);
	va_end(args);
	return -1;
}

int err_set_errno(struct err *err, enum err_kind kind, int errnum, const char *format, ...)
{
	va_list args;
	size_t used;

	if (!err || err->kind != ERR_NONE)
		return -1;
	err->kind = kind;
	va_start(args, format);
	vsnprintf(err->text, sizeof(err->text), format, args);
	va_end(args);
	used = strlen(err->text);
	snprintf(err->text + used, sizeof(err->text) - used, ": %s", strerror(errnum));
	return -1;
}

int err_prefix(struct err *err, const char *format, ...)
{
	char context[512];
	char old[sizeof(err->text)];
	va_list args;

	if (!err || err->kind == ERR_NONE)
		return -1;
	va_start(args, format);
	vsnprintf(context, sizeof(context), format, args);
	va_end(args);
	memcpy(old, err->text, sizeof(old));
	/* A text that no longer fits loses its end, not the new context. */
	snprintf(err->text, sizeof(err->text), "%s: %.*s", context,
		 (int)(sizeof(err->text) - strlen(context) - 3), old);
	return -1;
}

void err_clear(struct err *err)
{
	err->kind = ERR_NONE;
	err->text[0] = '\0';
}

int err_report(const char *program, const struct err *err)
{
	if (err->kind == ERR_NONE)
		return 0;
	fprintf(stderr, "%s: %s\n", program, err->text);
	return (int)err->kind;
}
