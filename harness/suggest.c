// SPDX-License-Identifier: MIT
#include "harness/suggest.h"

#include <stddef.h>
#include <string.h>

#include "common/distance.h"

const char *suggest_nearest(const char *typed, const char *const *names)
{
	const char *nearest = NULL;
	size_t best = (strlen(typed) + 2) / 3 + 1;

	for (; *names; names++) {
		const size_t d = distance_between(typed, *names);

		if (d < best) {
			best = d;
			nearest = *names;
		}
	}
	return nearest;
}
