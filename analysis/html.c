// SPDX-License-Identifier: MIT
#include "analysis/html.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#define NAME_MAX_LENGTH 24

static const char *entity(unsigned char c)
{
	switch (c) {
	case '<':
		return "&lt;";
	case '>':
		return "&gt;";
	case '&':
		return "&amp;";
	case '"':
		return "&quot;";
	case '\'':
		return "&#39;";
	default:
		/* XML has no other control characters, not even escaped. */
		return c < 0x20 && c != '\n' && c != '\t' ? "\xef\xbf\xbd" : NULL;
	}
}

void html_text(FILE *out, const char *text)
{
	for (; text && *text; text++) {
		const char *escaped = entity((unsigned char)*text);

		if (escaped)
			fputs(escaped, out);
		else
			fputc(*text, out);
	}
}

static void print_formatted(FILE *out, const char *format, va_list args)
{
	char *text;

	if (vasprintf(&text, format, args) < 0)
		return;
	html_text(out, text);
	free(text);
}

void html_printf(FILE *out, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	print_formatted(out, format, args);
	va_end(args);
}

static void print_cell(FILE *out, const char *class, const char *text)
{
	fprintf(out, "<td class=\"%s\">", class);
	html_text(out, text);
	fputs("</td>", out);
}

/* A name of our own is short; another program may have any. */
void html_name(FILE *out, const char *text)
{
	print_cell(out, text && strlen(text) <= NAME_MAX_LENGTH ? "c" : "w", text);
}

void html_cell(FILE *out, const char *text)
{
	print_cell(out, "w", text);
}

void html_number(FILE *out, const char *format, ...)
{
	va_list args;

	fputs("<td class=\"n\">", out);
	va_start(args, format);
	print_formatted(out, format, args);
	va_end(args);
	fputs("</td>", out);
}
