// SPDX-License-Identifier: MIT
#include <stdlib.h>
#include <string.h>

#include "bench/canneal/canneal.h"

struct build {
	struct canneal_net *net;
	struct canneal_source *source;
	canneal_visit_fn *visit;
	struct workload_run *run;
	struct err *errors; /* by thread, as the next */
	uint64_t *pins;
};

static struct team_slice share(const struct build *build, int thread)
{
	return team_slice(build->net->places, 1, thread, build->run->nr_threads);
}

/* --- the passes ------------------------------------------------------------------------------- */

/*
 * Which element begins at a place. The empty ones are spread evenly: at the end of the grid, where
 * they would come by their numbers, they would make the start denser than any hot placement, and
 * the first steps would lengthen the connections.
 */
static uint64_t element_of_place(const struct canneal_net *net, uint64_t place)
{
	const unsigned __int128 share = (unsigned __int128)place * net->elements;
	const uint64_t used = (uint64_t)((share + net->places - 1) / net->places);
	const unsigned __int128 next = (unsigned __int128)used * net->places;

	if (used < net->elements && next / net->elements == place)
		return used;
	return net->elements + place - used;
}

/* Touches what the thread will own, in order, before anybody jumps around in it. */
static void place_elements(void *context, int thread)
{
	struct build *build = context;
	struct canneal_net *net = build->net;
	const struct team_slice slice = share(build, thread);
	const struct team_slice pins =
		team_slice(2 * net->connections, 512, thread, build->run->nr_threads);

	for (uint64_t place = slice.begin; place < slice.end; place++) {
		struct canneal_element *element =
			canneal_element(net, element_of_place(net, place));

		net->locations[place] = (struct canneal_location){
			.x = (int32_t)(place / net->height), .y = (int32_t)(place % net->height)};
		memset(element, 0, net->element_bytes);
		element->location = (uintptr_t)&net->locations[place];
	}
	memset(net->pins + pins.begin, 0, (pins.end - pins.begin) * sizeof(net->pins[0]));
}

static void visit_thread(void *context, int thread)
{
	struct build *build = context;

	build->source->for_each(build->source, build->net, thread, build->visit,
				&build->errors[thread]);
}

static void count_pins(struct canneal_net *net, const struct canneal_connection *connections,
		       int count)
{
	for (int i = 0; i < count; i++)
		__builtin_prefetch(canneal_element(net, connections[i].fan_in), 1);
	for (int i = 0; i < count; i++) {
		canneal_element(net, connections[i].element)->fan_in++;
		__atomic_fetch_add(&canneal_element(net, connections[i].fan_in)->fan_out, 1,
				   __ATOMIC_RELAXED);
	}
}

static void sum_pins(void *context, int thread)
{
	struct build *build = context;
	const struct team_slice slice = share(build, thread);
	uint64_t sum = 0;

	for (uint64_t i = slice.begin; i < slice.end; i++) {
		const struct canneal_element *element = canneal_element(build->net, i);

		sum += element->fan_in + element->fan_out;
	}
	build->pins[thread] = sum;
}

static void divide_pins(void *context, int thread)
{
	struct build *build = context;
	const struct team_slice slice = share(build, thread);
	struct canneal_element **next = build->net->pins;

	for (int before = 0; before < thread; before++)
		next += build->pins[before];
	for (uint64_t i = slice.begin; i < slice.end; i++) {
		struct canneal_element *element = canneal_element(build->net, i);

		element->pins = next;
		next += element->fan_in + element->fan_out;
	}
}

static void link_pins(struct canneal_net *net, const struct canneal_connection *connections,
		      int count)
{
	struct canneal_element **places[CANNEAL_BATCH];

	for (int i = 0; i < count; i++)
		__builtin_prefetch(canneal_element(net, connections[i].fan_in), 1);
	for (int i = 0; i < count; i++) {
		struct canneal_element *from = canneal_element(net, connections[i].fan_in);
		const uint64_t taken = __atomic_fetch_add(&from->linked, 1, __ATOMIC_RELAXED);

		places[i] = &from->pins[from->fan_in + taken];
		__builtin_prefetch(places[i], 1);
	}
	for (int i = 0; i < count; i++) {
		struct canneal_element *to = canneal_element(net, connections[i].element);

		to->pins[connections[i].k] = canneal_element(net, connections[i].fan_in);
		*places[i] = to;
	}
}

static int by_address(const void *a, const void *b)
{
	const uintptr_t left = *(const uintptr_t *)a, right = *(const uintptr_t *)b;

	return (left > right) - (left < right);
}

/* Threads have come in any order; the netlist must not depend on it. */
static void sort_pins(void *context, int thread)
{
	struct build *build = context;
	const struct team_slice slice = share(build, thread);

	for (uint64_t i = slice.begin; i < slice.end; i++) {
		struct canneal_element *element = canneal_element(build->net, i);
		struct canneal_element **pins = element->pins + element->fan_in;

		if (element->fan_out > 64) {
			qsort(pins, element->fan_out, sizeof(pins[0]), by_address);
			continue;
		}
		for (uint64_t k = 1; k < element->fan_out; k++) {
			struct canneal_element *pin = pins[k];
			uint64_t at = k;

			for (; at > 0 && pins[at - 1] > pin; at--)
				pins[at] = pins[at - 1];
			pins[at] = pin;
		}
	}
}

/* --- in order --------------------------------------------------------------------------------- */

static int visit_all(struct build *build, canneal_visit_fn *visit, struct err *err)
{
	build->visit = visit;
	team_run(build->run->team, visit_thread, build);
	for (int thread = 0; thread < build->run->nr_threads; thread++)
		if (build->errors[thread].kind != ERR_NONE)
			return err_set(err, build->errors[thread].kind, "%s",
				       build->errors[thread].text);
	return 0;
}

static int map_net(struct canneal_net *net, struct arena *arena, struct err *err)
{
	net->records = arena_map(arena, "elements", net->places * net->element_bytes, err);
	if (!net->records)
		return -1;
	net->locations =
		arena_map(arena, "locations", net->places * sizeof(net->locations[0]), err);
	if (!net->locations)
		return -1;
	net->pins = arena_map(arena, "pins", 2 * net->connections * sizeof(net->pins[0]), err);
	return net->pins ? 0 : -1;
}

static int build_passes(struct build *build, double done, struct err *err)
{
	static team_fn *const after_counting[] = {sum_pins, divide_pins};
	struct workload_run *run = build->run;
	const double rest = 1 - done;

	team_run(run->team, place_elements, build);
	run->progress(run, done + 0.3 * rest);
	if (visit_all(build, count_pins, err) != 0)
		return -1;
	run->progress(run, done + 0.5 * rest);
	for (int i = 0; i < 2; i++)
		team_run(run->team, after_counting[i], build);
	if (visit_all(build, link_pins, err) != 0)
		return -1;
	run->progress(run, done + 0.9 * rest);
	team_run(run->team, sort_pins, build);
	run->progress(run, 1);
	return 0;
}

int canneal_build(struct canneal_net *net, struct canneal_source *source, struct workload_run *run,
		  double done, struct err *err)
{
	struct build build = {.net = net, .source = source, .run = run};
	int failed = map_net(net, run->arena, err);

	build.errors = calloc((size_t)run->nr_threads, sizeof(build.errors[0]));
	build.pins = calloc((size_t)run->nr_threads, sizeof(build.pins[0]));
	if (!failed && (!build.errors || !build.pins))
		failed = err_set(err, ERR_INTERNAL, "out of memory");
	if (!failed)
		failed = build_passes(&build, done, err);
	free(build.errors);
	free(build.pins);
	return failed;
}

/* --- a synthetic netlist ---------------------------------------------------------------------- */

struct generator {
	struct canneal_source source;
	const struct netlist_plan *plan;
	int nr_threads;
};

static int generate_thread(struct canneal_source *source, struct canneal_net *net, int thread,
			   canneal_visit_fn *visit, struct err *err)
{
	const struct generator *generator = (const struct generator *)source;
	const struct netlist_plan *plan = generator->plan;
	const struct team_slice slice =
		team_slice(plan->elements, 1, thread, generator->nr_threads);

	struct canneal_batch batch = {.net = net, .visit = visit};

	(void)err;
	for (uint64_t element = slice.begin; element < slice.end; element++)
		for (uint64_t k = 0; k < plan->fan_in; k++)
			canneal_connect(&batch, element, k, netlist_fan_in(plan, element, k));
	canneal_flush(&batch);
	return 0;
}

int canneal_generate(struct canneal_net *net, const struct netlist_plan *plan,
		     struct workload_run *run, struct err *err)
{
	struct generator generator = {
		.source.for_each = generate_thread, .plan = plan, .nr_threads = run->nr_threads};

	net->elements = plan->elements;
	net->width = plan->width;
	net->height = plan->height;
	net->places = plan->width * plan->height;
	net->connections = plan->elements * plan->fan_in;
	return canneal_build(net, &generator.source, run, 0, err);
}
