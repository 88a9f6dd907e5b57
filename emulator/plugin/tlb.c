// SPDX-License-Identifier: MIT
#include "emulator/plugin/tlb.h"

#include <stdlib.h>
#include <string.h>

int tlb_init(struct tlb *tlb, struct geometry geometry)
{
	*tlb = (struct tlb){.sets = geometry.sets, .ways = geometry.ways};
	if (geometry.sets == 0)
		return 0;
	tlb->entries = calloc((size_t)geometry.sets * geometry.ways, sizeof(*tlb->entries));
	return tlb->entries ? 0 : -1;
}

void tlb_fini(struct tlb *tlb)
{
	free(tlb->entries);
	*tlb = (struct tlb){.entries = NULL};
}

void tlb_clear(struct tlb *tlb)
{
	if (tlb->entries)
		memset(tlb->entries, 0, (size_t)tlb->sets * tlb->ways * sizeof(*tlb->entries));
	tlb->used = 0;
}
