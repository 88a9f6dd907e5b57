// SPDX-License-Identifier: MIT
#include "bench/nearest.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#define NAME_MAX_LENGTH 48
#define TOO_FAR         1000u

void nearest_init(struct nearest *nearest, const char *wanted)
{
	*nearest = (struct nearest){.wanted = wanted, .distances = {TOO_FAR, TOO_FAR, TOO_FAR}};
}

static unsigned min3(unsigned a, unsigned b, unsigned c)
{
	const unsigned ab = a < b ? a : b;

	return ab < c ? ab : c;
}

/* Levenshtein's distance, one row at a time, case ignored. */
static unsigned distance(const char *a, const char *b)
{
	unsigned row[NAME_MAX_LENGTH + 1];
	const size_t na = strlen(a), nb = strlen(b);

	if (na > NAME_MAX_LENGTH || nb > NAME_MAX_LENGTH)
		return TOO_FAR;
	for (size_t j = 0; j <= nb; j++)
		row[j] = (unsigned)j;
	for (size_t i = 1; i <= na; i++) {
		unsigned diagonal = row[0];

		row[0] = (unsigned)i;
		for (size_t j = 1; j <= nb; j++) {
			const unsigned above = row[j];
			const int differ = tolower((unsigned char)a[i - 1]) !=
					   tolower((unsigned char)b[j - 1]);

			row[j] = min3(above + 1, row[j - 1] + 1, diagonal + (unsigned)differ);
			diagonal = above;
		}
	}
	return row[nb];
}

void nearest_offer(struct nearest *nearest, const char *name)
{
	const size_t length = strlen(nearest->wanted);
	unsigned d = distance(nearest->wanted, name);

	if (length >= 2 && strncasecmp(nearest->wanted, name, length) == 0)
		d = 0; /* an abbreviation */
	if (d > 1 + length / 3)
		return;
	for (int i = 0; i < 3; i++) {
		if (d >= nearest->distances[i])
			continue;
		for (int j = 2; j > i; j--) {
			nearest->distances[j] = nearest->distances[j - 1];
			nearest->names[j] = nearest->names[j - 1];
		}
		nearest->distances[i] = d;
		nearest->names[i] = name;
		return;
	}
}

const char *nearest_text(const struct nearest *nearest, const char *prefix, char *text, size_t size)
{
	int used = 0;

	text[0] = '\0';
	for (int i = 0; i < 3 && nearest->names[i]; i++) {
		const char *between = i == 0 ? "; did you mean " : " or ";
		const int n = snprintf(text + used, size - (size_t)used, "%s%s%s", between, prefix,
				       nearest->names[i]);

		if (n < 0 || (size_t)(used + n) >= size)
			return text;
		used += n;
	}
	if (used > 0)
		snprintf(text + used, size - (size_t)used, "?");
	return text;
}
