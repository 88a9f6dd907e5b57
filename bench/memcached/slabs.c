// SPDX-License-Identifier: MIT
#include "bench/memcached/slabs.h"

#include <stddef.h>
#include <string.h>

#include "bench/loadgen/dialect.h"
#include "bench/loadgen/random.h"
#include "bench/loadgen/values.h"

#define VICTIMS_MAX 8
#define AGE_BLOCK   64 /* operations that a thread counts at once */
#define CHUNK_MAX   (SLABS_PAGE_BYTES / 2)

/* No fewer buckets than stripes: a bucket must not be under two of them. */
static const struct table_shape table_shape = {.first_buckets = SLABS_STRIPES, .load_percent = 150};

_Static_assert(offsetof(struct slabs_item, text) == 48, "the header of memcached's items");

/* --- classes -----------------------------------------------------------------------------------
 */

static uint64_t next_chunk(uint64_t chunk)
{
	return (chunk * 5 / 4 + 7) / 8 * 8;
}

static uint64_t item_bytes(uint64_t value_bytes)
{
	return offsetof(struct slabs_item, text) + SLABS_KEY_BYTES + value_bytes;
}

uint64_t slabs_chunk_bytes(uint64_t value_bytes)
{
	uint64_t chunk = SLABS_CHUNK_MIN;

	while (chunk < item_bytes(value_bytes) && chunk <= CHUNK_MAX)
		chunk = next_chunk(chunk);
	return chunk <= CHUNK_MAX ? chunk : 0;
}

static struct slabs_class *class_for(struct slabs *slabs, uint64_t value_bytes)
{
	const uint64_t bytes = item_bytes(value_bytes);

	for (int i = 0; i < slabs->nr_classes; i++)
		if (slabs->classes[i].chunk_bytes >= bytes)
			return &slabs->classes[i];
	return NULL;
}

/* --- open --------------------------------------------------------------------------------------
 */

static uint64_t hash_of(const struct table_node *node)
{
	uint64_t key;

	dialect_read_key(((const struct slabs_item *)node)->text, &key);
	return random_mix(key);
}

uint64_t slabs_table_bytes(uint64_t nr_keys)
{
	return table_bytes(nr_keys, &table_shape);
}

int slabs_open(struct slabs *slabs, void *memory, uint64_t bytes, void *table, uint64_t nr_keys,
	       struct err *err)
{
	memset(slabs, 0, sizeof(*slabs));
	slabs->memory = memory;
	slabs->nr_pages = bytes / SLABS_PAGE_BYTES;
	slabs->bump_interval = nr_keys;
	table_init(&slabs->table, table, nr_keys, &table_shape, hash_of);
	for (uint64_t chunk = SLABS_CHUNK_MIN; chunk <= CHUNK_MAX; chunk = next_chunk(chunk)) {
		if (slabs->nr_classes == SLABS_CLASSES_MAX)
			return err_set(err, ERR_INTERNAL, "too many classes of chunks");
		slabs->classes[slabs->nr_classes].chunk_bytes = chunk;
		pthread_mutex_init(&slabs->classes[slabs->nr_classes++].lock, NULL);
	}
	for (int i = 0; i < SLABS_STRIPES; i++)
		pthread_mutex_init(&slabs->stripes[i], NULL);
	pthread_mutex_init(&slabs->growing, NULL);
	return 0;
}

void slabs_close(struct slabs *slabs)
{
	if (slabs->nr_classes == 0)
		return;
	for (int i = 0; i < slabs->nr_classes; i++)
		pthread_mutex_destroy(&slabs->classes[i].lock);
	for (int i = 0; i < SLABS_STRIPES; i++)
		pthread_mutex_destroy(&slabs->stripes[i]);
	pthread_mutex_destroy(&slabs->growing);
	slabs->nr_classes = 0;
}

/* --- the list of a class, under its lock --------------------------------------------------------
 */

static void list_remove(struct slabs_class *class, struct slabs_item *item)
{
	if (item->newer)
		item->newer->older = item->older;
	else
		class->newest = item->older;
	if (item->older)
		item->older->newer = item->newer;
	else
		class->oldest = item->newer;
	class->nr_items--;
}

static void list_add(struct slabs_class *class, struct slabs_item *item)
{
	item->newer = NULL;
	item->older = class->newest;
	if (class->newest)
		class->newest->newer = item;
	else
		class->oldest = item;
	class->newest = item;
	class->nr_items++;
}

/* --- chunks ------------------------------------------------------------------------------------
 */

static pthread_mutex_t *stripe_of(struct slabs *slabs, uint64_t hash)
{
	/* The low bits: a bucket and the one it grows into have the same stripe. */
	return &slabs->stripes[hash % SLABS_STRIPES];
}

/* The oldest that nobody is using, out of table and list; NULL when there is none. `mine` is held
 * by the caller. */
static struct slabs_item *evict(struct slabs *slabs, struct slabs_class *class,
				pthread_mutex_t *mine)
{
	struct slabs_item *item = class->oldest;

	for (int tries = 0; item && tries < VICTIMS_MAX; tries++, item = item->newer) {
		pthread_mutex_t *stripe = stripe_of(slabs, hash_of(&item->node));

		if (stripe != mine && pthread_mutex_trylock(stripe) != 0)
			continue;
		table_remove(&slabs->table, &item->node);
		list_remove(class, item);
		item->linked = 0;
		class->nr_evicted++;
		if (stripe != mine)
			pthread_mutex_unlock(stripe);
		return item;
	}
	return NULL;
}

static bool take_page(struct slabs *slabs, struct slabs_class *class)
{
	uint64_t page = slabs->next_page;

	do {
		if (page == slabs->nr_pages)
			return false;
	} while (!atomic_compare_exchange_weak(&slabs->next_page, &page, page + 1));
	class->fresh = slabs->memory + page * SLABS_PAGE_BYTES;
	class->nr_fresh = SLABS_PAGE_BYTES / class->chunk_bytes;
	return true;
}

/* Under the class' lock. */
static struct slabs_item *take_chunk(struct slabs *slabs, struct slabs_class *class,
				     pthread_mutex_t *mine)
{
	struct slabs_item *item = class->free;

	if (item) {
		class->free = (struct slabs_item *)item->node.next;
		return item;
	}
	if (class->nr_fresh == 0 && !take_page(slabs, class))
		return evict(slabs, class, mine);
	item = (struct slabs_item *)class->fresh;
	class->fresh += class->chunk_bytes;
	class->nr_fresh--;
	return item;
}

/* --- growing -----------------------------------------------------------------------------------
 */

/* Two tables instead of one: nobody may be in them meanwhile. */
static void grow(struct slabs *slabs)
{
	for (int i = 0; i < SLABS_STRIPES; i++)
		pthread_mutex_lock(&slabs->stripes[i]);
	if (table_is_full(&slabs->table))
		table_grow(&slabs->table);
	for (int i = 0; i < SLABS_STRIPES; i++)
		pthread_mutex_unlock(&slabs->stripes[i]);
}

/* Before an operation, without locks. One thread at a time moves a bucket; the others go on. */
static void step(struct slabs *slabs)
{
	const struct table *table = &slabs->table;
	int64_t bucket;

	if (!table->old && table->nr_nodes < table->nr_buckets * table_shape.load_percent / 100)
		return;
	if (pthread_mutex_trylock(&slabs->growing) != 0)
		return;
	if (table_is_full(table))
		grow(slabs);
	bucket = table_next_move(table);
	if (bucket >= 0) {
		pthread_mutex_t *stripe = stripe_of(slabs, (uint64_t)bucket);

		pthread_mutex_lock(stripe);
		table_move(&slabs->table);
		pthread_mutex_unlock(stripe);
	}
	pthread_mutex_unlock(&slabs->growing);
}

/* --- operations ---------------------------------------------------------------------------------
 */

/* The time in operations, counted in blocks so that threads do not share a line at each. */
static uint32_t age_now(struct slabs *slabs)
{
	static _Thread_local unsigned mine;

	if (++mine % AGE_BLOCK == 0)
		atomic_fetch_add_explicit(&slabs->operations, AGE_BLOCK, memory_order_relaxed);
	return (uint32_t)(atomic_load_explicit(&slabs->operations, memory_order_relaxed) /
			  (slabs->bump_interval + 1));
}

static struct slabs_item *find(struct slabs *slabs, uint64_t hash, const char *text)
{
	struct table_node *node = *table_chain(&slabs->table, hash);

	while (node && memcmp(((struct slabs_item *)node)->text, text, DIALECT_KEY_BYTES) != 0)
		node = node->next;
	return (struct slabs_item *)node;
}

static void drop(struct slabs *slabs, struct slabs_item *item)
{
	struct slabs_class *class = &slabs->classes[item->class];

	table_remove(&slabs->table, &item->node);
	pthread_mutex_lock(&class->lock);
	list_remove(class, item);
	item->linked = 0;
	item->node.next = (struct table_node *)class->free;
	class->free = item;
	pthread_mutex_unlock(&class->lock);
}

bool slabs_set(struct slabs *slabs, uint64_t key, uint64_t bytes, uint32_t version)
{
	const uint64_t hash = random_mix(key);
	pthread_mutex_t *stripe = stripe_of(slabs, hash);
	struct slabs_class *class = class_for(slabs, bytes);
	struct slabs_item *item, *before;

	if (!class)
		return false;
	step(slabs);
	pthread_mutex_lock(stripe);
	pthread_mutex_lock(&class->lock);
	item = take_chunk(slabs, class, stripe);
	pthread_mutex_unlock(&class->lock);
	if (!item) {
		pthread_mutex_unlock(stripe);
		return false;
	}
	dialect_put_key(item->text, key);
	item->text[DIALECT_KEY_BYTES] = '\0';
	value_write(item->text + SLABS_KEY_BYTES, bytes, key, version);
	item->bytes = (uint32_t)bytes;
	item->class = (uint8_t)(class - slabs->classes);
	item->linked = 1;
	item->used_at = age_now(slabs);
	before = find(slabs, hash, item->text);
	if (before)
		drop(slabs, before);
	table_insert(&slabs->table, &item->node);
	pthread_mutex_lock(&class->lock);
	list_add(class, item);
	pthread_mutex_unlock(&class->lock);
	pthread_mutex_unlock(stripe);
	return true;
}

uint64_t slabs_get(struct slabs *slabs, uint64_t key, char *value)
{
	const uint64_t hash = random_mix(key);
	pthread_mutex_t *stripe = stripe_of(slabs, hash);
	const uint32_t age = age_now(slabs);
	char text[DIALECT_KEY_BYTES];
	struct slabs_item *item;
	uint64_t bytes = 0;

	dialect_put_key(text, key);
	step(slabs);
	pthread_mutex_lock(stripe);
	item = find(slabs, hash, text);
	if (item) {
		bytes = item->bytes;
		memcpy(value, item->text + SLABS_KEY_BYTES, bytes);
		if (item->used_at != age) {
			struct slabs_class *class = &slabs->classes[item->class];

			item->used_at = age;
			pthread_mutex_lock(&class->lock);
			list_remove(class, item);
			list_add(class, item);
			pthread_mutex_unlock(&class->lock);
		}
	}
	pthread_mutex_unlock(stripe);
	return bytes;
}

uint64_t slabs_evicted(const struct slabs *slabs)
{
	uint64_t sum = 0;

	for (int i = 0; i < slabs->nr_classes; i++)
		sum += slabs->classes[i].nr_evicted;
	return sum;
}
