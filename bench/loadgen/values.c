// SPDX-License-Identifier: MIT
#include "bench/loadgen/values.h"

#include <math.h>
#include <string.h>

#include "bench/loadgen/random.h"

#define PARETO_SCALE 214.476
#define PARETO_SHAPE 0.348

static uint64_t bytes_at(const struct values *values, double unit)
{
	const uint64_t span = values->bytes - VALUE_BYTES_MIN;
	double bytes;

	switch (values->kind) {
	case VALUES_UNIFORM:
		return VALUE_BYTES_MIN + (uint64_t)(unit * ((double)span + 1));
	case VALUES_PARETO:
		bytes = PARETO_SCALE / PARETO_SHAPE * expm1(-PARETO_SHAPE * log1p(-unit));
		bytes = bytes < (double)VALUE_BYTES_MIN ? (double)VALUE_BYTES_MIN : bytes;
		return bytes > (double)values->bytes ? values->bytes : (uint64_t)bytes;
	case VALUES_FIXED:
		break;
	}
	return values->bytes;
}

uint64_t values_bytes(const struct values *values, uint64_t key)
{
	if (values->kind == VALUES_FIXED)
		return values->bytes;
	return bytes_at(values, random_unit(random_at(values->seed ^ UINT64_C(0x76616c7565), key)));
}

double values_mean(const struct values *values, double (*f)(uint64_t bytes, const void *context),
		   const void *context)
{
	const int steps = values->kind == VALUES_FIXED ? 1 : 16384;
	double sum = 0;

	for (int i = 0; i < steps; i++)
		sum += f(bytes_at(values, (i + 0.5) / steps), context);
	return sum / steps;
}

static uint64_t word_at(uint64_t base, uint64_t position)
{
	uint64_t x = (base + position) * UINT64_C(0xff51afd7ed558ccd);

	return x ^ x >> 32;
}

void value_write(char *to, uint64_t bytes, uint64_t key, uint32_t version)
{
	const uint64_t base = random_mix(key ^ (uint64_t)version << 32);
	/* A value of nothing but its head is told from a damaged one by this. */
	const uint32_t length = (uint32_t)bytes ^ (uint32_t)(base >> 32);
	uint64_t at = VALUE_BYTES_MIN, word;

	memcpy(to, &key, sizeof(key));
	memcpy(to + 8, &version, sizeof(version));
	memcpy(to + 12, &length, sizeof(length));
	for (; at + sizeof(word) <= bytes; at += sizeof(word)) {
		word = word_at(base, at);
		memcpy(to + at, &word, sizeof(word));
	}
	word = word_at(base, at);
	memcpy(to + at, &word, bytes - at);
}

bool value_read(const char *from, uint64_t bytes, uint64_t key, uint32_t *version)
{
	struct {
		uint64_t key;
		uint32_t version, length;
	} head;
	uint64_t base, wrong = 0, at = VALUE_BYTES_MIN, word = 0, expected;

	if (bytes < VALUE_BYTES_MIN)
		return false;
	memcpy(&head, from, sizeof(head));
	base = random_mix(head.key ^ (uint64_t)head.version << 32);
	/* All differences are gathered: a branch in the loop would cost more than it saves. */
	for (; at + sizeof(word) <= bytes; at += sizeof(word)) {
		memcpy(&word, from + at, sizeof(word));
		wrong |= word ^ word_at(base, at);
	}
	expected = word_at(base, at);
	wrong |= (uint64_t)(memcmp(from + at, &expected, bytes - at) != 0);
	*version = head.version;
	return !wrong && head.key == key && (head.length ^ (uint32_t)(base >> 32)) == bytes;
}
