// SPDX-License-Identifier: MIT
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "fragment/buddy.h"

/* Two nodes, by hand: zone DMA does not count. */
static const char buddyinfo[] =
	"Node 0, zone      DMA      0      0      0      0      0      0      0      0      1      1      3 \n"
	"Node 0, zone    DMA32      3      0      0      0      0      0      0      0      0      2      1 \n"
	"Node 0, zone   Normal      1      1      0      0      0      0      0      0      1      0      0 \n"
	"Node 1, zone   Normal      5      0      0      0      0      0      0      0      0      0      0 \n";
static const char pagetypeinfo[] =
	"Page block order: 9\n"
	"Pages per block:  512\n\n"
	"Free pages count per migrate type at order       0      1      2\n"
	"Node    0, zone      DMA, type      Movable      0      0      0      0      0      0      0      0      0      9      9 \n"
	"Node    0, zone    DMA32, type    Unmovable >100000      0      0      0      0      0      0      0      0      1      0 \n"
	"Node    0, zone    DMA32, type      Movable      0      0      0      0      0      0      0      0      0      1      1 \n"
	"Node    0, zone   Normal, type      Movable      0      0      0      0      0      0      0      0      1      1      0 \n\n"
	"Number of blocks type     Unmovable      Movable\n"
	"Node 0, zone   Normal           10          20\n";

struct machine {
	char root[64];
	struct fs fs;
	struct buddy buddy;
};

static void put(const struct machine *machine, const char *name, const char *text)
{
	char path[128];
	FILE *file;

	snprintf(path, sizeof(path), "%s/proc/%s", machine->root, name);
	file = fopen(path, "w");
	assert_non_null(file);
	fputs(text, file);
	fclose(file);
}

static int set_up(void **state)
{
	static struct machine machine;
	char path[128];

	machine = (struct machine){.buddy = {.page_bytes = 4096, .huge_bytes = 2 << 20}};
	strcpy(machine.root, "/tmp/buddy_test.XXXXXX");
	assert_non_null(mkdtemp(machine.root));
	snprintf(path, sizeof(path), "%s/proc", machine.root);
	assert_int_equal(mkdir(path, 0755), 0);
	assert_int_equal(fs_open(&machine.fs, machine.root, NULL), 0);
	*state = &machine;
	return 0;
}

static int tear_down(void **state)
{
	struct machine *machine = *state;
	char path[128];

	fs_close(&machine->fs);
	snprintf(path, sizeof(path), "%s/proc/buddyinfo", machine->root);
	unlink(path);
	snprintf(path, sizeof(path), "%s/proc/pagetypeinfo", machine->root);
	unlink(path);
	snprintf(path, sizeof(path), "%s/proc", machine->root);
	rmdir(path);
	return rmdir(machine->root);
}

static void blocks_are_added_up(void **state)
{
	struct machine *machine = *state;
	const struct buddy_node *nodes = machine->buddy.nodes;

	put(machine, "buddyinfo", buddyinfo);
	assert_int_equal(buddy_read(&machine->fs, &machine->buddy, NULL), 0);
	assert_true(nodes[0].present && nodes[1].present && !nodes[2].present);
	/* DMA32: 3 pages, 2 of order 9, 1 of order 10; Normal: orders 0, 1 and 8. */
	assert_int_equal(nodes[0].large_bytes, (2 * 512 + 1024) * 4096);
	assert_int_equal(nodes[0].free_bytes, (3 + 2 * 512 + 1024 + 1 + 2 + 256) * 4096);
	assert_int_equal(nodes[1].large_bytes, 0);
	assert_int_equal(nodes[1].free_bytes, 5 * 4096);
	assert_true(buddy_share(&nodes[0]) > 0.886 && buddy_share(&nodes[0]) < 0.887);
	assert_true(buddy_share(&nodes[1]) == 0);
	assert_true(buddy_share(&nodes[2]) == 0);
}

static void larger_pages_have_fewer_large_orders(void **state)
{
	struct machine *machine = *state;

	put(machine, "buddyinfo", buddyinfo);
	machine->buddy.huge_bytes = 4 << 20;
	assert_int_equal(buddy_read(&machine->fs, &machine->buddy, NULL), 0);
	assert_int_equal(machine->buddy.nodes[0].large_bytes, 1024 * 4096);
}

static void types_are_told_apart(void **state)
{
	struct machine *machine = *state;
	json_t *types;

	assert_null(buddy_types(&machine->fs, &machine->buddy, 0));
	put(machine, "pagetypeinfo", pagetypeinfo);
	types = buddy_types(&machine->fs, &machine->buddy, 0);
	assert_int_equal(json_object_size(types), 2);
	assert_int_equal(json_integer_value(json_object_get(types, "Unmovable")), 512 * 4096);
	assert_int_equal(json_integer_value(json_object_get(types, "Movable")),
			 (512 + 1024 + 512) * 4096);
	json_decref(types);
	types = buddy_types(&machine->fs, &machine->buddy, 3);
	assert_int_equal(json_object_size(types), 0);
	json_decref(types);
}

static void garbage_is_refused(void **state)
{
	static const char *const texts[] = {
		"Node 0, zone Normal\n",
		"Node zero, zone Normal 1 2\n",
		"Node -1, zone Normal 1 2\n",
		"hello\n",
	};
	struct machine *machine = *state;
	struct err err = {0};

	assert_int_equal(buddy_read(&machine->fs, &machine->buddy, &err), -1);
	assert_int_equal(err.kind, ERR_MACHINE);
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		err_clear(&err);
		put(machine, "buddyinfo", texts[i]);
		assert_int_equal(buddy_read(&machine->fs, &machine->buddy, &err), -1);
		assert_non_null(strstr(err.text, "/proc/buddyinfo"));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(blocks_are_added_up, set_up, tear_down),
		cmocka_unit_test_setup_teardown(larger_pages_have_fewer_large_orders, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(types_are_told_apart, set_up, tear_down),
		cmocka_unit_test_setup_teardown(garbage_is_refused, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
