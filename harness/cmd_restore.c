// SPDX-License-Identifier: MIT
/* `harness restore`: puts back the settings that runs which died have left changed. */
#include <argp.h>
#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>

#include "common/fs.h"
#include "harness/commands.h"
#include "harness/knobs.h"

struct request {
	bool json;
};

static error_t parse_option(int key, char *argument, struct argp_state *state)
{
	struct request *request = state->input;

	switch (key) {
	case 'j':
		request->json = true;
		return 0;
	case ARGP_KEY_ARG:
		argp_error(state, "'%s': restore takes no arguments", argument);
		return EINVAL;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static void print_result(bool json, int restored)
{
	if (json)
		printf("{\"restored\": %d}\n", restored);
	else if (restored == 0)
		puts("nothing to put back");
	else
		printf("%d %s put back\n", restored, restored == 1 ? "setting" : "settings");
}

int restore_command(int argc, char **argv)
{
	static const struct argp_option options[] = {
		{"json", 'j', NULL, 0, "Print {\"restored\": N}", 0}, {0}};
	static const struct argp argp = {
		options,
		parse_option,
		NULL,
		"Puts back the settings of the system (huge pages, AutoNUMA, clock rates) that a run "
		"changed and could not put back because it was killed."
		"\vEvery run puts its own settings back when it ends or is interrupted, and each "
		"start of the harness first puts back what dead runs have left. This command does "
		"only that. Runs that are alive are not disturbed, and a setting that somebody "
		"changed since is left alone.\n"
		"\n"
		"The notes on changed settings are in $MITOSIS_SUITE_STATE, else in "
		"/var/lib/mitosis-suite for root and ~/.local/state/mitosis-suite for others.",
		NULL,
		NULL,
		NULL};
	struct request request = {0};
	char name[] = "harness restore";
	struct err err = {0};
	struct fs root;
	int restored = 0;

	argv[0] = name;
	argp_err_exit_status = ERR_USAGE;
	if (argp_parse(&argp, argc, argv, 0, NULL, &request) != 0 || fs_open(&root, "/", &err) != 0)
		return err.kind ? err_report(name, &err) : ERR_USAGE;
	(void)knobs_recover(&root, NULL, &restored, &err);
	fs_close(&root);
	print_result(request.json, restored);
	return err_report(name, &err);
}
