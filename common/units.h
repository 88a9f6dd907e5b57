/* SPDX-License-Identifier: MIT */
/*
 * Sizes, counts and durations: the only place that parses and prints them.
 *
 * Sizes are binary: K, M, G, T and KiB, MiB, GiB, TiB are powers of 1024; a bare number is bytes.
 * Counts are decimal: k, M, G, T are powers of 1000; Ki, Mi, Gi, Ti powers of 1024; "2^30" is
 * understood in both. Durations take ns, us, ms, s (default), m, h. Fractions ("1.5G") are allowed
 * where the result is whole. Overflow, a sign and trailing text are errors (ERR_USAGE).
 */
#ifndef COMMON_UNITS_H
#define COMMON_UNITS_H

#include <stddef.h>
#include <stdint.h>

#include "common/err.h"

/* `what` names the value in the message: "--size", "machine.memory". */
int units_parse_size(const char *text, const char *what, uint64_t *bytes, struct err *err);
int units_parse_count(const char *text, const char *what, uint64_t *count, struct err *err);
int units_parse_duration(const char *text, const char *what, uint64_t *ns, struct err *err);
int units_parse_double(const char *text, const char *what, double *value, struct err *err);

/* "1.5 GiB", "1,000"-free plain numbers; the buffer is returned for use in printf. */
#define UNITS_TEXT_MAX 32
const char *units_format_size(uint64_t bytes, char text[UNITS_TEXT_MAX]);
const char *units_format_count(double count, char text[UNITS_TEXT_MAX]);
const char *units_format_duration(uint64_t ns, char text[UNITS_TEXT_MAX]);

#endif
