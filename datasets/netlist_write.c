// SPDX-License-Identifier: MIT
#include "datasets/netlist_write.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <libgen.h>
#include <limits.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "common/units.h"
#include "datasets/crc32c.h"
#include "datasets/netlist_sums.h"

struct job {
	const struct netlist_write *write;
	struct netlist_sums sums;
	int fd, journal_fd;
	_Atomic uint64_t next_block;
	pthread_mutex_t lock; /* of what follows, and the journal */
	uint64_t bytes, before;
	struct err err;
	atomic_bool failed;
};

static int path_of(const struct netlist_write *write, const char *suffix, char path[PATH_MAX],
		   struct err *err)
{
	if (snprintf(path, PATH_MAX, "%s%s", write->file, suffix) < PATH_MAX)
		return 0;
	return err_set(err, ERR_USAGE, "%s: the name is too long", write->file);
}

/* --- before anything is written --------------------------------------------------------------- */

/* 1: FILE is complete and the one that is wanted; 0: there is none. */
static int is_complete(const struct netlist_write *write, struct err *err)
{
	struct netlist_sums sums;
	struct stat status;
	int same, found;

	if (stat(write->file, &status) != 0)
		return errno == ENOENT ? 0
				       : err_set_errno(err, ERR_USAGE, errno, "%s", write->file);
	found = netlist_sums_load(&sums, write->file, err);
	if (found < 0)
		return -1;
	same = found && memcmp(&sums.plan, &write->plan, sizeof(sums.plan)) == 0 &&
	       sums.bytes == (uint64_t)status.st_size;
	netlist_sums_free(&sums);
	if (same)
		return 1;
	return err_set(err, ERR_USAGE,
		       "%s exists and is not this netlist; delete it or choose another name",
		       write->file);
}

static uint64_t done_bytes(const struct netlist_sums *sums)
{
	uint64_t bytes = 0;

	for (uint64_t i = 0; i < sums->nr_blocks; i++)
		bytes += sums->blocks[i].done ? sums->blocks[i].bytes : 0;
	return bytes;
}

/* A journal without its file says nothing. */
static int load_progress(const struct netlist_write *write, struct netlist_sums *sums,
			 struct err *err)
{
	char partial[PATH_MAX];

	if (path_of(write, ".partial", partial, err) != 0 ||
	    netlist_sums_plan(sums, &write->plan, write->block_elements, err) != 0)
		return -1;
	if (access(partial, F_OK) != 0)
		return 0;
	return netlist_journal_load(sums, write->file, err);
}

int netlist_write_rest(const struct netlist_write *write, uint64_t *rest_bytes, struct err *err)
{
	const int complete = is_complete(write, err);
	struct netlist_sums sums = {0};
	int failed;

	*rest_bytes = 0;
	if (complete != 0)
		return complete < 0 ? -1 : 0;
	failed = load_progress(write, &sums, err);
	*rest_bytes = sums.bytes - done_bytes(&sums);
	netlist_sums_free(&sums);
	return failed;
}

/* What the file system must still give: what FILE.partial has is not asked for again. */
static int check_space(const struct netlist_write *write, const char *partial, uint64_t bytes,
		       struct err *err)
{
	char folder[PATH_MAX], want[UNITS_TEXT_MAX], have[UNITS_TEXT_MAX];
	uint64_t allocated = 0, available;
	struct statvfs system;
	struct stat status;

	if (stat(partial, &status) == 0)
		allocated = (uint64_t)status.st_blocks * 512;
	snprintf(folder, sizeof(folder), "%s", write->file);
	if (statvfs(dirname(folder), &system) != 0)
		return err_set_errno(err, ERR_USAGE, errno, "the folder of %s", write->file);
	available = (uint64_t)system.f_bavail * system.f_frsize;
	/* The list of checksums, and what the file system needs to find the blocks. */
	bytes += bytes / 1000 + (1 << 16);
	if (allocated >= bytes || bytes - allocated <= available)
		return 0;
	return err_set(err, ERR_MACHINE,
		       "%s needs %s more, and its file system has %s; nothing was written",
		       write->file, units_format_size(bytes - allocated, want),
		       units_format_size(available, have));
}

static int open_partial(const struct netlist_write *write, const char *partial, uint64_t bytes,
			struct err *err)
{
	const int fd = open(partial, O_RDWR | O_CREAT | O_CLOEXEC, 0666);

	(void)write;
	if (fd < 0)
		return err_set_errno(err, ERR_USAGE, errno, "cannot write %s", partial);
	if (flock(fd, LOCK_EX | LOCK_NB) != 0) {
		close(fd);
		return err_set(err, ERR_MACHINE, "%s: another generator is writing it", partial);
	}
	/* Reserves the space where the file system can. */
	if ((fallocate(fd, 0, 0, (off_t)bytes) != 0 && errno != EOPNOTSUPP) ||
	    ftruncate(fd, (off_t)bytes) != 0) {
		err_set_errno(err, ERR_MACHINE, errno, "cannot reserve the space of %s", partial);
		close(fd);
		return -1;
	}
	return fd;
}

/* --- the blocks ------------------------------------------------------------------------------- */

static int write_at(int fd, const char *data, size_t length, uint64_t offset)
{
	while (length > 0) {
		const ssize_t n = pwrite(fd, data, length, (off_t)offset);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return -1;
		data += n;
		length -= (size_t)n;
		offset += (uint64_t)n;
	}
	return 0;
}

static int write_block(struct job *job, uint64_t index, char *buffer, struct err *err)
{
	const struct netlist_write *write = job->write;
	const struct netlist_plan *plan = &write->plan;
	struct netlist_block *block = &job->sums.blocks[index];
	const uint64_t first = index * write->block_elements;
	char *at = buffer;

	if (index == 0)
		at = netlist_write_header(plan, at);
	for (uint64_t i = first; i < plan->elements && i - first < write->block_elements; i++)
		at = netlist_write_line(plan, i, at);
	block->crc = crc32c(0, buffer, block->bytes);
	if (write_at(job->fd, buffer, block->bytes, block->offset) != 0 || fdatasync(job->fd) != 0)
		return err_set_errno(err, ERR_INTERNAL, errno,
				     "%s.partial: cannot write byte %" PRIu64, write->file,
				     block->offset);
	return 0;
}

static void finish_block(struct job *job, struct netlist_block *block, struct err *err)
{
	const struct netlist_write *write = job->write;

	pthread_mutex_lock(&job->lock);
	if (err->kind == ERR_NONE && netlist_journal_add(job->journal_fd, block, err) == 0) {
		block->done = true;
		job->bytes += block->bytes;
		if (write->progress)
			write->progress(write->context, job->bytes, job->before, job->sums.bytes);
	}
	if (err->kind != ERR_NONE && !atomic_exchange(&job->failed, true))
		job->err = *err;
	pthread_mutex_unlock(&job->lock);
}

static void *work(void *argument)
{
	struct job *job = argument;
	const struct netlist_write *write = job->write;
	char *buffer = malloc(netlist_header_bytes(&write->plan) +
			      write->block_elements * netlist_line_bytes(&write->plan));
	struct err err = {0};

	if (!buffer) {
		err_set(&err, ERR_INTERNAL, "out of memory for a block; choose a smaller --block");
		finish_block(job, NULL, &err);
	}
	while (buffer && !job->failed && !(write->stop && *write->stop)) {
		const uint64_t index = atomic_fetch_add(&job->next_block, 1);

		if (index >= job->sums.nr_blocks)
			break;
		if (job->sums.blocks[index].done)
			continue;
		write_block(job, index, buffer, &err);
		finish_block(job, &job->sums.blocks[index], &err);
	}
	free(buffer);
	return NULL;
}

static int write_blocks(struct job *job, struct err *err)
{
	pthread_t threads[NETLIST_THREADS_MAX];
	int nr_started = 0;

	/* The calling thread is one of them. */
	while (nr_started < job->write->nr_threads - 1 && nr_started < NETLIST_THREADS_MAX &&
	       pthread_create(&threads[nr_started], NULL, work, job) == 0)
		nr_started++;
	work(job);
	while (nr_started > 0)
		pthread_join(threads[--nr_started], NULL);
	if (job->failed)
		return err_set(err, job->err.kind, "%s", job->err.text);
	if (job->bytes < job->sums.bytes)
		return err_set(err, ERR_INTERRUPTED,
			       "interrupted with %.1f%% of %s written; the same command goes on",
			       100.0 * (double)job->bytes / (double)job->sums.bytes,
			       job->write->file);
	return 0;
}

/* --- the file --------------------------------------------------------------------------------- */

static int publish(const struct job *job, const char *partial, struct err *err)
{
	const struct netlist_write *write = job->write;
	char journal[PATH_MAX];

	if (path_of(write, ".partial.sums", journal, err) != 0 ||
	    netlist_sums_save(&job->sums, write->file, err) != 0)
		return -1;
	if (rename(partial, write->file) != 0)
		return err_set_errno(err, ERR_INTERNAL, errno, "cannot rename %s to %s", partial,
				     write->file);
	unlink(journal);
	return 0;
}

static int write_file(struct job *job, struct err *err)
{
	const struct netlist_write *write = job->write;
	char partial[PATH_MAX];
	int failed;

	if (path_of(write, ".partial", partial, err) != 0 ||
	    load_progress(write, &job->sums, err) != 0 ||
	    check_space(write, partial, job->sums.bytes, err) != 0)
		return -1;
	job->fd = open_partial(write, partial, job->sums.bytes, err);
	if (job->fd < 0)
		return -1;
	job->journal_fd = netlist_journal_open(&job->sums, write->file, err);
	job->before = job->bytes = done_bytes(&job->sums);
	failed = job->journal_fd < 0 || write_blocks(job, err) != 0 ||
		 publish(job, partial, err) != 0;
	if (job->journal_fd >= 0)
		close(job->journal_fd);
	close(job->fd);
	return failed ? -1 : 0;
}

int netlist_write(const struct netlist_write *write, struct err *err)
{
	struct job job = {.write = write, .lock = PTHREAD_MUTEX_INITIALIZER};
	const int complete = is_complete(write, err);
	int failed;

	if (complete != 0)
		return complete < 0 ? -1 : 0;
	failed = write_file(&job, err);
	netlist_sums_free(&job.sums);
	return failed;
}
