// SPDX-License-Identifier: MIT
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "datasets/crc32c.h"
#include "datasets/netlist_read.h"
#include "datasets/netlist_write.h"

static char folder[] = "/tmp/netlist-test.XXXXXX";
static char path[64];

static int make_folder(void **state)
{
	(void)state;
	strcpy(folder + strlen(folder) - 6, "XXXXXX");
	if (!mkdtemp(folder))
		return -1;
	snprintf(path, sizeof(path), "%s/net", folder);
	return 0;
}

static int remove_folder(void **state)
{
	char command[96];

	(void)state;
	snprintf(command, sizeof(command), "rm -rf '%s'", folder);
	return system(command);
}

static struct netlist_write new_write(uint64_t elements, uint64_t block, int nr_threads)
{
	struct netlist_write write = {
		.file = path, .block_elements = block, .nr_threads = nr_threads};

	assert_int_equal(netlist_plan_make(&write.plan, elements, 5, 10.0 / 11, 7, NULL), 0);
	return write;
}

static void write_whole(uint64_t elements)
{
	const struct netlist_write write = new_write(elements, 100, 2);
	struct err err = {0};

	if (netlist_write(&write, &err) != 0)
		fail_msg("%s", err.text);
}

static char *read_all(const char *name, size_t *length)
{
	FILE *in = fopen(name, "r");
	char *data = malloc(1 << 20);

	assert_true(in && data);
	*length = fread(data, 1, 1 << 20, in);
	fclose(in);
	return data;
}

static void overwrite(const char *name, long offset, const char *text)
{
	const int fd = open(name, O_WRONLY);

	assert_true(fd >= 0);
	assert_int_equal(pwrite(fd, text, strlen(text), offset), (int)strlen(text));
	close(fd);
}

/* --- the numbers ------------------------------------------------------------------------------ */

/* RFC 3720, B.4; and the usual check value of "123456789". */
static void crc32c_has_the_published_values(void **state)
{
	unsigned char data[32] = {0};

	(void)state;
	assert_int_equal(crc32c(0, "123456789", 9), 0xe3069283);
	assert_int_equal(crc32c_portable(0, "123456789", 9), 0xe3069283);
	assert_int_equal(crc32c(0, data, sizeof(data)), 0x8a9136aa);
	memset(data, 0xff, sizeof(data));
	assert_int_equal(crc32c(0, data, sizeof(data)), 0x62a8ab43);
	assert_int_equal(crc32c(crc32c(0, "1234", 4), "56789", 5), 0xe3069283);
}

static void plans_have_the_published_grids(void **state)
{
	struct netlist_plan plan;

	(void)state;
	assert_int_equal(netlist_plan_make(&plan, 100000000, 5, 0.909091, 1, NULL), 0);
	assert_int_equal(plan.width, 10000);
	assert_int_equal(plan.height, 11000);
	assert_int_equal(netlist_plan_make(&plan, 1200000000, 5, 10.909091, 1, NULL), 0);
	assert_int_equal(plan.width, 120000);
	assert_int_equal(plan.height, 11000);
	assert_int_equal(netlist_file_bytes(&plan), 64800000024);
}

static void bad_plans_are_refused(void **state)
{
	struct netlist_plan plan;

	(void)state;
	assert_int_equal(netlist_plan_make(&plan, 1, 5, 1, 1, NULL), -1);
	assert_int_equal(netlist_plan_make(&plan, 100, 0, 1, 1, NULL), -1);
	assert_int_equal(netlist_plan_make(&plan, 100, 5, -1, 1, NULL), -1);
	assert_int_equal(netlist_plan_make(&plan, NETLIST_ELEMENTS_MAX, 5, 1e6, 1, NULL), -1);
	for (uint64_t elements = 2; elements < 200; elements++) {
		assert_int_equal(netlist_plan_make(&plan, elements, 1, 0.3, 1, NULL), 0);
		assert_true(plan.width * plan.height > elements);
	}
}

static void fan_ins_are_others_and_spread(void **state)
{
	struct netlist_plan plan;
	unsigned seen[10] = {0};

	(void)state;
	assert_int_equal(netlist_plan_make(&plan, 10, 64, 1, 3, NULL), 0);
	for (uint64_t element = 0; element < 10; element++) {
		for (uint64_t k = 0; k < 64; k++) {
			const uint64_t other = netlist_fan_in(&plan, element, k);

			assert_true(other < 10 && other != element);
			seen[other]++;
		}
	}
	for (int i = 0; i < 10; i++)
		assert_in_range(seen[i], 35, 95);
}

static void names_go_there_and_back(void **state)
{
	char name[NETLIST_NAME_MAX];
	uint64_t element;

	(void)state;
	assert_int_equal(netlist_name_letters(26), 1);
	assert_int_equal(netlist_name_letters(27), 2);
	assert_int_equal(netlist_name_letters(1200000000), 7);
	for (uint64_t i = 0; i < 700; i++) {
		netlist_name(i, 3, name);
		assert_true(netlist_name_parse(name, 3, 3, &element));
		assert_int_equal(element, i);
	}
	assert_false(netlist_name_parse("aB", 2, 2, &element));
	assert_false(netlist_name_parse("aaa", 3, 2, &element));
}

/* --- the generator ---------------------------------------------------------------------------- */

static void files_have_the_promised_size_and_form(void **state)
{
	const struct netlist_write write = new_write(1000, 100, 2);
	struct netlist_file file;
	struct err err = {0};
	size_t length;
	char *text;

	(void)state;
	write_whole(1000);
	text = read_all(path, &length);
	assert_int_equal(length, netlist_file_bytes(&write.plan));
	assert_memory_equal(text, "1000\t32\t35\naaa\t", 15);
	assert_memory_equal(text + length - 5, "\tEND\n", 5);
	free(text);
	assert_int_equal(netlist_open(&file, path, &err), 0);
	assert_int_equal(netlist_nr_pieces(&file, 1), 10);
	assert_int_equal(file.sums.pins, 5000);
	netlist_close(&file);
}

struct interruption {
	volatile sig_atomic_t stop;
	int after;
};

static void interrupt(void *context, uint64_t bytes, uint64_t before, uint64_t total)
{
	struct interruption *interruption = context;

	assert_true(bytes > before && bytes <= total);
	if (--interruption->after == 0)
		interruption->stop = 1;
}

static void an_interrupted_file_becomes_the_same(void **state)
{
	struct interruption interruption = {.after = 3};
	struct netlist_write write = new_write(1000, 100, 1);
	char *whole, *resumed, partial[80];
	size_t whole_length, resumed_length;
	struct err err = {0};
	uint64_t rest;

	(void)state;
	write_whole(1000);
	whole = read_all(path, &whole_length);
	snprintf(path, sizeof(path), "%s/again", folder);
	write.stop = &interruption.stop;
	write.progress = interrupt;
	write.context = &interruption;
	assert_int_equal(netlist_write(&write, &err), -1);
	assert_int_equal(err.kind, ERR_INTERRUPTED);
	assert_int_not_equal(access(path, F_OK), 0);
	/* What was not finished may hold anything. */
	snprintf(partial, sizeof(partial), "%s.partial", path);
	overwrite(partial, (long)whole_length - 50, "garbage of a power cut");
	write.nr_threads = 3;
	write.stop = NULL;
	assert_int_equal(netlist_write_rest(&write, &rest, &err), 0);
	assert_in_range(rest, 1, whole_length * 7 / 10 + 50);
	err_clear(&err);
	assert_int_equal(netlist_write(&write, &err), 0);
	resumed = read_all(path, &resumed_length);
	assert_int_equal(resumed_length, whole_length);
	assert_memory_equal(resumed, whole, whole_length);
	free(resumed);
	free(whole);
	assert_int_equal(netlist_write_rest(&write, &rest, &err), 0);
	assert_int_equal(rest, 0);
}

static void another_netlist_is_not_overwritten(void **state)
{
	struct interruption interruption = {.after = 1};
	struct netlist_write write = new_write(500, 100, 1);
	struct err err = {0};

	(void)state;
	write_whole(1000);
	assert_int_equal(netlist_write(&write, &err), -1);
	assert_non_null(strstr(err.text, "not this netlist"));
	/* Nor half of one. */
	snprintf(path, sizeof(path), "%s/half", folder);
	write.stop = &interruption.stop;
	write.progress = interrupt;
	write.context = &interruption;
	assert_int_equal(netlist_write(&write, NULL), -1);
	write.plan.seed++;
	err_clear(&err);
	assert_int_equal(netlist_write(&write, &err), -1);
	assert_non_null(strstr(err.text, "another netlist"));
}

static void a_full_disk_is_noticed_first(void **state)
{
	struct netlist_write write = new_write(UINT64_C(1) << 39, 1 << 20, 1);
	char partial[80];
	struct err err = {0};

	(void)state;
	assert_int_equal(netlist_write(&write, &err), -1);
	assert_int_equal(err.kind, ERR_MACHINE);
	assert_non_null(strstr(err.text, "nothing was written"));
	snprintf(partial, sizeof(partial), "%s.partial", path);
	assert_int_not_equal(access(partial, F_OK), 0);
}

/* --- the reader ------------------------------------------------------------------------------- */

/* All pieces, as a loader reads them; the text of the first error, or NULL. */
static const char *read_pieces(uint64_t piece_bytes, struct err *err)
{
	struct netlist_file file;
	uint64_t lines = 0;
	int failed = 0;

	*err = (struct err){0};
	if (netlist_open(&file, path, err) != 0)
		return err->text;
	for (uint64_t i = 0; i < netlist_nr_pieces(&file, piece_bytes) && !failed; i++) {
		const struct netlist_block piece = netlist_piece(&file, piece_bytes, i);
		struct netlist_lines reader;
		struct netlist_text text;
		struct netlist_line line;
		uint64_t here, own = 0;

		failed = netlist_check_piece(&file, &piece, &here, err);
		assert_int_equal(netlist_lines_open(&reader, &file, &piece, lines + 1, NULL), 0);
		while (!failed && netlist_lines_next(&reader, &text, err) == 1) {
			own++;
			failed = netlist_parse_line(&file, reader.line - 1, text, &line, err);
		}
		netlist_lines_close(&reader);
		if (!failed)
			assert_int_equal(own + (piece.offset == 0), here);
		lines += here;
	}
	if (!failed)
		failed = netlist_check_count(&file, lines, err);
	netlist_close(&file);
	return failed ? err->text : NULL;
}

static void write_text(const char *text)
{
	FILE *out = fopen(path, "w");

	assert_non_null(out);
	fputs(text, out);
	fclose(out);
}

static void pieces_of_any_size_have_all_lines(void **state)
{
	struct err err;

	(void)state;
	write_whole(100);
	assert_null(read_pieces(1, &err));
	write_text("5 3 3\na\t1\tb\tEND\nb 2 END\r\nlonger 1 a b END\nd 1 a END\ne 1 a END");
	for (uint64_t bytes = 7; bytes < 80; bytes++) {
		char sums[80];

		snprintf(sums, sizeof(sums), "%s.sums", path);
		unlink(sums);
		if (read_pieces(bytes, &err))
			fail_msg("pieces of %d bytes: %s", (int)bytes, err.text);
	}
}

static void bad_files_are_refused_by_line(void **state)
{
	static const struct {
		const char *text, *error;
	} files[] = {
		{"", "line 1: no netlist"},
		{"hello\n", "line 1: no netlist"},
		{"5 3 3", "within its first line"},
		{"9 3 3\n", "do not fit a grid of 3 by 3"},
		{"3 99999999999 3\n", "do not fit"},
		{"2 2 2\na 1 END\n", "truncated at byte 14, line 2"},
		{"2 2 2\na 1 END\nb 1 END\nc 1 END\n", "too long"},
		{"2 2 2\na 1 END\nb 1 a\n", "line 3: no END"},
		{"2 2 2\na 1 b END\n\n", "line 3: empty"},
		{"2 2 2\na b END\nb 1 END\n", "line 2: element 'a' has no type"},
		{"2 2 2\na 1 END b 1 END\nb 1 END\n", "line 2: 'b' after END"},
		{"2 2 2\nEND\nb 1 END\n", "line 2: END without an element"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		struct err err;
		const char *error;

		write_text(files[i].text);
		error = read_pieces(1 << 20, &err);
		if (!error || !strstr(error, files[i].error) || !strstr(error, path))
			fail_msg("file %d: '%s', not '%s'", (int)i, error ? error : "no error",
				 files[i].error);
	}
}

static void damage_is_found_by_checksum(void **state)
{
	struct stat status;
	struct err err;
	char sums[80];

	(void)state;
	write_whole(1000);
	assert_null(read_pieces(1 << 20, &err));
	/* A name that is still one: only the checksum can tell. */
	overwrite(path, 10000, "b");
	assert_non_null(read_pieces(1 << 20, &err));
	assert_non_null(strstr(err.text, "corrupt between bytes"));
	assert_int_equal(truncate(path, 20000), 0);
	assert_non_null(read_pieces(1 << 20, &err));
	assert_non_null(strstr(err.text, "truncated at byte 20000"));
	snprintf(sums, sizeof(sums), "%s.sums", path);
	assert_int_equal(stat(sums, &status), 0);
	overwrite(sums, status.st_size - 40, "9");
	assert_non_null(read_pieces(1 << 20, &err));
	assert_non_null(strstr(err.text, "damaged"));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, make_folder, remove_folder)
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(crc32c_has_the_published_values),
		cmocka_unit_test(plans_have_the_published_grids),
		cmocka_unit_test(bad_plans_are_refused),
		cmocka_unit_test(fan_ins_are_others_and_spread),
		cmocka_unit_test(names_go_there_and_back),
		TEST(files_have_the_promised_size_and_form),
		TEST(an_interrupted_file_becomes_the_same),
		TEST(another_netlist_is_not_overwritten),
		TEST(a_full_disk_is_noticed_first),
		TEST(pieces_of_any_size_have_all_lines),
		TEST(bad_files_are_refused_by_line),
		TEST(damage_is_found_by_checksum),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
