// SPDX-License-Identifier: MIT
#include "emulator/plugin/frames.h"

#include <stdbool.h>
#include <sys/mman.h>

#include "emulator/plugin/cache.h"

#define PAGE_SHIFT       12
#define PAGE_LINES_SHIFT (PAGE_SHIFT - CACHE_LINE_SHIFT)

static void *reserve(uint64_t bytes)
{
	void *memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	return memory == MAP_FAILED ? NULL : memory;
}

int frames_init(struct frames *frames, const struct memory *memory)
{
	frames->count = memory->total_bytes >> PAGE_SHIFT;
	frames->names = reserve(frames->count * sizeof(*frames->names));
	frames->hashes = reserve(frames->count);
	return frames->names && frames->hashes ? 0 : -1;
}

void frames_fini(struct frames *frames)
{
	if (frames->names)
		munmap(frames->names, frames->count * sizeof(*frames->names));
	if (frames->hashes)
		munmap(frames->hashes, frames->count);
	*frames = (struct frames){0};
}

void frames_clear(struct frames *frames)
{
	madvise(frames->hashes, frames->count, MADV_DONTNEED);
}

static uint8_t hash_of(uint64_t number)
{
	const uint8_t hash = (uint8_t)(number * UINT64_C(0x9e3779b97f4a7c15) >> 56);

	return hash ? hash : 1;
}

/* Whether the tables still map virtual page `number` to `page`. */
static bool is_mapped(const struct memory *memory, uint64_t root, unsigned levels, uint64_t number,
		      uint64_t page)
{
	const uint64_t address = number << PAGE_SHIFT;
	struct walk_caches none = {0};
	struct walk walk;

	walk_run(&walk, memory, &none, root, levels, address);
	return walk.present &&
	       (walk.page | (address & ((UINT64_C(1) << walk.page_shift) - 1))) == page;
}

uint64_t frames_page(struct frames *frames, const struct memory *memory, uint64_t root,
		     unsigned levels, const struct walk *walk, uint64_t address)
{
	const uint64_t number = address >> walk->page_shift << (walk->page_shift - PAGE_SHIFT);
	const uint64_t place = (uint64_t)walk->page_node << FRAMES_NODE_SHIFT;
	const uint64_t frame = walk->page_offset >> PAGE_SHIFT;
	const uint8_t hash = hash_of(number),
		      known = __atomic_load_n(&frames->hashes[frame], __ATOMIC_ACQUIRE);

	if (known == hash)
		return place | number << PAGE_LINES_SHIFT;
	if (known != 0) {
		const uint64_t name = __atomic_load_n(&frames->names[frame], __ATOMIC_RELAXED);

		if (is_mapped(memory, root, levels, name, walk->page))
			return place | name << PAGE_LINES_SHIFT;
	}
	__atomic_store_n(&frames->names[frame], number, __ATOMIC_RELAXED);
	__atomic_store_n(&frames->hashes[frame], hash, __ATOMIC_RELEASE);
	return place | number << PAGE_LINES_SHIFT;
}
