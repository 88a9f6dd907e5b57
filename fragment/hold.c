// SPDX-License-Identifier: MIT
#include "fragment/hold.h"

#include <errno.h>
#include <fcntl.h>
#include <numaif.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/uio.h>
#include <unistd.h>

#define CHUNK_BYTES (UINT64_C(1) << 30)
#define PIPE_PAGES  16384 /* asked for with privilege; else the usual limit of 1 MiB */
#define PIPE_BYTES  (1 << 20)

void hold_open(struct hold *hold, const struct buddy *buddy, int node)
{
	*hold = (struct hold){
		.page_bytes = buddy->page_bytes,
		.huge_bytes = buddy->huge_bytes,
		.node = node,
		.chunk_used = CHUNK_BYTES,
	};
}

static int add_chunk(struct hold *hold, struct err *err)
{
	const unsigned long mask = 1ul << hold->node;
	char **chunks = realloc(hold->chunks, (size_t)(hold->nr_chunks + 1) * sizeof(*chunks));
	char *chunk;

	if (!chunks)
		return err_set(err, ERR_INTERNAL, "out of memory");
	hold->chunks = chunks;
	chunk = mmap(NULL, CHUNK_BYTES + hold->huge_bytes, PROT_READ | PROT_WRITE,
		     MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (chunk == MAP_FAILED)
		return err_set_errno(err, ERR_MACHINE, errno, "cannot map address space");
	hold->chunks[hold->nr_chunks++] = chunk;
	hold->chunk_used = -(uintptr_t)chunk & (hold->huge_bytes - 1);
	if (mbind(chunk, CHUNK_BYTES + hold->huge_bytes, MPOL_BIND, &mask, 65, 0) != 0)
		return err_set_errno(err, ERR_MACHINE, errno, "cannot take memory of node %d",
				     hold->node);
	if (madvise(chunk, CHUNK_BYTES + hold->huge_bytes, MADV_HUGEPAGE) != 0)
		return err_set_errno(err, ERR_MACHINE, errno, "cannot ask for huge pages");
	return 0;
}

static int add_pipe(struct hold *hold)
{
	int *pipes = realloc(hold->pipes, (size_t)(hold->nr_pipes + 1) * 2 * sizeof(*pipes));
	int fds[2], bytes;

	if (!pipes)
		return -1;
	hold->pipes = pipes;
	if (pipe2(fds, O_CLOEXEC | O_NONBLOCK) != 0)
		return -1;
	if (fcntl(fds[1], F_SETPIPE_SZ, (int)(PIPE_PAGES * hold->page_bytes)) < 0)
		fcntl(fds[1], F_SETPIPE_SZ, PIPE_BYTES);
	bytes = fcntl(fds[1], F_GETPIPE_SZ);
	hold->pipes[2 * hold->nr_pipes] = fds[1];
	hold->pipes[2 * hold->nr_pipes + 1] = fds[0];
	hold->nr_pipes++;
	hold->pipe_slots = bytes > 0 ? (uint64_t)bytes / hold->page_bytes : 0;
	return hold->pipe_slots > 0 ? 0 : -1;
}

/* A block that cannot be pinned is held all the same: compaction may then clear it. */
static void pin(struct hold *hold, char *page)
{
	const struct iovec vector = {.iov_base = page, .iov_len = hold->page_bytes};

	if (hold->pipe_slots == 0 && add_pipe(hold) != 0)
		return;
	if (vmsplice(hold->pipes[2 * (hold->nr_pipes - 1)], &vector, 1, SPLICE_F_NONBLOCK) !=
	    (ssize_t)hold->page_bytes)
		return;
	hold->pipe_slots--;
	hold->pinned++;
}

/* Whether the kernel mapped the block as one: then its last page is there, though the first alone
 * was touched. */
static bool is_huge(const struct hold *hold, char *block)
{
	unsigned char resident = 0;

	return mincore(block + hold->huge_bytes - hold->page_bytes, hold->page_bytes, &resident) ==
		       0 &&
	       (resident & 1);
}

int hold_take(struct hold *hold, struct err *err)
{
	char *block, *rest;
	uint64_t rest_bytes;

	if (hold->chunk_used + hold->huge_bytes > CHUNK_BYTES && add_chunk(hold, err) != 0)
		return -1;
	block = hold->chunks[hold->nr_chunks - 1] + hold->chunk_used;
	rest = block + hold->page_bytes;
	rest_bytes = hold->huge_bytes - hold->page_bytes;
	*(volatile char *)block = 1;
	if (!is_huge(hold, block)) {
		madvise(block, hold->huge_bytes, MADV_DONTNEED);
		return 0;
	}
	hold->chunk_used += hold->huge_bytes;
	/* Splits it; what this frees lazily goes at once with the next call. */
	if (madvise(rest, rest_bytes, MADV_FREE) != 0 ||
	    madvise(rest, rest_bytes, MADV_DONTNEED) != 0)
		return err_set_errno(err, ERR_MACHINE, errno, "cannot split a huge page");
	pin(hold, block);
	hold->blocks++;
	return 1;
}

void hold_close(struct hold *hold)
{
	for (int i = 0; i < 2 * hold->nr_pipes; i++)
		close(hold->pipes[i]);
	for (int i = 0; i < hold->nr_chunks; i++)
		munmap(hold->chunks[i], CHUNK_BYTES + hold->huge_bytes);
	free(hold->pipes);
	free(hold->chunks);
	*hold = (struct hold){.page_bytes = hold->page_bytes, .huge_bytes = hold->huge_bytes};
}
