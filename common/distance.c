// SPDX-License-Identifier: MIT
#include "common/distance.h"

#include <ctype.h>
#include <string.h>

static unsigned least(unsigned a, unsigned b)
{
	return a < b ? a : b;
}

unsigned distance_between(const char *a, const char *b)
{
	const size_t na = strlen(a), nb = strlen(b);
	unsigned row[DISTANCE_LENGTH_MAX + 1];

	if (na > DISTANCE_LENGTH_MAX || nb > DISTANCE_LENGTH_MAX)
		return DISTANCE_FAR;
	for (size_t j = 0; j <= nb; j++)
		row[j] = (unsigned)j;
	for (size_t i = 1; i <= na; i++) {
		unsigned diagonal = row[0];

		row[0] = (unsigned)i;
		for (size_t j = 1; j <= nb; j++) {
			const int differ = tolower((unsigned char)a[i - 1]) !=
					   tolower((unsigned char)b[j - 1]);
			const unsigned replaced = diagonal + (unsigned)differ;

			diagonal = row[j];
			row[j] = least(replaced, least(row[j], row[j - 1]) + 1);
		}
	}
	return row[nb];
}
