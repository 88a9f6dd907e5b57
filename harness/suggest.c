// SPDX-License-Identifier: MIT
#include "harness/suggest.h"

#include <ctype.h>
#include <stddef.h>
#include <string.h>

#define NAME_MAX_LETTERS 63

static size_t min3(size_t a, size_t b, size_t c)
{
	const size_t least = a < b ? a : b;

	return least < c ? least : c;
}

/* Levenshtein distance by rows, letters compared without case. */
static size_t distance(const char *a, const char *b)
{
	const size_t na = strlen(a), nb = strlen(b);
	size_t row[NAME_MAX_LETTERS + 1];

	if (na > NAME_MAX_LETTERS || nb > NAME_MAX_LETTERS)
		return NAME_MAX_LETTERS;
	for (size_t j = 0; j <= nb; j++)
		row[j] = j;
	for (size_t i = 1; i <= na; i++) {
		size_t diagonal = row[0];

		row[0] = i;
		for (size_t j = 1; j <= nb; j++) {
			const size_t above = row[j];
			const size_t differs = tolower(a[i - 1]) != tolower(b[j - 1]);

			row[j] = min3(above + 1, row[j - 1] + 1, diagonal + differs);
			diagonal = above;
		}
	}
	return row[nb];
}

const char *suggest_nearest(const char *typed, const char *const *names)
{
	const char *nearest = NULL;
	size_t best = (strlen(typed) + 2) / 3 + 1;

	for (; *names; names++) {
		const size_t d = distance(typed, *names);

		if (d < best) {
			best = d;
			nearest = *names;
		}
	}
	return nearest;
}
