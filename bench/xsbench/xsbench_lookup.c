// SPDX-License-Identifier: MIT
/* The timed part: sampling, searching, gathering and interpolating. */
#include "bench/xsbench/xsbench_random.h"

/* Of a row of the index, in bytes: more would evict what comes first. */
#define ROW_PREFETCH 2048

typedef double pair_t __attribute__((vector_size(16)));

/* A point as vectors: energy and five cross sections. */
struct vector_point {
	pair_t pairs[3];
};

_Static_assert(sizeof(struct vector_point) == sizeof(struct xs_point), "same layout");

struct sums {
	pair_t pairs[3]; /* the first half of the first is no sum */
};

/* A particle, or in event mode a lookup. */
struct lane {
	uint64_t state;
	double energy;
	int material;
};

/* --- searching ------------------------------------------------------------------------------- */

/* The last of the energies that is at most `energy`, but not the very last; 0 when none is. */
static uint64_t search_union(const struct xs_data *data, double energy)
{
	const double *energies = data->energies;
	uint64_t low = 0, length = data->nuclides * data->gridpoints - 1;

	while (length > 1) {
		const uint64_t half = length / 2;

		if (energies[low + half] > energy) {
			length = half;
		} else {
			low += half;
			length -= half;
		}
	}
	return low;
}

/*
 * The same for several energies, a step of each in turn: what the next step needs is on its way
 * meanwhile. Without branches all searches halve the same length.
 */
static void search_union_many(const struct xs_data *data, const struct lane *lanes, unsigned count,
			      uint64_t *lows)
{
	const double *energies = data->energies;
	uint64_t length = data->nuclides * data->gridpoints - 1;

	for (unsigned i = 0; i < count; i++)
		lows[i] = 0;
	while (length > 1) {
		const uint64_t half = length / 2;

		length -= half;
		for (unsigned i = 0; i < count; i++) {
			const bool above = energies[lows[i] + half] > lanes[i].energy;

			lows[i] += above ? 0 : half;
			__builtin_prefetch(&energies[lows[i] + length / 2]);
		}
	}
}

/* The same among points `low` to `high` of a nuclide. */
static inline uint64_t search_points(const struct xs_point *points, uint64_t low, uint64_t high,
				     double energy)
{
	uint64_t length = high - low;

	while (length > 1) {
		const uint64_t half = length / 2;

		if (points[low + half].energy > energy) {
			length = half;
		} else {
			low += half;
			length -= half;
		}
	}
	return low;
}

/* Between two rows of the hash grid; rounding may have put the energy into the next bin. */
static inline uint64_t search_bin(const struct xs_data *data, const struct xs_point *points,
				  const uint32_t *row, uint64_t nuclide, bool last, double energy)
{
	const uint64_t end = data->gridpoints - 1;
	const uint64_t high = last ? end : row[data->nuclides + nuclide] + UINT64_C(1);
	uint64_t low = search_points(points, row[nuclide], high, energy);

	while (low > 0 && points[low].energy > energy)
		low--;
	while (low + 1 < end && points[low + 1].energy <= energy)
		low++;
	return low;
}

/* --- one lookup ------------------------------------------------------------------------------ */

static inline void add_point(struct sums *sums, const struct xs_point *at, double energy,
			     double concentration)
{
	const struct vector_point *low = (const struct vector_point *)at, *high = low + 1;
	const double above = high->pairs[0][0], below = low->pairs[0][0];
	const double factor = (above - energy) / (above - below);
	const pair_t factors = {factor, factor}, weights = {concentration, concentration};

	for (int i = 0; i < 3; i++)
		sums->pairs[i] +=
			(high->pairs[i] - factors * (high->pairs[i] - low->pairs[i])) * weights;
}

static inline void prefetch_points(const struct xs_point *at)
{
	const char *bytes = (const char *)at;

	__builtin_prefetch(bytes);
	__builtin_prefetch(bytes + 64);
	__builtin_prefetch(bytes + 2 * sizeof(*at) - 1);
}

/* `row` is that of the index for the energy. */
static inline struct sums gather(const struct xs_data *data, const struct xs_material *material,
				 const uint32_t *row, double energy, unsigned lookahead)
{
	const struct xs_part *part = material->parts, *const end = part + material->nr_parts;
	const struct xs_part *ahead = part;
	const uint64_t gridpoints = data->gridpoints;
	struct sums sums = {0};

	if (lookahead > 0) {
		for (; ahead < end && ahead < part + lookahead; ahead++)
			prefetch_points(data->points + ahead->nuclide * gridpoints +
					row[ahead->nuclide]);
		for (; ahead < end; ahead++, part++) {
			prefetch_points(data->points + ahead->nuclide * gridpoints +
					row[ahead->nuclide]);
			add_point(&sums,
				  data->points + part->nuclide * gridpoints + row[part->nuclide],
				  energy, part->concentration);
		}
	}
	for (; part < end; part++)
		add_point(&sums, data->points + part->nuclide * gridpoints + row[part->nuclide],
			  energy, part->concentration);
	return sums;
}

/* Only the fuel has nuclides beyond the first few lines of a row. */
static inline void prefetch_row(const struct xs_data *data, const uint32_t *row, int material)
{
	const uint64_t used = material == 0 ? data->nuclides : XS_NUCLIDES_MIN;
	const char *bytes = (const char *)row;
	const uint64_t end =
		used * sizeof(*row) < ROW_PREFETCH ? used * sizeof(*row) : ROW_PREFETCH;

	for (uint64_t at = 0; at < end; at += 64)
		__builtin_prefetch(bytes + at);
}

static void lookup_unionized(const struct xs_data *data, const struct xs_work *work,
			     const struct lane *lanes, unsigned count, struct sums *sums)
{
	uint64_t rows[XS_BATCH_MAX];

	if (count == 1) {
		rows[0] = search_union(data, lanes[0].energy);
	} else {
		search_union_many(data, lanes, count, rows);
		for (unsigned i = 0; i < count; i++)
			prefetch_row(data, data->index + rows[i] * data->nuclides,
				     lanes[i].material);
	}
	for (unsigned i = 0; i < count; i++)
		sums[i] = gather(data, &data->materials[lanes[i].material],
				 data->index + rows[i] * data->nuclides, lanes[i].energy,
				 work->lookahead);
}

static struct sums lookup_nuclide(const struct xs_data *data, const struct xs_material *material,
				  double energy)
{
	struct sums sums = {0};

	for (uint64_t i = 0; i < material->nr_parts; i++) {
		const struct xs_part *part = &material->parts[i];
		const struct xs_point *points = data->points + part->nuclide * data->gridpoints;

		add_point(&sums, points + search_points(points, 0, data->gridpoints - 1, energy),
			  energy, part->concentration);
	}
	return sums;
}

static struct sums lookup_hash(const struct xs_data *data, const struct xs_material *material,
			       double energy)
{
	uint64_t bin = (uint64_t)(energy / (1.0 / (double)data->hash_bins));
	const uint32_t *row;
	bool last;
	struct sums sums = {0};

	if (bin >= data->hash_bins)
		bin = data->hash_bins - 1;
	last = bin == data->hash_bins - 1;
	row = data->index + bin * data->nuclides;
	for (uint64_t i = 0; i < material->nr_parts; i++) {
		const struct xs_part *part = &material->parts[i];
		const struct xs_point *points = data->points + part->nuclide * data->gridpoints;

		add_point(&sums,
			  points + search_bin(data, points, row, part->nuclide, last, energy),
			  energy, part->concentration);
	}
	return sums;
}

static void look_up(const struct xs_data *data, const struct xs_work *work,
		    const struct lane *lanes, unsigned count, struct sums *sums)
{
	if (data->grid == XS_UNIONIZED) {
		lookup_unionized(data, work, lanes, count, sums);
		return;
	}
	for (unsigned i = 0; i < count; i++) {
		const struct xs_material *material = &data->materials[lanes[i].material];

		sums[i] = data->grid == XS_NUCLIDE ? lookup_nuclide(data, material, lanes[i].energy)
						   : lookup_hash(data, material, lanes[i].energy);
	}
}

/* --- what to look up ------------------------------------------------------------------------- */

struct sampler {
	double below[XS_MATERIALS]; /* a number below it is this material or one before */
	struct xs_jump by_channels[XS_CHANNELS + 1];
};

static void sampler_init(struct sampler *sampler)
{
	for (int m = 0; m < XS_MATERIALS; m++) {
		sampler->below[m] = 0;
		/* From the last one down, as the published sums are rounded. */
		for (int i = m; i > 0; i--)
			sampler->below[m] += xs_material_share[i];
	}
	for (uint64_t steps = 0; steps <= XS_CHANNELS; steps++)
		sampler->by_channels[steps] = xs_jump_by(steps);
}

static inline void sample(const struct sampler *sampler, struct lane *lane)
{
	double number;
	int material = 1;

	lane->state = xs_step(lane->state);
	lane->energy = xs_real(lane->state);
	lane->state = xs_step(lane->state);
	number = xs_real(lane->state);
	for (int m = 1; m < XS_MATERIALS; m++)
		material += number >= sampler->below[m];
	lane->material = material < XS_MATERIALS ? material : 0;
}

static inline double channel_of(const struct sums *sums, int channel)
{
	return sums->pairs[(channel + 1) / 2][(channel + 1) % 2];
}

static inline uint64_t largest_channel(const struct sums *sums)
{
	double largest = -1;
	uint64_t number = 1;

	for (int channel = 0; channel < XS_CHANNELS; channel++) {
		const double here = channel_of(sums, channel);

		number = here > largest ? (uint64_t)channel + 1 : number;
		largest = here > largest ? here : largest;
	}
	return number;
}

static inline int channels_above_one(const struct sums *sums)
{
	int count = 0;

	for (int channel = 0; channel < XS_CHANNELS; channel++)
		count += channel_of(sums, channel) > 1.0;
	return count;
}

uint64_t xs_work_units(const struct xs_work *work)
{
	return work->mode == XS_HISTORY ? work->particles : work->particles * work->lookups;
}

static uint64_t look_up_events(const struct xs_data *data, const struct xs_work *work,
			       uint64_t begin, uint64_t end)
{
	uint64_t state = xs_start(XS_PARTICLE_START, data->seed), sum = 0;
	struct lane lanes[XS_BATCH_MAX];
	struct sums sums[XS_BATCH_MAX];
	struct sampler sampler;

	sampler_init(&sampler);
	state = xs_apply(xs_jump_by(2 * begin), state);
	for (uint64_t at = begin; at < end; at += work->batch) {
		const unsigned count = end - at < work->batch ? (unsigned)(end - at) : work->batch;

		for (unsigned i = 0; i < count; i++) {
			lanes[i].state = state;
			sample(&sampler, &lanes[i]);
			state = lanes[i].state;
		}
		look_up(data, work, lanes, count, sums);
		for (unsigned i = 0; i < count; i++)
			sum += largest_channel(&sums[i]);
	}
	return sum;
}

/* What a lookup finds decides what the particle looks up next. */
static uint64_t follow_lanes(const struct xs_data *data, const struct xs_work *work,
			     const struct sampler *sampler, struct lane *lanes, unsigned count)
{
	struct sums sums[XS_BATCH_MAX];
	uint64_t sum = 0;

	for (unsigned i = 0; i < count; i++)
		sample(sampler, &lanes[i]);
	for (uint64_t n = 0; n < work->lookups; n++) {
		look_up(data, work, lanes, count, sums);
		for (unsigned i = 0; i < count; i++) {
			const int steps = channels_above_one(&sums[i]);

			sum += largest_channel(&sums[i]);
			lanes[i].state = xs_apply(sampler->by_channels[steps], lanes[i].state);
			sample(sampler, &lanes[i]);
		}
	}
	return sum;
}

static uint64_t follow_particles(const struct xs_data *data, const struct xs_work *work,
				 uint64_t begin, uint64_t end)
{
	const uint64_t steps = work->lookups * XS_STEPS_PER_LOOKUP;
	const struct xs_jump to_next = xs_jump_by(steps);
	uint64_t state = xs_start(XS_PARTICLE_START, data->seed), sum = 0;
	struct lane lanes[XS_BATCH_MAX];
	struct sampler sampler;

	sampler_init(&sampler);
	state = xs_apply(xs_jump_by(begin * steps), state);
	for (uint64_t at = begin; at < end; at += work->batch) {
		const unsigned count = end - at < work->batch ? (unsigned)(end - at) : work->batch;

		for (unsigned i = 0; i < count; i++) {
			lanes[i].state = state;
			state = xs_apply(to_next, state);
		}
		sum += follow_lanes(data, work, &sampler, lanes, count);
	}
	return sum;
}

uint64_t xs_lookup_units(const struct xs_data *data, const struct xs_work *work, uint64_t begin,
			 uint64_t end)
{
	if (work->mode == XS_EVENT)
		return look_up_events(data, work, begin, end);
	return follow_particles(data, work, begin, end);
}
