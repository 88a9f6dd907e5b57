// SPDX-License-Identifier: MIT
/*
 * Building the data set, every thread its share. Energies are uniform, so that sorting is
 * distributing over buckets; the unionized grid is made block by block of energy, each block
 * gathered from all nuclides' sorted grids, and its rows of the index follow from one another.
 */
#include <stdlib.h>
#include <string.h>

#include "bench/setup_progress.h"
#include "bench/xsbench/xsbench_random.h"

/* Points in a block of the unionized grid: a few hundred KiB with the points it is read from. */
#define BLOCK_POINTS 4096

/* Keys are energies times 2^63. */
#define KEY_END ((UINT64_C(1) << 63) + 1)

struct entry {
	uint64_t key, nuclide;
};

/* A thread's own memory, which grows as it must. */
struct scratch {
	struct entry *from, *sorted;
	uint64_t *buckets;
	uint64_t capacity;
};

struct build {
	struct xs_data *data;
	int nr_threads;
	_Atomic uint64_t done;
	atomic_bool failed;
};

uint64_t xs_index_rows(const struct xs_data *data)
{
	switch (data->grid) {
	case XS_UNIONIZED:
		return data->nuclides * data->gridpoints;
	case XS_HASH:
		return data->hash_bins;
	case XS_NUCLIDE:
		break;
	}
	return 0;
}

/* --- sorting --------------------------------------------------------------------------------- */

/* What is in `from` stays; false without memory. */
static bool scratch_grow(struct scratch *scratch, uint64_t capacity)
{
	struct entry *from = realloc(scratch->from, capacity * sizeof(*from));
	struct entry *sorted;
	uint64_t *buckets;

	if (from)
		scratch->from = from;
	sorted = realloc(scratch->sorted, capacity * sizeof(*sorted));
	if (sorted)
		scratch->sorted = sorted;
	buckets = realloc(scratch->buckets, (2 * capacity + 2) * sizeof(*buckets));
	if (buckets)
		scratch->buckets = buckets;
	if (!from || !sorted || !buckets)
		return false;
	scratch->capacity = capacity;
	return true;
}

static void scratch_free(struct scratch *scratch)
{
	free(scratch->from);
	free(scratch->sorted);
	free(scratch->buckets);
}

/* Entries move by a place or two: buckets hold one each on average. */
static void sort_by_insertion(struct entry *entries, uint64_t count)
{
	for (uint64_t i = 1; i < count; i++) {
		const struct entry entry = entries[i];
		uint64_t at = i;

		for (; at > 0 && entries[at - 1].key > entry.key; at--)
			entries[at] = entries[at - 1];
		entries[at] = entry;
	}
}

/* `from` into `sorted`, keys in [low, high). */
static void sort_entries(struct scratch *scratch, uint64_t count, uint64_t low, uint64_t high)
{
	const struct entry *from = scratch->from;
	uint64_t *buckets = scratch->buckets;
	uint64_t nr_buckets, sum = 0;
	int shift = 0;

	while ((high - low) >> shift >= 2 * count + 1)
		shift++;
	nr_buckets = ((high - low) >> shift) + 1;
	memset(buckets, 0, nr_buckets * sizeof(buckets[0]));
	for (uint64_t i = 0; i < count; i++)
		buckets[(from[i].key - low) >> shift]++;
	for (uint64_t b = 0; b < nr_buckets; b++) {
		const uint64_t here = buckets[b];

		buckets[b] = sum;
		sum += here;
	}
	for (uint64_t i = 0; i < count; i++)
		scratch->sorted[buckets[(from[i].key - low) >> shift]++] = from[i];
	sort_by_insertion(scratch->sorted, count);
}

/* --- the nuclides' grids --------------------------------------------------------------------- */

/*
 * A point is six steps of the generator, the first its energy: states sort as energies do, and the
 * point is drawn when its place is known.
 */
static void fill_nuclide(const struct xs_data *data, uint64_t nuclide, struct scratch *scratch)
{
	const uint64_t count = data->gridpoints;
	const struct xs_jump to_next = xs_jump_by(XS_STEPS_PER_POINT);
	struct xs_point *point = data->points + nuclide * count;
	uint64_t state = xs_start(XS_DATA_START, data->seed);

	state = xs_apply(xs_jump_by(nuclide * count * XS_STEPS_PER_POINT + 1), state);
	for (uint64_t i = 0; i < count; i++) {
		scratch->from[i] = (struct entry){.key = state};
		state = xs_apply(to_next, state);
	}
	sort_entries(scratch, count, 0, KEY_END);
	for (uint64_t i = 0; i < count; i++, point++) {
		state = scratch->sorted[i].key;
		point->energy = xs_real(state);
		for (int channel = 0; channel < XS_CHANNELS; channel++) {
			state = xs_step(state);
			point->xs[channel] = xs_real(state);
		}
	}
}

static void fill_nuclides(void *context, int thread)
{
	struct build *build = context;
	const struct xs_data *data = build->data;
	const struct team_slice slice = team_slice(data->nuclides, 1, thread, build->nr_threads);
	struct scratch scratch = {0};

	if (!scratch_grow(&scratch, data->gridpoints)) {
		build->failed = true;
	} else {
		for (uint64_t nuclide = slice.begin; nuclide < slice.end; nuclide++) {
			fill_nuclide(data, nuclide, &scratch);
			build->done++;
		}
	}
	scratch_free(&scratch);
}

static uint64_t key_of(double energy)
{
	return (uint64_t)(energy * 0x1p63);
}

/* How many points of a nuclide have a smaller key. */
static uint64_t points_below(const struct xs_data *data, uint64_t nuclide, uint64_t key)
{
	const struct xs_point *points = data->points + nuclide * data->gridpoints;
	uint64_t low = 0, count = data->gridpoints;

	while (count > 0) {
		const uint64_t half = count / 2;

		if (key_of(points[low + half].energy) < key) {
			low += half + 1;
			count -= half + 1;
		} else {
			count = half;
		}
	}
	return low;
}

/* The first point of the pair for an energy when `count` points are at or below it. */
static uint32_t pair_of(const struct xs_data *data, uint64_t count)
{
	if (count == 0)
		return 0;
	return (uint32_t)(count < data->gridpoints ? count - 1 : data->gridpoints - 2);
}

/* --- the unionized grid ---------------------------------------------------------------------- */

struct merger {
	const struct xs_data *data;
	struct scratch scratch;
	uint64_t *consumed; /* points by nuclide */
	uint32_t *row;      /* the index at the energy of the last point */
	uint64_t at;        /* all points so far */
};

static bool merger_open(struct merger *merger, const struct xs_data *data, uint64_t begin_key)
{
	*merger = (struct merger){.data = data};
	merger->consumed = calloc(data->nuclides, sizeof(merger->consumed[0]));
	merger->row = calloc(data->nuclides, sizeof(merger->row[0]));
	if (!merger->consumed || !merger->row ||
	    !scratch_grow(&merger->scratch, UINT64_C(2) * BLOCK_POINTS))
		return false;
	for (uint64_t nuclide = 0; nuclide < data->nuclides; nuclide++) {
		merger->consumed[nuclide] = points_below(data, nuclide, begin_key);
		merger->row[nuclide] = pair_of(data, merger->consumed[nuclide]);
		merger->at += merger->consumed[nuclide];
	}
	return true;
}

static void merger_close(struct merger *merger)
{
	scratch_free(&merger->scratch);
	free(merger->consumed);
	free(merger->row);
}

/* Collects the points of all nuclides up to `end_key`; false without memory. */
static bool merger_gather(struct merger *merger, uint64_t end_key, uint64_t *count)
{
	const struct xs_data *data = merger->data;
	struct scratch *scratch = &merger->scratch;

	*count = 0;
	for (uint64_t nuclide = 0; nuclide < data->nuclides; nuclide++) {
		const struct xs_point *points = data->points + nuclide * data->gridpoints;

		for (uint64_t i = merger->consumed[nuclide]; i < data->gridpoints; i++) {
			const uint64_t key = key_of(points[i].energy);

			if (key >= end_key)
				break;
			if (*count == scratch->capacity &&
			    !scratch_grow(scratch, 2 * scratch->capacity))
				return false;
			scratch->from[(*count)++] = (struct entry){key, nuclide};
		}
	}
	return true;
}

/* Points of equal energy share the row that counts them all. */
static void merger_write(struct merger *merger, uint64_t count)
{
	const struct xs_data *data = merger->data;
	const struct entry *sorted = merger->scratch.sorted;

	for (uint64_t i = 0, end = 0; i < count; i = end) {
		for (; end < count && sorted[end].key == sorted[i].key; end++) {
			const uint64_t nuclide = sorted[end].nuclide;

			merger->row[nuclide] = pair_of(data, ++merger->consumed[nuclide]);
		}
		for (uint64_t k = i; k < end; k++, merger->at++) {
			data->energies[merger->at] = xs_real(sorted[k].key);
			memcpy(data->index + merger->at * data->nuclides, merger->row,
			       data->nuclides * sizeof(merger->row[0]));
		}
	}
}

static uint64_t block_begin(uint64_t block, uint64_t nr_blocks)
{
	return block == nr_blocks ? KEY_END
				  : (uint64_t)(((unsigned __int128)block << 63) / nr_blocks);
}

static uint64_t block_count(const struct xs_data *data)
{
	return data->nuclides * data->gridpoints / BLOCK_POINTS + 1;
}

static void unionize(void *context, int thread)
{
	struct build *build = context;
	const uint64_t nr_blocks = block_count(build->data);
	const struct team_slice slice = team_slice(nr_blocks, 1, thread, build->nr_threads);
	struct merger merger;
	bool fine = merger_open(&merger, build->data, block_begin(slice.begin, nr_blocks));

	for (uint64_t block = slice.begin; fine && block < slice.end; block++) {
		const uint64_t end_key = block_begin(block + 1, nr_blocks);
		uint64_t count;

		fine = merger_gather(&merger, end_key, &count);
		if (fine && count > 0) {
			sort_entries(&merger.scratch, count, block_begin(block, nr_blocks),
				     end_key);
			merger_write(&merger, count);
		}
		build->done++;
	}
	if (!fine)
		build->failed = true;
	merger_close(&merger);
}

/* --- the hash grid --------------------------------------------------------------------------- */

static void fill_bins(void *context, int thread)
{
	struct build *build = context;
	const struct xs_data *data = build->data;
	const double width = 1.0 / (double)data->hash_bins;
	const struct team_slice slice = team_slice(data->hash_bins, 1, thread, build->nr_threads);

	for (uint64_t bin = slice.begin; bin < slice.end; bin++) {
		const uint64_t after = key_of((double)bin * width) + 1;
		uint32_t *row = data->index + bin * data->nuclides;

		for (uint64_t nuclide = 0; nuclide < data->nuclides; nuclide++)
			row[nuclide] = pair_of(data, points_below(data, nuclide, after));
		build->done++;
	}
}

/* --- all together ---------------------------------------------------------------------------- */

static void fill_materials(struct xs_data *data)
{
	uint64_t state = XS_MIXTURE_START;
	struct xs_part *part = data->parts;

	for (int m = 0; m < XS_MATERIALS; m++) {
		struct xs_material *material = &data->materials[m];

		material->parts = part;
		material->nr_parts = xs_material_size(m, data->nuclides);
		for (uint64_t i = 0; i < material->nr_parts; i++, part++) {
			state = xs_step(state);
			part->nuclide = xs_material_nuclide(m, i);
			part->concentration = xs_real(state);
		}
	}
}

static void fill_materials_thread(void *context, int thread)
{
	struct build *build = context;

	if (thread == 0)
		fill_materials(build->data);
}

int xs_build(struct xs_data *data, struct workload_run *run, struct err *err)
{
	struct build build = {.data = data, .nr_threads = run->nr_threads};
	const double share = data->grid == XS_UNIONIZED ? 0.1 : 0.8;

	team_run(run->team, fill_materials_thread, &build);
	setup_run(run, fill_nuclides, &build, &build.done, data->nuclides, 0, share);
	build.done = 0;
	if (data->grid == XS_UNIONIZED && !build.failed)
		setup_run(run, unionize, &build, &build.done, block_count(data), share, 1);
	if (data->grid == XS_HASH && !build.failed)
		setup_run(run, fill_bins, &build, &build.done, data->hash_bins, share, 1);
	if (build.failed)
		return err_set(err, ERR_INTERNAL, "out of memory for sorting the grids");
	return 0;
}
