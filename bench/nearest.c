// SPDX-License-Identifier: MIT
#include "bench/nearest.h"

#include <stdio.h>
#include <string.h>

#include "common/distance.h"

void nearest_init(struct nearest *nearest, const char *wanted)
{
	*nearest = (struct nearest){.wanted = wanted,
				    .distances = {DISTANCE_FAR, DISTANCE_FAR, DISTANCE_FAR}};
}

void nearest_offer(struct nearest *nearest, const char *name)
{
	const size_t length = strlen(nearest->wanted);
	unsigned d = distance_between(nearest->wanted, name);

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
