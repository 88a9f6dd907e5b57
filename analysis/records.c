// SPDX-License-Identifier: MIT
#include "analysis/records.h"

#include <errno.h>
#include <fts.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "analysis/array.h"
#include "analysis/record_read.h"

/* results/CAMPAIGN/.../RUN/run.json; a deeper tree is not ours (or a loop of bind mounts). */
#define DEPTH_MAX 8

struct seen_file {
	dev_t device;
	ino_t inode;
};

struct search {
	struct records *records;
	struct seen_file *seen;
	int nr_seen;
};

static int out_of_memory(struct err *err)
{
	return err_set(err, ERR_INTERNAL, "out of memory");
}

static int refuse(struct records *records, const char *path, const char *reason, struct err *err)
{
	struct record_refusal *refused =
		array_grow(records->refused, records->nr_refused, sizeof(*refused));

	if (!refused)
		return out_of_memory(err);
	records->refused = refused;
	refused += records->nr_refused++;
	refused->path = strdup(path);
	refused->reason = strdup(reason);
	return refused->path && refused->reason ? 0 : out_of_memory(err);
}

/* The same record may be reached by two of the given paths; it counts once. */
static int seen_before(struct search *search, const struct stat *st, bool *before, struct err *err)
{
	struct seen_file *seen;

	*before = true;
	for (int i = 0; i < search->nr_seen; i++)
		if (search->seen[i].inode == st->st_ino && search->seen[i].device == st->st_dev)
			return 0;
	seen = array_grow(search->seen, search->nr_seen, sizeof(*seen));
	if (!seen)
		return out_of_memory(err);
	search->seen = seen;
	seen[search->nr_seen++] = (struct seen_file){st->st_dev, st->st_ino};
	*before = false;
	return 0;
}

static int add_file(struct search *search, const FTSENT *entry, struct err *err)
{
	struct records *records = search->records;
	struct err why = {0};
	struct record *items;
	bool before;

	if (seen_before(search, entry->fts_statp, &before, err) != 0)
		return -1;
	if (before)
		return 0;
	items = array_grow(records->items, records->nr, sizeof(*items));
	if (!items)
		return out_of_memory(err);
	records->items = items;
	if (record_read_file(&items[records->nr], entry->fts_path, &why) == 0) {
		records->nr++;
		return 0;
	}
	run_record_free(&items[records->nr]);
	if (why.kind == ERR_INTERNAL)
		return err_set(err, ERR_INTERNAL, "%s: %s", entry->fts_path, why.text);
	return refuse(records, entry->fts_path, why.text, err);
}

static int visit(struct search *search, FTS *tree, FTSENT *entry, struct err *err)
{
	switch (entry->fts_info) {
	case FTS_D:
		if (entry->fts_level >= DEPTH_MAX)
			fts_set(tree, entry, FTS_SKIP);
		return 0;
	case FTS_F:
		if (entry->fts_level > 0 && strcmp(entry->fts_name, "run.json") != 0)
			return 0;
		return add_file(search, entry, err);
	case FTS_DNR:
	case FTS_ERR:
	case FTS_NS:
		return refuse(search->records, entry->fts_path, strerror(entry->fts_errno), err);
	default:
		return 0;
	}
}

static int compare_entries(const FTSENT **a, const FTSENT **b)
{
	return strcmp((*a)->fts_name, (*b)->fts_name);
}

static int search_path(struct search *search, const char *path, struct err *err)
{
	char *const roots[] = {(char *)path, NULL};
	int result = 0;
	FTSENT *entry;
	FTS *tree;

	if (access(path, R_OK) != 0)
		return err_set_errno(err, ERR_USAGE, errno, "cannot read the results at '%s'",
				     path);
	tree = fts_open(roots, FTS_PHYSICAL | FTS_COMFOLLOW | FTS_NOCHDIR, compare_entries);
	if (!tree)
		return err_set_errno(err, ERR_INTERNAL, errno, "cannot search '%s'", path);
	while (result == 0 && (entry = fts_read(tree)) != NULL)
		result = visit(search, tree, entry, err);
	fts_close(tree);
	return result;
}

static int compare_paths(const void *a, const void *b)
{
	return strcmp(((const struct record *)a)->path, ((const struct record *)b)->path);
}

static int require_some(const struct records *records, const char *const *paths, struct err *err)
{
	if (records->nr > 0)
		return 0;
	if (records->nr_refused > 0)
		return err_set(err, ERR_USAGE,
			       "none of the %d records below '%s' can be used: %s: %s",
			       records->nr_refused, paths[0], records->refused[0].path,
			       records->refused[0].reason);
	return err_set(err, ERR_USAGE,
		       "there is no run.json below '%s'; make one with 'harness run gups LP-LD', "
		       "or name the directory with --results",
		       paths[0]);
}

int records_load(const char *const *paths, int nr_paths, struct records *records, struct err *err)
{
	struct search search = {.records = records};
	int result = 0;

	memset(records, 0, sizeof(*records));
	for (int i = 0; i < nr_paths && result == 0; i++)
		result = search_path(&search, paths[i], err);
	free(search.seen);
	if (result == 0 && records->nr > 0)
		qsort(records->items, (size_t)records->nr, sizeof(*records->items), compare_paths);
	if (result == 0)
		result = require_some(records, paths, err);
	return result;
}

void records_free(struct records *records)
{
	for (int i = 0; i < records->nr; i++)
		run_record_free(&records->items[i]);
	for (int i = 0; i < records->nr_refused; i++) {
		free(records->refused[i].path);
		free(records->refused[i].reason);
	}
	free(records->items);
	free(records->refused);
	memset(records, 0, sizeof(*records));
}
