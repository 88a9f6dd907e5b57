// SPDX-License-Identifier: MIT
/*
 * Simulated annealing as PARSEC's canneal does it (Bienia et al., PACT 2008): a thread takes one
 * new random element, pairs it with the one before, computes how the length of their connections
 * would change if they changed places, and does it if that is shorter, or longer by luck. The
 * temperature falls by 1.5 after each step.
 */
#include <math.h>
#include <stdlib.h>

#include "bench/canneal/canneal.h"

#define COOLING       1.5
#define LOOKAHEAD_MAX 64
#define GROUP         32 /* pins that are looked at together */
#define NEVER         40 /* exp(-40) is below the smallest random fraction, 2^-53 */
#define BUSY          ((uintptr_t)1)

/* --- random numbers: xoshiro256** (Blackman, Vigna, ACM TOMS 47, 2021) ------------------------ */

struct random {
	uint64_t s[4];
};

static uint64_t rotate(uint64_t x, int by)
{
	return x << by | x >> (64 - by);
}

static inline uint64_t next_random(struct random *random)
{
	uint64_t *s = random->s;
	const uint64_t result = rotate(s[1] * 5, 7) * 9, t = s[1] << 17;

	s[2] ^= s[0];
	s[3] ^= s[1];
	s[1] ^= s[2];
	s[0] ^= s[3];
	s[2] ^= t;
	s[3] = rotate(s[3], 45);
	return result;
}

/* The state comes from SplitMix64, as the authors recommend. */
static struct random new_random(uint64_t seed, uint64_t stream)
{
	uint64_t x = seed * UINT64_C(0x9e3779b97f4a7c15) ^ stream * UINT64_C(0xd1342543de82ef95);
	struct random random;

	for (int i = 0; i < 4; i++) {
		uint64_t z = x += UINT64_C(0x9e3779b97f4a7c15);

		z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
		z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
		random.s[i] = z ^ z >> 31;
	}
	return random;
}

static inline uint64_t random_below(struct random *random, uint64_t limit)
{
	return (uint64_t)((unsigned __int128)next_random(random) * limit >> 64);
}

static inline double random_fraction(struct random *random)
{
	return (double)(next_random(random) >> 11) * 0x1p-53;
}

/* --- the change of cost ----------------------------------------------------------------------- */

static inline const struct canneal_location *place_of(const struct canneal_element *element)
{
	const uintptr_t location = atomic_load_explicit(&element->location, memory_order_relaxed);

	return (const struct canneal_location *)(location & ~BUSY);
}

/* Sides are below 2^29, so that even the difference of two distances fits. */
static inline int32_t distance(struct canneal_location a, struct canneal_location b)
{
	return abs(a.x - b.x) + abs(a.y - b.y);
}

/*
 * How much longer the pins of `element` become when it goes from one place to another. A connection
 * to the partner, which comes the other way, keeps its length, and so does one to itself.
 *
 * The two misses of a pin, its element and that element's location, are taken in two loops: one is
 * short enough for the processor to have all of them under way at once (1.5 times as fast).
 */
static inline int64_t change_of_one(const struct canneal_element *element,
				    const struct canneal_element *partner,
				    struct canneal_location from, struct canneal_location to)
{
	struct canneal_element *const *pins = element->pins;
	uint64_t left = element->fan_in + element->fan_out;
	int64_t change = 0;

	while (left > 0) {
		const struct canneal_location *places[GROUP];
		const uint64_t count = left < GROUP ? left : GROUP;

		for (uint64_t i = 0; i < count; i++) {
			places[i] = place_of(pins[i]);
			__builtin_prefetch(places[i]);
		}
		for (uint64_t i = 0; i < count; i++) {
			const bool stays = pins[i] == partner || pins[i] == element;
			const int32_t longer =
				distance(to, *places[i]) - distance(from, *places[i]);

			change += stays ? 0 : longer;
		}
		pins += count;
		left -= count;
	}
	return change;
}

static inline int64_t change_of_swap(const struct canneal_element *a,
				     const struct canneal_element *b)
{
	const struct canneal_location at_a = *place_of(a), at_b = *place_of(b);

	return change_of_one(a, b, at_a, at_b) + change_of_one(b, a, at_b, at_a);
}

/* --- the swap --------------------------------------------------------------------------------- */

static void swap_alone(struct canneal_element *a, struct canneal_element *b)
{
	const uintptr_t kept = atomic_load_explicit(&a->location, memory_order_relaxed);

	atomic_store_explicit(&a->location,
			      atomic_load_explicit(&b->location, memory_order_relaxed),
			      memory_order_relaxed);
	atomic_store_explicit(&b->location, kept, memory_order_relaxed);
}

/* Waits until nobody else exchanges the element's location, puts `wanted` or the busy mark there,
 * and returns what was there. */
static uintptr_t take(struct canneal_element *element, uintptr_t wanted)
{
	uintptr_t found = atomic_load_explicit(&element->location, memory_order_relaxed);

	for (;;) {
		found &= ~BUSY;
		if (atomic_compare_exchange_weak_explicit(
			    &element->location, &found, wanted ? wanted : found | BUSY,
			    memory_order_acq_rel, memory_order_relaxed))
			return found;
	}
}

/*
 * No lock is held while anything but these two words is touched. Who comes from the lower address
 * waits only for one that waits for higher ones: nobody waits in a circle. Readers never wait.
 */
static void swap_shared(struct canneal_element *a, struct canneal_element *b)
{
	struct canneal_element *first = a < b ? a : b, *second = a < b ? b : a;
	const uintptr_t from_first = take(first, 0);
	const uintptr_t from_second = take(second, from_first);

	atomic_store_explicit(&first->location, from_second, memory_order_release);
}

/* --- the annealing ---------------------------------------------------------------------------- */

/* Elements in the order in which they are drawn, some of them in advance. */
struct draw {
	struct random random;
	const struct canneal_net *net;
	uint64_t last, lookahead, next;
	struct canneal_element *waiting[LOOKAHEAD_MAX];
};

static inline struct canneal_element *draw_one(struct draw *draw)
{
	uint64_t number;

	do
		number = random_below(&draw->random, draw->net->places);
	while (number == draw->last);
	draw->last = number;
	return canneal_element(draw->net, number);
}

static inline struct canneal_element *draw_next(struct draw *draw)
{
	struct canneal_element *result, *newest, *middle;
	const uint64_t mask = draw->lookahead - 1;

	if (draw->lookahead == 0)
		return draw_one(draw);
	result = draw->waiting[draw->next & mask];
	newest = draw_one(draw);
	__builtin_prefetch(newest);
	draw->waiting[draw->next & mask] = newest;
	draw->next++;
	/* Its record has come by now; its pins are next. */
	middle = draw->waiting[(draw->next + draw->lookahead / 2) & mask];
	__builtin_prefetch(middle->pins);
	__builtin_prefetch((const char *)middle->pins + 64);
	return result;
}

static struct draw start_drawing(const struct canneal_net *net, const struct canneal_anneal *anneal,
				 int thread)
{
	struct draw draw = {.random = new_random(anneal->seed, 2 * (uint64_t)thread),
			    .net = net,
			    .last = UINT64_MAX};

	for (uint64_t i = 0; i < anneal->lookahead; i++)
		draw.waiting[i] = draw_one(&draw);
	draw.lookahead = anneal->lookahead;
	return draw;
}

static inline bool is_accepted(int64_t change, double temperature, struct random *luck)
{
	if (change < 0)
		return true;
	if ((double)change > NEVER * temperature)
		return false;
	return exp(-(double)change / temperature) > random_fraction(luck);
}

struct canneal_moves canneal_anneal(struct canneal_net *net, const struct canneal_anneal *anneal,
				    int thread)
{
	const struct team_slice slice = team_slice(anneal->swaps, 1, thread, anneal->nr_threads);
	struct random luck = new_random(anneal->seed, 2 * (uint64_t)thread + 1);
	struct draw draw = start_drawing(net, anneal, thread);
	struct canneal_element *before, *element = draw_next(&draw);
	struct canneal_moves moves = {0};
	double temperature = anneal->start_temperature;

	for (uint64_t step = 0; step < anneal->steps; step++) {
		temperature /= COOLING;
		for (uint64_t i = slice.begin; i < slice.end; i++) {
			int64_t change;

			before = element;
			element = draw_next(&draw);
			change = change_of_swap(before, element);
			if (!is_accepted(change, temperature, &luck))
				continue;
			moves.cost += change;
			moves.lowered += change < 0;
			moves.raised += change >= 0;
			if (anneal->nr_threads == 1)
				swap_alone(before, element);
			else
				swap_shared(before, element);
		}
		moves.tried += slice.end - slice.begin;
		if (anneal->nr_threads > 1)
			team_barrier(anneal->team);
	}
	return moves;
}

/* --- the cost --------------------------------------------------------------------------------- */

struct costs {
	const struct canneal_net *net;
	struct team *team;
	_Atomic uint64_t sum;
};

static void cost_thread(void *context, int thread)
{
	struct costs *costs = context;
	const struct canneal_net *net = costs->net;
	const struct team_slice slice = team_slice(net->places, 1, thread, team_size(costs->team));
	uint64_t sum = 0;

	for (uint64_t i = slice.begin; i < slice.end; i++) {
		const struct canneal_element *element = canneal_element(net, i);
		const struct canneal_location here = *place_of(element);

		for (uint64_t k = 0; k < element->fan_in; k++)
			sum += (uint64_t)distance(here, *place_of(element->pins[k]));
	}
	costs->sum += sum;
}

uint64_t canneal_cost(const struct canneal_net *net, struct team *team)
{
	struct costs costs = {.net = net, .team = team};

	team_run(team, cost_thread, &costs);
	return costs.sum;
}
