/* SPDX-License-Identifier: MIT */
/*
 * Joining two relations by hashing: the build relation has unique keys, and each tuple of the probe
 * relation finds its partner, or none.
 *
 *   chained   one table for all, chains of entries behind heads, as in the published runs
 *   linear    one table for all, linear probing (both: "no partitioning"; Blanas, Li, Patel,
 *             SIGMOD 2011)
 *   radix     both relations are partitioned by the hash until a partition's table fits a cache
 *             (Manegold, Boncz, Kersten, TKDE 2002; write-combining buffers and the joins of
 *             partitions as in Balkesen et al., ICDE 2013)
 *
 * Making the relations, joining and checking are files that share nothing but this header.
 */
#ifndef BENCH_HASHJOIN_HASHJOIN_H
#define BENCH_HASHJOIN_HASHJOIN_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "bench/workload.h"

#define HJ_LOOKAHEAD_MAX  64
#define HJ_RADIX_BITS_MAX 16
#define HJ_LINE_TUPLES    4 /* of a cache line */

enum hj_algorithm { HJ_CHAINED, HJ_LINEAR, HJ_RADIX };

/* Keys are not 0, which marks an empty slot. */
struct hj_tuple {
	uint64_t key, payload;
};

/* An entry of a chain; `next` is the number of the next one plus 1, or 0. */
struct hj_entry {
	uint64_t key, payload, next;
};

/* What a join amounts to: over all matches, the sum of the products of both payloads. */
struct hj_result {
	uint64_t matches, checksum;
};

struct hj_join {
	enum hj_algorithm algorithm;
	int nr_threads;
	unsigned lookahead; /* tuples whose place in a table is prefetched; 0: none */
	struct team *team;

	struct hj_tuple *build, *probe;
	uint64_t nr_build, nr_probe;

	/* CHAINED: heads as entries' `next`; LINEAR: slots */
	uint64_t *heads;
	struct hj_entry *entries;
	struct hj_tuple *slots;
	int table_bits;

	/* RADIX */
	unsigned radix_bits;
	struct hj_tuple *build_parts, *probe_parts;
	unsigned char *scratch; /* of all threads */
	_Atomic uint64_t next_part;
};

/* Spreads keys over tables; the highest bits are the best. */
static inline uint64_t hj_hash(uint64_t key)
{
	return key * UINT64_C(0x9e3779b97f4a7c15);
}

/* --- the relations (hashjoin_data.c) ---------------------------------------------------------- */

struct hj_data {
	uint64_t seed;
	uint64_t nr_build;
	unsigned match_percent; /* of the probe tuples */
	double zipf;            /* exponent of the keys' frequencies in the probe; 0: uniform */
};

/* Tuples `begin` to `end` of a relation; the same however they are divided. */
void hj_fill_build(const struct hj_data *data, struct hj_tuple *tuples, uint64_t begin,
		   uint64_t end);
void hj_fill_probe(const struct hj_data *data, struct hj_tuple *tuples, uint64_t begin,
		   uint64_t end);

/* --- one table for all (hashjoin_table.c) ----------------------------------------------------- */

/* Bits of the number of heads, or of slots so that at most `fill` percent are taken. */
int hj_table_bits(enum hj_algorithm algorithm, uint64_t nr_build, unsigned fill);
uint64_t hj_table_bytes(enum hj_algorithm algorithm, uint64_t nr_build, int table_bits);

/* Called by every thread; a table must be all zero, and all must have built before one probes. */
void hj_table_build(struct hj_join *join, int thread);
struct hj_result hj_table_probe(const struct hj_join *join, int thread);

/* --- partitions (hashjoin_radix.c) -------------------------------------------------------------
 */

unsigned hj_radix_bits(uint64_t nr_build);
uint64_t hj_radix_scratch_bytes(uint64_t nr_build, unsigned radix_bits, int nr_threads);

/* Called by every thread, meets the others at barriers. */
struct hj_result hj_radix_join(struct hj_join *join, int thread);

/* --- the check (hashjoin_check.c) ----------------------------------------------------------------
 */

/* A sum over the tuples that does not depend on their order. */
uint64_t hj_digest(const struct hj_tuple *tuples, uint64_t count, struct team *team);

/*
 * The join by sorting both relations in place, every thread a run of its own, and merging every run
 * with every other.
 */
void hj_sort_merge(struct hj_tuple *build, uint64_t nr_build, struct hj_tuple *probe,
		   uint64_t nr_probe, struct team *team, struct hj_result *result);

#endif
