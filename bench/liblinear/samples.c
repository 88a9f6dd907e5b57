// SPDX-License-Identifier: MIT
#include <math.h>
#include <string.h>

#include "bench/liblinear/liblinear.h"

#define GOLDEN UINT64_C(0x9e3779b97f4a7c15)

static uint64_t mix(uint64_t x)
{
	x = (x ^ x >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	x = (x ^ x >> 27) * UINT64_C(0x94d049bb133111eb);
	return x ^ x >> 31;
}

static uint64_t draw(uint64_t *state)
{
	return mix(*state += GOLDEN);
}

static uint64_t draw_below(uint64_t *state, uint64_t limit)
{
	return (uint64_t)((unsigned __int128)draw(state) * limit >> 64);
}

static double draw_fraction(uint64_t *state)
{
	return (double)(draw(state) >> 11) * 0x1p-53;
}

/* --- the plan --------------------------------------------------------------------------------- */

/* Enough samples for each feature of the planted model to be learnt. */
static uint64_t informative_features(uint64_t samples, uint64_t features)
{
	uint64_t count = samples / 1000;

	if (count < 8)
		count = 8;
	if (count > 1000)
		count = 1000;
	return count < features / 2 ? count : features / 2;
}

void samples_plan_make(struct samples_plan *plan, uint64_t samples, uint64_t features,
		       uint64_t nonzeros, double noise, uint64_t seed)
{
	*plan = (struct samples_plan){.samples = samples,
				      .features = features,
				      .nonzeros = nonzeros,
				      .informative = informative_features(samples, features),
				      .noise = noise,
				      .seed = seed};
}

uint64_t samples_library_bytes(const struct samples_size *size)
{
	/* As version 2.30 allocates for solver 6, and room for what is aligned. */
	return 81 * size->samples + 76 * size->features + 16 * size->nonzeros + 16384;
}

uint64_t samples_bytes(const struct samples_size *size)
{
	const uint64_t row =
		sizeof(struct feature_node) + sizeof(struct feature_node *) + sizeof(double);

	return size->samples * row + size->nonzeros * sizeof(struct feature_node) +
	       samples_library_bytes(size);
}

/* --- a sample --------------------------------------------------------------------------------- */

static double planted_weight(const struct samples_plan *plan, uint64_t feature)
{
	const uint64_t bits = mix(plan->seed * GOLDEN ^ mix(feature + 1));
	const double size = 1 + (double)(bits >> 11) * 0x1p-53;

	return bits & 1 ? size : -size;
}

/* Popular features have low numbers: their density falls as the square root of the number. */
static uint64_t draw_feature(const struct samples_plan *plan, uint64_t *state, bool informative)
{
	const uint64_t rest = plan->features - plan->informative;
	const double u = draw_fraction(state);
	uint64_t offset;

	if (informative)
		return draw_below(state, plan->informative);
	offset = (uint64_t)(u * u * (double)rest);
	return plan->informative + (offset < rest ? offset : rest - 1);
}

/* Puts a feature where it belongs; false when it is there already. */
static bool insert(struct feature_node *nodes, uint64_t count, int index, double value)
{
	uint64_t at = count;

	while (at > 0 && nodes[at - 1].index > index)
		at--;
	if (at > 0 && nodes[at - 1].index == index)
		return false;
	memmove(&nodes[at + 1], &nodes[at], (count - at) * sizeof(nodes[0]));
	nodes[at].index = index;
	nodes[at].value = value;
	return true;
}

int samples_make(const struct samples_plan *plan, uint64_t number, struct feature_node *nodes)
{
	uint64_t state = mix(plan->seed + GOLDEN) ^ mix(~number);
	const uint64_t wanted = plan->nonzeros < 6 ? (plan->nonzeros + 1) / 2 : 3;
	const uint64_t deciding = wanted < plan->informative ? wanted : plan->informative;
	const double scale = 1 / sqrt((double)plan->nonzeros);
	double score = 0;

	for (uint64_t count = 0; count < plan->nonzeros;) {
		const bool decides = count < deciding;
		const uint64_t feature = draw_feature(plan, &state, decides);
		const double value = scale * (0.5 + draw_fraction(&state));

		if (!insert(nodes, count, (int)feature + 1, value))
			continue;
		if (decides)
			score += planted_weight(plan, feature) * value;
		count++;
	}
	memset(&nodes[plan->nonzeros], 0, sizeof(nodes[0]));
	nodes[plan->nonzeros].index = -1;
	return (score > 0) != (draw_fraction(&state) < plan->noise) ? 1 : -1;
}
