// SPDX-License-Identifier: MIT
/* One table for all threads: chained and linear. */
#include "bench/hashjoin/hashjoin.h"

int hj_table_bits(enum hj_algorithm algorithm, uint64_t nr_build, unsigned fill)
{
	const uint64_t slots = (uint64_t)((unsigned __int128)nr_build * 100 / fill) + 1;
	const uint64_t wanted = algorithm == HJ_LINEAR ? slots / HJ_LINE_TUPLES + 1 : nr_build;
	int bits = 1;

	while (UINT64_C(1) << bits < wanted)
		bits++;
	return bits;
}

uint64_t hj_table_bytes(enum hj_algorithm algorithm, uint64_t nr_build, int table_bits)
{
	if (algorithm == HJ_LINEAR)
		return sizeof(struct hj_line) << table_bits;
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

/* Slots of a line are taken in order. Counting takes no branch that could be predicted wrongly. */
static inline unsigned taken(const struct hj_line *line)
{
	unsigned count = 0;

	for (int i = 0; i < HJ_LINE_TUPLES; i++)
		count += __atomic_load_n(&line->tuples[i].key, __ATOMIC_RELAXED) != 0;
	return count;
}

static bool claim(struct hj_tuple *slot, uint64_t key, bool shared)
{
	uint64_t empty = 0;

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

	for (;;) {
		struct hj_line *line = &join->lines[at];
		const unsigned place = taken(line);

		if (place == HJ_LINE_TUPLES) {
			at = (at + 1) & mask;
		} else if (claim(&line->tuples[place], tuple->key, shared)) {
			line->tuples[place].payload = tuple->payload;
			return;
		}
	}
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
				chained ? (void *)&join->heads[at] : (void *)&join->lines[at], 1);
		}
		if (chained)
			link_entry(join, i);
		else
			fill_slot(join, i);
	}
}

/* --- probing -----------------------------------------------------------------------------------
 */

static inline void probe_chain(const struct hj_join *join, const struct hj_tuple *tuple,
			       struct hj_result *result)
{
	uint64_t next = join->heads[place_of(join, tuple->key)];

	while (next != 0) {
		const struct hj_entry *entry = &join->entries[next - 1];

		if (entry->key == tuple->key) {
			result->matches++;
			result->checksum += entry->payload * tuple->payload;
			return;
		}
		next = entry->next;
	}
}

/*
 * Compares all of a line, so that where in it the partner is makes no branch; the next line is only
 * for keys whose own was full.
 */
static inline void probe_lines(const struct hj_join *join, const struct hj_tuple *tuple,
			       struct hj_result *result)
{
	const uint64_t mask = (UINT64_C(1) << join->table_bits) - 1;
	uint64_t at = place_of(join, tuple->key);

	for (;;) {
		const struct hj_line *line = &join->lines[at];
		uint64_t found = 0, payload = 0;

		for (int i = 0; i < HJ_LINE_TUPLES; i++) {
			const uint64_t same = line->tuples[i].key == tuple->key;

			found |= same;
			payload |= -same & line->tuples[i].payload;
		}
		result->matches += found;
		result->checksum += payload * tuple->payload;
		if (found || line->tuples[HJ_LINE_TUPLES - 1].key == 0)
			return;
		at = (at + 1) & mask;
	}
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
			__builtin_prefetch(&join->lines[place_of(join, probe[i + ahead].key)]);
		probe_lines(join, &probe[i], &result);
	}
	return result;
}
