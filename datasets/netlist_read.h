/* SPDX-License-Identifier: MIT */
/*
 * Reads a netlist file in pieces, several at once: a piece owns the lines that begin in it. Every
 * error names the file and the line or byte.
 */
#ifndef DATASETS_NETLIST_READ_H
#define DATASETS_NETLIST_READ_H

#include <stdbool.h>
#include <stdint.h>

#include "common/err.h"
#include "datasets/netlist_sums.h"

#define NETLIST_LINE_LIMIT (UINT64_C(1) << 20) /* bytes of the longest line that is read */

struct netlist_file {
	const char *path;
	int fd;
	uint64_t bytes, header_bytes;
	uint64_t elements, width, height;
	bool has_sums;
	struct netlist_sums sums; /* where has_sums */
};

/*
 * Opens a file, reads its first line and its checksums, if there are any. ERR_USAGE when it cannot
 * be read, is no netlist, or does not have the length that the checksums are for.
 */
int netlist_open(struct netlist_file *file, const char *path, struct err *err);
void netlist_close(struct netlist_file *file);

/* --- pieces ----------------------------------------------------------------------------------- */

/* The blocks of the checksums, or pieces of `piece_bytes`. */
uint64_t netlist_nr_pieces(const struct netlist_file *file, uint64_t piece_bytes);
struct netlist_block netlist_piece(const struct netlist_file *file, uint64_t piece_bytes,
				   uint64_t index);

/*
 * Reads a piece, compares its checksum (where there is one) and counts the lines that begin in it.
 */
int netlist_check_piece(const struct netlist_file *file, const struct netlist_block *piece,
			uint64_t *lines, struct err *err);

/*
 * Whether as many lines begin in all pieces as the first one promises. ERR_USAGE: the file is
 * truncated or too long.
 */
int netlist_check_count(const struct netlist_file *file, uint64_t nr_lines, struct err *err);

/* --- lines ------------------------------------------------------------------------------------ */

struct netlist_lines {
	const struct netlist_file *file;
	uint64_t end;  /* lines that begin before it are ours */
	uint64_t line; /* number of the line that comes next, the header's being 1 */
	char *buffer;
	uint64_t offset; /* in the file, of buffer[0] */
	uint64_t used, at;
	bool at_end;
};

/*
 * `line` is the number of the first line that begins in the piece; the header is skipped.
 * ERR_INTERNAL: out of memory.
 */
int netlist_lines_open(struct netlist_lines *lines, const struct netlist_file *file,
		       const struct netlist_block *piece, uint64_t line, struct err *err);
void netlist_lines_close(struct netlist_lines *lines);

struct netlist_text {
	const char *at;
	uint64_t length;
};

/* 1 with the next line without its end, 0 after the last, -1 with ERR_USAGE. */
int netlist_lines_next(struct netlist_lines *lines, struct netlist_text *text, struct err *err);

/* Takes the next word of a line; false when there is none. */
bool netlist_word(struct netlist_text *text, struct netlist_text *word);

/* How much of a word a message should show. */
int netlist_shown(const struct netlist_text *word);

/*
 * Checks a line as a whole and splits it: `fan_ins` is left with exactly `nr_fan_ins` words.
 * ERR_USAGE names the line, `number`.
 */
struct netlist_line {
	struct netlist_text name, fan_ins;
	uint64_t nr_fan_ins;
};
int netlist_parse_line(const struct netlist_file *file, uint64_t number, struct netlist_text text,
		       struct netlist_line *line, struct err *err);

#endif
