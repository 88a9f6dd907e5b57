// SPDX-License-Identifier: MIT
#include "harness/counters_option.h"

#include <string.h>

static const struct {
	const char *name;
	enum counters_backend backend;
} backends[] = {
	{"auto", COUNTERS_AUTO},
	{"none", COUNTERS_NONE},
	{"perf", COUNTERS_PERF_EVENT},
	{"papi", COUNTERS_PAPI},
};

void counters_option_parse(const char *text, struct counters_options *options)
{
	*options = (struct counters_options){.backend = COUNTERS_AUTO};
	for (size_t i = 0; i < sizeof(backends) / sizeof(backends[0]); i++) {
		if (strcmp(text, backends[i].name) == 0) {
			options->backend = backends[i].backend;
			return;
		}
	}
	options->events = text;
}
