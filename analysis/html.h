/* SPDX-License-Identifier: MIT */
/* Text into HTML or XML: everything that comes from a record goes through here. */
#ifndef ANALYSIS_HTML_H
#define ANALYSIS_HTML_H

#include <stdio.h>

/* Escapes <, >, &, both quotes, and control characters; NULL prints nothing. */
void html_text(FILE *out, const char *text);

/* The same for a formatted text. */
void html_printf(FILE *out, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Table cells: a name, kept on one line; a text of any length; a number. */
void html_name(FILE *out, const char *text);
void html_cell(FILE *out, const char *text);
void html_number(FILE *out, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
