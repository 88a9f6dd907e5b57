// SPDX-License-Identifier: MIT
/*
 * A netlist file into memory, by all threads, in four passes over the file: checksums and lines,
 * format, count of pins, pins. Elements are numbered by their lines. Names of the generator's own
 * files say the number; those of others go through a table.
 */
#include <inttypes.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "bench/canneal/canneal.h"
#include "bench/canneal/names.h"
#include "datasets/netlist_read.h"

#define PIECE_BYTES  (UINT64_C(16) << 20)
#define SAMPLE_BYTES (UINT64_C(1) << 20)

struct load {
	struct canneal_source source;
	struct netlist_file file;
	struct workload_run *run;
	uint64_t nr_pieces;
	uint64_t *lines;    /* of each piece, then the number of its first */
	struct err *errors; /* by piece */
	unsigned letters;
	atomic_bool plain; /* all names say their number so far */
	bool use_names;
	struct names names;
	_Atomic uint64_t connections;
	/* What the passes do with an element; the piece's error on -1. */
	int (*visit)(struct load *load, void *context, uint64_t element, struct netlist_line *line,
		     struct err *err);
};

static struct netlist_block piece_of(const struct load *load, uint64_t piece)
{
	return netlist_piece(&load->file, PIECE_BYTES, piece);
}

static struct team_slice share(const struct load *load, int thread)
{
	return team_slice(load->nr_pieces, 1, thread, load->run->nr_threads);
}

/* The first in the order of the file, whoever met it. */
static int first_error(struct load *load, struct err *err)
{
	for (uint64_t i = 0; i < load->nr_pieces; i++)
		if (load->errors[i].kind != ERR_NONE)
			return err_set(err, load->errors[i].kind, "%s", load->errors[i].text);
	return 0;
}

/* --- pass 1: checksums and lines -------------------------------------------------------------- */

static void count_thread(void *context, int thread)
{
	struct load *load = context;
	const struct team_slice slice = share(load, thread);

	for (uint64_t i = slice.begin; i < slice.end; i++) {
		const struct netlist_block piece = piece_of(load, i);

		if (netlist_check_piece(&load->file, &piece, &load->lines[i], &load->errors[i]) !=
		    0)
			return;
	}
}

static int count_lines(struct load *load, struct err *err)
{
	uint64_t line = 1;

	team_run(load->run->team, count_thread, load);
	if (first_error(load, err) != 0)
		return -1;
	for (uint64_t i = 0; i < load->nr_pieces; i++) {
		const uint64_t here = load->lines[i];

		load->lines[i] = line;
		line += here;
	}
	return netlist_check_count(&load->file, line - 1, err);
}

/* --- lines ------------------------------------------------------------------------------------ */

static int visit_piece(struct load *load, uint64_t piece, void *context, struct err *err)
{
	const struct netlist_block block = piece_of(load, piece);
	struct netlist_lines lines;
	struct netlist_text text;
	struct netlist_line line;
	int got = netlist_lines_open(&lines, &load->file, &block, load->lines[piece], err);

	while (got == 0) {
		const uint64_t number = lines.line;

		got = netlist_lines_next(&lines, &text, err);
		if (got == 0)
			break;
		if (got > 0)
			got = netlist_parse_line(&load->file, number, text, &line, err);
		if (got == 0)
			got = load->visit(load, context, number - 2, &line, err);
	}
	netlist_lines_close(&lines);
	return got;
}

static int visit_share(struct load *load, int thread, void *context)
{
	const struct team_slice slice = share(load, thread);

	for (uint64_t i = slice.begin; i < slice.end; i++)
		if (visit_piece(load, i, context, &load->errors[i]) != 0)
			return -1;
	return 0;
}

/* --- pass 2: format and names ----------------------------------------------------------------- */

static int see_element(struct load *load, void *context, uint64_t element,
		       struct netlist_line *line, struct err *err)
{
	uint64_t *connections = context, number;

	*connections += line->nr_fan_ins;
	if (load->use_names) {
		if (names_add(&load->names, line->name.at, line->name.length, element))
			return 0;
		return err_set(err, ERR_USAGE, "%s, line %" PRIu64 ": a second element '%.*s'",
			       load->file.path, element + 2, netlist_shown(&line->name),
			       line->name.at);
	}
	if (!netlist_name_parse(line->name.at, line->name.length, load->letters, &number) ||
	    number != element)
		load->plain = false;
	return 0;
}

static void see_thread(void *context, int thread)
{
	struct load *load = context;
	uint64_t connections = 0;

	visit_share(load, thread, &connections);
	load->connections += connections;
}

static int see_elements(struct load *load, struct err *err)
{
	load->visit = see_element;
	load->plain = true;
	load->letters = netlist_name_letters(load->file.elements);
	team_run(load->run->team, see_thread, load);
	if (first_error(load, err) != 0 || load->plain)
		return load->plain ? 0 : -1;
	if (names_init(&load->names, load->file.elements, err) != 0)
		return -1;
	load->use_names = true;
	load->connections = 0;
	team_run(load->run->team, see_thread, load);
	return first_error(load, err);
}

/* --- passes 3 and 4: connections -------------------------------------------------------------- */

static uint64_t number_of(const struct load *load, const struct netlist_text *name)
{
	uint64_t number;

	if (load->use_names)
		return names_find(&load->names, name->at, name->length);
	if (!netlist_name_parse(name->at, name->length, load->letters, &number) ||
	    number >= load->file.elements)
		return UINT64_MAX;
	return number;
}

static int connect_element(struct load *load, void *context, uint64_t element,
			   struct netlist_line *line, struct err *err)
{
	struct netlist_text name;

	for (uint64_t k = 0; netlist_word(&line->fan_ins, &name); k++) {
		const uint64_t number = number_of(load, &name);

		if (number == UINT64_MAX)
			return err_set(err, ERR_USAGE,
				       "%s, line %" PRIu64 ": no line defines element '%.*s'",
				       load->file.path, element + 2, netlist_shown(&name), name.at);
		canneal_connect(context, element, k, number);
	}
	return 0;
}

static int load_thread(struct canneal_source *source, struct canneal_net *net, int thread,
		       canneal_visit_fn *visit, struct err *err)
{
	struct load *load = (struct load *)source;
	struct canneal_batch batch = {.net = net, .visit = visit};

	(void)err;
	if (visit_share(load, thread, &batch) != 0)
		return -1;
	canneal_flush(&batch);
	return 0;
}

/* --- all together ----------------------------------------------------------------------------- */

static int load_net(struct load *load, struct canneal_net *net, struct err *err)
{
	struct workload_run *run = load->run;
	struct err build_err = {0};
	int failed;

	if (count_lines(load, err) != 0)
		return -1;
	run->progress(run, 0.1);
	if (see_elements(load, err) != 0)
		return -1;
	run->progress(run, 0.25);
	net->elements = load->file.elements;
	net->width = load->file.width;
	net->height = load->file.height;
	net->places = net->width * net->height;
	net->connections = load->connections;
	load->visit = connect_element;
	failed = canneal_build(net, &load->source, run, 0.25, &build_err);
	/* What is wrong with the file comes before what that led to. */
	if (first_error(load, err) != 0)
		return -1;
	return failed ? err_set(err, build_err.kind, "%s", build_err.text) : 0;
}

int canneal_load(struct canneal_net *net, const char *path, struct workload_run *run,
		 struct err *err)
{
	struct load load = {.source.for_each = load_thread, .run = run};
	int failed;

	if (netlist_open(&load.file, path, err) != 0)
		return -1;
	load.nr_pieces = netlist_nr_pieces(&load.file, PIECE_BYTES);
	load.lines = calloc(load.nr_pieces, sizeof(load.lines[0]));
	load.errors = calloc(load.nr_pieces, sizeof(load.errors[0]));
	failed = load.lines && load.errors ? load_net(&load, net, err)
					   : err_set(err, ERR_INTERNAL, "out of memory");
	names_fini(&load.names);
	free(load.lines);
	free(load.errors);
	netlist_close(&load.file);
	return failed;
}

/* --- before it is loaded ---------------------------------------------------------------------- */

/* Connections for each byte of text, from the first lines. */
static int sample(const struct netlist_file *file, uint64_t *connections, struct err *err)
{
	struct netlist_block piece = {.bytes = SAMPLE_BYTES};
	struct netlist_lines lines;
	struct netlist_text text;
	struct netlist_line line;
	uint64_t pins = 0, bytes = 0;
	int got = netlist_lines_open(&lines, file, &piece, 1, err);

	while (got == 0) {
		const uint64_t number = lines.line;

		got = netlist_lines_next(&lines, &text, err);
		if (got == 0)
			break;
		got = got < 0 ? -1 : netlist_parse_line(file, number, text, &line, err);
		pins += line.nr_fan_ins;
		bytes += text.length + 1;
	}
	netlist_lines_close(&lines);
	*connections = bytes ? (uint64_t)((double)pins / (double)bytes * (double)file->bytes) : 0;
	return got;
}

int canneal_measure(struct canneal_net *net, const char *path, struct err *err)
{
	struct netlist_file file;
	int failed = 0;

	if (netlist_open(&file, path, err) != 0)
		return -1;
	net->elements = file.elements;
	net->width = file.width;
	net->height = file.height;
	net->places = file.width * file.height;
	if (file.has_sums)
		net->connections = file.sums.pins;
	else
		failed = sample(&file, &net->connections, err);
	netlist_close(&file);
	return failed;
}
