/* SPDX-License-Identifier: MIT */
/* Growing arrays without a size field: the capacity is the power of two at or above the length. */
#ifndef ANALYSIS_ARRAY_H
#define ANALYSIS_ARRAY_H

#include <stdlib.h>
#include <string.h>

/*
 * Makes room for one more item behind `length` items and clears it. Returns the array, which may
 * have moved, or NULL (the old array is still valid) when there is no memory.
 */
static inline void *array_grow(void *items, int length, size_t item_bytes)
{
	char *larger = items;

	if ((length & (length - 1)) == 0) {
		const size_t capacity = length ? 2 * (size_t)length : 1;

		larger = reallocarray(items, capacity, item_bytes);
		if (!larger)
			return NULL;
	}
	memset(larger + (size_t)length * item_bytes, 0, item_bytes);
	return larger;
}

#endif
