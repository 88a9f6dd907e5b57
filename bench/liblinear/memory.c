// SPDX-License-Identifier: MIT
/*
 * Definitions in the program come before those of the C library, for shared libraries too: so these
 * are the ones that liblinear and the C++ library behind it call.
 */
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "bench/liblinear/liblinear.h"

#define ALIGNMENT 64

/* One region at a time; only the thread that trains allocates from it. */
static unsigned char *region, *region_end, *region_next;
static uint64_t spilled_bytes;
static _Thread_local bool inside;

void library_memory_give(void *memory, uint64_t bytes)
{
	region = memory;
	region_end = region ? region + bytes : NULL;
	region_next = region;
	spilled_bytes = 0;
}

void library_memory_enter(void)
{
	inside = true;
}

void library_memory_leave(void)
{
	inside = false;
}

uint64_t library_memory_used(void)
{
	return (uint64_t)(region_next - region);
}

uint64_t library_memory_spilled(void)
{
	return spilled_bytes;
}

#if defined(__GLIBC__) && !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)

void *__libc_malloc(size_t size);
void __libc_free(void *memory);
void *__libc_calloc(size_t count, size_t size);
void *__libc_realloc(void *memory, size_t size);

bool library_memory_works(void)
{
	return true;
}

static bool is_ours(const void *memory)
{
	return (const unsigned char *)memory >= region &&
	       (const unsigned char *)memory < region_end;
}

/* The size stands in front. */
static void *take(size_t size)
{
	unsigned char *memory = region_next + ALIGNMENT;
	const size_t rounded = (size + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;

	if (!region || size > PTRDIFF_MAX - 2 * ALIGNMENT ||
	    (uint64_t)(region_end - region_next) < rounded + ALIGNMENT) {
		spilled_bytes += size;
		return NULL;
	}
	memcpy(memory - sizeof(size), &size, sizeof(size));
	region_next = memory + rounded;
	return memory;
}

void *malloc(size_t size)
{
	void *memory = inside ? take(size) : NULL;

	return memory ? memory : __libc_malloc(size);
}

void free(void *memory)
{
	if (!is_ours(memory))
		__libc_free(memory);
}

void *calloc(size_t count, size_t size)
{
	size_t bytes;
	void *memory = NULL;

	if (inside && !__builtin_mul_overflow(count, size, &bytes))
		memory = take(bytes);
	return memory ? memset(memory, 0, bytes) : __libc_calloc(count, size);
}

void *realloc(void *memory, size_t size)
{
	void *larger;
	size_t old;

	if (!memory)
		return malloc(size);
	if (!is_ours(memory))
		return __libc_realloc(memory, size);
	memcpy(&old, (unsigned char *)memory - sizeof(old), sizeof(old));
	larger = malloc(size);
	return larger ? memcpy(larger, memory, old < size ? old : size) : NULL;
}

#else

bool library_memory_works(void)
{
	return false;
}

#endif
