// SPDX-License-Identifier: MIT
/* One table for all threads: chained and linear. */
#include "bench/hashjoin/hashjoin.h"

int hj_table_bits(enum hj_algorithm algorithm, uint64_t nr_build, unsigned fill)
{
	const uint64_t wanted = algorithm == HJ_LINEAR
					? (uint64_t)((unsigned __int128)nr_build * 100 / fill) + 1
					: nr_build;
	int bits = 1;

	while (UINT64_C(1) << bits < wanted)
		bits++;
	return bits;
}

uint64_t hj_table_bytes(enum hj_algorithm algorithm, uint64_t nr_build, int table_bits)
{
	if (algorithm == HJ_LINEAR)
		return sizeof(struct hj_tuple) << table_bits;
	return (sizeof(uint64_t) << table_bits) + nr_build * sizeof(struct hj_entry);
}

static inline uint64_t place_of(const struct hj_join *join, uint64_t key)
{
	return hj_hash(key) >> (64 - join->table_bits);
}

/* --- building ----------------------------------------------------------------------------------
 */

static void link_entry(struct hj_join *join, uint64_t number)
{
	const struct hj_tuple *tuple = &join->build[number];
	struct hj_entry *entry = &join->entries[number];
	uint64_t *head = &join->heads[place_of(join, tuple->key)];

	entry->key = tuple->key;
	entry->payload = tuple->payload;
	/* Nobody follows a chain before all entries are linked. */
	if (join->nr_threads > 1) {
		entry->next = __atomic_exchange_n(head, number + 1, __ATOMIC_RELAXED);
	} else {
		entry->next = *head;
		*head = number + 1;
	}
}

static bool claim(struct hj_tuple *slot, uint64_t key, bool shared)
{
	uint64_t empty = 0;

	if (__atomic_load_n(&slot->key, __ATOMIC_RELAXED) != 0)
		return false;
	if (shared)
		return __atomic_compare_exchange_n(&slot->key, &empty, key, false, __ATOMIC_RELAXED,
						   __ATOMIC_RELAXED);
	slot->key = key;
	return true;
}

static void fill_slot(struct hj_join *join, uint64_t number)
{
	const struct hj_tuple *tuple = &join->build[number];
	const uint64_t mask = (UINT64_C(1) << join->table_bits) - 1;
	const bool shared = join->nr_threads > 1;
	uint64_t at = place_of(join, tuple->key);

	while (!claim(&join->slots[at], tuple->key, shared))
		at = (at + 1) & mask;
	join->slots[at].payload = tuple->payload;
}

void hj_table_build(struct hj_join *join, int thread)
{
	const struct team_slice mine =
		team_slice(join->nr_build, HJ_LINE_TUPLES, thread, join->nr_threads);
	const bool chained = join->algorithm == HJ_CHAINED;
	const unsigned ahead = join->lookahead;

	for (uint64_t i = mine.begin; i < mine.end; i++) {
		if (ahead > 0 && i + ahead < mine.end) {
			const uint64_t at = place_of(join, join->build[i + ahead].key);

			__builtin_prefetch(
				chained ? (void *)&join->heads[at] : (void *)&join->slots[at], 1);
		}
		if (chained)
			link_entry(join, i);
		else
			fill_slot(join, i);
	}
}

/* --- probing -----------------------------------------------------------------------------------
 */

static inline void match(struct hj_result *result, uint64_t payload, uint64_t other)
{
	result->matches++;
	result->checksum += payload * other;
}

static inline void probe_chain(const struct hj_join *join, const struct hj_tuple *tuple,
			       struct hj_result *result)
{
	uint64_t next = join->heads[place_of(join, tuple->key)];

	while (next != 0) {
		const struct hj_entry *entry = &join->entries[next - 1];

		if (entry->key == tuple->key) {
			match(result, entry->payload, tuple->payload);
			return;
		}
		next = entry->next;
	}
}

static inline void probe_slots(const struct hj_join *join, const struct hj_tuple *tuple,
			       struct hj_result *result)
{
	const uint64_t mask = (UINT64_C(1) << join->table_bits) - 1;
	uint64_t at = place_of(join, tuple->key);

	while (join->slots[at].key != tuple->key) {
		if (join->slots[at].key == 0)
			return;
		at = (at + 1) & mask;
	}
	match(result, join->slots[at].payload, tuple->payload);
}

/* Heads twice as far ahead as the first entries, whose place they tell. */
static struct hj_result probe_chains(const struct hj_join *join, struct team_slice mine)
{
	const struct hj_tuple *probe = join->probe;
	const unsigned ahead = join->lookahead;
	struct hj_result result = {0};

	for (uint64_t i = mine.begin; i < mine.end; i++) {
		if (ahead > 0 && i + 2 * ahead < mine.end)
			__builtin_prefetch(&join->heads[place_of(join, probe[i + 2 * ahead].key)]);
		if (ahead > 0 && i + ahead < mine.end) {
			const uint64_t next = join->heads[place_of(join, probe[i + ahead].key)];

			if (next != 0)
				__builtin_prefetch(&join->entries[next - 1]);
		}
		probe_chain(join, &probe[i], &result);
	}
	return result;
}

struct hj_result hj_table_probe(const struct hj_join *join, int thread)
{
	const struct team_slice mine =
		team_slice(join->nr_probe, HJ_LINE_TUPLES, thread, join->nr_threads);
	const struct hj_tuple *probe = join->probe;
	const unsigned ahead = join->lookahead;
	struct hj_result result = {0};

	if (join->algorithm == HJ_CHAINED)
		return probe_chains(join, mine);
	for (uint64_t i = mine.begin; i < mine.end; i++) {
		if (ahead > 0 && i + ahead < mine.end)
			__builtin_prefetch(&join->slots[place_of(join, probe[i + ahead].key)]);
		probe_slots(join, &probe[i], &result);
	}
	return result;
}
