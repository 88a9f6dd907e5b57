// SPDX-License-Identifier: MIT
#include "harness/ptdump_image.h"

#include <errno.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>

#define FORMAT     "ptdump-image"
#define VERSION    1
#define HEADER_MAX 65536
#define TABLES_MAX (1u << 20) /* 4 GiB of page tables: no image for a test */

struct recorded_table {
	uint64_t address;
	uint64_t entries[PTDUMP_ENTRIES];
};
_Static_assert(sizeof(struct recorded_table) == 8 + PTDUMP_TABLE_BYTES, "the file's layout");

/* Tables in the order of the file, or, once read, by address. */
struct table_list {
	struct recorded_table *tables;
	size_t nr, capacity;
};

struct ptdump_image_writer {
	struct table_list list;
};

struct image {
	struct ptdump_reader base;
	struct table_list list;
	struct ptdump_space space;
	pid_t pid;
	uint64_t (*tables)[PTDUMP_ENTRIES];
};

/* --- writing ---------------------------------------------------------------------------------- */

int ptdump_image_create(struct ptdump_image_writer **writer, struct err *err)
{
	*writer = calloc(1, sizeof(**writer));
	return *writer ? 0 : err_set(err, ERR_INTERNAL, "out of memory");
}

void ptdump_image_free(struct ptdump_image_writer *writer)
{
	if (!writer)
		return;
	free(writer->list.tables);
	free(writer);
}

int ptdump_image_add(void *context, uint64_t address, const uint64_t *entries, struct err *err)
{
	struct table_list *list = &((struct ptdump_image_writer *)context)->list;
	struct recorded_table *table;

	if (list->nr == TABLES_MAX)
		return err_set(err, ERR_USAGE, "the process has too many page tables to record");
	if (list->nr == list->capacity) {
		const size_t capacity = list->capacity ? 2 * list->capacity : 64;
		struct recorded_table *larger = realloc(list->tables, capacity * sizeof(*larger));

		if (!larger)
			return err_set(err, ERR_INTERNAL, "out of memory for an image");
		list->tables = larger;
		list->capacity = capacity;
	}
	table = &list->tables[list->nr++];
	table->address = address;
	memcpy(table->entries, entries, sizeof(table->entries));
	return 0;
}

static json_t *nodes_to_json(const struct nodemap *map, struct err *err)
{
	struct nodemap_range *ranges;
	json_t *nodes = json_array();
	size_t nr;

	if (nodemap_to_ranges(map, &ranges, &nr, err)) {
		json_decref(nodes);
		return NULL;
	}
	for (size_t i = 0; i < nr; i++)
		json_array_append_new(nodes,
				      json_pack("{s:i, s:I, s:I}", "node", ranges[i].node,
						"first_frame", (json_int_t)ranges[i].first_frame,
						"end_frame", (json_int_t)ranges[i].end_frame));
	free(ranges);
	return nodes;
}

static char *header_line(const struct ptdump_image_writer *writer,
			 const struct ptdump_reader *reader, pid_t pid,
			 const struct ptdump_space *space, struct err *err)
{
	json_t *nodes = nodes_to_json(reader->nodes, err);
	json_t *header;
	char *line;

	if (!nodes)
		return NULL;
	header =
		json_pack("{s:s, s:i, s:i, s:I, s:i, s:I, s:o, s:I}", "format", FORMAT, "version",
			  VERSION, "pid", (int)pid, "root_address", (json_int_t)space->root_address,
			  "levels", space->levels, "frame_mask", (json_int_t)reader->frame_mask,
			  "nodes", nodes, "tables", (json_int_t)writer->list.nr);
	line = json_dumps(header, JSON_COMPACT);
	json_decref(header);
	if (!line)
		err_set(err, ERR_INTERNAL, "out of memory for an image");
	return line;
}

int ptdump_image_write(const struct ptdump_image_writer *writer, const char *path,
		       const struct ptdump_reader *reader, pid_t pid,
		       const struct ptdump_space *space, struct err *err)
{
	char *line = header_line(writer, reader, pid, space, err);
	const size_t bytes = writer->list.nr * sizeof(struct recorded_table);
	bool good;
	gzFile file;

	if (!line)
		return -1;
	file = gzopen(path, "wb9");
	if (!file) {
		free(line);
		return err_set_errno(err, ERR_USAGE, errno, "cannot create '%s'", path);
	}
	good = gzputs(file, line) > 0 && gzputc(file, '\n') == '\n' &&
	       gzfwrite(writer->list.tables, 1, bytes, file) == bytes;
	free(line);
	if (gzclose(file) == Z_OK && good)
		return 0;
	unlink(path);
	return err_set(err, ERR_INTERNAL, "cannot write '%s'", path);
}

/* --- reading ---------------------------------------------------------------------------------- */

static int by_address(const void *a, const void *b)
{
	const struct recorded_table *x = a, *y = b;

	return (x->address > y->address) - (x->address < y->address);
}

static int read_nodes(struct image *image, const json_t *nodes, struct err *err)
{
	const size_t nr = json_array_size(nodes);
	struct nodemap_range *ranges = calloc(nr + 1, sizeof(*ranges));
	int status = ranges ? 0 : err_set(err, ERR_INTERNAL, "out of memory");

	for (size_t i = 0; i < nr && status == 0; i++) {
		json_int_t first, end;

		if (json_unpack(json_array_get(nodes, i), "{s:i, s:I, s:I}", "node",
				&ranges[i].node, "first_frame", &first, "end_frame", &end))
			status = err_set(err, ERR_USAGE, "member 'nodes' is broken");
		ranges[i].first_frame = (uint64_t)first;
		ranges[i].end_frame = (uint64_t)end;
	}
	if (status == 0)
		status = nodemap_from_ranges(&image->base.nodes, ranges, nr, err);
	free(ranges);
	return status;
}

static int parse_header(struct image *image, const json_t *header, struct err *err)
{
	const char *format;
	json_int_t root, mask, tables;
	json_t *nodes;
	int version, pid;

	if (json_unpack((json_t *)header, "{s:s, s:i, s:i, s:I, s:i, s:I, s:o, s:I}", "format",
			&format, "version", &version, "pid", &pid, "root_address", &root, "levels",
			&image->space.levels, "frame_mask", &mask, "nodes", &nodes, "tables",
			&tables) ||
	    strcmp(format, FORMAT) != 0)
		return err_set(err, ERR_USAGE, "this is no recorded image");
	if (version != VERSION)
		return err_set(err, ERR_USAGE, "version %d of the image is not known", version);
	if (image->space.levels < 4 || image->space.levels > PTDUMP_LEVELS_MAX || tables < 1 ||
	    tables > TABLES_MAX)
		return err_set(err, ERR_USAGE, "the header is broken");
	image->pid = pid;
	image->space.root_address = (uint64_t)root;
	image->base.frame_mask = (uint64_t)mask;
	image->list.nr = (size_t)tables;
	return read_nodes(image, nodes, err);
}

static int read_header(struct image *image, gzFile file, struct err *err)
{
	char *line = malloc(HEADER_MAX);
	json_t *header = NULL;
	int status;

	if (!line)
		return err_set(err, ERR_INTERNAL, "out of memory");
	if (gzgets(file, line, HEADER_MAX))
		header = json_loads(line, 0, NULL);
	status = parse_header(image, header, err);
	json_decref(header);
	free(line);
	return status;
}

static int read_image(struct image *image, gzFile file, struct err *err)
{
	size_t bytes;

	if (read_header(image, file, err))
		return -1;
	bytes = image->list.nr * sizeof(struct recorded_table);
	image->list.tables = malloc(bytes);
	image->tables = malloc((size_t)PTDUMP_BATCH * PTDUMP_TABLE_BYTES);
	if (!image->list.tables || !image->tables)
		return err_set(err, ERR_INTERNAL, "out of memory");
	if (gzfread(image->list.tables, 1, bytes, file) != bytes)
		return err_set(err, ERR_USAGE, "the image is cut short or damaged");
	qsort(image->list.tables, image->list.nr, sizeof(struct recorded_table), by_address);
	return 0;
}

static void image_close(struct ptdump_reader *base)
{
	struct image *image = (struct image *)base;

	nodemap_free(image->base.nodes);
	free(image->list.tables);
	free(image->tables);
	free(image);
}

static struct ptdump_reader *image_open(const char *path, const struct fs *fs, struct err *err)
{
	struct image *image = calloc(1, sizeof(*image));
	gzFile file;
	int status;

	(void)fs;
	if (!path || !image) {
		err_set(err, ERR_USAGE, "the reader 'image' needs a file: image:PATH");
		free(image);
		return NULL;
	}
	file = gzopen(path, "rb");
	if (!file) {
		err_set_errno(err, ERR_USAGE, errno, "cannot open the image '%s'", path);
		free(image);
		return NULL;
	}
	image->base.ops = &ptdump_image_ops;
	status = read_image(image, file, err);
	gzclose(file);
	if (status == 0)
		return &image->base;
	err_prefix(err, "%s", path);
	image_close(&image->base);
	return NULL;
}

static int image_find(struct ptdump_reader *base, pid_t pid, struct ptdump_space *space,
		      struct err *err)
{
	const struct image *image = (const struct image *)base;

	if (pid != image->pid)
		return err_set(err, ERR_USAGE, "the image is of process %d, not of %d",
			       (int)image->pid, (int)pid);
	*space = image->space;
	return 0;
}

static int image_read(struct ptdump_reader *base, const uint64_t *addresses, size_t nr,
		      struct ptdump_batch *batch, struct err *err)
{
	struct image *image = (struct image *)base;

	(void)err;
	for (size_t i = 0; i < nr; i++) {
		const struct recorded_table *table =
			bsearch(&addresses[i], image->list.tables, image->list.nr,
				sizeof(struct recorded_table), by_address);

		batch->failed[i] = !table;
		if (table)
			memcpy(image->tables[i], table->entries, sizeof(table->entries));
	}
	batch->tables = (const uint64_t(*)[PTDUMP_ENTRIES])image->tables;
	return 0;
}

const struct ptdump_reader_ops ptdump_image_ops = {
	.name = "image",
	.open = image_open,
	.close = image_close,
	.find = image_find,
	.read = image_read,
};
