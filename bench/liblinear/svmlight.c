// SPDX-License-Identifier: MIT
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "bench/liblinear/liblinear.h"

#define ESTIMATE_LINES 20000

struct reader {
	const char *path;
	FILE *in;
	char *line;
	size_t room;
	uint64_t number; /* of the line */
	double labels[2];
	int nr_labels;
};

static int reader_open(struct reader *reader, const char *path, struct err *err)
{
	struct stat status;

	*reader = (struct reader){.path = path, .in = fopen(path, "re")};
	if (!reader->in)
		return err_set_errno(err, ERR_USAGE, errno, "cannot read %s", path);
	if (fstat(fileno(reader->in), &status) == 0 && S_ISREG(status.st_mode))
		return 0;
	fclose(reader->in);
	return err_set(err, ERR_USAGE, "%s is no file", path);
}

static void reader_close(struct reader *reader)
{
	fclose(reader->in);
	free(reader->line);
}

static int bad_line(const struct reader *reader, struct err *err, const char *what, const char *at)
{
	return err_set(err, ERR_USAGE, "%s, line %" PRIu64 ": %s at '%.*s'", reader->path,
		       reader->number, what, (int)strcspn(at, " \t\r\n") % 40, at);
}

static int parse_label(struct reader *reader, char **at, double *label, struct err *err)
{
	char *end;

	*label = strtod(*at, &end);
	if (end == *at || !strchr(" \t\r\n", *end) || !isfinite(*label))
		return bad_line(reader, err, "no label", *at);
	for (int i = 0; i < reader->nr_labels; i++)
		if (reader->labels[i] == *label) {
			*at = end;
			return 0;
		}
	if (reader->nr_labels == 2)
		return bad_line(reader, err, "a third label; two are trained", *at);
	/* Labels are int in the library's model. */
	if (*label != rint(*label) || fabs(*label) > INT32_MAX)
		return bad_line(reader, err, "a label that is no whole number", *at);
	reader->labels[reader->nr_labels++] = *label;
	*at = end;
	return 0;
}

/* 1 with a feature, 0 at the end of the line. */
static int parse_feature(const struct reader *reader, char **at, struct feature_node *node,
			 int before, struct err *err)
{
	char *start = *at + strspn(*at, " \t\r\n"), *colon, *end;
	long index;

	if (*start == '\0' || *start == '#')
		return 0;
	index = strtol(start, &colon, 10);
	if (colon == start || *colon != ':')
		return bad_line(reader, err, "no INDEX:VALUE", start);
	if (index < 1 || index > LIBLINEAR_MAX)
		return bad_line(reader, err, "an index that is not between 1 and 2^31 - 2", start);
	if (index <= before)
		return bad_line(reader, err, "an index that does not ascend", start);
	node->value = strtod(colon + 1, &end);
	if (end == colon + 1 || !strchr(" \t\r\n", *end) || !isfinite(node->value))
		return bad_line(reader, err, "no value", start);
	node->index = (int)index;
	*at = end;
	return 1;
}

/* 1 with a sample, of which `visit` gets each feature; 0 at the end. Empty lines and comments are
 * none. */
static int next_sample(struct reader *reader, double *label, struct feature_node *nodes,
		       uint64_t *nr_nodes, uint64_t most, int *last, struct err *err)
{
	for (;;) {
		struct feature_node node;
		char *at;
		int got;

		errno = 0;
		if (getline(&reader->line, &reader->room, reader->in) < 0) {
			if (ferror(reader->in) || errno == ENOMEM)
				return err_set_errno(err, ERR_USAGE, errno, "cannot read %s",
						     reader->path);
			return 0;
		}
		reader->number++;
		at = reader->line + strspn(reader->line, " \t\r\n");
		if (*at == '\0' || *at == '#')
			continue;
		if (parse_label(reader, &at, label, err) != 0)
			return -1;
		*nr_nodes = 0;
		*last = 0;
		while ((got = parse_feature(reader, &at, &node, *last, err)) > 0) {
			*last = node.index;
			if (nodes && *nr_nodes == most)
				return err_set(err, ERR_USAGE, "%s changed while it was read",
					       reader->path);
			if (nodes)
				nodes[*nr_nodes] = node;
			++*nr_nodes;
		}
		return got < 0 ? -1 : 1;
	}
}

static int measure(struct reader *reader, uint64_t most_lines, struct samples_size *size,
		   struct err *err)
{
	double label;
	uint64_t nonzeros;
	int got = 1, last;

	*size = (struct samples_size){0};
	while (reader->number < most_lines &&
	       (got = next_sample(reader, &label, NULL, &nonzeros, 0, &last, err)) > 0) {
		size->samples++;
		size->nonzeros += nonzeros;
		if ((uint64_t)last > size->features)
			size->features = (uint64_t)last;
	}
	if (got < 0)
		return -1;
	if (size->samples > LIBLINEAR_MAX)
		return err_set(err, ERR_USAGE,
			       "%s: %" PRIu64 " samples; the library counts to 2^31 - 2",
			       reader->path, size->samples);
	return 0;
}

int svmlight_measure(const char *path, struct samples_size *size, struct err *err)
{
	struct reader reader;
	int failed;

	if (reader_open(&reader, path, err) != 0)
		return -1;
	failed = measure(&reader, UINT64_MAX, size, err);
	if (!failed && (reader.nr_labels < 2 || size->features == 0))
		failed = err_set(err, ERR_USAGE,
				 "%s: truncated or no training data: %" PRIu64
				 " samples, %d labels, %" PRIu64 " features",
				 path, size->samples, reader.nr_labels, size->features);
	reader_close(&reader);
	return failed;
}

int svmlight_estimate(const char *path, struct samples_size *size, struct err *err)
{
	struct reader reader;
	struct stat status;
	int failed;

	if (reader_open(&reader, path, err) != 0)
		return -1;
	failed = measure(&reader, ESTIMATE_LINES, size, err);
	if (!failed && fstat(fileno(reader.in), &status) == 0 && ftell(reader.in) > 0 &&
	    status.st_size > ftell(reader.in)) {
		const double share = (double)status.st_size / (double)ftell(reader.in);

		size->samples = (uint64_t)((double)size->samples * share);
		size->nonzeros = (uint64_t)((double)size->nonzeros * share);
	}
	reader_close(&reader);
	return failed;
}

int svmlight_load(const char *path, const struct samples_size *size, struct problem *problem,
		  struct feature_node *nodes, struct err *err)
{
	uint64_t left = size->nonzeros, count, samples = 0;
	struct reader reader;
	double label;
	int got, last;

	if (reader_open(&reader, path, err) != 0)
		return -1;
	while ((got = next_sample(&reader, &label, nodes, &count, left, &last, err)) > 0) {
		if (samples == size->samples) {
			got = err_set(err, ERR_USAGE, "%s changed while it was read", path);
			break;
		}
		problem->x[samples] = nodes;
		problem->y[samples] = label;
		nodes[count] = (struct feature_node){.index = -1};
		nodes += count + 1;
		left -= count;
		samples++;
	}
	reader_close(&reader);
	if (got == 0 && samples < size->samples)
		return err_set(err, ERR_USAGE, "%s changed while it was read", path);
	return got;
}
