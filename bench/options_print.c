// SPDX-License-Identifier: MIT
/* Option rows and values as help text and as JSON. */
#include <string.h>

#include "bench/options.h"

/* What the help shows for a value, and the type's name in JSON. */
static const struct {
	const char *placeholder, *name;
} types[] = {
	[OPTION_SIZE] = {"SIZE", "size"}, [OPTION_COUNT] = {"COUNT", "count"},
	[OPTION_INT] = {"N", "int"},      [OPTION_DOUBLE] = {"X", "double"},
	[OPTION_CHOICE] = {"", "choice"}, [OPTION_FLAG] = {"", "flag"},
	[OPTION_TEXT] = {"TEXT", "text"},
};

/* The index-th item of "a|b|c=N"; its length without the "=N". */
static const char *choice_item(const char *choices, uint64_t index, size_t *length)
{
	const char *item = choices;

	for (; index > 0; index--)
		item += strcspn(item, "|") + 1;
	*length = strcspn(item, "|=");
	return item;
}

static json_t *choice_to_json(const struct option *row, const struct option_value *value)
{
	size_t length;
	const char *item = choice_item(row->choices, value->number, &length);

	if (strncmp(item + length, "=N", 2) == 0)
		return json_sprintf("%.*s=%llu", (int)length, item,
				    (unsigned long long)value->extra);
	return json_stringn(item, length);
}

static json_t *value_to_json(const struct option *row, const struct option_value *value)
{
	switch (row->type) {
	case OPTION_SIZE:
	case OPTION_COUNT:
	case OPTION_INT:
		return json_integer((json_int_t)value->number);
	case OPTION_DOUBLE:
		return json_real(value->real);
	case OPTION_CHOICE:
		return choice_to_json(row, value);
	case OPTION_FLAG:
		return json_boolean(value->number);
	case OPTION_TEXT:
		return value->text ? json_string(value->text) : json_null();
	}
	return NULL;
}

json_t *options_to_json(const struct option_set *set)
{
	json_t *object = json_object();

	for (int i = 0; i < set->nr_rows; i++)
		json_object_set_new(object, set->rows[i].name,
				    value_to_json(&set->rows[i], &set->values[i]));
	return object;
}

json_t *options_describe(const struct option *rows)
{
	json_t *array = json_array();

	for (; rows && rows->name; rows++)
		json_array_append_new(array,
				      json_pack("{s:s, s:s, s:s?, s:s?, s:b, s:s?, s:s?}", "name",
						rows->name, "type", types[rows->type].name,
						"default", rows->native, "emulated_default",
						rows->emulated ? rows->emulated : rows->native,
						"adapts", rows->adapt != NULL, "choices",
						rows->choices, "help", rows->help));
	return array;
}

void options_print_help(FILE *file, const struct option *rows)
{
	for (; rows && rows->name; rows++) {
		const char *value =
			rows->type == OPTION_CHOICE ? rows->choices : types[rows->type].placeholder;
		char left[80];

		snprintf(left, sizeof(left), "--%s%s%s", rows->name, *value ? " " : "", value);
		fprintf(file, strlen(left) > 25 ? "  %s\n%29s" : "  %-26s ", left, "");
		fprintf(file, "%s", rows->help);
		if (rows->native)
			fprintf(file, " (default %s%s%s)", rows->native,
				rows->emulated ? ", emulated " : "",
				rows->emulated ? rows->emulated : "");
		else if (rows->emulated)
			fprintf(file, " (emulated %s)", rows->emulated);
		fputc('\n', file);
	}
}
