// SPDX-License-Identifier: MIT
#include "datasets/netlist.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#define LETTERS 26

int netlist_plan_make(struct netlist_plan *plan, uint64_t elements, uint64_t fan_in, double aspect,
		      uint64_t seed, struct err *err)
{
	const uint64_t places = elements + elements / 10 + 1 - (elements >= 10);

	if (elements < 2 || elements > NETLIST_ELEMENTS_MAX)
		return err_set(err, ERR_USAGE,
			       "a netlist of %" PRIu64 " elements: choose 2 to 2^40", elements);
	if (fan_in < 1 || fan_in > NETLIST_FAN_IN_MAX)
		return err_set(err, ERR_USAGE, "a fan-in of %" PRIu64 ": choose 1 to %d", fan_in,
			       NETLIST_FAN_IN_MAX);
	if (!(aspect >= 1e-6 && aspect <= 1e6))
		return err_set(err, ERR_USAGE, "an aspect of %g: choose 0.000001 to 1000000",
			       aspect);
	*plan = (struct netlist_plan){.elements = elements, .fan_in = fan_in, .seed = seed};
	plan->width = (uint64_t)llround(sqrt((double)places * aspect));
	if (plan->width < 1)
		plan->width = 1;
	plan->height = (places + plan->width - 1) / plan->width;
	if (plan->width >= NETLIST_SIDE_LIMIT || plan->height >= NETLIST_SIDE_LIMIT)
		return err_set(err, ERR_USAGE,
			       "a grid of %" PRIu64 " by %" PRIu64
			       " places: choose an aspect nearer to 1",
			       plan->width, plan->height);
	return 0;
}

/* A bijection that scatters (the finaliser of SplitMix64; Steele, Lea, Flood, OOPSLA 2014). */
static uint64_t mix(uint64_t x)
{
	x = (x ^ x >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	x = (x ^ x >> 27) * UINT64_C(0x94d049bb133111eb);
	return x ^ x >> 31;
}

uint64_t netlist_fan_in(const struct netlist_plan *plan, uint64_t element, uint64_t k)
{
	const uint64_t draw = mix(mix(plan->seed + UINT64_C(0x9e3779b97f4a7c15)) +
				  (element * plan->fan_in + k) * UINT64_C(0x9e3779b97f4a7c15));
	const uint64_t other = (uint64_t)((unsigned __int128)draw * (plan->elements - 1) >> 64);

	return other + (other >= element);
}

/* --- as text --------------------------------------------------------------------------------- */

unsigned netlist_name_letters(uint64_t elements)
{
	unsigned letters = 1;

	for (uint64_t rest = (elements - 1) / LETTERS; rest > 0; rest /= LETTERS)
		letters++;
	return letters;
}

void netlist_name(uint64_t element, unsigned letters, char *name)
{
	for (unsigned i = letters; i-- > 0; element /= LETTERS)
		name[i] = (char)('a' + element % LETTERS);
}

bool netlist_name_parse(const char *name, size_t length, unsigned letters, uint64_t *element)
{
	uint64_t value = 0;

	if (length != letters)
		return false;
	for (size_t i = 0; i < length; i++) {
		if (name[i] < 'a' || name[i] > 'z')
			return false;
		value = value * LETTERS + (uint64_t)(name[i] - 'a');
	}
	*element = value;
	return true;
}

/* Name and fan-ins with a tab each, the type with its tab, END with the end of the line. */
uint64_t netlist_line_bytes(const struct netlist_plan *plan)
{
	return (plan->fan_in + 1) * (netlist_name_letters(plan->elements) + 1) + 2 + 4;
}

static int print_header(const struct netlist_plan *plan, char *text, size_t size)
{
	return snprintf(text, size, "%" PRIu64 "\t%" PRIu64 "\t%" PRIu64 "\n", plan->elements,
			plan->width, plan->height);
}

uint64_t netlist_header_bytes(const struct netlist_plan *plan)
{
	return (uint64_t)print_header(plan, NULL, 0);
}

uint64_t netlist_file_bytes(const struct netlist_plan *plan)
{
	return netlist_header_bytes(plan) + plan->elements * netlist_line_bytes(plan);
}

char *netlist_write_header(const struct netlist_plan *plan, char *at)
{
	char text[80];
	const int length = print_header(plan, text, sizeof(text));

	memcpy(at, text, (size_t)length);
	return at + length;
}

char *netlist_write_line(const struct netlist_plan *plan, uint64_t element, char *at)
{
	const unsigned letters = netlist_name_letters(plan->elements);

	netlist_name(element, letters, at);
	at += letters;
	*at++ = '\t';
	/* Types are 1 or 2 in the published inputs; nothing uses them. */
	*at++ = (char)('1' + (mix(element ^ plan->seed) & 1));
	*at++ = '\t';
	for (uint64_t k = 0; k < plan->fan_in; k++) {
		netlist_name(netlist_fan_in(plan, element, k), letters, at);
		at += letters;
		*at++ = '\t';
	}
	memcpy(at, "END\n", 4);
	return at + 4;
}
