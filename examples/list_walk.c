// SPDX-License-Identifier: MIT
/*
 * A program of one's own that marks its region of interest: follows a random cycle through memory,
 * one step after the other. Build it against the installed suite:
 *
 *     cc -O2 $(pkg-config --cflags mitosis-suite) list_walk.c -o list_walk
 *     harness exec LP-LD,RP-LD --machine emu --ready-when roi -- ./list_walk 64 100000
 */
#include <mitosis-suite/roi.h>

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

/* A cycle through all items in random order (Sattolo): the next item's number in each. */
static uint64_t *build(uint64_t items)
{
	uint64_t *next = malloc(items * sizeof(*next)), random = 88172645463325252u;

	for (uint64_t i = 0; next && i < items; i++)
		next[i] = i;
	for (uint64_t i = items - 1; next && i > 0; i--) {
		uint64_t other, kept;

		random ^= random << 13;
		random ^= random >> 7;
		random ^= random << 17;
		other = random % i;
		kept = next[i];
		next[i] = next[other];
		next[other] = kept;
	}
	return next;
}

int main(int argc, char **argv)
{
	const uint64_t mebibytes = argc > 1 ? strtoull(argv[1], NULL, 10) : 64;
	const uint64_t steps = argc > 2 ? strtoull(argv[2], NULL, 10) : 1000000;
	const uint64_t items = (mebibytes << 20) / sizeof(uint64_t);
	uint64_t *next, at = 0;

	if (items < 2 || items > UINT64_C(1) << 40 || steps == 0) {
		fprintf(stderr, "usage: list_walk [MEBIBYTES [STEPS]]\n");
		return 2;
	}
	next = build(items);
	if (!next) {
		perror("list_walk");
		return 1;
	}
	if (mitosis_roi_begin() != 0)
		perror("mitosis_roi_begin");
	for (uint64_t i = 0; i < steps; i++)
		at = next[at];
	if (mitosis_roi_end() != 0)
		perror("mitosis_roi_end");
	printf("after %llu steps at item %llu\n", (unsigned long long)steps,
	       (unsigned long long)at);
	free(next);
	return 0;
}
