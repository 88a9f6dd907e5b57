// SPDX-License-Identifier: MIT
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/fs.h"
#include "emulator/receiver.h"

struct fixture {
	char folder[32];
	struct tail output;
	struct receiver receiver;
	struct err err;
	int nr_events;
};

static void count_event(void *context, const json_t *event)
{
	struct fixture *fixture = context;

	assert_true(json_is_object(event));
	fixture->nr_events++;
}

static int set_up(void **state)
{
	struct fixture *fixture = calloc(1, sizeof(*fixture));

	strcpy(fixture->folder, "/tmp/receiver_test.XXXXXX");
	assert_non_null(mkdtemp(fixture->folder));
	fixture->output.fd = -1;
	assert_int_equal(
		receiver_open(&fixture->receiver, fixture->folder, &fixture->output, &fixture->err),
		0);
	fixture->receiver.progress = count_event;
	fixture->receiver.progress_context = fixture;
	*state = fixture;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *fixture = *state;
	char command[64];

	receiver_close(&fixture->receiver);
	snprintf(command, sizeof(command), "rm -rf %s", fixture->folder);
	assert_int_equal(system(command), 0);
	free(fixture);
	return 0;
}

static int take(struct fixture *fixture, enum frame_type type, const char *text)
{
	const struct frame frame = {type, (const unsigned char *)text, strlen(text)};

	return receiver_take(&fixture->receiver, &frame, &fixture->err);
}

static char *content(const struct fixture *fixture, const char *name)
{
	char path[128];
	struct fs fs;
	char *text;

	assert_int_equal(fs_open(&fs, fixture->folder, NULL), 0);
	snprintf(path, sizeof(path), "/%s", name);
	text = fs_read_all(&fs, path, NULL);
	fs_close(&fs);
	return text;
}

static void test_files(void **state)
{
	struct fixture *fixture = *state;
	char *text;

	assert_int_equal(take(fixture, FRAME_FILE, "{\"path\":\"a/b/c\",\"mode\":420,\"bytes\":6}"),
			 0);
	assert_int_equal(take(fixture, FRAME_DATA, "abc"), 0);
	assert_int_equal(take(fixture, FRAME_DATA, "def"), 0);
	assert_int_equal(take(fixture, FRAME_FILE, "{\"path\":\"e\",\"mode\":420,\"bytes\":0}"), 0);
	assert_int_equal(take(fixture, FRAME_EXIT, "{\"status\":3,\"files\":2}"), 0);
	assert_true(fixture->receiver.exited);
	assert_int_equal(fixture->receiver.status, 3);
	text = content(fixture, "a/b/c");
	assert_string_equal(text, "abcdef");
	free(text);
	text = content(fixture, "e");
	assert_string_equal(text, "");
	free(text);
	assert_int_equal(take(fixture, FRAME_LOG, "more"), -1);
	assert_int_equal(fixture->err.kind, ERR_RUN);
}

static void test_output_and_events(void **state)
{
	struct fixture *fixture = *state;
	char text[64];

	assert_int_equal(take(fixture, FRAME_LOG, "one\ntw"), 0);
	assert_int_equal(take(fixture, FRAME_LOG, "o\n"), 0);
	assert_string_equal(tail_format(&fixture->output, text, sizeof(text)), "one | two");
	assert_int_equal(take(fixture, FRAME_EVENT, "{\"msg\":\"progress\"}"), 0);
	assert_int_equal(take(fixture, FRAME_EVENT, "garbage"), 0);
	assert_int_equal(take(fixture, FRAME_EVENT, "[1]"), 0);
	assert_int_equal(take(fixture, FRAME_ALIVE, ""), 0);
	assert_int_equal(fixture->nr_events, 1);
}

/* A guest that names a file outside, or a stream that is out of step. */
static void test_refuses(void **state)
{
	static const struct {
		enum frame_type type;
		const char *text;
	} bad[] = {
		{FRAME_FILE, "{\"path\":\"../x\",\"mode\":420,\"bytes\":0}"},
		{FRAME_FILE, "{\"path\":\"a/../../x\",\"mode\":420,\"bytes\":0}"},
		{FRAME_FILE, "{\"path\":\"/tmp/x\",\"mode\":420,\"bytes\":0}"},
		{FRAME_FILE, "{\"path\":\"\",\"mode\":420,\"bytes\":0}"},
		{FRAME_FILE, "{\"path\":\"a//b\",\"mode\":420,\"bytes\":0}"},
		{FRAME_FILE, "{\"path\":\"a/\",\"mode\":420,\"bytes\":0}"},
		{FRAME_FILE, "{\"path\":\"x\",\"mode\":420,\"bytes\":-1}"},
		{FRAME_FILE, "{\"path\":\"x\"}"},
		{FRAME_FILE, "no JSON"},
		{FRAME_DATA, "without a file"},
		{FRAME_EXIT, "{\"status\":0,\"files\":1}"},
		{FRAME_EXIT, "{}"},
	};
	struct fixture *fixture = *state;

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		err_clear(&fixture->err);
		assert_int_equal(take(fixture, bad[i].type, bad[i].text), -1);
		assert_int_equal(fixture->err.kind, ERR_RUN);
		assert_false(fixture->receiver.exited);
	}
}

static void test_unfinished_file_goes(void **state)
{
	struct fixture *fixture = *state;

	assert_int_equal(take(fixture, FRAME_FILE, "{\"path\":\"u\",\"mode\":420,\"bytes\":9}"), 0);
	assert_int_equal(take(fixture, FRAME_DATA, "abc"), 0);
	assert_int_equal(take(fixture, FRAME_DATA, "more than nine bytes"), -1);
	assert_int_equal(take(fixture, FRAME_EXIT, "{\"status\":0,\"files\":0}"), -1);
	receiver_close(&fixture->receiver);
	assert_null(content(fixture, "u"));
}

/* /dev/full is a disk without room. */
static void test_full_disk(void **state)
{
	struct fixture *fixture = *state;
	char command[64];

	snprintf(command, sizeof(command), "ln -s /dev/full %s/link", fixture->folder);
	assert_int_equal(system(command), 0);
	assert_int_equal(take(fixture, FRAME_FILE, "{\"path\":\"link\",\"mode\":420,\"bytes\":3}"),
			 -1);
	assert_int_equal(fixture->err.kind, ERR_INTERNAL); /* links are not followed */
}

static void test_stream(void **state)
{
	struct fixture *fixture = *state;
	int ends[2];

	assert_int_equal(pipe(ends), 0);
	assert_int_equal(frame_write(ends[1], FRAME_LOG, "hello", 5), 0);
	assert_int_equal(frame_write(ends[1], FRAME_EXIT, "{\"status\":0,\"files\":0}", 22), 0);
	assert_int_equal(receiver_read(&fixture->receiver, ends[0], &fixture->err), 1);
	assert_true(fixture->receiver.exited);
	close(ends[1]);
	assert_int_equal(receiver_read(&fixture->receiver, ends[0], &fixture->err), 0);
	close(ends[0]);
}

/* ---- the tail itself ---- */

static void test_tail(void **state)
{
	static struct tail tail;
	char text[40], line[64];

	(void)state;
	tail = (struct tail){.fd = -1};
	assert_string_equal(tail_format(&tail, text, sizeof(text)), "");
	for (int i = 0; i < 5000; i++)
		tail_add(&tail, "filling line\r\n", 14);
	tail_add(&tail, "[ 1.0] Kernel panic - not syncing: x\r\n\n\033[0mlast", 47);
	assert_string_equal(tail_format(&tail, text, sizeof(text)), " [0mlast");
	assert_string_equal(tail_find(&tail, "Kernel panic", line, sizeof(line)),
			    "[ 1.0] Kernel panic - not syncing: x");
	assert_null(tail_find(&tail, "Oops", line, sizeof(line)));
	assert_string_equal(tail_find(&tail, "last", line, 4), " [0");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_files, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_output_and_events, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_refuses, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_unfinished_file_goes, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_full_disk, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_stream, set_up, tear_down),
		cmocka_unit_test(test_tail),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
