// SPDX-License-Identifier: MIT
#include "bench/loadgen/dialect.h"

#include <string.h>

char *dialect_put_text(char *to, const char *text)
{
	const size_t length = strlen(text);

	memcpy(to, text, length);
	return to + length;
}

char *dialect_put_number(char *to, uint64_t number)
{
	char digits[20];
	size_t length = 0;

	do {
		digits[length++] = (char)('0' + number % 10);
		number /= 10;
	} while (number > 0);
	while (length > 0)
		*to++ = digits[--length];
	return to;
}

char *dialect_put_key(char *to, uint64_t key)
{
	static const char digits[] = "0123456789abcdef";

	for (int i = DIALECT_KEY_BYTES - 1; i >= 0; i--) {
		to[i] = digits[key & 15];
		key >>= 4;
	}
	return to + DIALECT_KEY_BYTES;
}

bool dialect_read_key(const char *from, uint64_t *key)
{
	*key = 0;
	for (int i = 0; i < DIALECT_KEY_BYTES; i++) {
		const char c = from[i];

		if (c >= '0' && c <= '9')
			*key = *key << 4 | (uint64_t)(c - '0');
		else if (c >= 'a' && c <= 'f')
			*key = *key << 4 | (uint64_t)(c - 'a' + 10);
		else
			return false;
	}
	return true;
}

bool dialect_read_number(const char **from, const char *end, uint64_t *number)
{
	const char *at = *from;

	*number = 0;
	for (; at < end && *at >= '0' && *at <= '9'; at++) {
		if (*number > (UINT64_C(1) << 62) / 10 - 1)
			return false;
		*number = *number * 10 + (uint64_t)(*at - '0');
	}
	if (at == *from)
		return false;
	*from = at;
	return true;
}

const char *dialect_line_end(const char *from, size_t bytes)
{
	const char *end = memchr(from, '\r', bytes);

	if (!end || end + 1 == from + bytes)
		return NULL;
	return end[1] == '\n' ? end : NULL;
}
