// SPDX-License-Identifier: MIT
/*
 * Whether annealing has left a placement: works from the netlist and the grid, and believes no
 * pointer before it has looked at it.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "bench/canneal/canneal.h"

struct check {
	const struct canneal_net *net;
	const struct netlist_plan *plan;
	struct team *team;
	_Atomic uint64_t *used; /* a bit for each place */
	_Atomic uint64_t cost, checked, errors;
	_Atomic uint64_t ends; /* of connections: those that come in minus those that go out */
	struct canneal_verdict *first; /* whose words the first error takes */
	_Atomic int has_first;
};

static void complain(struct check *check, const char *what, uint64_t element)
{
	check->errors++;
	if (check->has_first++ == 0)
		snprintf(check->first->first, sizeof(check->first->first),
			 "element %" PRIu64 ": %s", element, what);
}

/* The number of the place that an element says it is at; UINT64_MAX: none. */
static uint64_t place_of(const struct canneal_net *net, uint64_t element)
{
	const unsigned char *record = net->records + element * net->element_bytes;
	const uintptr_t at = *(const uintptr_t *)record;
	const uintptr_t offset = at - (uintptr_t)net->locations;

	if (at < (uintptr_t)net->locations || offset % sizeof(net->locations[0]) != 0 ||
	    offset / sizeof(net->locations[0]) >= net->places)
		return UINT64_MAX;
	return offset / sizeof(net->locations[0]);
}

/* The number of the element that a pin leads to; UINT64_MAX: none. */
static uint64_t element_at(const struct canneal_net *net, const void *pin)
{
	const uintptr_t offset = (uintptr_t)pin - (uintptr_t)net->records;

	if ((uintptr_t)pin < (uintptr_t)net->records || offset % net->element_bytes != 0 ||
	    offset / net->element_bytes >= net->places)
		return UINT64_MAX;
	return offset / net->element_bytes;
}

static uint64_t stretch(uint64_t a, uint64_t b)
{
	return a > b ? a - b : b - a;
}

/* Sums of these over the connections as both ends know them can hardly be equal by chance. */
static uint64_t fingerprint(uint64_t from, uint64_t to)
{
	uint64_t x = from * UINT64_C(0xff51afd7ed558ccd) + to * UINT64_C(0xc4ceb9fe1a85ec53);

	x = (x ^ x >> 33) * UINT64_C(0xff51afd7ed558ccd);
	return x ^ x >> 29;
}

static void check_place(struct check *check, uint64_t element)
{
	const struct canneal_net *net = check->net;
	const uint64_t place = place_of(net, element);
	const struct canneal_location *own = &net->locations[element];

	if ((uint64_t)own->x * net->height + (uint64_t)own->y != element ||
	    (uint64_t)own->y >= net->height)
		complain(check, "the location of that number is damaged", element);
	if (place == UINT64_MAX) {
		complain(check, "is at no place of the grid", element);
		return;
	}
	if (atomic_fetch_or(&check->used[place / 64], UINT64_C(1) << place % 64) >> place % 64 & 1)
		complain(check, "shares its place with another", element);
}

static bool pins_are_inside(const struct check *check, const struct canneal_element *element)
{
	const uint64_t all = 2 * check->net->connections;
	const uint64_t first = (uint64_t)(element->pins - check->net->pins);

	return element->pins >= check->net->pins && first <= all && element->fan_in <= all &&
	       element->fan_out <= all && element->fan_in + element->fan_out <= all - first;
}

static uint64_t check_connection(struct check *check, uint64_t element, uint64_t k, uint64_t other)
{
	const struct netlist_plan *plan = check->plan;
	const struct canneal_net *net = check->net;
	const uint64_t here = place_of(net, element), there = place_of(net, other);

	if (plan && (element >= plan->elements || k >= plan->fan_in ||
		     netlist_fan_in(plan, element, k) != other))
		complain(check, "is fed by another element than planned", element);
	if (here == UINT64_MAX || there == UINT64_MAX)
		return 0;
	return stretch(here / net->height, there / net->height) +
	       stretch(here % net->height, there % net->height);
}

/* How many pins were looked at. */
static uint64_t check_pins(struct check *check, uint64_t number, uint64_t *cost, uint64_t *ends)
{
	const struct canneal_net *net = check->net;
	const struct canneal_element *element = canneal_element(net, number);

	if (!pins_are_inside(check, element)) {
		complain(check, "its list of pins is damaged", number);
		return 0;
	}
	for (uint64_t k = 0; k < element->fan_in + element->fan_out; k++) {
		const uint64_t other = element_at(net, element->pins[k]);

		if (other == UINT64_MAX) {
			complain(check, "a pin leads to no element", number);
		} else if (k < element->fan_in) {
			*cost += check_connection(check, number, k, other);
			*ends += fingerprint(other, number);
		} else {
			*ends -= fingerprint(number, other);
		}
	}
	if (check->plan &&
	    element->fan_in != (number < check->plan->elements) * check->plan->fan_in)
		complain(check, "has not the planned fan-in", number);
	return element->fan_in + element->fan_out;
}

static void check_thread(void *context, int thread)
{
	struct check *check = context;
	const struct team_slice slice =
		team_slice(check->net->places, 1, thread, team_size(check->team));
	uint64_t cost = 0, ends = 0, checked = 0;

	for (uint64_t i = slice.begin; i < slice.end; i++) {
		check_place(check, i);
		checked += 1 + check_pins(check, i, &cost, &ends);
	}
	check->checked += checked;
	check->cost += cost;
	check->ends += ends;
}

int canneal_check(const struct canneal_net *net, const struct netlist_plan *plan, struct team *team,
		  struct canneal_verdict *verdict, struct err *err)
{
	struct check check = {.net = net, .plan = plan, .team = team, .first = verdict};

	*verdict = (struct canneal_verdict){0};
	check.used = calloc(net->places / 64 + 1, sizeof(check.used[0]));
	if (!check.used)
		return err_set(err, ERR_INTERNAL, "out of memory for the check");
	team_run(team, check_thread, &check);
	free(check.used);
	if (check.ends != 0)
		complain(&check, "the two ends of some connections disagree", 0);
	verdict->cost = check.cost;
	verdict->checked = check.checked;
	verdict->errors = check.errors;
	return 0;
}
