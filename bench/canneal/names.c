// SPDX-License-Identifier: MIT
#include "bench/canneal/names.h"

#include <inttypes.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#define NUMBER_BITS 40
#define NUMBER_MASK ((UINT64_C(1) << NUMBER_BITS) - 1)

struct hashes {
	uint64_t first;  /* never 0, which stands for a free slot */
	uint64_t second; /* its lowest NUMBER_BITS are 0 */
};

static uint64_t mix(uint64_t x)
{
	x = (x ^ x >> 32) * UINT64_C(0xd6e8feb86659fd93);
	x = (x ^ x >> 32) * UINT64_C(0xd6e8feb86659fd93);
	return x ^ x >> 32;
}

static struct hashes hash_name(const char *name, uint64_t length)
{
	uint64_t first = length + UINT64_C(0x243f6a8885a308d3);
	uint64_t second = length ^ UINT64_C(0x13198a2e03707344);

	while (length > 0) {
		const uint64_t part = length < 8 ? length : 8;
		uint64_t word = 0;

		memcpy(&word, name, part);
		first = mix(first ^ word);
		second = mix(second + word * UINT64_C(0xa4093822299f31d1));
		name += part;
		length -= part;
	}
	return (struct hashes){first ? first : 1, second & ~NUMBER_MASK};
}

int names_init(struct names *names, uint64_t nr_names, struct err *err)
{
	names->nr_slots = nr_names + nr_names / 2 + 64;
	names->slots = calloc(names->nr_slots, 2 * sizeof(names->slots[0]));
	if (names->slots)
		return 0;
	return err_set(err, ERR_MACHINE, "no memory for the names of %" PRIu64 " elements",
		       nr_names);
}

void names_fini(struct names *names)
{
	free(names->slots);
	names->slots = NULL;
}

static uint64_t slot_of(const struct names *names, const struct hashes *hashes)
{
	return (uint64_t)((unsigned __int128)hashes->first * names->nr_slots >> 64);
}

/* The second word of a slot whose first is set follows at once, but not at the same time; it is
 * never 0 for long because numbers are stored plus one. */
static uint64_t second_of(const struct names *names, uint64_t slot)
{
	uint64_t value;

	do
		value = atomic_load_explicit(&names->slots[2 * slot + 1], memory_order_acquire);
	while (value == 0);
	return value;
}

bool names_add(struct names *names, const char *name, uint64_t length, uint64_t number)
{
	const struct hashes hashes = hash_name(name, length);

	for (uint64_t slot = slot_of(names, &hashes);; slot = (slot + 1) % names->nr_slots) {
		uint64_t found = 0;

		if (atomic_compare_exchange_strong(&names->slots[2 * slot], &found, hashes.first)) {
			atomic_store_explicit(&names->slots[2 * slot + 1],
					      hashes.second | (number + 1), memory_order_release);
			return true;
		}
		if (found == hashes.first &&
		    (second_of(names, slot) & ~NUMBER_MASK) == hashes.second)
			return false;
	}
}

uint64_t names_find(const struct names *names, const char *name, uint64_t length)
{
	const struct hashes hashes = hash_name(name, length);

	for (uint64_t slot = slot_of(names, &hashes);; slot = (slot + 1) % names->nr_slots) {
		const uint64_t found = names->slots[2 * slot];

		if (found == 0)
			return UINT64_MAX;
		if (found == hashes.first &&
		    (second_of(names, slot) & ~NUMBER_MASK) == hashes.second)
			return (second_of(names, slot) & NUMBER_MASK) - 1;
	}
}
