// SPDX-License-Identifier: MIT
#include "harness/ptdump_walk.h"

#include "harness/ptdump_testing.h"

#define P    UINT64_C(0x001)
#define A    UINT64_C(0x020)
#define PS   UINT64_C(0x080)
#define G    UINT64_C(0x100)
#define NX   (UINT64_C(1) << 63)
#define USER UINT64_C(0x67) /* P, RW, US, A, D */

/*
 * A machine of 1 GiB: node 0 has the first 512 MiB, node 1 the rest. Its tables lie in an array, of
 * which element i is at physical address i * 4096 + where[i].
 */
#define NODE_1     (UINT64_C(512) << 20)
#define NR_TABLES  600
#define NO_ADDRESS UINT64_MAX

struct machine {
	struct ptdump_reader base;
	uint64_t address[NR_TABLES];
	uint64_t tables[NR_TABLES][PTDUMP_ENTRIES];
	size_t nr;
	uint64_t batch[PTDUMP_BATCH][PTDUMP_ENTRIES];
	unsigned int reads;
	/* Called before the read of that number, to change the tables in the middle of a walk. */
	unsigned int change_at;
	void (*change)(struct machine *machine);
};

static int fake_read(struct ptdump_reader *base, const uint64_t *addresses, size_t nr,
		     struct ptdump_batch *batch, struct err *err)
{
	struct machine *machine = (struct machine *)base;

	(void)err;
	assert_in_range(nr, 1, PTDUMP_BATCH);
	if (machine->change && machine->reads == machine->change_at)
		machine->change(machine);
	machine->reads++;
	for (size_t i = 0; i < nr; i++) {
		batch->failed[i] = true;
		for (size_t t = 0; t < machine->nr; t++) {
			if (machine->address[t] != addresses[i])
				continue;
			batch->failed[i] = false;
			memcpy(machine->batch[i], machine->tables[t], PTDUMP_TABLE_BYTES);
		}
	}
	batch->tables = (const uint64_t(*)[PTDUMP_ENTRIES])machine->batch;
	return 0;
}

static const struct ptdump_reader_ops fake_ops = {.name = "fake", .read = fake_read};

static struct machine *make_machine(void)
{
	const struct nodemap_range ranges[] = {{0, NODE_1 >> 12, 0},
					       {NODE_1 >> 12, 2 * NODE_1 >> 12, 1}};
	struct machine *machine = calloc(1, sizeof(*machine));

	machine->base.ops = &fake_ops;
	machine->base.frame_mask = ((UINT64_C(1) << 46) - 1) & ~UINT64_C(0xfff);
	assert_int_equal(nodemap_from_ranges(&machine->base.nodes, ranges, 2, NULL), 0);
	return machine;
}

static void free_machine(struct machine *machine)
{
	nodemap_free(machine->base.nodes);
	free(machine);
}

static uint64_t *add_table(struct machine *machine, uint64_t address)
{
	assert_in_range(machine->nr, 0, NR_TABLES - 1);
	machine->address[machine->nr] = address;
	return machine->tables[machine->nr++];
}

static struct ptdump_result walk(struct machine *machine, int levels)
{
	const struct ptdump_space space = {.root_address = machine->address[0], .levels = levels};
	struct ptdump_result result;
	struct err err = {0};

	machine->reads = 0;
	if (ptdump_walk(&machine->base, &space, NULL, &result, &err))
		fail_msg("%s", err.text);
	return result;
}

/* root -> PDPT -> PD -> PT, each at an address of its own; the PT is returned. */
static uint64_t *make_chain(struct machine *machine, int levels)
{
	uint64_t *table = add_table(machine, 0x10000);

	for (int level = levels - 2; level >= 0; level--) {
		const uint64_t address = 0x20000 + (uint64_t)level * 0x1000;

		table[level] = address | USER;
		table = add_table(machine, address);
	}
	return table;
}

static void test_four_levels(void **state)
{
	struct machine *machine = make_machine();
	uint64_t *pt = make_chain(machine, 4);
	struct ptdump_result result;

	(void)state;
	pt[0] = 0x100000 | USER | NX;
	pt[1] = 0x101000 | P; /* read-only, not accessed */
	pt[511] = NODE_1 | USER;
	result = walk(machine, 4);
	assert_int_equal(result.levels, 4);
	assert_int_equal(result.nr_nodes, 2);
	assert_int_equal(result.root_address, 0x10000);
	for (int level = 0; level < 4; level++)
		assert_int_equal(result.table_pages[level][0], 1);
	assert_int_equal(result.table_pages[4][0], 0);
	assert_int_equal(ptdump_table_pages(&result, -1), 4);
	assert_int_equal(ptdump_table_bytes(&result), 4 * 4096);
	assert_int_equal(result.leaves[0][0][0], 2);
	assert_int_equal(result.leaves[0][0][1], 1);
	assert_int_equal(result.entries_read, 4 * 512);
	assert_false(result.torn);
	free_machine(machine);
}

static void test_five_levels(void **state)
{
	struct machine *machine = make_machine();
	uint64_t *pt = make_chain(machine, 5);
	struct ptdump_result result;

	(void)state;
	pt[7] = 0x100000 | USER;
	result = walk(machine, 5);
	assert_int_equal(result.table_pages[4][0], 1);
	assert_int_equal(result.table_pages[3][0], 1);
	assert_int_equal(result.leaves[0][0][0], 1);
	assert_int_equal(result.entries_read, 5 * 512);
	free_machine(machine);
}

/* The kernel's half of the root is the same for all processes and not this one's. */
static void test_user_half_only(void **state)
{
	struct machine *machine = make_machine();
	struct ptdump_result result;

	(void)state;
	make_chain(machine, 4);
	machine->tables[0][256] = 0x400000 | USER;
	machine->tables[0][511] = 0x401000 | USER;
	result = walk(machine, 4);
	assert_int_equal(ptdump_table_pages(&result, -1), 4);
	assert_false(result.torn);
	/* In the tables below the root all 512 entries are the user's. */
	machine->tables[1][511] = (UINT64_C(1) << 29) | USER | PS;
	result = walk(machine, 4);
	assert_int_equal(result.leaves[2][0][1], 1);
	free_machine(machine);
}

static void test_huge_pages(void **state)
{
	struct machine *machine = make_machine();
	uint64_t *pdpt, *pd;
	struct ptdump_result result;

	(void)state;
	add_table(machine, 0x10000)[0] = NODE_1 | USER;
	pdpt = add_table(machine, NODE_1);
	pdpt[0] = 0x30000 | USER;
	pdpt[1] = USER | PS; /* 1 GiB at 0 */
	pd = add_table(machine, 0x30000);
	pd[0] = NODE_1 | USER | PS;
	pd[1] = (NODE_1 + (2 << 20)) | USER | PS | UINT64_C(0x1000); /* the PAT bit is no address */
	pd[2] = (4 << 20) | USER | PS;
	result = walk(machine, 4);
	assert_int_equal(result.table_pages[2][1], 1);
	assert_int_equal(result.table_pages[1][0], 1);
	assert_int_equal(result.table_pages[0][0] + result.table_pages[0][1], 0);
	assert_int_equal(result.leaves[2][1][0], 1);
	assert_int_equal(result.leaves[1][0][1], 2);
	assert_int_equal(result.leaves[1][0][0], 1);
	assert_false(result.torn);
	free_machine(machine);
}

/* What Linux stores in entries without P. */
static void test_not_present(void **state)
{
	struct machine *machine = make_machine();
	uint64_t *pt = make_chain(machine, 4);
	uint64_t *pd = machine->tables[2];
	struct ptdump_result result;
	const uint64_t mask = machine->base.frame_mask;

	(void)state;
	pt[0] = UINT64_C(0x5fffffffff800002); /* a swap entry: offset inverted, neither P nor G */
	pt[1] = 0x100000 | USER;
	pt[2] = (~NODE_1 & mask) | G | 0x66; /* PROT_NONE: frame inverted */
	pt[3] = (~UINT64_C(0x7000) & mask) | G | 0x66;
	pd[5] = (~NODE_1 & mask) | G | PS | 0x66;       /* PROT_NONE, 2 MiB */
	pd[6] = UINT64_C(0x5fffffffff800002);           /* a huge page that is being migrated */
	pd[7] = (~NODE_1 & mask) | PS | UINT64_C(0x66); /* one that is being split */
	result = walk(machine, 4);
	assert_int_equal(result.not_present, 3);
	assert_int_equal(result.prot_none, 3);
	assert_int_equal(result.leaves[0][0][0], 2);
	assert_int_equal(result.leaves[0][0][1], 1);
	assert_int_equal(result.leaves[1][0][1], 1);
	assert_int_equal(result.unresolved, 0);
	free_machine(machine);
}

static void test_frames_without_node(void **state)
{
	struct machine *machine = make_machine();
	uint64_t *pt = make_chain(machine, 4);
	struct ptdump_result result;

	(void)state;
	pt[0] = 0xfed00000 | USER; /* a device */
	/* Encryption and protection-key bits above the physical address do not count. */
	pt[1] = (UINT64_C(1) << 47) | (UINT64_C(5) << 59) | NODE_1 | USER;
	result = walk(machine, 4);
	assert_int_equal(result.unresolved, 1);
	assert_int_equal(result.leaves[0][0][1], 1);
	assert_false(result.torn);
	free_machine(machine);
}

/* 520 full tables, frames alternating between runs, single ones and holes: checked by recounting.
 */
static void test_many_tables(void **state)
{
	struct machine *machine = make_machine();
	uint64_t *pd[2];
	uint64_t expected[2][2] = {{0}}, holes = 0;
	struct ptdump_result result;

	(void)state;
	add_table(machine, 0x10000)[3] = 0x11000 | USER;
	machine->tables[0][4] = 0; /* a hole */
	pd[0] = add_table(machine, 0x11000);
	pd[0][0] = 0x12000 | USER;
	pd[0][1] = 0x13000 | USER;
	pd[0] = add_table(machine, 0x12000);
	pd[1] = add_table(machine, 0x13000);
	for (uint64_t t = 0; t < 520; t++) {
		const int node = t % 3 == 0;
		const uint64_t address = (node ? NODE_1 : 0) + 0x1000000 + t * 4096;
		uint64_t *pt = add_table(machine, address);

		pd[t / 512][t % 512] = address | USER;
		for (uint64_t i = 0; i < 512; i++) {
			const int data = (i / (1 + t % 20)) % 2;

			if ((i * 7 + t) % 11 == 0 || (t % 5 == 0 && i < 100)) {
				holes++;
				continue;
			}
			pt[i] = ((data ? NODE_1 : 0) + 0x8000000 + i * 4096) | USER;
			expected[node][data]++;
		}
	}
	result = walk(machine, 4);
	assert_int_equal(result.table_pages[0][0] + result.table_pages[0][1], 520);
	assert_int_equal(result.table_pages[0][1], 174);
	for (int node = 0; node < 2; node++) {
		for (int data = 0; data < 2; data++)
			assert_int_equal(result.leaves[0][node][data], expected[node][data]);
	}
	assert_true(holes > 0);
	assert_int_equal(result.entries_read, (1 + 1 + 2 + 520) * 512);
	assert_false(result.torn);
	free_machine(machine);
}

static void set_accessed(struct machine *machine)
{
	machine->tables[2][0] |= A;
	machine->tables[3][0] |= A;
}

static void add_page(struct machine *machine)
{
	machine->tables[3][100] = 0x123000 | USER;
}

static void remove_table(struct machine *machine)
{
	machine->tables[2][0] = 0;
}

static void free_table(struct machine *machine)
{
	machine->address[3] = NO_ADDRESS;
}

static bool torn_by(void (*change)(struct machine *machine), unsigned int at)
{
	struct machine *machine = make_machine();
	struct ptdump_result result;

	make_chain(machine, 4)[0] = 0x100000 | (USER & ~A);
	machine->tables[2][0] &= ~A;
	machine->change = change;
	machine->change_at = at;
	result = walk(machine, 4);
	free_machine(machine);
	return result.torn;
}

/* Reads 0 to 3 are the four levels, read 4 is the second reading. */
static void test_torn(void **state)
{
	(void)state;
	assert_false(torn_by(set_accessed, 4));
	assert_true(torn_by(add_page, 4));
	assert_false(torn_by(add_page, 3)); /* before the table was read: seen, not torn */
	assert_true(torn_by(remove_table, 4));
	assert_true(torn_by(remove_table, 3));
	assert_true(torn_by(free_table, 3));
}

/* An upper entry that leads nowhere: the table was freed and used for something else. */
static void test_garbage(void **state)
{
	struct machine *machine = make_machine();
	struct ptdump_result result;

	(void)state;
	make_chain(machine, 4);
	machine->tables[2][1] = UINT64_C(0x3ffffffff000) | USER;
	result = walk(machine, 4);
	assert_true(result.torn);
	assert_int_equal(ptdump_table_pages(&result, -1), 4);
	free_machine(machine);
}

/* Tables that point to themselves would be read without end (2^27 times): an error instead. */
static void test_loop(void **state)
{
	struct machine *machine = make_machine();
	const struct ptdump_space space = {.root_address = 0x10000, .levels = 5};
	struct ptdump_result result;
	struct err err = {0};
	uint64_t *table = add_table(machine, 0x10000);

	(void)state;
	for (int i = 0; i < 512; i++)
		table[i] = 0x10000 | USER;
	assert_int_equal(ptdump_walk(&machine->base, &space, NULL, &result, &err), -1);
	assert_int_equal(err.kind, ERR_RUN);
	free_machine(machine);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_four_levels),    cmocka_unit_test(test_five_levels),
		cmocka_unit_test(test_user_half_only), cmocka_unit_test(test_huge_pages),
		cmocka_unit_test(test_not_present),    cmocka_unit_test(test_frames_without_node),
		cmocka_unit_test(test_many_tables),    cmocka_unit_test(test_torn),
		cmocka_unit_test(test_garbage),        cmocka_unit_test(test_loop),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
