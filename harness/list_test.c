// SPDX-License-Identifier: MIT
#include "harness/list.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "harness/commands.h"

/* What a command prints to stdout, and its exit status. */
static char *capture(int (*command)(int, char **), const char *const *words, int *status)
{
	const int saved = dup(STDOUT_FILENO);
	FILE *file = tmpfile();
	char *argv[8], *text;
	size_t length;
	int argc = 0;

	for (; words[argc]; argc++)
		argv[argc] = strdup(words[argc]);
	argv[argc] = NULL;
	fflush(stdout);
	assert_true(file && dup2(fileno(file), STDOUT_FILENO) >= 0);
	{
		char *given[8];

		memcpy(given, argv, sizeof(given));
		*status = command(argc, given);
	}
	fflush(stdout);
	dup2(saved, STDOUT_FILENO);
	close(saved);
	while (argc > 0)
		free(argv[--argc]);
	length = (size_t)lseek(fileno(file), 0, SEEK_END);
	text = calloc(1, length + 1);
	assert_int_equal(pread(fileno(file), text, length, 0), length);
	fclose(file);
	return text;
}

static json_t *capture_json(const char *topic)
{
	const char *const words[] = {"list", "--json", topic, NULL};
	int status;
	char *text = capture(list_command, words, &status);
	json_t *json = json_loads(text, 0, NULL);

	assert_int_equal(status, 0);
	assert_non_null(json);
	free(text);
	return json;
}

static void configs_as_json(void **state)
{
	json_t *json = capture_json("configs");
	const json_t *first = json_array_get(json, 0);
	int count = 0;

	(void)state;
	while (config_published(count))
		count++;
	assert_int_equal(json_array_size(json), count);
	assert_string_equal(json_string_value(json_object_get(first, "name")), "LP-LD");
	assert_string_equal(json_string_value(json_object_get(first, "family")), "native");
	json_decref(json);
}

static void configs_as_table(void **state)
{
	static const char *const words[] = {"list", "configs", NULL};
	int status;
	char *text = capture(list_command, words, &status);

	(void)state;
	assert_int_equal(status, 0);
	for (int i = 0; config_published(i); i++)
		assert_non_null(strstr(text, config_published(i)->name));
	free(text);
}

static void machines_as_json(void **state)
{
	json_t *json = capture_json("machines");
	json_t *machine;
	size_t i;

	(void)state;
	assert_true(json_array_size(json) >= 3);
	json_array_foreach (json, i, machine) {
		const bool native = i == 0;

		assert_string_equal(json_string_value(json_object_get(machine, "provenance")),
				    native ? "measured" : "modelled");
		assert_true(json_integer_value(json_object_get(machine, "nodes")) >= 1 + !native);
		assert_true(json_is_true(json_object_get(machine, "usable")) ==
			    json_is_null(json_object_get(machine, "reason")));
	}
	json_decref(json);
}

static void unknown_topic(void **state)
{
	static const char *const words[] = {"list", "frobs", NULL};
	int status;

	(void)state;
	free(capture(list_command, words, &status));
	assert_int_equal(status, ERR_USAGE);
}

static void figures_of_a_config(void **state)
{
	struct config config;

	(void)state;
	assert_int_equal(config_parse("TF", &config, NULL), 0);
	assert_true(list_in_figure(&config, "Mitosis", "9b"));
	assert_true(list_in_figure(&config, "vMitosis", "4b"));
	assert_false(list_in_figure(&config, "Mitosis", "4b"));
	assert_false(list_in_figure(&config, "vMitosis", "4"));
	assert_int_equal(config_parse("RPI-LD", &config, NULL), 0);
	assert_true(list_in_figure(&config, "Mitosis", "6"));
	assert_true(list_in_figure(&config, "Mitosis", "10a"));
	assert_false(list_in_figure(&config, "Mitosis", "10b"));
	assert_false(list_in_figure(&config, "Mitosis", "6-thp"));
	assert_false(list_in_figure(&config, "vMitosis", "6"));
	assert_int_equal(config_parse("LR", &config, NULL), 0);
	assert_false(list_in_figure(&config, "Mitosis", "1"));
	assert_int_equal(config_parse("RP-LDM", &config, NULL), 0);
	assert_false(list_in_figure(&config, "Mitosis", "6"));
}

/* Every config is in some figure of the table, and every figure has published values. */
static void figures_are_complete(void **state)
{
	json_t *json = capture_json("figures");
	json_t *figure, *name;
	size_t i, j;

	(void)state;
	for (int c = 0; config_published(c); c++) {
		bool found = false;

		json_array_foreach (json, i, figure)
			json_array_foreach (json_object_get(figure, "configs"), j, name)
				found |=
					!strcmp(json_string_value(name), config_published(c)->name);
		if (!found)
			fail_msg("%s is in no figure", config_published(c)->name);
	}
	json_array_foreach (json, i, figure)
		if (json_integer_value(json_object_get(figure, "reference_values")) < 8)
			fail_msg("figure %s has too few published values",
				 json_string_value(json_object_get(figure, "figure")));
	json_decref(json);
}

/* The published values themselves name the configs of their figure. */
static void check_reference(const char *path, const char *paper)
{
	FILE *file = fopen(path, "r");
	char line[1024], figure[32], name[32];
	int rows = 0;

	assert_non_null(file);
	assert_non_null(fgets(line, sizeof(line), file));
	while (fgets(line, sizeof(line), file)) {
		struct config config;
		struct err err = {0};

		assert_int_equal(sscanf(line, "%31[^,],%*[^,],%31[^,]", figure, name), 2);
		/* The data of figure 11 leave out the F. */
		if (strcmp(figure, "11") == 0 && name[0] == 'T') {
			memmove(name + 1, name, sizeof(name) - 1);
			name[0] = 'F';
		}
		if (config_parse(name, &config, &err) != 0)
			fail_msg("%s: %s", path, err.text);
		if (!list_in_figure(&config, paper, figure))
			fail_msg("%s: %s is not noted for figure %s", path, name, figure);
		rows++;
	}
	assert_true(rows > 100);
	fclose(file);
}

static void reference_names_configs(void **state)
{
	(void)state;
	check_reference("analysis/reference/mitosis_runtimes.csv", "Mitosis");
	check_reference("analysis/reference/vmitosis_runtimes.csv", "vMitosis");
}

static void restore_without_anything(void **state)
{
	static const char *const words[] = {"restore", NULL}, *const json[] = {"restore", "-j",
									       NULL};
	int status;
	char *text;

	(void)state;
	setenv("MITOSIS_SUITE_STATE", "/nonexistent/mitosis-suite-state", 1);
	text = capture(restore_command, words, &status);
	assert_int_equal(status, 0);
	assert_string_equal(text, "nothing to put back\n");
	free(text);
	text = capture(restore_command, json, &status);
	assert_string_equal(text, "{\"restored\": 0}\n");
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(configs_as_json),
		cmocka_unit_test(configs_as_table),
		cmocka_unit_test(machines_as_json),
		cmocka_unit_test(unknown_topic),
		cmocka_unit_test(figures_of_a_config),
		cmocka_unit_test(figures_are_complete),
		cmocka_unit_test(reference_names_configs),
		cmocka_unit_test(restore_without_anything),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
