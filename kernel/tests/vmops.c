// SPDX-License-Identifier: GPL-2.0
/*
 * Changes of mappings, each between the markers of the counting plugin: mmap with its pages,
 * faults, mprotect, mremap, munmap, fork and exit, private and shared. Prints one line a region, in
 * the order in which they end; the plugin prints the counts in the same order.
 *
 * usage: vmops [REPEATS [PAGES...]]   (default: 20 repeats of 1 and 2048 pages)
 */
#define _GNU_SOURCE
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "emulator/count/marker.h"

#define PAGE_BYTES    4096UL
#define TABLE_BYTES   (512 * PAGE_BYTES)
#define REPEATS_MOST  1000
#define REGIONS_BATCH 4096

struct shape {
	size_t pages;
	int shared;
};

static char *lines[REGIONS_BATCH];
static int nr_lines;

static void die(const char *what)
{
	perror(what);
	exit(1);
}

/* Not printed at once: a write between two regions would warm other paths. */
static void note(const char *operation, const struct shape *shape)
{
	char *line;

	if (nr_lines == REGIONS_BATCH ||
	    asprintf(&line, "region %s,%s,%zu", operation, shape->shared ? "shared" : "private",
		     shape->pages) < 0)
		die("vmops: too many regions");
	lines[nr_lines++] = line;
}

static int flags_of(const struct shape *shape)
{
	return MAP_ANONYMOUS | (shape->shared ? MAP_SHARED : MAP_PRIVATE);
}

/*
 * A place that begins a page table of its own and has nothing mapped around it, so that each
 * operation allocates or frees the same tables.
 */
static char *place_for(size_t bytes)
{
	const size_t room = bytes + 4 * TABLE_BYTES;
	char *p = mmap(NULL, room, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (p == MAP_FAILED)
		die("vmops: no room");
	munmap(p, room);
	return (char *)(((unsigned long)p + 2 * TABLE_BYTES) & -TABLE_BYTES);
}

static char *map(const struct shape *shape, int more_flags)
{
	const size_t bytes = shape->pages * PAGE_BYTES;
	char *place = place_for(bytes);
	char *p = mmap(place, bytes, PROT_READ | PROT_WRITE,
		       flags_of(shape) | MAP_FIXED_NOREPLACE | more_flags, -1, 0);

	if (p == MAP_FAILED)
		die("vmops: mmap");
	return p;
}

static void touch(char *p, const struct shape *shape)
{
	for (size_t i = 0; i < shape->pages; i++)
		__atomic_store_n(p + i * PAGE_BYTES, 1, __ATOMIC_RELAXED);
}

static void do_mmap(const struct shape *shape)
{
	const size_t bytes = shape->pages * PAGE_BYTES;
	char *place = place_for(bytes), *p;

	count_begin();
	p = mmap(place, bytes, PROT_READ | PROT_WRITE,
		 flags_of(shape) | MAP_FIXED_NOREPLACE | MAP_POPULATE, -1, 0);
	count_end();
	if (p == MAP_FAILED)
		die("vmops: mmap");
	note("mmap", shape);
	munmap(p, bytes);
}

static void do_fault(const struct shape *shape)
{
	char *p = map(shape, 0);

	count_begin();
	touch(p, shape);
	count_end();
	note("fault", shape);
	munmap(p, shape->pages * PAGE_BYTES);
}

static void do_mprotect(const struct shape *shape)
{
	const size_t bytes = shape->pages * PAGE_BYTES;
	char *p = map(shape, MAP_POPULATE);
	int failed;

	count_begin();
	failed = mprotect(p, bytes, PROT_READ);
	count_end();
	if (failed)
		die("vmops: mprotect");
	note("mprotect", shape);
	munmap(p, bytes);
}

/* One page off the old alignment: each entry moves. */
static void do_mremap(const struct shape *shape)
{
	const size_t bytes = shape->pages * PAGE_BYTES;
	char *p = map(shape, MAP_POPULATE), *place = place_for(bytes) + PAGE_BYTES, *q;

	count_begin();
	q = mremap(p, bytes, bytes, MREMAP_MAYMOVE | MREMAP_FIXED, place);
	count_end();
	if (q == MAP_FAILED)
		die("vmops: mremap");
	note("mremap", shape);
	munmap(q, bytes);
}

static void do_munmap(const struct shape *shape)
{
	const size_t bytes = shape->pages * PAGE_BYTES;
	char *p = map(shape, MAP_POPULATE);
	int failed;

	count_begin();
	failed = munmap(p, bytes);
	count_end();
	if (failed)
		die("vmops: munmap");
	note("munmap", shape);
}

/*
 * fork until it returns in the parent; then the child, which has touched all pages, exits: until
 * the parent has reaped it. A pipe keeps the child out of the first region.
 */
static void do_fork_and_exit(const struct shape *shape)
{
	char *p = map(shape, MAP_POPULATE);
	int start[2], ready[2], status;
	char byte = 0;
	pid_t pid;

	if (pipe(start) || pipe(ready))
		die("vmops: pipe");
	count_begin();
	pid = fork();
	if (pid == 0) {
		if (read(start[0], &byte, 1) != 1)
			_exit(1);
		touch(p, shape);
		if (write(ready[1], &byte, 1) != 1 || read(start[0], &byte, 1) != 1)
			_exit(1);
		count_begin();
		_exit(0);
	}
	count_end();
	if (pid < 0)
		die("vmops: fork");
	note("fork", shape);
	if (write(start[1], &byte, 1) != 1 || read(ready[0], &byte, 1) != 1 ||
	    write(start[1], &byte, 1) != 1)
		die("vmops: pipe");
	if (waitpid(pid, &status, 0) != pid || status)
		die("vmops: wait");
	count_end();
	note("exit", shape);
	close(start[0]);
	close(start[1]);
	close(ready[0]);
	close(ready[1]);
	munmap(p, shape->pages * PAGE_BYTES);
}

static void (*const operations[])(const struct shape *shape) = {
	do_mmap, do_fault, do_mprotect, do_mremap, do_munmap, do_fork_and_exit,
};

static void measure(const struct shape *shape, int repeats)
{
	for (size_t i = 0; i < sizeof(operations) / sizeof(operations[0]); i++) {
		for (int repeat = 0; repeat < repeats; repeat++)
			operations[i](shape);
		for (int line = 0; line < nr_lines; line++) {
			puts(lines[line]);
			free(lines[line]);
		}
		nr_lines = 0;
		fflush(stdout);
	}
}

/* 256 MiB and more are the same work over and over, and minutes of emulation. */
static int repeats_for(size_t pages, int repeats)
{
	const int few = pages > 1 << 15 ? 2 : 5;

	return pages > 1 << 10 && repeats > few ? few : repeats;
}

int main(int argc, char **argv)
{
	static const size_t usual[] = {1, 2048};
	const int repeats = argc > 1 ? atoi(argv[1]) : 20;
	const int nr = argc > 2 ? argc - 2 : 2;
	cpu_set_t first;

	CPU_ZERO(&first);
	CPU_SET(0, &first);
	if (repeats < 1 || repeats > REPEATS_MOST || sched_setaffinity(0, sizeof(first), &first))
		die("vmops: bad number of repeats, or CPU 0 is not allowed");
	/* Only 4 KiB pages, as in table 5 of the Mitosis paper. */
	prctl(PR_SET_THP_DISABLE, 1, 0, 0, 0);
	for (int i = 0; i < nr; i++)
		for (int shared = 0; shared < 2; shared++) {
			const struct shape shape = {
				argc > 2 ? strtoull(argv[i + 2], NULL, 10) : usual[i], shared};

			if (shape.pages == 0)
				die("vmops: 0 pages");
			measure(&shape, repeats_for(shape.pages, repeats));
		}
	return 0;
}
