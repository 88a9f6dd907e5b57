// SPDX-License-Identifier: MIT
#include "harness/doctor.h"

#include <argp.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "harness/doctor_check.h"
#include "harness/machine.h"

static const char *const verdicts[] = {
	[DOCTOR_OK] = "ok",
	[DOCTOR_WARN] = "warn",
	[DOCTOR_BLOCKS] = "blocks",
};

struct options {
	const char *results;
	bool json;
	struct err err;
};

enum { KEY_JSON = 256, KEY_RESULTS };

static const struct argp_option options[] = {
	{"json", KEY_JSON, NULL, 0, "Print one JSON object", 0},
	{"results", KEY_RESULTS, "DIR", 0, "Where results will be (default: results)", 0},
	{0}};

static error_t parse_option(int key, char *argument, struct argp_state *state)
{
	struct options *parsed = state->input;

	switch (key) {
	case KEY_JSON:
		parsed->json = true;
		return 0;
	case KEY_RESULTS:
		parsed->results = argument;
		return 0;
	case ARGP_KEY_ARG:
		err_set(&parsed->err, ERR_USAGE, "doctor takes no argument '%s'", argument);
		return EINVAL;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static void print_finding(const struct doctor_finding *finding)
{
	printf("%-6s  %-19s  %s\n", verdicts[finding->verdict], finding->check, finding->detail);
	if (finding->fix[0])
		printf("%-6s  %-19s  fix: %s\n", "", "", finding->fix);
}

static void print_text(const struct doctor *doctor)
{
	for (int i = 0; i < doctor->nr_findings; i++)
		print_finding(&doctor->findings[i]);
	printf("\nnative    %s\nemulated  %s\n", doctor->native_text, doctor->emulated_text);
}

static json_t *finding_to_json(const struct doctor_finding *finding)
{
	return json_pack("{s:s, s:s, s:s, s:o}", "check", finding->check, "verdict",
			 verdicts[finding->verdict], "detail", finding->detail, "fix",
			 finding->fix[0] ? json_string(finding->fix) : json_null());
}

static void print_json(const struct doctor *doctor)
{
	json_t *checks = json_array(), *report;
	json_t *machine = machine_to_json(&doctor->topology, doctor->root, NULL);

	for (int i = 0; i < doctor->nr_findings; i++)
		json_array_append_new(checks, finding_to_json(&doctor->findings[i]));
	report = json_pack("{s:o, s:{s:b, s:s}, s:{s:b, s:s}, s:o}", "checks", checks, "native",
			   "runs", doctor->native, "detail", doctor->native_text, "emulated",
			   "runs", doctor->emulated, "detail", doctor->emulated_text, "machine",
			   machine ? machine : json_null());
	json_dumpf(report, stdout, JSON_INDENT(2));
	putchar('\n');
	json_decref(report);
}

static int examine(const struct options *parsed, struct err *err)
{
	struct doctor *doctor = calloc(1, sizeof(*doctor));
	struct fs root;
	int status = 0;

	if (!doctor)
		return err_set(err, ERR_INTERNAL, "out of memory");
	if (fs_open(&root, "/", err) != 0) {
		free(doctor);
		return -1;
	}
	doctor->root = &root;
	doctor->probes = &doctor_probes_real;
	doctor->results = parsed->results;
	doctor_examine(doctor);
	(parsed->json ? print_json : print_text)(doctor);
	if (!doctor->native && !doctor->emulated)
		status = err_set(err, ERR_MACHINE,
				 "nothing can be run here; the lines that say 'blocks' say why");
	topology_free(&doctor->topology);
	fs_close(&root);
	free(doctor);
	return status;
}

int doctor_command(int argc, char **argv)
{
	static const struct argp argp = {
		options,
		parse_option,
		NULL,
		"Says what this machine can do, and how to make it better. Changes nothing.\v"
		"Each line is ok, warn (runs are possible, but worth less) or blocks (something "
		"cannot be done here), with the fix. Exit status: 0 if anything can be run here, "
		"3 if nothing.",
		NULL,
		NULL,
		NULL};
	struct options parsed = {.results = "results"};

	argp_err_exit_status = ERR_USAGE;
	if (argp_parse(&argp, argc, argv, 0, NULL, &parsed) != 0 ||
	    examine(&parsed, &parsed.err) != 0)
		return err_report("harness doctor", &parsed.err);
	return ERR_NONE;
}
