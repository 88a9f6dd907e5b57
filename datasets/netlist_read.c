// SPDX-License-Identifier: MIT
#include "datasets/netlist_read.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "datasets/crc32c.h"

#define BUFFER_BYTES (2 * NETLIST_LINE_LIMIT)

/* --- the file --------------------------------------------------------------------------------- */

static int64_t read_at(const struct netlist_file *file, char *data, uint64_t length,
		       uint64_t offset, struct err *err)
{
	uint64_t used = 0;

	while (used < length) {
		const ssize_t n =
			pread(file->fd, data + used, length - used, (off_t)(offset + used));

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_set_errno(err, ERR_USAGE, errno, "%s: cannot read byte %" PRIu64,
					     file->path, offset + used);
		if (n == 0)
			break;
		used += (uint64_t)n;
	}
	return (int64_t)used;
}

static int parse_header(struct netlist_file *file, struct err *err)
{
	char text[128];
	const int64_t got = read_at(file, text, sizeof(text) - 1, 0, err);
	int length = 0;

	if (got < 0)
		return -1;
	text[got] = '\0';
	if (sscanf(text, "%" SCNu64 "%*[ \t]%" SCNu64 "%*[ \t]%" SCNu64 "%*[ \t\r]%n",
		   &file->elements, &file->width, &file->height, &length) < 3)
		return err_set(
			err, ERR_USAGE,
			"%s, line 1: no netlist; it should begin with 'elements width height'",
			file->path);
	file->header_bytes = strcspn(text, "\n") + 1;
	if (file->header_bytes > (uint64_t)got)
		return err_set(err, ERR_USAGE, "%s: ends at byte %" PRIu64 " within its first line",
			       file->path, file->bytes);
	if (file->elements < 2 || file->elements > NETLIST_ELEMENTS_MAX || file->width < 1 ||
	    file->width >= NETLIST_SIDE_LIMIT || file->height < 1 ||
	    file->height >= NETLIST_SIDE_LIMIT || file->width * file->height <= file->elements)
		return err_set(err, ERR_USAGE,
			       "%s, line 1: %" PRIu64 " elements do not fit a grid of %" PRIu64
			       " by %" PRIu64 " with a place to spare",
			       file->path, file->elements, file->width, file->height);
	return 0;
}

static int load_sums(struct netlist_file *file, struct err *err)
{
	const struct netlist_plan *plan = &file->sums.plan;
	const int found = netlist_sums_load(&file->sums, file->path, err);

	if (found <= 0)
		return found;
	file->has_sums = true;
	if (file->sums.bytes != file->bytes)
		return err_set(err, ERR_USAGE,
			       "%s: %s at byte %" PRIu64 "; by its checksums it has %" PRIu64
			       " bytes; generate it again",
			       file->path,
			       file->bytes < file->sums.bytes ? "truncated" : "too long",
			       file->bytes < file->sums.bytes ? file->bytes : file->sums.bytes,
			       file->sums.bytes);
	if (plan->elements != file->elements || plan->width != file->width ||
	    plan->height != file->height)
		return err_set(err, ERR_USAGE,
			       "%s, line 1: is not the first line that its checksums are for",
			       file->path);
	return 0;
}

int netlist_open(struct netlist_file *file, const char *path, struct err *err)
{
	struct stat status;

	*file = (struct netlist_file){.path = path};
	file->fd = open(path, O_RDONLY | O_CLOEXEC);
	if (file->fd < 0)
		return err_set_errno(err, ERR_USAGE, errno, "cannot read %s", path);
	if (fstat(file->fd, &status) != 0 || !S_ISREG(status.st_mode)) {
		netlist_close(file);
		return err_set(err, ERR_USAGE, "%s is no file", path);
	}
	file->bytes = (uint64_t)status.st_size;
	if (parse_header(file, err) == 0 && load_sums(file, err) == 0)
		return 0;
	netlist_close(file);
	return -1;
}

void netlist_close(struct netlist_file *file)
{
	if (file->fd >= 0)
		close(file->fd);
	file->fd = -1;
	netlist_sums_free(&file->sums);
}

/* --- pieces ----------------------------------------------------------------------------------- */

uint64_t netlist_nr_pieces(const struct netlist_file *file, uint64_t piece_bytes)
{
	if (file->has_sums)
		return file->sums.nr_blocks;
	return (file->bytes + piece_bytes - 1) / piece_bytes;
}

struct netlist_block netlist_piece(const struct netlist_file *file, uint64_t piece_bytes,
				   uint64_t index)
{
	struct netlist_block piece = {.offset = index * piece_bytes, .bytes = piece_bytes};

	if (file->has_sums)
		return file->sums.blocks[index];
	if (piece.bytes > file->bytes - piece.offset)
		piece.bytes = file->bytes - piece.offset;
	return piece;
}

static uint64_t count_ends(const char *text, uint64_t length)
{
	uint64_t count = 0;

	/* A loop that compilers turn into vectors. */
	for (uint64_t i = 0; i < length; i++)
		count += text[i] == '\n';
	return count;
}

int netlist_check_piece(const struct netlist_file *file, const struct netlist_block *piece,
			uint64_t *lines, struct err *err)
{
	const uint64_t end = piece->offset + piece->bytes;
	char *buffer = malloc(BUFFER_BYTES);
	uint32_t crc = 0;
	int failed = 0;
	char before = '\n';

	*lines = 0;
	if (!buffer)
		return err_set(err, ERR_INTERNAL, "out of memory");
	if (piece->offset > 0 && read_at(file, &before, 1, piece->offset - 1, err) != 1)
		failed = -1;
	*lines = before == '\n';
	for (uint64_t at = piece->offset; at < end && !failed;) {
		const uint64_t want = end - at < BUFFER_BYTES ? end - at : BUFFER_BYTES;
		const int64_t got = read_at(file, buffer, want, at, err);

		if (got >= 0 && (uint64_t)got < want)
			err_set(err, ERR_USAGE,
				"%s: truncated at byte %" PRIu64 " while it was read", file->path,
				at + (uint64_t)got);
		failed = got < 0 || (uint64_t)got < want;
		if (failed)
			break;
		if (file->has_sums)
			crc = crc32c(crc, buffer, want);
		at += want;
		/* The last byte ends no line before one that begins here. */
		*lines += count_ends(buffer, want - (at == end));
	}
	free(buffer);
	if (failed)
		return -1;
	if (file->has_sums && crc != piece->crc)
		return err_set(err, ERR_USAGE,
			       "%s: corrupt between bytes %" PRIu64 " and %" PRIu64
			       " (checksum %08" PRIx32 ", not %08" PRIx32 "); generate it again",
			       file->path, piece->offset, end, crc, piece->crc);
	return 0;
}

int netlist_check_count(const struct netlist_file *file, uint64_t nr_lines, struct err *err)
{
	if (nr_lines - 1 == file->elements)
		return 0;
	return err_set(err, ERR_USAGE,
		       "%s: %s at byte %" PRIu64 ", line %" PRIu64 ": %" PRIu64
		       " elements, and its first line promises %" PRIu64,
		       file->path, nr_lines - 1 < file->elements ? "truncated" : "too long",
		       file->bytes, nr_lines, nr_lines - 1, file->elements);
}

/* --- lines ------------------------------------------------------------------------------------ */

/* Keeps what is not used yet and fills the rest of the buffer. */
static int refill(struct netlist_lines *lines, struct err *err)
{
	const uint64_t keep = lines->used - lines->at;
	int64_t got;

	memmove(lines->buffer, lines->buffer + lines->at, keep);
	lines->offset += lines->at;
	lines->at = 0;
	got = read_at(lines->file, lines->buffer + keep, BUFFER_BYTES - keep, lines->offset + keep,
		      err);
	if (got < 0)
		return -1;
	lines->used = keep + (uint64_t)got;
	lines->at_end = lines->used < BUFFER_BYTES;
	return 0;
}

int netlist_lines_open(struct netlist_lines *lines, const struct netlist_file *file,
		       const struct netlist_block *piece, uint64_t line, struct err *err)
{
	const bool skip_header = piece->offset < file->header_bytes;
	/* The byte before tells whether a line begins at the first. */
	const uint64_t start = skip_header ? file->header_bytes - 1 : piece->offset - 1;
	struct netlist_text text;
	int got;

	*lines = (struct netlist_lines){.file = file,
					.end = piece->offset + piece->bytes,
					.line = line - 1,
					.offset = start,
					.buffer = malloc(BUFFER_BYTES)};
	if (!lines->buffer)
		return err_set(err, ERR_INTERNAL, "out of memory");
	got = netlist_lines_next(lines, &text, err);
	lines->line = skip_header ? 2 : line;
	return got < 0 ? -1 : 0;
}

void netlist_lines_close(struct netlist_lines *lines)
{
	free(lines->buffer);
	lines->buffer = NULL;
}

int netlist_lines_next(struct netlist_lines *lines, struct netlist_text *text, struct err *err)
{
	const char *start, *end;

	if (lines->offset + lines->at >= lines->end)
		return 0;
	for (;;) {
		start = lines->buffer + lines->at;
		end = memchr(start, '\n', lines->used - lines->at);
		if (end || lines->at_end)
			break;
		if (lines->used - lines->at > NETLIST_LINE_LIMIT)
			return err_set(err, ERR_USAGE,
				       "%s, line %" PRIu64 ": longer than %" PRIu64 " bytes",
				       lines->file->path, lines->line, NETLIST_LINE_LIMIT);
		if (refill(lines, err) != 0)
			return -1;
	}
	if (!end && lines->at == lines->used)
		return 0;
	*text = (struct netlist_text){start,
				      end ? (uint64_t)(end - start) : lines->used - lines->at};
	lines->at += text->length + (end != NULL);
	lines->line++;
	return 1;
}

bool netlist_word(struct netlist_text *text, struct netlist_text *word)
{
	const char *at = text->at, *end = text->at + text->length;

	while (at < end && (*at == ' ' || *at == '\t' || *at == '\r'))
		at++;
	word->at = at;
	while (at < end && *at != ' ' && *at != '\t' && *at != '\r')
		at++;
	word->length = (uint64_t)(at - word->at);
	text->at = at;
	text->length = (uint64_t)(end - at);
	return word->length > 0;
}

static bool is_end(const struct netlist_text *word)
{
	return word->length == 3 && memcmp(word->at, "END", 3) == 0;
}

static bool is_number(const struct netlist_text *word)
{
	for (uint64_t i = 0; i < word->length; i++)
		if (word->at[i] < '0' || word->at[i] > '9')
			return false;
	return true;
}

int netlist_shown(const struct netlist_text *word)
{
	return word->length < 40 ? (int)word->length : 40;
}

int netlist_parse_line(const struct netlist_file *file, uint64_t number, struct netlist_text text,
		       struct netlist_line *line, struct err *err)
{
	struct netlist_text word, extra;

	*line = (struct netlist_line){0};
	if (!netlist_word(&text, &line->name))
		return err_set(err, ERR_USAGE, "%s, line %" PRIu64 ": empty", file->path, number);
	if (is_end(&line->name))
		return err_set(err, ERR_USAGE, "%s, line %" PRIu64 ": END without an element",
			       file->path, number);
	if (!netlist_word(&text, &word) || !is_number(&word))
		return err_set(err, ERR_USAGE,
			       "%s, line %" PRIu64
			       ": element '%.*s' has no type, which is a number",
			       file->path, number, netlist_shown(&line->name), line->name.at);
	line->fan_ins = text;
	for (; netlist_word(&text, &word) && !is_end(&word); line->nr_fan_ins++)
		line->fan_ins.length = (uint64_t)(word.at + word.length - line->fan_ins.at);
	if (word.length == 0)
		return err_set(err, ERR_USAGE,
			       "%s, line %" PRIu64 ": no END; the line is cut or corrupt",
			       file->path, number);
	if (netlist_word(&text, &extra))
		return err_set(err, ERR_USAGE,
			       "%s, line %" PRIu64 ": '%.*s' after END; an element has one line",
			       file->path, number, netlist_shown(&extra), extra.at);
	if (line->nr_fan_ins == 0)
		line->fan_ins.length = 0;
	return 0;
}
