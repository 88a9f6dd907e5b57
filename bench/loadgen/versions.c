// SPDX-License-Identifier: MIT
#include "bench/loadgen/versions.h"

#include <errno.h>
#include <sys/mman.h>

#include "common/units.h"

#define VERSION_BITS 24
#define VERSION_MASK ((UINT64_C(1) << VERSION_BITS) - 1)
#define UNDER_WAY    (UINT64_C(1) << (2 * VERSION_BITS))

static uint64_t sent_of(uint64_t word)
{
	return word & VERSION_MASK;
}

static uint64_t first_of(uint64_t word)
{
	return word >> VERSION_BITS & VERSION_MASK;
}

int versions_open(struct versions *versions, uint64_t nr_keys, struct err *err)
{
	char text[UNITS_TEXT_MAX];
	void *words = mmap(NULL, nr_keys * VERSIONS_BYTES_OF_KEY, PROT_READ | PROT_WRITE,
			   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	*versions = (struct versions){0};
	if (words == MAP_FAILED)
		return err_set_errno(err, ERR_MACHINE, errno,
				     "no memory for the versions of the keys (%s)",
				     units_format_size(nr_keys * VERSIONS_BYTES_OF_KEY, text));
	versions->words = words;
	versions->nr_keys = nr_keys;
	return 0;
}

void versions_close(struct versions *versions)
{
	if (versions->words)
		munmap((void *)versions->words, versions->nr_keys * VERSIONS_BYTES_OF_KEY);
	versions->words = NULL;
}

uint32_t versions_send(struct versions *versions, uint64_t key)
{
	_Atomic uint64_t *at = &versions->words[key];
	uint64_t before = atomic_load_explicit(at, memory_order_relaxed), after, sent;

	do {
		sent = (sent_of(before) + 1) & VERSION_MASK;
		after = sent | (before < UNDER_WAY ? sent : first_of(before)) << VERSION_BITS |
			(before / UNDER_WAY + 1) * UNDER_WAY;
	} while (!atomic_compare_exchange_weak(at, &before, after));
	return (uint32_t)sent;
}

void versions_confirm(struct versions *versions, uint64_t key)
{
	atomic_fetch_sub(&versions->words[key], UNDER_WAY);
}

uint32_t versions_floor(const struct versions *versions, uint64_t key)
{
	const uint64_t word = atomic_load(&versions->words[key]);

	return word < UNDER_WAY ? (uint32_t)first_of(word) : VERSIONS_NO_FLOOR;
}

bool versions_may_see(const struct versions *versions, uint64_t key, uint32_t floor,
		      uint32_t version)
{
	const uint64_t sent = sent_of(atomic_load(&versions->words[key]));

	if (floor == VERSIONS_NO_FLOOR)
		return ((sent - version) & VERSION_MASK) <= VERSION_MASK / 2;
	return ((version - floor) & VERSION_MASK) <= ((sent - floor) & VERSION_MASK);
}
