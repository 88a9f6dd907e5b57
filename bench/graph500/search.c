// SPDX-License-Identifier: MIT
/*
 * Direction-optimising breadth-first search (Beamer, Asanović, Patterson, SC 2012): top-down while
 * the front is small; when the edges that leave it are many, every vertex that was not reached
 * looks for a parent in the front instead, and stops at the first.
 *
 * Vertices without neighbours, half of a large Kronecker graph, count as visited from the start, so
 * that no step looks at them. Steps test bitmaps, which stay in a cache much longer than parents.
 */
#include "bench/graph500/search.h"

#include <stdatomic.h>
#include <string.h>

/* Of the paper: when to turn bottom-up, and back. */
#define ALPHA 14
#define BETA  24

#define QUEUE_PART  64   /* vertices of the front that are taken at once */
#define BITMAP_PART 64   /* words */
#define BUFFERED    1024 /* vertices found, before they go to the queue */

static uint64_t nr_words(const struct search *search)
{
	return search->graph->nr_vertices / 64;
}

static struct team_slice words_of(const struct search *search, int thread)
{
	return team_slice(nr_words(search), 64, thread, team_size(search->team));
}

/* What every thread knows of the search, all the same. */
struct course {
	unsigned step;
	uint64_t begin, end; /* the front in the queue */
	uint64_t degrees;    /* of the front */
	uint64_t unexplored; /* entries of rows that no step has looked at */
	uint64_t *front, *next_front;
};

/* --- before the first search --------------------------------------------------------------------
 */

static void prepare_thread(void *context, int thread)
{
	struct search *search = context;
	const struct team_slice words = words_of(search, thread);
	const uint64_t *offsets = search->graph->offsets;

	for (uint64_t word = words.begin; word < words.end; word++) {
		uint64_t lonely = 0;

		for (unsigned bit = 0; bit < 64; bit++)
			lonely |=
				(uint64_t)(offsets[word * 64 + bit] == offsets[word * 64 + bit + 1])
				<< bit;
		search->lonely[word] = lonely;
	}
}

void search_prepare(struct search *search)
{
	team_run(search->team, prepare_thread, search);
}

/* --- a step top-down ----------------------------------------------------------------------------
 */

/* What one thread found, on its way to the queue. */
struct finds {
	uint64_t count, flushed;
	uint64_t ids[BUFFERED];
};

static inline __attribute__((always_inline)) void flush(struct search *search, struct finds *finds,
							bool wide)
{
	const uint64_t at =
		atomic_fetch_add_explicit(&search->queue_end, finds->count, memory_order_relaxed);

	for (uint64_t i = 0; i < finds->count; i++)
		graph_id_set(search->queue, at + i, graph_id(finds->ids, i, wide), wide);
	finds->flushed += finds->count;
	finds->count = 0;
}

/* True for the one thread that gets there first. */
static inline __attribute__((always_inline)) bool claim(uint64_t *visited, uint64_t vertex,
							bool alone)
{
	uint64_t *word = &visited[vertex / 64];
	const uint64_t bit = UINT64_C(1) << vertex % 64;

	if (__atomic_load_n(word, __ATOMIC_RELAXED) & bit)
		return false;
	if (alone) {
		*word |= bit;
		return true;
	}
	return !(__atomic_fetch_or(word, bit, __ATOMIC_RELAXED) & bit);
}

static inline __attribute__((always_inline)) uint64_t expand(struct search *search, uint64_t vertex,
							     void *parents, struct finds *finds,
							     bool alone, bool wide)
{
	const struct graph *graph = search->graph;
	const uint64_t end = graph->offsets[vertex + 1];
	uint64_t degrees = 0;

	for (uint64_t at = graph->offsets[vertex]; at < end; at++) {
		const uint64_t neighbour = graph_id(graph->neighbours, at, wide);

		if (!claim(search->visited, neighbour, alone))
			continue;
		graph_id_set(parents, neighbour, vertex, wide);
		degrees += graph_degree(graph, neighbour);
		graph_id_set(finds->ids, finds->count, neighbour, wide);
		if (++finds->count == BUFFERED)
			flush(search, finds, wide);
	}
	return degrees;
}

/* Expands queue[begin, end). */
static inline __attribute__((always_inline)) void top_down(struct search *search,
							   struct search_step *step, void *parents,
							   uint64_t begin, uint64_t end, bool wide)
{
	const bool alone = team_size(search->team) == 1;
	struct finds finds;
	uint64_t degrees = 0;

	finds.count = finds.flushed = 0;
	for (;;) {
		const uint64_t from = begin + atomic_fetch_add_explicit(&step->next, QUEUE_PART,
									memory_order_relaxed);
		const uint64_t to = from + QUEUE_PART < end ? from + QUEUE_PART : end;

		if (from >= end)
			break;
		for (uint64_t i = from; i < to; i++)
			degrees += expand(search, graph_id(search->queue, i, wide), parents, &finds,
					  alone, wide);
	}
	flush(search, &finds, wide);
	atomic_fetch_add_explicit(&step->degrees, degrees, memory_order_relaxed);
	atomic_fetch_add_explicit(&step->found, finds.flushed, memory_order_relaxed);
}

/* --- steps bottom-up ----------------------------------------------------------------------------
 */

static inline __attribute__((always_inline)) uint64_t
find_parent(const struct graph *graph, const uint64_t *front, uint64_t vertex, bool wide)
{
	const uint64_t end = graph->offsets[vertex + 1];

	for (uint64_t at = graph->offsets[vertex]; at < end; at++) {
		const uint64_t neighbour = graph_id(graph->neighbours, at, wide);

		if (front[neighbour / 64] >> neighbour % 64 & 1)
			return neighbour;
	}
	return GRAPH_NONE;
}

/* The vertices of one word that were not reached and have a neighbour in the front. */
static inline __attribute__((always_inline)) uint64_t find_parents(const struct search *search,
								   const uint64_t *front,
								   uint64_t word, void *parents,
								   bool wide)
{
	uint64_t found = 0;

	for (uint64_t left = ~search->visited[word]; left; left &= left - 1) {
		const unsigned bit = (unsigned)__builtin_ctzll(left);
		const uint64_t vertex = word * 64 + bit;
		const uint64_t parent = find_parent(search->graph, front, vertex, wide);

		if (parent == GRAPH_NONE)
			continue;
		graph_id_set(parents, vertex, parent, wide);
		found |= UINT64_C(1) << bit;
	}
	return found;
}

static inline __attribute__((always_inline)) void bottom_up(struct search *search,
							    struct search_step *step,
							    const struct course *course,
							    void *parents, bool wide)
{
	uint64_t count = 0;

	for (;;) {
		const uint64_t from =
			atomic_fetch_add_explicit(&step->next, BITMAP_PART, memory_order_relaxed);
		const uint64_t end = nr_words(search);
		const uint64_t to = from + BITMAP_PART < end ? from + BITMAP_PART : end;

		if (from >= end)
			break;
		for (uint64_t word = from; word < to; word++) {
			const uint64_t found =
				find_parents(search, course->front, word, parents, wide);

			course->next_front[word] = found;
			search->visited[word] |= found;
			count += (uint64_t)__builtin_popcountll(found);
		}
	}
	atomic_fetch_add_explicit(&step->found, count, memory_order_relaxed);
}

/* --- from queue to bitmap and back --------------------------------------------------------------
 */

static void clear_front(const struct search *search, uint64_t *front, int thread)
{
	const struct team_slice words = words_of(search, thread);

	memset(front + words.begin, 0, (words.end - words.begin) * sizeof(uint64_t));
}

static void queue_to_front(const struct search *search, const struct course *course, int thread)
{
	const bool wide = search->graph->wide;
	const struct team_slice slice = team_slice(course->end - course->begin, QUEUE_PART, thread,
						   team_size(search->team));

	for (uint64_t i = slice.begin; i < slice.end; i++) {
		const uint64_t vertex = graph_id(search->queue, course->begin + i, wide);

		__atomic_fetch_or(&course->front[vertex / 64], UINT64_C(1) << vertex % 64,
				  __ATOMIC_RELAXED);
	}
}

static inline __attribute__((always_inline)) void
front_to_queue(struct search *search, const uint64_t *front, int thread, bool wide)
{
	const struct team_slice words = words_of(search, thread);
	struct finds finds;

	finds.count = finds.flushed = 0;
	for (uint64_t word = words.begin; word < words.end; word++) {
		for (uint64_t left = front[word]; left; left &= left - 1) {
			graph_id_set(finds.ids, finds.count,
				     word * 64 + (unsigned)__builtin_ctzll(left), wide);
			if (++finds.count == BUFFERED)
				flush(search, &finds, wide);
		}
	}
	flush(search, &finds, wide);
}

/* --- a search -----------------------------------------------------------------------------------
 */

static void start(struct search *search, uint64_t root, void *parents, int thread)
{
	const uint64_t bytes = graph_id_bytes(search->graph->wide);
	const struct team_slice words = words_of(search, thread);

	memcpy(search->visited + words.begin, search->lonely + words.begin,
	       (words.end - words.begin) * sizeof(uint64_t));
	memset((char *)parents + words.begin * 64 * bytes, 0xff,
	       (words.end - words.begin) * 64 * bytes);
	if (root / 64 >= words.begin && root / 64 < words.end) {
		search->visited[root / 64] |= UINT64_C(1) << root % 64;
		graph_id_set(parents, root, root, search->graph->wide);
	}
	if (thread != 0)
		return;
	graph_id_set(search->queue, 0, root, search->graph->wide);
	search->queue_end = 1;
	for (unsigned i = 0; i < SEARCH_STEPS; i++)
		search->steps[i].next = search->steps[i].found = search->steps[i].degrees = 0;
}

/*
 * Ends a step; its sums are complete after the barrier. The counters of the step before the last
 * one were read by everybody before the last barrier and can serve for the next step.
 */
static struct search_step *end_step(struct search *search, struct course *course, int thread)
{
	struct search_step *step = &search->steps[course->step % SEARCH_STEPS];
	struct search_step *next = &search->steps[(course->step + 1) % SEARCH_STEPS];

	if (thread == 0)
		next->next = next->found = next->degrees = 0;
	team_barrier(search->team);
	course->step++;
	return step;
}

static struct search_step *step_of(struct search *search, const struct course *course)
{
	return &search->steps[course->step % SEARCH_STEPS];
}

static inline __attribute__((always_inline)) void
go_bottom_up(struct search *search, struct course *course, void *parents, int thread, bool wide)
{
	uint64_t count = course->end - course->begin, before;

	clear_front(search, course->front, thread);
	team_barrier(search->team);
	queue_to_front(search, course, thread);
	team_barrier(search->team);
	do {
		uint64_t *last = course->front;

		bottom_up(search, step_of(search, course), course, parents, wide);
		before = count;
		count = end_step(search, course, thread)->found;
		course->front = course->next_front;
		course->next_front = last;
	} while (count > 0 && (count >= before || count > search->graph->nr_vertices / BETA));
	front_to_queue(search, course->front, thread, wide);
	team_barrier(search->team);
	course->begin = course->end;
	course->end += count;
	course->degrees = 1;
}

static inline __attribute__((always_inline)) void
go_top_down(struct search *search, struct course *course, void *parents, int thread, bool wide)
{
	const struct search_step *step;

	course->unexplored -= course->degrees;
	top_down(search, step_of(search, course), parents, course->begin, course->end, wide);
	step = end_step(search, course, thread);
	course->degrees = step->degrees;
	course->begin = course->end;
	course->end += step->found;
}

static inline __attribute__((always_inline)) void search_from(struct search *search, uint64_t root,
							      void *parents, int thread, bool wide)
{
	struct course course = {.end = 1,
				.degrees = graph_degree(search->graph, root),
				.unexplored = graph_entries(search->graph),
				.front = search->fronts[0],
				.next_front = search->fronts[1]};

	start(search, root, parents, thread);
	team_barrier(search->team);
	while (course.begin < course.end) {
		if (search->how == SEARCH_BOTH_DIRECTIONS &&
		    course.degrees > course.unexplored / ALPHA)
			go_bottom_up(search, &course, parents, thread, wide);
		else
			go_top_down(search, &course, parents, thread, wide);
	}
}

void search_run(struct search *search, uint64_t root, void *parents, int thread)
{
	if (search->graph->wide)
		search_from(search, root, parents, thread, true);
	else
		search_from(search, root, parents, thread, false);
}
