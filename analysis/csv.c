// SPDX-License-Identifier: MIT
#include "analysis/csv.h"

#include <math.h>
#include <string.h>

static void separate(struct csv *csv)
{
	if (csv->column++ > 0)
		fputc(',', csv->out);
}

void csv_text(struct csv *csv, const char *text)
{
	separate(csv);
	if (!text)
		return;
	if (!strpbrk(text, ",\"\r\n")) {
		fputs(text, csv->out);
		return;
	}
	fputc('"', csv->out);
	for (; *text; text++) {
		if (*text == '"')
			fputc('"', csv->out);
		fputc(*text, csv->out);
	}
	fputc('"', csv->out);
}

void csv_count(struct csv *csv, double count)
{
	separate(csv);
	if (isfinite(count))
		fprintf(csv->out, "%.0f", count);
}

void csv_real(struct csv *csv, double value)
{
	separate(csv);
	if (isfinite(value))
		fprintf(csv->out, "%.10g", value);
}

void csv_end(struct csv *csv)
{
	fputs("\r\n", csv->out);
	csv->column = 0;
}

/* Unquotes in place; returns the character behind the closing quote, or NULL. */
static char *read_quoted(struct csv_reader *reader, char *at, char **field)
{
	char *to = at;

	*field = at;
	for (; *at; at++) {
		if (*at == '"' && at[1] == '"')
			at++;
		else if (*at == '"')
			break;
		else if (*at == '\n')
			reader->line++;
		*to++ = *at;
	}
	if (*at != '"')
		return NULL;
	at++;
	if (*at && !strchr(",\r\n", *at))
		return NULL;
	/* `to` is behind at most the closing quote, so that the terminator hides nothing. */
	*to = '\0';
	return at;
}

/* Ends the field at `at` and says where the next one starts; NULL when the record ends here. */
static char *end_field(struct csv_reader *reader, char *at)
{
	const char stop = *at;

	*at = '\0';
	if (stop == ',')
		return at + 1;
	if (stop == '\r' && at[1] == '\n')
		reader->next = at + 2;
	else
		reader->next = at + (stop != '\0');
	return NULL;
}

int csv_read(struct csv_reader *reader, char **fields, int max)
{
	char *at = reader->next;
	int nr = 0;

	if (!*at)
		return 0;
	reader->line++;
	while (at) {
		if (nr == max)
			return -1;
		if (*at == '"') {
			at = read_quoted(reader, at + 1, &fields[nr]);
			if (!at)
				return -1;
		} else {
			fields[nr] = at;
			at += strcspn(at, ",\r\n");
		}
		nr++;
		at = end_field(reader, at);
	}
	return nr;
}
