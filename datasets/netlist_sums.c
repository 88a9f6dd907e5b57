// SPDX-License-Identifier: MIT
#include "datasets/netlist_sums.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/fs.h"
#include "datasets/crc32c.h"

#define MAGIC "netlist-sums 1\n"

int netlist_sums_plan(struct netlist_sums *sums, const struct netlist_plan *plan,
		      uint64_t block_elements, struct err *err)
{
	const uint64_t line = netlist_line_bytes(plan), header = netlist_header_bytes(plan);

	*sums = (struct netlist_sums){.plan = *plan,
				      .bytes = netlist_file_bytes(plan),
				      .pins = plan->elements * plan->fan_in};
	sums->nr_blocks = (plan->elements + block_elements - 1) / block_elements;
	sums->blocks = calloc(sums->nr_blocks, sizeof(sums->blocks[0]));
	if (!sums->blocks)
		return err_set(err, ERR_INTERNAL, "out of memory for %" PRIu64 " blocks",
			       sums->nr_blocks);
	for (uint64_t i = 0; i < sums->nr_blocks; i++) {
		const uint64_t first = i * block_elements, rest = plan->elements - first;
		const uint64_t count = rest < block_elements ? rest : block_elements;

		sums->blocks[i].offset = i == 0 ? 0 : header + first * line;
		sums->blocks[i].bytes = (i == 0 ? header : 0) + count * line;
	}
	return 0;
}

void netlist_sums_free(struct netlist_sums *sums)
{
	free(sums->blocks);
	*sums = (struct netlist_sums){0};
}

/* --- text ------------------------------------------------------------------------------------ */

static void print_head(FILE *out, const struct netlist_sums *sums)
{
	const struct netlist_plan *plan = &sums->plan;

	fprintf(out, MAGIC "bytes %" PRIu64 "\npins %" PRIu64 "\n", sums->bytes, sums->pins);
	fprintf(out, "plan %" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRIu64 "\n",
		plan->elements, plan->width, plan->height, plan->fan_in, plan->seed);
}

static int print_block(char *text, size_t size, const struct netlist_block *block)
{
	return snprintf(text, size, "block %" PRIu64 " %" PRIu64 " %08" PRIx32 "\n", block->offset,
			block->bytes, block->crc);
}

static int parse_head(const char *text, struct netlist_sums *sums, int *length)
{
	struct netlist_plan *plan = &sums->plan;

	*length = 0;
	return sscanf(text,
		      MAGIC "bytes %" SCNu64 " pins %" SCNu64 " plan %" SCNu64 " %" SCNu64
			    " %" SCNu64 " %" SCNu64 " %" SCNu64 " %n",
		      &sums->bytes, &sums->pins, &plan->elements, &plan->width, &plan->height,
		      &plan->fan_in, &plan->seed, length) == 7 &&
			       *length > 0
		       ? 0
		       : -1;
}

/* A whole line, or nothing. */
static bool parse_block(const char **text, struct netlist_block *block)
{
	const char *end = strchr(*text, '\n');
	char back[80];

	if (!end || sscanf(*text, "block %" SCNu64 " %" SCNu64 " %" SCNx32, &block->offset,
			   &block->bytes, &block->crc) != 3)
		return false;
	/* What is read must print as what was written: a cut number is no number. */
	if (print_block(back, sizeof(back), block) != end + 1 - *text ||
	    strncmp(back, *text, (size_t)(end + 1 - *text)) != 0)
		return false;
	block->done = true;
	*text = end + 1;
	return true;
}

static char *read_text(const char *file, const char *suffix, char path[PATH_MAX], struct err *err)
{
	struct fs fs;
	char *text;

	if (snprintf(path, PATH_MAX, "%s%s", file, suffix) >= PATH_MAX) {
		err_set(err, ERR_USAGE, "%s: the name is too long", file);
		return NULL;
	}
	fs = (struct fs){.root_fd = AT_FDCWD};
	if (path[0] == '/' && fs_open(&fs, "/", err) != 0)
		return NULL;
	text = fs_read_all(&fs, path, NULL);
	if (!text && errno != ENOENT)
		err_set_errno(err, ERR_USAGE, errno, "cannot read %s", path);
	if (fs.root_fd != AT_FDCWD)
		fs_close(&fs);
	return text;
}

/* --- the finished file's -------------------------------------------------------------------- */

int netlist_sums_save(const struct netlist_sums *sums, const char *file, struct err *err)
{
	char path[PATH_MAX], line[80], *text = NULL;
	size_t length = 0;
	FILE *out = open_memstream(&text, &length);
	int failed;

	if (!out)
		return err_set(err, ERR_INTERNAL, "out of memory");
	print_head(out, sums);
	for (uint64_t i = 0; i < sums->nr_blocks; i++) {
		print_block(line, sizeof(line), &sums->blocks[i]);
		fputs(line, out);
	}
	fflush(out);
	fprintf(out, "end %08" PRIx32 "\n", crc32c(0, text, length));
	failed = ferror(out);
	if (fclose(out) != 0 || failed) {
		free(text);
		return err_set(err, ERR_INTERNAL, "out of memory");
	}
	failed = snprintf(path, sizeof(path), "%s.sums", file) >= (int)sizeof(path)
			 ? err_set(err, ERR_USAGE, "%s: the name is too long", file)
			 : fs_replace(path, text, length, err);
	free(text);
	return failed;
}

static int add_block(struct netlist_sums *sums, const struct netlist_block *block, uint64_t *room)
{
	if (sums->nr_blocks == *room) {
		struct netlist_block *more;

		*room = *room ? 2 * *room : 64;
		more = realloc(sums->blocks, *room * sizeof(*more));
		if (!more)
			return -1;
		sums->blocks = more;
	}
	sums->blocks[sums->nr_blocks++] = *block;
	return 0;
}

static int parse_sums(struct netlist_sums *sums, const char *text, const char *path,
		      struct err *err)
{
	const char *at = text;
	struct netlist_block block;
	uint64_t room = 0, due = 0;
	char end[32];
	int length;

	if (parse_head(text, sums, &length) != 0)
		return err_set(err, ERR_USAGE, "%s: this is no list of a netlist's checksums",
			       path);
	for (at += length; parse_block(&at, &block); due += block.bytes) {
		if (block.offset != due)
			return err_set(err, ERR_USAGE, "%s: block %" PRIu64 " is out of order",
				       path, sums->nr_blocks);
		if (add_block(sums, &block, &room) != 0)
			return err_set(err, ERR_INTERNAL, "out of memory");
	}
	snprintf(end, sizeof(end), "end %08" PRIx32 "\n", crc32c(0, text, (size_t)(at - text)));
	if (due != sums->bytes || strcmp(at, end) != 0)
		return err_set(err, ERR_USAGE,
			       "%s: damaged at byte %td; delete it to load the netlist without "
			       "checksums",
			       path, at - text);
	return 0;
}

int netlist_sums_load(struct netlist_sums *sums, const char *file, struct err *err)
{
	struct err local = {0};
	char path[PATH_MAX], *text;
	int failed;

	*sums = (struct netlist_sums){0};
	text = read_text(file, ".sums", path, &local);
	if (!text) {
		if (local.kind == ERR_NONE)
			return 0;
		return err_set(err, local.kind, "%s", local.text);
	}
	failed = parse_sums(sums, text, path, err);
	free(text);
	if (failed)
		netlist_sums_free(sums);
	return failed ? -1 : 1;
}

/* --- the journal ----------------------------------------------------------------------------- */

static struct netlist_block *find_block(struct netlist_sums *sums,
					const struct netlist_block *block)
{
	uint64_t low = 0, high = sums->nr_blocks;

	while (low < high) {
		const uint64_t middle = low + (high - low) / 2;

		if (sums->blocks[middle].offset < block->offset)
			low = middle + 1;
		else
			high = middle;
	}
	if (low == sums->nr_blocks || sums->blocks[low].offset != block->offset ||
	    sums->blocks[low].bytes != block->bytes)
		return NULL;
	return &sums->blocks[low];
}

int netlist_journal_load(struct netlist_sums *sums, const char *file, struct err *err)
{
	struct netlist_sums old = {0};
	struct netlist_block block;
	struct err local = {0};
	char path[PATH_MAX], *text = read_text(file, ".partial.sums", path, &local);
	const char *at = text;
	int length, failed = 0;

	if (!text)
		return local.kind ? err_set(err, local.kind, "%s", local.text) : 0;
	if (parse_head(text, &old, &length) != 0 || old.bytes != sums->bytes ||
	    memcmp(&old.plan, &sums->plan, sizeof(old.plan)) != 0)
		failed = err_set(err, ERR_USAGE,
				 "%s is about another netlist; go on with its arguments, or delete "
				 "%s.partial and %s.partial.sums",
				 path, file, file);
	/* A line that a crash cut in two ends the list; its block is made again. */
	for (at += length; !failed && parse_block(&at, &block);) {
		struct netlist_block *mine = find_block(sums, &block);

		if (mine)
			*mine = block;
	}
	free(text);
	return failed;
}

int netlist_journal_open(const struct netlist_sums *sums, const char *file, struct err *err)
{
	char path[PATH_MAX], *text = NULL;
	size_t length = 0;
	FILE *out;
	int fd;

	if (snprintf(path, sizeof(path), "%s.partial.sums", file) >= (int)sizeof(path))
		return err_set(err, ERR_USAGE, "%s: the name is too long", file);
	out = open_memstream(&text, &length);
	if (!out)
		return err_set(err, ERR_INTERNAL, "out of memory");
	print_head(out, sums);
	/* Written anew, so that a line that was cut is gone. */
	for (uint64_t i = 0; i < sums->nr_blocks; i++) {
		char line[80];

		if (!sums->blocks[i].done)
			continue;
		print_block(line, sizeof(line), &sums->blocks[i]);
		fputs(line, out);
	}
	fclose(out);
	fd = fs_replace(path, text, length, err);
	free(text);
	if (fd != 0)
		return -1;
	fd = open(path, O_WRONLY | O_APPEND | O_CLOEXEC);
	return fd >= 0 ? fd : err_set_errno(err, ERR_INTERNAL, errno, "cannot write %s", path);
}

int netlist_journal_add(int fd, const struct netlist_block *block, struct err *err)
{
	char line[80];
	const int length = print_block(line, sizeof(line), block);

	if (write(fd, line, (size_t)length) != length || fdatasync(fd) != 0)
		return err_set_errno(err, ERR_INTERNAL, errno, "cannot write the journal");
	return 0;
}
