// SPDX-License-Identifier: MIT
#include "harness/words.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void take(struct words *words, char *word)
{
	if (words->count + 2 > (int)words->room) {
		const size_t room = words->room ? words->room * 2 : 16;
		char **larger = realloc(words->items, room * sizeof(char *));

		if (!larger) {
			words->failed = true;
			free(word);
			return;
		}
		words->items = larger;
		words->room = room;
	}
	if (!word)
		words->failed = true;
	else
		words->items[words->count++] = word;
	words->items[words->count] = NULL;
}

void words_add(struct words *words, const char *word)
{
	take(words, strdup(word));
}

void words_add_all(struct words *words, char *const *list)
{
	for (; list && *list; list++)
		words_add(words, *list);
}

void words_format(struct words *words, const char *format, ...)
{
	char *word = NULL;
	va_list arguments;

	va_start(arguments, format);
	if (vasprintf(&word, format, arguments) < 0)
		word = NULL;
	va_end(arguments);
	take(words, word);
}

void words_free(struct words *words)
{
	for (int i = 0; i < words->count; i++)
		free(words->items[i]);
	free(words->items);
	*words = (struct words){0};
}
