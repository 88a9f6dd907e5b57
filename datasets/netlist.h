/* SPDX-License-Identifier: MIT */
/*
 * Synthetic netlists for canneal, in the text format of PARSEC's inputs:
 *
 *   ELEMENTS \t WIDTH \t HEIGHT
 *   NAME \t TYPE \t FAN-IN ... \t END        one line an element
 *
 * The grid has more places than there are elements. What is generated is a function of the plan
 * alone: any part of it can be made at any time, by any thread, in memory or as text, without the
 * rest. Names are the element's number in letters, all of one length, so that every line has the
 * same length and the size of the file is known beforehand.
 */
#ifndef DATASETS_NETLIST_H
#define DATASETS_NETLIST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/err.h"

/* Sides of a grid are below it, so that differences of distances fit 32 bits. */
#define NETLIST_SIDE_LIMIT   (UINT64_C(1) << 29)
#define NETLIST_ELEMENTS_MAX (UINT64_C(1) << 40)
#define NETLIST_FAN_IN_MAX   64
#define NETLIST_NAME_MAX     16
#define NETLIST_LINE_MAX     ((NETLIST_FAN_IN_MAX + 1) * (NETLIST_NAME_MAX + 1) + 8)

struct netlist_plan {
	uint64_t elements;
	uint64_t width, height; /* of the grid */
	uint64_t fan_in;        /* of every element; the published inputs have 5 */
	uint64_t seed;
};

/*
 * A plan with a grid of at least 1.1 places an element (as published: 110 million for 100 million)
 * and width:height about `aspect`. ERR_USAGE when a number is out of range.
 */
int netlist_plan_make(struct netlist_plan *plan, uint64_t elements, uint64_t fan_in, double aspect,
		      uint64_t seed, struct err *err);

/* Number `k` of the elements that feed `element`; never itself. */
uint64_t netlist_fan_in(const struct netlist_plan *plan, uint64_t element, uint64_t k);

/* --- as text --------------------------------------------------------------------------------- */

/* Letters that the names of so many elements have. */
unsigned netlist_name_letters(uint64_t elements);

void netlist_name(uint64_t element, unsigned letters, char *name);

/* The element of a name of that many letters; false when the name is none. */
bool netlist_name_parse(const char *name, size_t length, unsigned letters, uint64_t *element);

uint64_t netlist_line_bytes(const struct netlist_plan *plan);
uint64_t netlist_header_bytes(const struct netlist_plan *plan);
uint64_t netlist_file_bytes(const struct netlist_plan *plan);

/* Writes the first line, or an element's, without an ending NUL; returns the end. */
char *netlist_write_header(const struct netlist_plan *plan, char *at);
char *netlist_write_line(const struct netlist_plan *plan, uint64_t element, char *at);

#endif
