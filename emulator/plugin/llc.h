/* SPDX-License-Identifier: MIT */
/*
 * The last-level cache of a node: shared by its vCPUs, which run on several host threads, and by
 * data and page-table lines.
 *
 * Intel's LLCs since Ivy Bridge adapt their replacement to the stream of misses (Wong, "Intel Ivy
 * Bridge Cache Replacement Policy", 2013). The published policy of that kind is dynamic
 * re-reference interval prediction (Jaleel et al., "High Performance Cache Replacement Using
 * Re-Reference Interval Prediction", ISCA 2010): a line that was never hit again makes room for one
 * that was. For page tables it decides: leaf entries are re-used, the random data between them is
 * not.
 */
#ifndef EMULATOR_PLUGIN_LLC_H
#define EMULATOR_PLUGIN_LLC_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "emulator/plugin/cache.h"

struct llc {
	uint64_t *lines;   /* line + 1; 0: empty */
	uint8_t *interval; /* predicted distance of the next use, 0 (near) to 3 (distant) */
	uint32_t sets, ways;
	bool adaptive;  /* false: least recently used */
	int preference; /* of the dueling sets: above 0 the bimodal insertion misses less */
	unsigned inserted;
	bool alone; /* one vCPU uses it in this region of interest: no need to lock */
	atomic_flag busy;
};

int llc_init(struct llc *llc, struct geometry geometry, bool adaptive);
void llc_fini(struct llc *llc);
/* Empty, and used by `nr_users` vCPUs from now on. */
void llc_clear(struct llc *llc, unsigned nr_users);

/* Whether the line was in; it is afterwards. Safe to call from several threads. */
bool llc_access(struct llc *llc, uint64_t line);

#endif
