/* SPDX-License-Identifier: MIT */
#ifndef BENCH_NEAREST_H
#define BENCH_NEAREST_H

#include <stddef.h>

/* A collector of the names that resemble a mistyped one; the best three are kept. */
struct nearest {
	const char *wanted;
	const char *names[3];
	unsigned distances[3];
};

void nearest_init(struct nearest *nearest, const char *wanted);
void nearest_offer(struct nearest *nearest, const char *name);

/* "; did you mean --size or --seed?", each name after `prefix`; "" when nothing is near. */
const char *nearest_text(const struct nearest *nearest, const char *prefix, char *text,
			 size_t size);

#endif
