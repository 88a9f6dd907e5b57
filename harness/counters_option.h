/* SPDX-License-Identifier: MIT */
#ifndef HARNESS_COUNTERS_OPTION_H
#define HARNESS_COUNTERS_OPTION_H

#include "harness/counters.h"

/* The value of --counters: auto, none, perf, papi or event names with commas (which are kept by
 * reference). "list" is a command of its own. */
void counters_option_parse(const char *text, struct counters_options *options);

#endif
