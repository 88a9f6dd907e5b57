/* SPDX-License-Identifier: MIT */
/*
 * Command-line options as rows: the parser, the defaults, the help and the JSON all read the row.
 * A workload declares its rows beside its code; the driver has rows of its own.
 */
#ifndef BENCH_OPTIONS_H
#define BENCH_OPTIONS_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "common/err.h"

enum option_type {
	OPTION_SIZE,  /* bytes, units_parse_size */
	OPTION_COUNT, /* units_parse_count */
	OPTION_INT,   /* a plain number */
	OPTION_DOUBLE,
	OPTION_CHOICE, /* one of `choices` */
	OPTION_FLAG,   /* --name or --no-name */
	OPTION_TEXT,
};

/* What a default may depend on. */
struct option_context {
	uint64_t memory_bytes; /* that the workload may plan with */
	uint64_t cache_bytes;  /* last-level caches of this machine together; 0: unknown */
	int nr_threads;
	bool emulated;
};

struct option {
	const char *name; /* without the dashes */
	enum option_type type;
	const char
		*native; /* the default, as a user would write it; NULL: none (TEXT), off (FLAG) */
	const char *emulated; /* the default in the emulated machine; NULL: the native one */
	/* Instead of `native`: a default that follows the machine. */
	uint64_t (*adapt)(const struct option_context *context);
	uint64_t min, max; /* of numbers; max 0: no limit */
	/* "shared|star"; an item that ends in "=N" takes a number after it: "none|exit=N". */
	const char *choices;
	bool power_of_two; /* any other number is refused */
	bool scales;       /* an amount of memory: --scale divides a preset's value by the scale */
	bool scales_log2;  /* the logarithm of one: loses that of the scale, rounded up */
	const char *help;
};

enum option_source { OPTION_UNSET, OPTION_DEFAULT, OPTION_ADAPTED, OPTION_PRESET, OPTION_USER };

struct option_value {
	enum option_source source;
	uint64_t number; /* SIZE, COUNT, INT; FLAG: 0 or 1; CHOICE: index */
	uint64_t extra;  /* the N of a "name=N" choice */
	double real;
	const char *text; /* TEXT; points into argv or the row */
};

#define OPTIONS_MAX 24

/* Rows, which end with a row without a name, and their values. */
struct option_set {
	const struct option *rows;
	int nr_rows;
	struct option_value values[OPTIONS_MAX];
};

/* A named set of arguments: what a publication ran. */
struct option_preset {
	const char *name, *summary;
	const char *settings; /* "size=64G updates=2^30" */
};

void options_init(struct option_set *set, const struct option *rows);

/* Sets one option by name. ERR_USAGE: unknown (with the nearest names), or a bad value. */
int options_set(struct option_set *set, const char *name, const char *text,
		enum option_source source, struct err *err);

/*
 * Parses "--name value", "--name=value", "--flag" and "--no-flag" for several sets at once.
 * ERR_USAGE as above, or for an argument that is no option.
 */
int options_parse(struct option_set *const *sets, int nr_sets, int argc, char *const *argv,
		  struct err *err);

/* Fills what is not set from the preset, dividing what scales by `scale`. */
int options_apply_preset(struct option_set *set, const struct option_preset *preset, double scale,
			 struct err *err);

/* Fills what is still unset with the defaults. */
int options_default(struct option_set *set, const struct option_context *context, struct err *err);

uint64_t option_u64(const struct option_set *set, int index);
double option_f64(const struct option_set *set, int index);
bool option_flag(const struct option_set *set, int index);
int option_choice(const struct option_set *set, int index);
const char *option_text(const struct option_set *set, int index);

/* Names to values in their own types; a new reference. */
json_t *options_to_json(const struct option_set *set);

/* The rows themselves, for `bench list --json`; a new reference. */
json_t *options_describe(const struct option *rows);

void options_print_help(FILE *file, const struct option *rows);

/* The usual default of an amount of memory; for `adapt`. */
uint64_t options_quarter_of_memory(const struct option_context *context);

/*
 * The highest power of two that is at most `bytes`, between the limits: the usual default of a
 * table.
 */
uint64_t options_power_of_two(uint64_t bytes, uint64_t min, uint64_t max);

#endif
