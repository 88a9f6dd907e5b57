// SPDX-License-Identifier: MIT
/*
 * The materials of the Hoogenboom-Martin reactor model as XSBench has them: J. Tramm et al.,
 * PHYSOR 2014; numbers of nuclides and compositions as in version 20 of ANL's program. The large
 * model differs from the small one in its fuel, which holds all nuclides from number 68 on as well.
 */
#include "bench/xsbench/xsbench.h"

static const uint8_t fuel[] = {58, 59, 60, 61, 40, 42, 43, 44, 45, 46, 1,  2,  3,  7,  8,  9,  10,
			       29, 57, 47, 48, 0,  62, 15, 33, 34, 52, 53, 54, 55, 56, 18, 23, 41};
static const uint8_t cladding[] = {63, 64, 65, 66, 67};
static const uint8_t water[] = {24, 41, 4, 5};
static const uint8_t vessel[] = {19, 20, 21, 22, 35, 36, 37, 38, 39, 25, 27, 28, 29, 30,
				 31, 32, 26, 49, 50, 51, 11, 12, 13, 14, 6,  16, 17};
static const uint8_t structure[] = {24, 41, 4,  5,  19, 20, 21, 22, 35, 36, 37,
				    38, 39, 25, 49, 50, 51, 11, 12, 13, 14};
static const uint8_t assembly_end[] = {24, 41, 4, 5, 63, 64, 65, 66, 67};

#define LIST(list)                 \
	{                          \
		list, sizeof(list) \
	}
static const struct {
	const uint8_t *nuclides;
	uint64_t count;
} materials[XS_MATERIALS] = {
	LIST(fuel),      LIST(cladding),  LIST(water),        LIST(water),
	LIST(vessel),    LIST(structure), LIST(structure),    LIST(structure),
	LIST(structure), LIST(structure), LIST(assembly_end), LIST(assembly_end),
};

const double xs_material_share[XS_MATERIALS] = {
	0.140, 0.052, 0.275, 0.134, 0.154, 0.064, 0.066, 0.055, 0.008, 0.015, 0.025, 0.013,
};

uint64_t xs_material_size(int material, uint64_t nuclides)
{
	const uint64_t more = material == 0 ? nuclides - XS_NUCLIDES_MIN : 0;

	return materials[material].count + more;
}

uint64_t xs_material_nuclide(int material, uint64_t number)
{
	const uint64_t count = materials[material].count;

	return number < count ? materials[material].nuclides[number]
			      : XS_NUCLIDES_MIN + number - count;
}

uint64_t xs_parts_total(uint64_t nuclides)
{
	uint64_t total = 0;

	for (int material = 0; material < XS_MATERIALS; material++)
		total += xs_material_size(material, nuclides);
	return total;
}
