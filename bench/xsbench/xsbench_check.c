// SPDX-License-Identifier: MIT
/*
 * The check. Shares the composition of the materials with the rest, and no code: the generator is
 * written out differently, points are found by other searches, arithmetic is scalar.
 *
 * The data set is checked whole. Drawing it again gives the same set of points (compared by a sum
 * of hashes that knows no order), and the stored order is ascending; the same for the unionized
 * energies; and a row of the index follows from counting points up to its energy.
 */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench/xsbench/xsbench.h"

/* --- the generator, from its definition ------------------------------------------------------ */

static uint64_t next_number(uint64_t *state)
{
	*state = (*state * XS_MULTIPLIER + 1) % (UINT64_C(1) << 63);
	return *state;
}

static double next_real(uint64_t *state)
{
	return (double)next_number(state) / 9223372036854775808.0;
}

/*
 * `steps` steps from `state`, by halving: n steps are n/2 steps twice, and one more if n is odd.
 * *multiplier and *increment describe the steps taken.
 */
static void steps_as_one(uint64_t steps, uint64_t *multiplier, uint64_t *increment)
{
	uint64_t half_multiplier, half_increment;

	if (steps == 0) {
		*multiplier = 1;
		*increment = 0;
		return;
	}
	steps_as_one(steps / 2, &half_multiplier, &half_increment);
	*multiplier = half_multiplier * half_multiplier;
	*increment = half_multiplier * half_increment + half_increment;
	if (steps % 2 == 1) {
		*multiplier *= XS_MULTIPLIER;
		*increment = *increment * XS_MULTIPLIER + 1;
	}
}

static uint64_t state_after(uint64_t start, uint64_t seed, uint64_t steps)
{
	uint64_t multiplier, increment;

	steps_as_one((seed - 1) * XS_STEPS_PER_SEED + steps, &multiplier, &increment);
	return (start * multiplier + increment) % (UINT64_C(1) << 63);
}

/* --- complaints ------------------------------------------------------------------------------ */

static void complain(struct xs_verdict *verdict, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

static void complain(struct xs_verdict *verdict, const char *format, ...)
{
	va_list arguments;

	if (verdict->errors++ > 0)
		return;
	va_start(arguments, format);
	vsnprintf(verdict->first, sizeof(verdict->first), format, arguments);
	va_end(arguments);
}

static void merge(struct xs_verdict *into, const struct xs_verdict *from)
{
	if (into->errors == 0 && from->errors > 0)
		memcpy(into->first, from->first, sizeof(into->first));
	into->checked += from->checked;
	into->errors += from->errors;
}

/* --- the data set ---------------------------------------------------------------------------- */

/* A multiplicative hash of 64 bits (constant: 2^64 divided by the golden ratio). */
static uint64_t hash(uint64_t value)
{
	value *= UINT64_C(0x9e3779b97f4a7c15);
	value ^= value >> 32;
	value *= UINT64_C(0x9e3779b97f4a7c15);
	return value ^ value >> 29;
}

static uint64_t hash_real(double value)
{
	uint64_t bits;

	memcpy(&bits, &value, sizeof(bits));
	return hash(bits);
}

static uint64_t hash_point(double energy, const double *xs)
{
	uint64_t sum = hash_real(energy);

	for (int channel = 0; channel < XS_CHANNELS; channel++)
		sum = hash(sum) + hash_real(xs[channel]);
	return hash(sum);
}

struct data_check {
	const struct xs_data *data;
	struct team *team;
	struct xs_verdict *verdicts; /* by thread */
	uint64_t *drawn, *unionized; /* sums of the energies' hashes, by thread */
	atomic_bool out_of_memory;
};

static void check_nuclide(const struct xs_data *data, uint64_t nuclide, struct xs_verdict *verdict,
			  uint64_t *energies)
{
	const struct xs_point *points = data->points + nuclide * data->gridpoints;
	uint64_t state = state_after(XS_DATA_START, data->seed,
				     nuclide * data->gridpoints * XS_STEPS_PER_POINT);
	uint64_t drawn = 0, stored = 0;

	for (uint64_t i = 0; i < data->gridpoints; i++) {
		const double energy = next_real(&state);
		double xs[XS_CHANNELS];

		for (int channel = 0; channel < XS_CHANNELS; channel++)
			xs[channel] = next_real(&state);
		drawn += hash_point(energy, xs);
		*energies += hash_real(energy);
		stored += hash_point(points[i].energy, points[i].xs);
		if (i > 0 && !(points[i].energy >= points[i - 1].energy))
			complain(verdict,
				 "point %" PRIu64 " of nuclide %" PRIu64 " is out of order", i,
				 nuclide);
	}
	if (drawn != stored)
		complain(verdict, "nuclide %" PRIu64 " has points that were not drawn", nuclide);
	verdict->checked += data->gridpoints;
}

/* Points of a nuclide at or below an energy, less one; kept within 0 and the last pair. */
static uint64_t low_point(const struct xs_data *data, uint64_t nuclide, double energy)
{
	const struct xs_point *points = data->points + nuclide * data->gridpoints;
	uint64_t low = 0, above = data->gridpoints - 1;

	/* The energy lies below point number `above`, or that is the last one. */
	while (above > low + 1) {
		const uint64_t middle = (low + above) / 2;

		if (points[middle].energy <= energy)
			low = middle;
		else
			above = middle;
	}
	return low;
}

/* Follows the rows upwards with one finger in each nuclide's grid. */
struct fingers {
	uint32_t *low;
	double *next; /* energy at which the finger moves */
};

static double finger_limit(const struct xs_data *data, uint64_t nuclide, uint64_t low)
{
	if (low >= data->gridpoints - 2)
		return 2; /* above every energy */
	return data->points[nuclide * data->gridpoints + low + 1].energy;
}

static void fingers_follow(const struct xs_data *data, struct fingers *fingers, double energy)
{
	int behind = 0;

	for (uint64_t nuclide = 0; nuclide < data->nuclides; nuclide++)
		behind |= fingers->next[nuclide] <= energy;
	for (uint64_t nuclide = 0; behind && nuclide < data->nuclides; nuclide++) {
		while (fingers->next[nuclide] <= energy) {
			fingers->low[nuclide]++;
			fingers->next[nuclide] = finger_limit(data, nuclide, fingers->low[nuclide]);
		}
	}
}

static double row_energy(const struct xs_data *data, uint64_t row)
{
	if (data->grid == XS_UNIONIZED)
		return data->energies[row];
	return (double)row * (1.0 / (double)data->hash_bins);
}

static void check_rows(const struct xs_data *data, struct team_slice slice, struct fingers *fingers,
		       struct xs_verdict *verdict, uint64_t *energies)
{
	const uint64_t row_bytes = data->nuclides * sizeof(data->index[0]);

	for (uint64_t nuclide = 0; nuclide < data->nuclides; nuclide++) {
		fingers->low[nuclide] =
			(uint32_t)low_point(data, nuclide, row_energy(data, slice.begin));
		fingers->next[nuclide] = finger_limit(data, nuclide, fingers->low[nuclide]);
	}
	for (uint64_t row = slice.begin; row < slice.end; row++) {
		const double energy = row_energy(data, row);

		*energies += hash_real(energy);
		if (row > 0 && !(energy >= row_energy(data, row - 1)))
			complain(verdict, "energy %" PRIu64 " of the grid is out of order", row);
		fingers_follow(data, fingers, energy);
		if (memcmp(data->index + row * data->nuclides, fingers->low, row_bytes) != 0)
			complain(verdict, "row %" PRIu64 " of the index is wrong", row);
		verdict->checked++;
	}
}

static void check_nuclides_thread(void *context, int thread)
{
	struct data_check *check = context;
	const struct team_slice slice =
		team_slice(check->data->nuclides, 1, thread, team_size(check->team));

	for (uint64_t nuclide = slice.begin; nuclide < slice.end; nuclide++)
		check_nuclide(check->data, nuclide, &check->verdicts[thread],
			      &check->drawn[thread]);
}

static uint64_t rows_of(const struct xs_data *data)
{
	if (data->grid == XS_NUCLIDE)
		return 0;
	return data->grid == XS_HASH ? data->hash_bins : data->nuclides * data->gridpoints;
}

static void check_rows_thread(void *context, int thread)
{
	struct data_check *check = context;
	const struct xs_data *data = check->data;
	const struct team_slice slice =
		team_slice(rows_of(data), 1, thread, team_size(check->team));
	struct fingers fingers = {
		.low = calloc(data->nuclides, sizeof(fingers.low[0])),
		.next = calloc(data->nuclides, sizeof(fingers.next[0])),
	};

	if (!fingers.low || !fingers.next)
		check->out_of_memory = true;
	else if (slice.begin < slice.end)
		check_rows(data, slice, &fingers, &check->verdicts[thread],
			   &check->unionized[thread]);
	free(fingers.low);
	free(fingers.next);
}

static void check_materials(const struct xs_data *data, struct xs_verdict *verdict)
{
	uint64_t state = XS_MIXTURE_START;

	for (int m = 0; m < XS_MATERIALS; m++) {
		const struct xs_material *material = &data->materials[m];

		if (material->nr_parts != xs_material_size(m, data->nuclides))
			complain(verdict, "material %d has %" PRIu64 " nuclides", m,
				 material->nr_parts);
		for (uint64_t i = 0; i < material->nr_parts; i++) {
			const double concentration = next_real(&state);

			if (material->parts[i].nuclide != xs_material_nuclide(m, i) ||
			    material->parts[i].concentration != concentration)
				complain(verdict, "nuclide %" PRIu64 " of material %d is wrong", i,
					 m);
			verdict->checked++;
		}
	}
}

static void join_checks(const struct data_check *check, struct xs_verdict *verdict)
{
	uint64_t drawn = 0, unionized = 0;

	for (int thread = 0; thread < team_size(check->team); thread++) {
		merge(verdict, &check->verdicts[thread]);
		drawn += check->drawn[thread];
		unionized += check->unionized[thread];
	}
	if (check->data->grid == XS_UNIONIZED && drawn != unionized)
		complain(verdict, "the unionized grid has energies that no nuclide has");
	check_materials(check->data, verdict);
}

int xs_check_data(const struct xs_data *data, struct team *team, struct xs_verdict *verdict,
		  struct err *err)
{
	const size_t nr_threads = (size_t)team_size(team);
	struct data_check check = {
		.data = data,
		.team = team,
		.verdicts = calloc(nr_threads, sizeof(check.verdicts[0])),
		.drawn = calloc(nr_threads, sizeof(check.drawn[0])),
		.unionized = calloc(nr_threads, sizeof(check.unionized[0])),
	};

	*verdict = (struct xs_verdict){0};
	check.out_of_memory = !check.verdicts || !check.drawn || !check.unionized;
	if (!check.out_of_memory) {
		team_run(team, check_nuclides_thread, &check);
		team_run(team, check_rows_thread, &check);
		join_checks(&check, verdict);
	}
	free(check.verdicts);
	free(check.drawn);
	free(check.unionized);
	if (check.out_of_memory)
		return err_set(err, ERR_INTERNAL, "out of memory for the check of the data");
	return 0;
}

/* --- lookups --------------------------------------------------------------------------------- */

typedef uint64_t find_fn(const struct xs_data *data, uint64_t nuclide, double energy);

static int pick_material(double number)
{
	for (int m = 1; m < XS_MATERIALS; m++) {
		double sum = 0;

		for (int i = m; i > 0; i--)
			sum += xs_material_share[i];
		if (number < sum)
			return m;
	}
	return 0;
}

static void cross_sections(const struct xs_data *data, int material, double energy, find_fn *find,
			   double sums[XS_CHANNELS])
{
	const struct xs_material *mixture = &data->materials[material];

	for (int channel = 0; channel < XS_CHANNELS; channel++)
		sums[channel] = 0;
	for (uint64_t i = 0; i < mixture->nr_parts; i++) {
		const uint64_t nuclide = mixture->parts[i].nuclide;
		const struct xs_point *low =
			data->points + nuclide * data->gridpoints + find(data, nuclide, energy);
		const struct xs_point *high = low + 1;
		const double part = (high->energy - energy) / (high->energy - low->energy);

		for (int channel = 0; channel < XS_CHANNELS; channel++) {
			const double micro =
				high->xs[channel] - part * (high->xs[channel] - low->xs[channel]);

			sums[channel] += micro * mixture->parts[i].concentration;
		}
	}
}

static uint64_t number_of_largest(const double sums[XS_CHANNELS])
{
	int largest = 0;

	for (int channel = 1; channel < XS_CHANNELS; channel++)
		if (sums[channel] > sums[largest])
			largest = channel;
	return sums[largest] > -1 ? (uint64_t)largest + 1 : 1;
}

static uint64_t check_event(const struct xs_data *data, uint64_t event, find_fn *find)
{
	uint64_t state = state_after(XS_PARTICLE_START, data->seed, 2 * event);
	const double energy = next_real(&state);
	double sums[XS_CHANNELS];

	cross_sections(data, pick_material(next_real(&state)), energy, find, sums);
	return number_of_largest(sums);
}

static uint64_t check_particle(const struct xs_data *data, const struct xs_work *work,
			       uint64_t particle, find_fn *find)
{
	uint64_t state = state_after(XS_PARTICLE_START, data->seed,
				     particle * work->lookups * XS_STEPS_PER_LOOKUP);
	uint64_t sum = 0;

	for (uint64_t i = 0; i < work->lookups; i++) {
		const double energy = next_real(&state);
		double sums[XS_CHANNELS];

		cross_sections(data, pick_material(next_real(&state)), energy, find, sums);
		sum += number_of_largest(sums);
		for (int channel = 0; channel < XS_CHANNELS; channel++)
			if (sums[channel] > 1.0)
				next_number(&state);
	}
	return sum;
}

static uint64_t check_range(const struct xs_data *data, const struct xs_work *work, uint64_t begin,
			    uint64_t end, find_fn *find)
{
	uint64_t sum = 0;

	for (uint64_t unit = begin; unit < end; unit++)
		sum += work->mode == XS_EVENT ? check_event(data, unit, find)
					      : check_particle(data, work, unit, find);
	return sum;
}

uint64_t xs_check_units(const struct xs_data *data, const struct xs_work *work, uint64_t begin,
			uint64_t end)
{
	return check_range(data, work, begin, end, low_point);
}

/* --- from nothing but the numbers ------------------------------------------------------------ */

static int compare_points(const void *a, const void *b)
{
	const double one = ((const struct xs_point *)a)->energy;
	const double other = ((const struct xs_point *)b)->energy;

	return (one > other) - (one < other);
}

static uint64_t find_linearly(const struct xs_data *data, uint64_t nuclide, double energy)
{
	const struct xs_point *points = data->points + nuclide * data->gridpoints;
	uint64_t low = 0;

	while (low < data->gridpoints - 2 && points[low + 1].energy <= energy)
		low++;
	return low;
}

static void draw_points(struct xs_data *data)
{
	uint64_t state = state_after(XS_DATA_START, data->seed, 0);
	struct xs_point *point = data->points;

	for (uint64_t i = 0; i < data->nuclides * data->gridpoints; i++, point++) {
		point->energy = next_real(&state);
		for (int channel = 0; channel < XS_CHANNELS; channel++)
			point->xs[channel] = next_real(&state);
	}
	for (uint64_t nuclide = 0; nuclide < data->nuclides; nuclide++)
		qsort(data->points + nuclide * data->gridpoints, data->gridpoints,
		      sizeof(data->points[0]), compare_points);
}

static void draw_materials(struct xs_data *data)
{
	uint64_t state = XS_MIXTURE_START, used = 0;

	for (int m = 0; m < XS_MATERIALS; m++) {
		data->materials[m].parts = data->parts + used;
		data->materials[m].nr_parts = xs_material_size(m, data->nuclides);
		for (uint64_t i = 0; i < data->materials[m].nr_parts; i++, used++) {
			data->parts[used].nuclide = xs_material_nuclide(m, i);
			data->parts[used].concentration = next_real(&state);
		}
	}
}

int xs_reference(const struct xs_data *like, const struct xs_work *work, uint64_t *sum,
		 struct err *err)
{
	struct xs_data data = {
		.nuclides = like->nuclides,
		.gridpoints = like->gridpoints,
		.seed = like->seed,
		.points = calloc(like->nuclides * like->gridpoints, sizeof(data.points[0])),
		.parts = calloc(xs_parts_total(like->nuclides), sizeof(data.parts[0])),
	};
	const uint64_t units =
		work->mode == XS_EVENT ? work->particles * work->lookups : work->particles;
	const bool fine = data.points && data.parts;

	if (fine) {
		draw_points(&data);
		draw_materials(&data);
		*sum = check_range(&data, work, 0, units, find_linearly);
	}
	free(data.points);
	free(data.parts);
	return fine ? 0 : err_set(err, ERR_INTERNAL, "out of memory for the reference");
}

/* Version 20 of ANL's program refuses other values for its small and large runs. */
uint64_t xs_published_value(const struct xs_data *data, const struct xs_work *work)
{
	static const struct {
		uint64_t nuclides;
		enum xs_mode mode;
		uint64_t value;
	} known[] = {
		{68, XS_HISTORY, 941535},
		{68, XS_EVENT, 945990},
		{355, XS_HISTORY, 954318},
		{355, XS_EVENT, 952131},
	};

	if (data->seed != 1 || data->gridpoints != 11303 || work->particles != 500000 ||
	    work->lookups != 34)
		return 0;
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (known[i].nuclides == data->nuclides && known[i].mode == work->mode)
			return known[i].value;
	return 0;
}
