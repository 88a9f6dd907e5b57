// SPDX-License-Identifier: MIT
/*
 * Construction of the graph. Writing every edge straight to the rows of its ends would miss caches
 * and TLBs twice an edge. Instead the rows are cut into buckets of neighbouring vertices:
 *
 *   count     entries per bucket and thread; this gives each thread its place in each bucket
 *   scatter   both directions of each edge to their buckets, through a cache line of buffer a
 *             bucket; the other end goes to where the neighbours belong, the low bits of the row to
 *             the scratch memory
 *   arrange   each bucket by rows, in a cache, and each row sorted without repetitions
 *   pack      the buckets against each other
 *
 * Buckets keep the order of the edges only per thread; sorting the rows makes the result the same
 * for any number of threads.
 */
#include <stdlib.h>
#include <string.h>

#include "bench/graph/graph.h"

#define BUCKETS_MAX_BITS 10 /* while a bucket has at most 2^16 vertices */
#define ROW_MAX_BITS     16
#define BUFFERED         16

struct bucket {
	uint64_t begin, end;   /* entries in the neighbours, before packing */
	uint64_t kept, packed; /* entries without repetitions, and where they go */
};

/* A line of entries on their way to a bucket. */
struct buffer {
	uint64_t ids[BUFFERED];
	uint16_t rows[BUFFERED];
	unsigned count;
};

struct build {
	struct graph *graph;
	const struct graph_edges *edges;
	struct team *team;
	uint16_t *rows; /* the scratch memory: low bits of an entry's row */
	unsigned row_bits;
	uint64_t nr_buckets, largest;
	struct bucket *buckets;
	uint64_t *places; /* [thread][bucket]: counts, then where the thread's entries go */
	_Atomic uint64_t next;
	_Atomic int failed;
	uint64_t wave_begin, wave_end; /* buckets that are being packed */
};

static uint64_t *places_of(const struct build *build, int thread)
{
	return build->places + (uint64_t)thread * build->nr_buckets;
}

static struct team_slice edges_of(const struct build *build, int thread)
{
	return team_slice(build->edges->nr_edges, GRAPH_BLOCK_EDGES, thread,
			  team_size(build->team));
}

/* --- count --------------------------------------------------------------------------------------
 */

static inline __attribute__((always_inline)) void
count_block(const void *pairs, uint64_t count, uint64_t *places, unsigned row_bits, bool wide)
{
	for (uint64_t i = 0; i < count; i++) {
		const uint64_t from = graph_id(pairs, 2 * i, wide);
		const uint64_t to = graph_id(pairs, 2 * i + 1, wide);
		const uint64_t counted = from != to;

		places[from >> row_bits] += counted;
		places[to >> row_bits] += counted;
	}
}

static void count_thread(void *context, int thread)
{
	const struct build *build = context;
	const struct team_slice slice = edges_of(build, thread);
	struct graph_block block;

	for (uint64_t at = slice.begin; at < slice.end; at += GRAPH_BLOCK_EDGES) {
		const uint64_t end =
			at + GRAPH_BLOCK_EDGES < slice.end ? at + GRAPH_BLOCK_EDGES : slice.end;
		const void *pairs = graph_edges_read(build->edges, at, end, &block);

		if (build->edges->wide)
			count_block(pairs, end - at, places_of(build, thread), build->row_bits,
				    true);
		else
			count_block(pairs, end - at, places_of(build, thread), build->row_bits,
				    false);
	}
}

static void assign_places(struct build *build)
{
	const int nr_threads = team_size(build->team);
	uint64_t sum = 0;

	for (uint64_t i = 0; i < build->nr_buckets; i++) {
		struct bucket *bucket = &build->buckets[i];

		bucket->begin = sum;
		for (int thread = 0; thread < nr_threads; thread++) {
			uint64_t *place = &places_of(build, thread)[i];
			const uint64_t count = *place;

			*place = sum;
			sum += count;
		}
		bucket->end = sum;
		if (bucket->end - bucket->begin > build->largest)
			build->largest = bucket->end - bucket->begin;
	}
}

/* --- scatter ------------------------------------------------------------------------------------
 */

static inline __attribute__((always_inline)) void
flush(const struct build *build, struct buffer *buffer, uint64_t *place, unsigned count, bool wide)
{
	char *neighbours = build->graph->neighbours;

	if (wide)
		memcpy(neighbours + *place * 8, buffer->ids, count * 8);
	else
		memcpy(neighbours + *place * 4, buffer->ids, count * 4);
	memcpy(build->rows + *place, buffer->rows, count * sizeof(buffer->rows[0]));
	*place += count;
	buffer->count = 0;
}

static inline __attribute__((always_inline)) void put(const struct build *build,
						      struct buffer *buffers, uint64_t *places,
						      uint64_t row, uint64_t id, bool wide)
{
	const uint64_t bucket = row >> build->row_bits;
	struct buffer *buffer = &buffers[bucket];

	graph_id_set(buffer->ids, buffer->count, id, wide);
	buffer->rows[buffer->count] = (uint16_t)(row & ((UINT64_C(1) << build->row_bits) - 1));
	if (++buffer->count == BUFFERED)
		flush(build, buffer, &places[bucket], BUFFERED, wide);
}

static inline __attribute__((always_inline)) void
scatter_edges(const struct build *build, struct buffer *buffers, int thread, bool wide)
{
	const struct team_slice slice = edges_of(build, thread);
	uint64_t *places = places_of(build, thread);
	struct graph_block block;

	for (uint64_t at = slice.begin; at < slice.end; at += GRAPH_BLOCK_EDGES) {
		const uint64_t end =
			at + GRAPH_BLOCK_EDGES < slice.end ? at + GRAPH_BLOCK_EDGES : slice.end;
		const void *pairs = graph_edges_read(build->edges, at, end, &block);

		for (uint64_t i = 0; i < end - at; i++) {
			const uint64_t from = graph_id(pairs, 2 * i, wide);
			const uint64_t to = graph_id(pairs, 2 * i + 1, wide);

			if (from == to)
				continue;
			put(build, buffers, places, from, to, wide);
			put(build, buffers, places, to, from, wide);
		}
	}
	for (uint64_t i = 0; i < build->nr_buckets; i++)
		flush(build, &buffers[i], &places[i], buffers[i].count, wide);
}

static void scatter_thread(void *context, int thread)
{
	struct build *build = context;
	struct buffer *buffers = calloc(build->nr_buckets, sizeof(*buffers));

	if (!buffers) {
		build->failed = 1;
		return;
	}
	if (build->edges->wide)
		scatter_edges(build, buffers, thread, true);
	else
		scatter_edges(build, buffers, thread, false);
	free(buffers);
}

/* --- arrange ------------------------------------------------------------------------------------
 */

/* Memory of one thread, for the largest bucket. */
struct desk {
	uint64_t *starts; /* of the rows of a bucket, and one more */
	void *sorted, *spare;
};

/* Ascending ids without repetitions to `to`; returns how many. */
static inline __attribute__((always_inline)) uint64_t keep_once(const void *ids, uint64_t count,
								void *to, bool wide)
{
	uint64_t kept = 0;

	for (uint64_t i = 0; i < count; i++) {
		const uint64_t id = graph_id(ids, i, wide);

		if (i > 0 && id == graph_id(ids, i - 1, wide))
			continue;
		graph_id_set(to, kept++, id, wide);
	}
	return kept;
}

/* Leaves the rows in `sorted`, row r from starts[r] - its length to starts[r]. */
static inline __attribute__((always_inline)) void sort_by_row(const struct build *build,
							      const struct bucket *bucket,
							      const struct desk *desk, bool wide)
{
	const uint64_t nr_rows = UINT64_C(1) << build->row_bits;
	const void *neighbours = build->graph->neighbours;
	uint64_t *starts = desk->starts;

	memset(starts, 0, (nr_rows + 1) * sizeof(starts[0]));
	for (uint64_t i = bucket->begin; i < bucket->end; i++)
		starts[build->rows[i] + 1]++;
	for (uint64_t row = 1; row <= nr_rows; row++)
		starts[row] += starts[row - 1];
	for (uint64_t i = bucket->begin; i < bucket->end; i++)
		graph_id_set(desk->sorted, starts[build->rows[i]]++, graph_id(neighbours, i, wide),
			     wide);
}

static inline __attribute__((always_inline)) void
arrange(const struct build *build, uint64_t number, const struct desk *desk, bool wide)
{
	struct bucket *bucket = &build->buckets[number];
	const uint64_t nr_rows = UINT64_C(1) << build->row_bits, bytes = graph_id_bytes(wide);
	uint64_t *offsets = build->graph->offsets + (number << build->row_bits);
	uint64_t begin = 0;

	sort_by_row(build, bucket, desk, wide);
	bucket->kept = 0;
	for (uint64_t row = 0; row < nr_rows; row++) {
		const uint64_t count = desk->starts[row] - begin;
		char *ids = (char *)desk->sorted + begin * bytes;
		char *to =
			(char *)build->graph->neighbours + (bucket->begin + bucket->kept) * bytes;

		graph_sort(ids, desk->spare, count, build->edges->scale, wide);
		offsets[row] = bucket->kept;
		bucket->kept += keep_once(ids, count, to, wide);
		begin = desk->starts[row];
	}
}

static void arrange_thread(void *context, int thread)
{
	struct build *build = context;
	const bool wide = build->edges->wide;
	struct desk desk = {
		.starts = malloc(((UINT64_C(1) << build->row_bits) + 1) * sizeof(uint64_t)),
		.sorted = malloc(build->largest * graph_id_bytes(wide) + 1),
		.spare = malloc(build->largest * graph_id_bytes(wide) + 1),
	};

	(void)thread;
	if (!desk.starts || !desk.sorted || !desk.spare)
		build->failed = 1;
	while (!build->failed) {
		const uint64_t number = build->next++;

		if (number >= build->nr_buckets)
			break;
		if (wide)
			arrange(build, number, &desk, true);
		else
			arrange(build, number, &desk, false);
	}
	free(desk.starts);
	free(desk.sorted);
	free(desk.spare);
}

/* --- pack ---------------------------------------------------------------------------------------
 */

static void pack_bucket(const struct build *build, uint64_t number)
{
	const struct bucket *bucket = &build->buckets[number];
	const uint64_t bytes = graph_id_bytes(build->edges->wide);
	char *neighbours = build->graph->neighbours;
	uint64_t *offsets = build->graph->offsets + (number << build->row_bits);

	memmove(neighbours + bucket->packed * bytes, neighbours + bucket->begin * bytes,
		bucket->kept * bytes);
	for (uint64_t row = 0; row < UINT64_C(1) << build->row_bits; row++)
		offsets[row] += bucket->packed;
}

static void pack_thread(void *context, int thread)
{
	struct build *build = context;

	(void)thread;
	for (;;) {
		const uint64_t number = build->next++;

		if (number >= build->wave_end)
			return;
		pack_bucket(build, number);
	}
}

/*
 * A bucket may be packed when the entries that lie where it goes have been. What was packed so far
 * leaves a gap, and all buckets that go into the gap form a wave; a first one that does not fit
 * into it overlaps nothing but itself.
 */
static void pack(struct build *build)
{
	uint64_t sum = 0, done = 0;

	for (uint64_t i = 0; i < build->nr_buckets; i++) {
		build->buckets[i].packed = sum;
		sum += build->buckets[i].kept;
	}
	build->graph->offsets[build->graph->nr_vertices] = sum;
	while (done < build->nr_buckets) {
		const uint64_t gap_end = build->buckets[done].begin;
		uint64_t end = done + 1;

		while (end < build->nr_buckets &&
		       build->buckets[end].packed + build->buckets[end].kept <= gap_end)
			end++;
		if (build->buckets[done].packed + build->buckets[done].kept > gap_end)
			end = done + 1;
		build->next = done;
		build->wave_end = end;
		if (end == done + 1)
			pack_bucket(build, done);
		else
			team_run(build->team, pack_thread, build);
		done = end;
	}
}

/* --- all of it ----------------------------------------------------------------------------------
 */

static int run_steps(struct build *build, struct err *err)
{
	team_run(build->team, count_thread, build);
	assign_places(build);
	team_run(build->team, scatter_thread, build);
	if (!build->failed)
		team_run(build->team, arrange_thread, build);
	if (build->failed)
		return err_set(err, ERR_INTERNAL, "out of memory for the tables of a construction");
	pack(build);
	return 0;
}

int graph_build(struct graph *graph, const struct graph_edges *edges, void *scratch,
		struct team *team, struct err *err)
{
	struct build build = {.graph = graph, .edges = edges, .team = team, .rows = scratch};
	int failed;

	build.row_bits = edges->scale > BUCKETS_MAX_BITS ? edges->scale - BUCKETS_MAX_BITS : 0;
	if (build.row_bits < GRAPH_SCALE_MIN)
		build.row_bits = GRAPH_SCALE_MIN;
	if (build.row_bits > ROW_MAX_BITS)
		build.row_bits = ROW_MAX_BITS;
	build.nr_buckets = edges->nr_vertices >> build.row_bits;
	build.buckets = calloc(build.nr_buckets, sizeof(*build.buckets));
	build.places = calloc(build.nr_buckets * (uint64_t)team_size(team), sizeof(uint64_t));
	graph->nr_vertices = edges->nr_vertices;
	graph->wide = edges->wide;
	if (build.buckets && build.places)
		failed = run_steps(&build, err);
	else
		failed = err_set(err, ERR_INTERNAL, "out of memory for %llu buckets",
				 (unsigned long long)build.nr_buckets);
	free(build.buckets);
	free(build.places);
	return failed;
}
