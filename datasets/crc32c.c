// SPDX-License-Identifier: MIT
#include "datasets/crc32c.h"

#include <pthread.h>
#include <string.h>

#define REFLECTED_POLYNOMIAL UINT32_C(0x82f63b78)

static uint32_t table[256];
static pthread_once_t table_made = PTHREAD_ONCE_INIT;

static void make_table(void)
{
	for (uint32_t byte = 0; byte < 256; byte++) {
		uint32_t crc = byte;

		for (int bit = 0; bit < 8; bit++)
			crc = crc >> 1 ^ (crc & 1 ? REFLECTED_POLYNOMIAL : 0);
		table[byte] = crc;
	}
}

uint32_t crc32c_portable(uint32_t crc, const void *data, size_t length)
{
	const unsigned char *at = data;

	pthread_once(&table_made, make_table);
	crc = ~crc;
	while (length-- > 0)
		crc = crc >> 8 ^ table[(crc ^ *at++) & 0xff];
	return ~crc;
}

#ifdef __x86_64__
__attribute__((target("sse4.2"))) static uint32_t
by_instruction(uint32_t crc, const unsigned char *at, size_t length)
{
	uint64_t wide = ~crc;

	for (; length >= 8; length -= 8, at += 8) {
		uint64_t word;

		memcpy(&word, at, 8);
		wide = __builtin_ia32_crc32di(wide, word);
	}
	crc = (uint32_t)wide;
	for (; length > 0; length--)
		crc = __builtin_ia32_crc32qi(crc, *at++);
	return ~crc;
}
#endif

uint32_t crc32c(uint32_t crc, const void *data, size_t length)
{
#ifdef __x86_64__
	if (__builtin_cpu_supports("sse4.2"))
		return by_instruction(crc, data, length);
#endif
	return crc32c_portable(crc, data, length);
}
