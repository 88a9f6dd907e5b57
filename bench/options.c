// SPDX-License-Identifier: MIT
#include "bench/options.h"

#include <assert.h>
#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "bench/nearest.h"
#include "common/units.h"

void options_init(struct option_set *set, const struct option *rows)
{
	*set = (struct option_set){.rows = rows};
	while (rows && rows[set->nr_rows].name)
		set->nr_rows++;
	assert(set->nr_rows <= OPTIONS_MAX);
}

static int row_find(const struct option_set *set, const char *name, size_t length)
{
	for (int i = 0; i < set->nr_rows; i++)
		if (strlen(set->rows[i].name) == length &&
		    strncmp(set->rows[i].name, name, length) == 0)
			return i;
	return -1;
}

/* --- values --------------------------------------------------------------------------------- */

static int parse_flag(const char *text, const char *what, uint64_t *number, struct err *err)
{
	static const char *const words[] = {"off", "on", "no", "yes", "0", "1", "false", "true"};

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (strcmp(text, words[i]) == 0) {
			*number = i % 2;
			return 0;
		}
	}
	return err_set(err, ERR_USAGE, "%s: '%s' is neither on nor off", what, text);
}

/* Compares `text` with the item of `length` characters, which may end in "=N". */
static int choice_matches(const char *item, size_t length, const char *text, uint64_t *extra)
{
	const int takes_number = length > 2 && strncmp(item + length - 2, "=N", 2) == 0;

	if (!takes_number)
		return strlen(text) == length && strncmp(item, text, length) == 0;
	if (strncmp(item, text, length - 1) != 0)
		return 0;
	return units_parse_count(text + length - 1, "", extra, NULL) == 0;
}

static int parse_choice(const struct option *row, const char *text, const char *what,
			struct option_value *value, struct err *err)
{
	const char *item = row->choices;

	for (uint64_t index = 0; *item; index++) {
		const size_t length = strcspn(item, "|");

		if (choice_matches(item, length, text, &value->extra)) {
			value->number = index;
			return 0;
		}
		item += length + (item[length] == '|');
	}
	return err_set(err, ERR_USAGE, "%s: '%s' is none of %s", what, text, row->choices);
}

static int check_range(const struct option *row, const char *what, uint64_t number, struct err *err)
{
	if (number < row->min)
		return err_set(err, ERR_USAGE, "%s: %" PRIu64 " is below the least, %" PRIu64, what,
			       number, row->min);
	if (row->max != 0 && number > row->max)
		return err_set(err, ERR_USAGE, "%s: %" PRIu64 " is above the most, %" PRIu64, what,
			       number, row->max);
	if (row->power_of_two && (number & (number - 1)) != 0)
		return err_set(err, ERR_USAGE,
			       "%s: %" PRIu64 " is no power of two; the nearest below is %" PRIu64,
			       what, number, options_power_of_two(number, 1, UINT64_MAX));
	return 0;
}

static int parse_number(const struct option *row, const char *text, const char *what,
			uint64_t *number, struct err *err)
{
	const int failed = row->type == OPTION_SIZE ? units_parse_size(text, what, number, err)
						    : units_parse_count(text, what, number, err);

	return failed ? -1 : check_range(row, what, *number, err);
}

static int value_parse(const struct option *row, const char *text, struct option_value *value,
		       struct err *err)
{
	char what[80];

	snprintf(what, sizeof(what), "--%s", row->name);
	switch (row->type) {
	case OPTION_SIZE:
	case OPTION_COUNT:
	case OPTION_INT:
		return parse_number(row, text, what, &value->number, err);
	case OPTION_DOUBLE:
		return units_parse_double(text, what, &value->real, err);
	case OPTION_CHOICE:
		return parse_choice(row, text, what, value, err);
	case OPTION_FLAG:
		return parse_flag(text, what, &value->number, err);
	case OPTION_TEXT:
		value->text = text;
		return 0;
	}
	return err_set(err, ERR_INTERNAL, "%s: the row has no valid type", what);
}

static int unknown_option(struct option_set *const *sets, int nr_sets, const char *name,
			  size_t length, struct err *err)
{
	struct nearest nearest;
	char wanted[64], hint[160];

	snprintf(wanted, sizeof(wanted), "%.*s", (int)length, name);
	nearest_init(&nearest, wanted);
	for (int s = 0; s < nr_sets; s++)
		for (int i = 0; i < sets[s]->nr_rows; i++)
			nearest_offer(&nearest, sets[s]->rows[i].name);
	return err_set(err, ERR_USAGE, "there is no option --%s%s", wanted,
		       nearest_text(&nearest, "--", hint, sizeof(hint)));
}

int options_set(struct option_set *set, const char *name, const char *text,
		enum option_source source, struct err *err)
{
	const int index = row_find(set, name, strlen(name));

	if (index < 0)
		return unknown_option(&set, 1, name, strlen(name), err);
	if (value_parse(&set->rows[index], text, &set->values[index], err) != 0)
		return -1;
	set->values[index].source = source;
	return 0;
}

/* --- the command line ----------------------------------------------------------------------- */

struct match {
	struct option_set *set;
	int index;
	bool negated;
};

static bool match_option(struct option_set *const *sets, int nr_sets, const char *name,
			 size_t length, struct match *match)
{
	for (int s = 0; s < nr_sets; s++) {
		int index = row_find(sets[s], name, length);
		bool negated = false;

		if (index < 0 && length > 3 && strncmp(name, "no-", 3) == 0) {
			index = row_find(sets[s], name + 3, length - 3);
			negated = true;
			if (index >= 0 && sets[s]->rows[index].type != OPTION_FLAG)
				index = -1;
		}
		if (index >= 0) {
			*match = (struct match){sets[s], index, negated};
			return true;
		}
	}
	return false;
}

/* Parses argv[i] and perhaps its value; returns how many arguments were used, or -1. */
static int parse_one(struct option_set *const *sets, int nr_sets, int argc, char *const *argv,
		     struct err *err)
{
	const char *name = argv[0] + 2;
	const size_t length = strcspn(name, "=");
	const char *text = name[length] == '=' ? name + length + 1 : NULL;
	struct match match;
	const struct option *row;
	int used = 1;

	if (!match_option(sets, nr_sets, name, length, &match))
		return unknown_option(sets, nr_sets, name, length, err);
	row = &match.set->rows[match.index];
	if (row->type == OPTION_FLAG && !text)
		text = match.negated ? "off" : "on";
	if (!text && argc < 2)
		return err_set(err, ERR_USAGE, "--%s needs a value", row->name);
	if (!text) {
		text = argv[1];
		used = 2;
	}
	if (value_parse(row, text, &match.set->values[match.index], err) != 0)
		return -1;
	match.set->values[match.index].source = OPTION_USER;
	return used;
}

int options_parse(struct option_set *const *sets, int nr_sets, int argc, char *const *argv,
		  struct err *err)
{
	for (int i = 0; i < argc;) {
		int used;

		if (strncmp(argv[i], "--", 2) != 0 || argv[i][2] == '\0')
			return err_set(err, ERR_USAGE, "'%s' is no option; options begin with --",
				       argv[i]);
		used = parse_one(sets, nr_sets, argc - i, argv + i, err);
		if (used < 0)
			return -1;
		i += used;
	}
	return 0;
}

/* --- defaults and presets ------------------------------------------------------------------- */

static uint64_t scaled(const struct option *row, uint64_t number, double scale)
{
	uint64_t result = (uint64_t)((double)number / scale);

	if (row->scales_log2) {
		const double logarithm = (double)number - ceil(log2(scale));

		result = logarithm > 0 ? (uint64_t)logarithm : 0;
	}
	if (row->power_of_two)
		result = options_power_of_two(result, 1, UINT64_MAX);
	return result < row->min ? row->min : result;
}

static int preset_apply_one(struct option_set *set, const char *setting, size_t length,
			    double scale, struct err *err)
{
	const size_t name_length = strcspn(setting, "=");
	char text[64];
	int index;
	struct option_value *value;

	snprintf(text, sizeof(text), "%.*s", (int)(length - name_length - 1),
		 setting + name_length + 1);
	index = row_find(set, setting, name_length);
	assert(index >= 0 && set->rows[index].type != OPTION_TEXT);
	value = &set->values[index];
	if (value->source != OPTION_UNSET)
		return 0;
	if (value_parse(&set->rows[index], text, value, err) != 0)
		return -1;
	if (set->rows[index].scales || set->rows[index].scales_log2)
		value->number = scaled(&set->rows[index], value->number, scale);
	value->source = OPTION_PRESET;
	return 0;
}

int options_apply_preset(struct option_set *set, const struct option_preset *preset, double scale,
			 struct err *err)
{
	const char *setting = preset->settings;

	while (*setting) {
		const size_t length = strcspn(setting, " ");

		if (preset_apply_one(set, setting, length, scale, err) != 0)
			return -1;
		setting += length + (setting[length] == ' ');
	}
	return 0;
}

static int default_one(const struct option *row, struct option_value *value,
		       const struct option_context *context, struct err *err)
{
	const char *text = context->emulated && row->emulated ? row->emulated : row->native;

	value->source = OPTION_DEFAULT;
	if (row->adapt && !(context->emulated && row->emulated)) {
		value->number = row->adapt(context);
		value->source = OPTION_ADAPTED;
		return 0;
	}
	return text ? value_parse(row, text, value, err) : 0;
}

int options_default(struct option_set *set, const struct option_context *context, struct err *err)
{
	for (int i = 0; i < set->nr_rows; i++) {
		if (set->values[i].source != OPTION_UNSET)
			continue;
		if (default_one(&set->rows[i], &set->values[i], context, err) != 0)
			return -1;
	}
	return 0;
}

uint64_t options_quarter_of_memory(const struct option_context *context)
{
	return context->memory_bytes / 4;
}

uint64_t options_power_of_two(uint64_t bytes, uint64_t min, uint64_t max)
{
	uint64_t power = 1;

	while (power <= bytes / 2)
		power *= 2;
	if (power < min)
		return min;
	return power > max ? max : power;
}

/* --- access --------------------------------------------------------------------------------- */

static const struct option_value *value_of(const struct option_set *set, int index,
					   unsigned type_mask)
{
	assert(index >= 0 && index < set->nr_rows);
	assert((1u << set->rows[index].type) & type_mask);
	return &set->values[index];
}

uint64_t option_u64(const struct option_set *set, int index)
{
	return value_of(set, index, 1u << OPTION_SIZE | 1u << OPTION_COUNT | 1u << OPTION_INT)
		->number;
}

double option_f64(const struct option_set *set, int index)
{
	return value_of(set, index, 1u << OPTION_DOUBLE)->real;
}

bool option_flag(const struct option_set *set, int index)
{
	return value_of(set, index, 1u << OPTION_FLAG)->number != 0;
}

int option_choice(const struct option_set *set, int index)
{
	return (int)value_of(set, index, 1u << OPTION_CHOICE)->number;
}

const char *option_text(const struct option_set *set, int index)
{
	return value_of(set, index, 1u << OPTION_TEXT)->text;
}
