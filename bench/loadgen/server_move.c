// SPDX-License-Identifier: MIT
/*
 * Data away from where the server was started. The kernel moves pages and leaves page tables where
 * they are, so a server that was started under a policy bound to one node keeps its tables there.
 */
#include <errno.h>
#include <inttypes.h>
#include <numaif.h>
#include <stdio.h>
#include <string.h>

#include "bench/loadgen/server.h"

#define PAGE_BYTES UINT64_C(4096)
#define BATCH      1024

static bool bound_to(unsigned long *nodes)
{
	unsigned long mask[16] = {0};
	int mode;

	if (get_mempolicy(&mode, mask, sizeof(mask) * 8, NULL, 0) != 0 || mode != MPOL_BIND)
		return false;
	*nodes = mask[0];
	return true;
}

static int move_whole(const struct server *server, unsigned long from, unsigned long to,
		      struct err *err)
{
	if (migrate_pages(server->pid, sizeof(from) * 8 + 1, &from, &to) >= 0)
		return 0;
	return err_set_errno(err, ERR_MACHINE, errno, "cannot move the server's pages");
}

/* --- interleaved: page by page ------------------------------------------------------------------
 */

struct deal {
	pid_t pid;
	int nodes[64], nr_nodes;
	uint64_t next;
};

/* Pages that are not there are skipped by the kernel and said so in `status`. */
static int deal_range(struct deal *deal, uint64_t begin, uint64_t end, struct err *err)
{
	void *pages[BATCH];
	int nodes[BATCH], status[BATCH];

	while (begin < end) {
		unsigned long n = 0;

		for (; n < BATCH && begin < end; n++, begin += PAGE_BYTES) {
			pages[n] = (void *)(uintptr_t)begin;
			nodes[n] = deal->nodes[deal->next++ % (uint64_t)deal->nr_nodes];
		}
		if (move_pages(deal->pid, n, pages, nodes, status, MPOL_MF_MOVE) < 0 &&
		    errno != ENOENT)
			return err_set_errno(err, ERR_MACHINE, errno,
					     "cannot interleave the server's pages");
	}
	return 0;
}

static int deal_out(const struct server *server, uint64_t mask, struct err *err)
{
	struct deal deal = {.pid = server->pid};
	char line[512], path[48];
	FILE *file;
	int failed = 0;

	for (int node = 0; node < 64; node++)
		if (mask >> node & 1)
			deal.nodes[deal.nr_nodes++] = node;
	snprintf(path, sizeof(path), "/proc/%d/maps", (int)server->pid);
	file = fopen(path, "re");
	if (!file)
		return err_set(err, ERR_RUN, "the server (%s) has ended", server->name);
	while (!failed && fgets(line, sizeof(line), file)) {
		uint64_t begin, end, inode;
		char rights[8];

		/* Memory of its own: writable, and no file behind it. */
		if (sscanf(line, "%" SCNx64 "-%" SCNx64 " %7s %*s %*s %" SCNu64, &begin, &end,
			   rights, &inode) == 4 &&
		    rights[1] == 'w' && inode == 0)
			failed = deal_range(&deal, begin, end, err);
	}
	fclose(file);
	return failed;
}

int server_move_data(const struct server *server, const struct arena_policy *policy,
		     struct err *err)
{
	unsigned long from;

	/* Not bound: it was started under the policy of its data. */
	if (policy->placement == ARENA_FIRST_TOUCH || !bound_to(&from) || from == policy->nodes)
		return 0;
	if (policy->placement == ARENA_INTERLEAVE)
		return deal_out(server, policy->nodes, err);
	return move_whole(server, from, policy->nodes, err);
}
