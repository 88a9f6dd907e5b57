/* SPDX-License-Identifier: MIT */
/*
 * Comma-separated values as RFC 4180 has them: CRLF after each line, fields quoted when they hold a
 * comma, a quote or a line break, quotes doubled. An absent value is an empty field, never 0.
 */
#ifndef ANALYSIS_CSV_H
#define ANALYSIS_CSV_H

#include <stdio.h>

struct csv {
	FILE *out;
	int column; /* fields written on this line */
};

void csv_text(struct csv *csv, const char *text); /* NULL: empty */
void csv_count(struct csv *csv, double count);    /* a whole number; NAN: empty */
void csv_real(struct csv *csv, double value);     /* 10 significant digits; NAN: empty */
void csv_end(struct csv *csv);

/* Reads a text that it owns and modifies; fields point into it. */
struct csv_reader {
	char *next;
	int line; /* of the last record, from 1 */
};

/*
 * The fields of the next record: their number, 0 at the end, -1 for a quote that is not closed or
 * is followed by text, and for a record of more than `max` fields. LF alone ends a record, too.
 */
int csv_read(struct csv_reader *reader, char **fields, int max);

#endif
