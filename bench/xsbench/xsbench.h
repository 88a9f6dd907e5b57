/* SPDX-License-Identifier: MIT */
/*
 * XSBench: the lookup of macroscopic cross sections that dominates Monte Carlo neutron transport
 * (J. Tramm et al., "XSBench - the development and verification of a performance abstraction for
 * Monte Carlo reactor analysis", PHYSOR 2014; Argonne National Laboratory). The data set, the
 * random sequence and the verification value are those of ANL's program, so that values can be
 * compared; building, looking up and checking are files that share nothing but this header and the
 * composition of the materials.
 *
 * The data set: every nuclide has `gridpoints` points of random energy and five cross sections, in
 * ascending order of energy. A lookup takes an energy and a material, finds the two points around
 * the energy in the grid of each nuclide of the material, interpolates five cross sections and adds
 * them up, weighted by the nuclide's concentration. Of points low = 0 .. gridpoints - 2 the pair
 * (low, low + 1) is that of the last point whose energy is at most the one looked up, or the first
 * pair when there is none. How it is found is the type of the grid:
 *
 *   nuclide    binary search in every nuclide's grid
 *   unionized  binary search in the sorted energies of all points together; a row of the index
 *              for each of them holds `low` of every nuclide
 *   hash       `low` of every nuclide at the lower end of equal bins of energy, then a search
 *              between that and the next bin's
 */
#ifndef BENCH_XSBENCH_XSBENCH_H
#define BENCH_XSBENCH_XSBENCH_H

#include <stdbool.h>
#include <stdint.h>

#include "bench/workload.h"

#define XS_CHANNELS       5 /* total, elastic, absorption, fission, nu-fission */
#define XS_MATERIALS      12
#define XS_NUCLIDES_MIN   68               /* the Hoogenboom-Martin model, small */
#define XS_NUCLIDES_H_M   355              /* and large */
#define XS_GRIDPOINTS_MAX UINT32_MAX       /* an entry of the index has 32 bits, as published */
#define XS_MODULUS        UINT64_C(999983) /* of the verification value */
#define XS_LOOKAHEAD_MAX  64
#define XS_BATCH_MAX      64

/* The generator: x <- (a x + 1) mod 2^63, and the states that its sequences begin with. */
#define XS_MULTIPLIER       UINT64_C(2806196910506780709)
#define XS_STATE_MASK       (UINT64_MAX >> 1)
#define XS_DATA_START       UINT64_C(42)
#define XS_PARTICLE_START   UINT64_C(1070)
#define XS_MIXTURE_START    (XS_PARTICLE_START * XS_PARTICLE_START)
#define XS_STEPS_PER_POINT  6
#define XS_STEPS_PER_LOOKUP 10 /* set apart in history mode; event mode takes 2 */
/* Other seeds than 1 jump ahead by this many steps each. */
#define XS_STEPS_PER_SEED (UINT64_C(1) << 44)

enum xs_grid { XS_UNIONIZED, XS_NUCLIDE, XS_HASH };
enum xs_mode { XS_HISTORY, XS_EVENT };

struct xs_point {
	double energy; /* 0 to 1 */
	double xs[XS_CHANNELS];
};

/* One nuclide of a material. */
struct xs_part {
	uint64_t nuclide;
	double concentration;
};

struct xs_material {
	const struct xs_part *parts;
	uint64_t nr_parts;
};

struct xs_data {
	enum xs_grid grid;
	uint64_t nuclides, gridpoints, hash_bins;
	uint64_t seed; /* from 1 on */

	struct xs_point *points; /* nuclide by nuclide */
	double *energies;        /* UNIONIZED: of all points, ascending */
	uint32_t *index;         /* UNIONIZED, HASH: rows of `nuclides` entries */
	struct xs_part *parts;   /* of all materials */
	struct xs_material materials[XS_MATERIALS];
};

/* What is looked up. A unit is a particle in history mode and a lookup in event mode. */
struct xs_work {
	enum xs_mode mode;
	uint64_t particles, lookups; /* lookups per particle */
	unsigned batch;              /* particles, or events, under way in a thread at once */
	unsigned lookahead;          /* nuclides whose points are prefetched; 0: none */
};

/* --- composition of the materials (xsbench_materials.c) -------------------------------------- */

uint64_t xs_material_size(int material, uint64_t nuclides);
uint64_t xs_material_nuclide(int material, uint64_t number);
uint64_t xs_parts_total(uint64_t nuclides);

/* Share of lookups, by volume in the core; the first material takes what is left. */
extern const double xs_material_share[XS_MATERIALS];

/* --- building (xsbench_build.c) --------------------------------------------------------------- */

uint64_t xs_index_rows(const struct xs_data *data);

/* Fills the mapped arrays on the team; every thread writes its share first. ERR_INTERNAL. */
int xs_build(struct xs_data *data, struct workload_run *run, struct err *err);

/* --- lookups (xsbench_lookup.c) --------------------------------------------------------------- */

uint64_t xs_work_units(const struct xs_work *work);

/*
 * Of each lookup the number, 1 to 5, of the first channel with the largest cross section above -1,
 * or 1; their sum.
 */
uint64_t xs_lookup_units(const struct xs_data *data, const struct xs_work *work, uint64_t begin,
			 uint64_t end);

/* --- the check (xsbench_check.c) -------------------------------------------------------------- */

struct xs_verdict {
	uint64_t checked, errors;
	char first[160]; /* the first error in words */
};

/* Is the data set what its description says, point by point and row by row? */
int xs_check_data(const struct xs_data *data, struct team *team, struct xs_verdict *verdict,
		  struct err *err);

/*
 * The sum of xs_lookup_units() by plain code of its own: binary search in the nuclide grids, and
 * scalar arithmetic.
 */
uint64_t xs_check_units(const struct xs_data *data, const struct xs_work *work, uint64_t begin,
			uint64_t end);

/*
 * The same from nothing but the numbers: draws the data set one number after the other, sorts it
 * with qsort and searches it linearly. Uses `nuclides`, `gridpoints` and `seed` of `data`.
 */
int xs_reference(const struct xs_data *data, const struct xs_work *work, uint64_t *sum,
		 struct err *err);

/* The sum modulo XS_MODULUS that ANL's program accepts for its default runs; 0: none is known. */
uint64_t xs_published_value(const struct xs_data *data, const struct xs_work *work);

#endif
