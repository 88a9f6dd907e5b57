// SPDX-License-Identifier: MIT
#include "harness/ptdump.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "harness/ptdump_image.h"
#include "harness/ptdump_reader.h"
#include "harness/ptdump_walk.h"

struct ptdump {
	struct ptdump_reader *reader;
	struct fs fs;
};

/*
 * BPF before kcore: it needs no symbols, so that it opens in a third of the time (0.3 s against 1 s
 * in an emulated machine, where reading kallsyms takes long), and reads about twice as fast.
 */
static const struct {
	const struct ptdump_reader_ops *ops;
	bool automatic; /* tried, in this order, when no reader was asked for */
} readers[] = {
	{&ptdump_bpf_ops, true},
	{&ptdump_kcore_ops, true},
	{&ptdump_image_ops, false},
};
#define NR_READERS (sizeof(readers) / sizeof(readers[0]))

static int open_named(struct ptdump *ptdump, const char *name, struct err *err)
{
	const char *colon = strchr(name, ':');
	const size_t length = colon ? (size_t)(colon - name) : strlen(name);

	for (size_t i = 0; i < NR_READERS; i++) {
		const struct ptdump_reader_ops *ops = readers[i].ops;

		if (strlen(ops->name) != length || memcmp(ops->name, name, length) != 0)
			continue;
		ptdump->reader = ops->open(colon ? colon + 1 : NULL, &ptdump->fs, err);
		return ptdump->reader ? 0 : -1;
	}
	return err_set(err, ERR_USAGE, "unknown reader '%s': kcore, bpf or image:PATH", name);
}

static int open_first(struct ptdump *ptdump, struct err *err)
{
	char reasons[sizeof(err->text)] = "";

	for (size_t i = 0; i < NR_READERS; i++) {
		struct err reason = {0};
		size_t used = strlen(reasons);

		if (!readers[i].automatic)
			continue;
		ptdump->reader = readers[i].ops->open(NULL, &ptdump->fs, &reason);
		if (ptdump->reader)
			return 0;
		if (reason.kind != ERR_MACHINE)
			return err_set(err, reason.kind, "%s", reason.text);
		snprintf(reasons + used, sizeof(reasons) - used, "%s%s: %.400s", used ? "; " : "",
			 readers[i].ops->name, reason.text);
	}
	return err_set(err, ERR_MACHINE, "page tables cannot be read here: %s", reasons);
}

int ptdump_open(struct ptdump **ptdump, const struct ptdump_options *options, struct err *err)
{
	const char *name = options ? options->reader : NULL;
	struct ptdump *made = calloc(1, sizeof(*made));
	int status;

	*ptdump = NULL;
	if (!made)
		return err_set(err, ERR_INTERNAL, "out of memory");
	made->fs.root_fd = -1;
	if (options && options->root) {
		made->fs.root_fd = dup(options->root->root_fd);
		status = made->fs.root_fd >= 0 ? 0 : err_set(err, ERR_INTERNAL, "no descriptor");
	} else {
		status = fs_open(&made->fs, "/", err);
	}
	if (status == 0)
		status = name ? open_named(made, name, err) : open_first(made, err);
	if (status) {
		ptdump_close(made);
		return -1;
	}
	*ptdump = made;
	return 0;
}

void ptdump_close(struct ptdump *ptdump)
{
	if (!ptdump)
		return;
	if (ptdump->reader)
		ptdump->reader->ops->close(ptdump->reader);
	fs_close(&ptdump->fs);
	free(ptdump);
}

static uint64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC_RAW, &now);
	return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

static int dump(struct ptdump *ptdump, pid_t pid, const struct ptdump_visitor *visitor,
		struct ptdump_result *result, struct err *err)
{
	const struct ptdump_reader_ops *ops = ptdump->reader->ops;
	const uint64_t start = now_ns();
	struct ptdump_space space, after;

	if (ops->find(ptdump->reader, pid, &space, err) ||
	    ptdump_walk(ptdump->reader, &space, visitor, result, err))
		return -1;
	/* A process that has ended or called exec has given its tables back: what was read of them
	 * last may have been anything. */
	if (ops->find(ptdump->reader, pid, &after, NULL))
		return err_set(err, ERR_USAGE, "process %d ended while its page tables were read",
			       (int)pid);
	if (after.root_address != space.root_address)
		result->torn = true;
	result->pid = pid;
	result->duration_ns = now_ns() - start;
	return 0;
}

int ptdump_process(struct ptdump *ptdump, pid_t pid, struct ptdump_result *result, struct err *err)
{
	return dump(ptdump, pid, NULL, result, err);
}

int ptdump_root(struct ptdump *ptdump, pid_t pid, uint64_t *root_address, int *levels,
		struct err *err)
{
	struct ptdump_space space;

	if (ptdump->reader->ops->find(ptdump->reader, pid, &space, err))
		return -1;
	*root_address = space.root_address;
	*levels = space.levels;
	return 0;
}

int ptdump_record(struct ptdump *ptdump, pid_t pid, const char *path, struct err *err)
{
	struct ptdump_image_writer *writer;
	struct ptdump_visitor visitor = {.visit = ptdump_image_add};
	struct ptdump_result result;
	struct ptdump_space space;
	int status;

	if (ptdump->reader->ops->find(ptdump->reader, pid, &space, err) ||
	    ptdump_image_create(&writer, err))
		return -1;
	visitor.context = writer;
	status = dump(ptdump, pid, &visitor, &result, err);
	if (status == 0)
		status = ptdump_image_write(writer, path, ptdump->reader, pid, &space, err);
	ptdump_image_free(writer);
	return status;
}
