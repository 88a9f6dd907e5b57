// SPDX-License-Identifier: MIT
#include "common/units.h"

#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct unit {
	const char *name;
	double factor;
};

static const struct unit size_units[] = {
	{"", 1},        {"B", 1},        {"K", 1024.0},   {"KiB", 1024.0}, {"KB", 1024.0},
	{"M", 0x1p20},  {"MiB", 0x1p20}, {"MB", 0x1p20},  {"G", 0x1p30},   {"GiB", 0x1p30},
	{"GB", 0x1p30}, {"T", 0x1p40},   {"TiB", 0x1p40}, {"TB", 0x1p40},  {NULL, 0},
};

static const struct unit count_units[] = {
	{"", 1},        {"k", 1e3},     {"M", 1e6},     {"G", 1e9},     {"T", 1e12},
	{"Ki", 0x1p10}, {"Mi", 0x1p20}, {"Gi", 0x1p30}, {"Ti", 0x1p40}, {NULL, 0},
};

static const struct unit duration_units[] = {
	{"", 1e9}, {"s", 1e9},  {"ms", 1e6},   {"us", 1e3},
	{"ns", 1}, {"m", 60e9}, {"h", 3600e9}, {NULL, 0},
};

static const struct unit *unit_find(const struct unit *units, const char *name)
{
	for (; units->name; units++)
		if (strcasecmp(units->name, name) == 0)
			return units;
	return NULL;
}

/* 2^N, for N from 0 to 63. */
static int parse_power(const char *text, uint64_t *value)
{
	char *end;
	unsigned long exponent;

	if (strncmp(text, "2^", 2) != 0 || !isdigit((unsigned char)text[2]))
		return -1;
	exponent = strtoul(text + 2, &end, 10);
	if (*end != '\0' || exponent > 63)
		return -1;
	*value = UINT64_C(1) << exponent;
	return 0;
}

/* A whole number without loss, even above 2^53 where a double would round. */
static int parse_whole(const char *text, const struct unit *units, uint64_t *value)
{
	const struct unit *unit;
	unsigned long long number;
	char *end;

	errno = 0;
	number = strtoull(text, &end, 10);
	if (errno != 0 || end == text)
		return -1;
	unit = unit_find(units, end);
	if (!unit || __builtin_mul_overflow(number, (uint64_t)unit->factor, value))
		return -1;
	return 0;
}

static int parse_fraction(const char *text, const struct unit *units, uint64_t *value)
{
	const struct unit *unit;
	double number;
	char *end;

	errno = 0;
	number = strtod(text, &end);
	if (errno != 0 || end == text || !isfinite(number))
		return -1;
	unit = unit_find(units, end);
	if (!unit)
		return -1;
	number *= unit->factor;
	if (number < 0 || number >= 0x1p64 || number != floor(number))
		return -1;
	*value = (uint64_t)number;
	return 0;
}

static int parse_with_units(const char *text, const struct unit *units, uint64_t *value)
{
	if (!isdigit((unsigned char)text[0]))
		return -1;
	if (parse_whole(text, units, value) == 0)
		return 0;
	if (units != duration_units && parse_power(text, value) == 0)
		return 0;
	if (strpbrk(text, "xXpPeE") != NULL)
		return -1;
	return parse_fraction(text, units, value);
}

int units_parse_size(const char *text, const char *what, uint64_t *bytes, struct err *err)
{
	if (parse_with_units(text, size_units, bytes) == 0)
		return 0;
	return err_set(err, ERR_USAGE,
		       "%s: '%s' is not a size; write a number of bytes, or 64K, 512M, 1.5G, 2^30",
		       what, text);
}

int units_parse_count(const char *text, const char *what, uint64_t *count, struct err *err)
{
	if (parse_with_units(text, count_units, count) == 0)
		return 0;
	return err_set(err, ERR_USAGE, "%s: '%s' is not a count; write a number, or 2M, 1Gi, 2^30",
		       what, text);
}

int units_parse_duration(const char *text, const char *what, uint64_t *ns, struct err *err)
{
	if (parse_with_units(text, duration_units, ns) == 0)
		return 0;
	return err_set(err, ERR_USAGE,
		       "%s: '%s' is not a duration; write seconds, or 500ms, 10s, 5m", what, text);
}

int units_parse_double(const char *text, const char *what, double *value, struct err *err)
{
	char *end;

	errno = 0;
	*value = strtod(text, &end);
	if (errno != 0 || end == text || *end != '\0' || !isfinite(*value))
		return err_set(err, ERR_USAGE, "%s: '%s' is not a number", what, text);
	return 0;
}

const char *units_format_size(uint64_t bytes, char text[UNITS_TEXT_MAX])
{
	static const char *const names[] = {"B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
	double value = (double)bytes;
	size_t unit = 0;

	while (value >= 1024.0 && unit + 1 < sizeof(names) / sizeof(names[0])) {
		value /= 1024.0;
		unit++;
	}
	if (value == floor(value))
		snprintf(text, UNITS_TEXT_MAX, "%.0f %s", value, names[unit]);
	else
		snprintf(text, UNITS_TEXT_MAX, "%.2f %s", value, names[unit]);
	return text;
}

const char *units_format_count(double count, char text[UNITS_TEXT_MAX])
{
	static const char *const names[] = {"", " k", " M", " G", " T"};
	size_t unit = 0;

	while (fabs(count) >= 1000.0 && unit + 1 < sizeof(names) / sizeof(names[0])) {
		count /= 1000.0;
		unit++;
	}
	snprintf(text, UNITS_TEXT_MAX, "%.4g%s", count, names[unit]);
	return text;
}

const char *units_format_duration(uint64_t ns, char text[UNITS_TEXT_MAX])
{
	double seconds = (double)ns / 1e9;

	if (ns < 1000)
		snprintf(text, UNITS_TEXT_MAX, "%u ns", (unsigned)ns);
	else if (ns < 1000000)
		snprintf(text, UNITS_TEXT_MAX, "%.3g us", (double)ns / 1e3);
	else if (ns < 1000000000)
		snprintf(text, UNITS_TEXT_MAX, "%.3g ms", (double)ns / 1e6);
	else if (seconds < 120.0)
		snprintf(text, UNITS_TEXT_MAX, "%.2f s", seconds);
	else
		snprintf(text, UNITS_TEXT_MAX, "%.0f min %02.0f s", floor(seconds / 60.0),
			 floor(fmod(seconds, 60.0)));
	return text;
}
