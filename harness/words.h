/* SPDX-License-Identifier: MIT */
/* A list of words that grows: command lines that are put together piece by piece. */
#ifndef HARNESS_WORDS_H
#define HARNESS_WORDS_H

#include <stdbool.h>
#include <stddef.h>

struct words {
	char **items; /* NULL-ended once something was added */
	int count;
	size_t room;
	bool failed; /* out of memory: checked once, at the end */
};

void words_add(struct words *words, const char *word);
void words_add_all(struct words *words, char *const *list); /* NULL-ended */
void words_format(struct words *words, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
void words_free(struct words *words);

#endif
