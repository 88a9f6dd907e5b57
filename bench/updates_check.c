// SPDX-License-Identifier: MIT
/*
 * The check of a table of updates. It knows the sequence by its definition only, takes it as one
 * stream from its beginning, and shares no code with what it checks.
 */
#include <inttypes.h>
#include <stdio.h>

#include "bench/updates.h"

/* x^k by the definition: one bit of k after the other, from the top. */
static uint64_t power_of_x(uint64_t k)
{
	uint64_t value = 1;

	for (int bit = 63; bit >= 0; bit--) {
		uint64_t square = 0;

		/* Squaring over GF(2) spreads the bits: the sum of x^(2i) for every bit i. */
		for (int i = 63; i >= 0; i--) {
			for (int twice = 0; twice < 2; twice++)
				square = square & UINT64_C(1) << 63 ? square << 1 ^ 7 : square << 1;
			square ^= value >> i & 1;
		}
		value = square;
		if (k >> bit & 1)
			value = value & UINT64_C(1) << 63 ? value << 1 ^ 7 : value << 1;
	}
	return value;
}

uint64_t updates_check(const struct updates *updates, struct team_slice slice)
{
	uint64_t value = power_of_x(updates->first), errors = 0;

	for (uint64_t done = 0; done < updates->count; done++) {
		const uint64_t carry = value >> 63;
		uint64_t index;

		value <<= 1;
		if (carry)
			value ^= 7;
		index = value & (updates->words - 1);
		if (index >= slice.begin && index < slice.end)
			updates->table[index] ^= value;
	}
	for (uint64_t i = slice.begin; i < slice.end; i++)
		errors += updates->table[i] != i;
	return errors;
}

void updates_judge(struct verification *verification, uint64_t words, uint64_t count,
		   uint64_t errors, bool exact)
{
	const uint64_t touched = words < count ? words : count;
	const uint64_t allowed = exact ? 0 : touched / 100;

	verification->status = errors <= allowed ? VERIFICATION_PASS : VERIFICATION_FAIL;
	verification->checked = words;
	verification->errors = errors;
	snprintf(verification->detail, sizeof(verification->detail),
		 "%" PRIu64 " of %" PRIu64 " words wrong after the updates were undone; %s", errors,
		 words,
		 exact ? "none may be"
		       : "unsynchronised threads may lose updates, 1% of the words is allowed");
}
