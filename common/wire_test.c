// SPDX-License-Identifier: MIT
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/wire.h"

struct pair {
	struct wire ours;
	int theirs;
};

static int open_pair(void **state)
{
	struct pair *pair = calloc(1, sizeof(*pair));
	int fds[2];

	if (!pair || socketpair(AF_UNIX, SOCK_STREAM, 0, fds) != 0)
		return -1;
	wire_init(&pair->ours, fds[0]);
	pair->theirs = fds[1];
	*state = pair;
	return 0;
}

static int close_pair(void **state)
{
	struct pair *pair = *state;

	wire_close(&pair->ours);
	if (pair->theirs >= 0)
		close(pair->theirs);
	free(pair);
	return 0;
}

static void put(struct pair *pair, const char *text)
{
	assert_int_equal(write(pair->theirs, text, strlen(text)), strlen(text));
}

static void a_line_may_come_in_pieces(void **state)
{
	struct pair *pair = *state;
	struct err err = {0};
	json_t *message = NULL;

	put(pair, "{\"msg\":\"rea");
	put(pair, "dy\"}\n{\"msg\":\"done\"}\n");
	assert_int_equal(wire_receive(&pair->ours, 1000, &message, &err), 1);
	assert_string_equal(json_string_value(json_object_get(message, "msg")), "ready");
	json_decref(message);
	assert_int_equal(wire_receive(&pair->ours, 1000, &message, &err), 1);
	assert_string_equal(json_string_value(json_object_get(message, "msg")), "done");
	json_decref(message);
}

static void what_is_sent_arrives(void **state)
{
	struct pair *pair = *state;
	struct err err = {0};
	json_t *sent = json_pack("{s:s, s:I}", "msg", "go", "n", (json_int_t)1 << 40);
	char text[128] = "";

	assert_int_equal(wire_send(&pair->ours, sent, &err), 0);
	assert_true(read(pair->theirs, text, sizeof(text) - 1) > 0);
	assert_string_equal(text, "{\"msg\":\"go\",\"n\":1099511627776}\n");
	json_decref(sent);
}

static void garbage_is_an_error_that_shows_it(void **state)
{
	struct pair *pair = *state;
	struct err err = {0};
	json_t *message = NULL;

	put(pair, "Segmentation fault\n");
	assert_int_equal(wire_receive(&pair->ours, 1000, &message, &err), -1);
	assert_int_equal(err.kind, ERR_RUN);
	assert_non_null(strstr(err.text, "Segmentation fault"));
}

static void an_array_is_no_message(void **state)
{
	struct pair *pair = *state;
	struct err err = {0};
	json_t *message = NULL;

	put(pair, "[1]\n");
	assert_int_equal(wire_receive(&pair->ours, 1000, &message, &err), -1);
	assert_null(message);
}

static void silence_ends_in_a_timeout(void **state)
{
	struct pair *pair = *state;
	struct err err = {0};
	json_t *message = NULL;

	assert_int_equal(wire_receive(&pair->ours, 20, &message, &err), -1);
	assert_int_equal(err.kind, ERR_RUN);
}

static void end_of_file_is_no_error(void **state)
{
	struct pair *pair = *state;
	struct err err = {0};
	json_t *message = NULL;

	close(pair->theirs);
	pair->theirs = -1;
	assert_int_equal(wire_receive(&pair->ours, 1000, &message, &err), 0);
	assert_int_equal(err.kind, ERR_NONE);
}

static void an_endless_line_is_cut_off(void **state)
{
	struct pair *pair = *state;
	struct err err = {0};
	json_t *message = NULL;
	char block[65536];
	pid_t child;

	memset(block, 'x', sizeof(block));
	child = fork();
	if (child == 0) {
		for (size_t sent = 0; sent < 2 * (size_t)WIRE_LINE_MAX; sent += sizeof(block))
			if (send(pair->theirs, block, sizeof(block), MSG_NOSIGNAL) < 0)
				break;
		_exit(0);
	}
	assert_int_equal(wire_receive(&pair->ours, 5000, &message, &err), -1);
	assert_non_null(strstr(err.text, "a line of over"));
}

#define WIRE_TEST(name) cmocka_unit_test_setup_teardown(name, open_pair, close_pair)

int main(void)
{
	const struct CMUnitTest tests[] = {
		WIRE_TEST(a_line_may_come_in_pieces),         WIRE_TEST(what_is_sent_arrives),
		WIRE_TEST(garbage_is_an_error_that_shows_it), WIRE_TEST(an_array_is_no_message),
		WIRE_TEST(silence_ends_in_a_timeout),         WIRE_TEST(end_of_file_is_no_error),
		WIRE_TEST(an_endless_line_is_cut_off),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
