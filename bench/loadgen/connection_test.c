// SPDX-License-Identifier: MIT
/* A connection whose server is this test: replies in pieces, too many, too few, and wrong ones. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "bench/loadgen/connection.h"

enum { KEYS = 1000, VALUE_BYTES = 40 };

struct fixture {
	struct client_mix mix;
	struct client_counts counts;
	struct connection connection;
	int server_fd, completed;
	char text[65536]; /* replies to send */
	size_t used;
};

static void note(void *context, const struct request *request)
{
	struct fixture *fixture = context;

	(void)request;
	fixture->completed++;
}

static void start(struct fixture *fixture, const struct dialect *dialect, unsigned multiget,
		  double read_fraction)
{
	struct client_mix *mix = &fixture->mix;
	struct err err = {0};
	int fds[2];

	memset(fixture, 0, sizeof(*fixture));
	mix->dialect = dialect;
	mix->values = (struct values){.kind = VALUES_FIXED, .bytes = VALUE_BYTES};
	mix->read_fraction = read_fraction;
	mix->multiget = multiget;
	mix->pipeline = mix->pipeline_max = 8;
	keys_init(&mix->keys, KEYS_SEQUENTIAL, KEYS, 0, 1);
	assert_int_equal(versions_open(&mix->versions, KEYS, &err), 0);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
	assert_int_equal(connection_open(&fixture->connection, mix, fds[0], &err), 0);
	fixture->connection.counts = &fixture->counts;
	fixture->connection.completed = note;
	fixture->connection.context = fixture;
	fixture->server_fd = fds[1];
}

static void stop(struct fixture *fixture)
{
	connection_close(&fixture->connection);
	versions_close(&fixture->mix.versions);
	close(fixture->server_fd);
}

static void say(struct fixture *fixture, const char *text)
{
	memcpy(fixture->text + fixture->used, text, strlen(text));
	fixture->used += strlen(text);
}

static void say_value(struct fixture *fixture, uint64_t key, uint32_t version)
{
	char line[64];

	if (fixture->mix.dialect == &dialect_resp)
		snprintf(line, sizeof(line), "$%d\r\n", VALUE_BYTES);
	else
		snprintf(line, sizeof(line), "VALUE %016llx 0 %d\r\n", (unsigned long long)key,
			 VALUE_BYTES);
	say(fixture, line);
	value_write(fixture->text + fixture->used, VALUE_BYTES, key, version);
	fixture->used += VALUE_BYTES;
	say(fixture, "\r\n");
}

/* Sends what has been said in pieces of so many bytes; the status of the last digestion. */
static int deliver(struct fixture *fixture, size_t piece)
{
	struct err err = {0};

	for (size_t at = 0; at < fixture->used; at += piece) {
		const size_t bytes = fixture->used - at < piece ? fixture->used - at : piece;

		assert_int_equal(write(fixture->server_fd, fixture->text + at, bytes), bytes);
		assert_int_equal(connection_receive(&fixture->connection), 0);
		if (connection_digest(&fixture->connection, &err) != 0) {
			assert_int_equal(err.kind, ERR_RUN);
			return -1;
		}
	}
	fixture->used = 0;
	return 0;
}

/* Requests n to n + count - 1 are sent; what the server got is thrown away. */
static void ask(struct fixture *fixture, uint64_t n, int count)
{
	char text[65536];

	for (int i = 0; i < count; i++)
		connection_put(&fixture->connection, PHASE_MIX, n + (uint64_t)i, 0);
	assert_int_equal(connection_flush(&fixture->connection), 0);
	assert_true(read(fixture->server_fd, text, sizeof(text)) > 0);
}

static void reads_in_pieces(void **state)
{
	static const struct dialect *const dialects[] = {&dialect_resp, &dialect_memcached};

	(void)state;
	for (int d = 0; d < 2; d++) {
		for (size_t piece = 1; piece < 80; piece += 3) {
			struct fixture fixture;

			start(&fixture, dialects[d], 1, 1);
			for (uint64_t n = 0; n < 6; n += 3) {
				ask(&fixture, n, 3);
				for (uint64_t key = n; key < n + 3; key++) {
					say_value(&fixture, key, 0);
					if (d == 1)
						say(&fixture, "END\r\n");
				}
				assert_int_equal(deliver(&fixture, piece), 0);
			}
			assert_int_equal(fixture.completed, 6);
			assert_int_equal(fixture.counts.hits, 6);
			assert_int_equal(fixture.counts.read_keys, 6);
			assert_int_equal(fixture.counts.misses + fixture.counts.wrong +
						 fixture.counts.stale + fixture.counts.errors,
					 0);
			stop(&fixture);
		}
	}
}

/* Redis answers each key; memcached leaves out what it has not. */
static void misses_of_a_multiget(void **state)
{
	struct fixture fixture;

	(void)state;
	start(&fixture, &dialect_resp, 4, 1);
	ask(&fixture, 0, 2);
	say(&fixture, "*4\r\n");
	say_value(&fixture, 0, 0);
	say(&fixture, "$-1\r\n");
	say_value(&fixture, 2, 0);
	say(&fixture, "$-1\r\n*4\r\n$-1\r\n$-1\r\n$-1\r\n");
	say_value(&fixture, 7, 0);
	assert_int_equal(deliver(&fixture, 7), 0);
	assert_int_equal(fixture.completed, 2);
	assert_int_equal(fixture.counts.hits, 3);
	assert_int_equal(fixture.counts.misses, 5);
	assert_int_equal(fixture.counts.wrong, 0);
	stop(&fixture);
	start(&fixture, &dialect_memcached, 4, 1);
	ask(&fixture, 0, 3);
	say_value(&fixture, 1, 0);
	say_value(&fixture, 2, 0);
	say(&fixture, "END\r\nEND\r\n");
	say_value(&fixture, 8, 0);
	say_value(&fixture, 11, 0);
	say(&fixture, "END\r\n");
	assert_int_equal(deliver(&fixture, 7), 0);
	assert_int_equal(fixture.completed, 3);
	assert_int_equal(fixture.counts.hits, 4);
	assert_int_equal(fixture.counts.misses, 8);
	assert_int_equal(fixture.counts.wrong, 0);
	stop(&fixture);
}

static void wrong_values_are_counted(void **state)
{
	struct fixture fixture;

	(void)state;
	start(&fixture, &dialect_resp, 1, 1);
	ask(&fixture, 0, 4);
	say_value(&fixture, 5, 0); /* of another key */
	say_value(&fixture, 1, 0);
	fixture.text[fixture.used - 5] ^= 1; /* damaged */
	say(&fixture, "$5\r\nshort\r\n");
	say_value(&fixture, 3, 9); /* a version that was never sent */
	assert_int_equal(deliver(&fixture, 1000), 0);
	assert_int_equal(fixture.counts.hits, 4);
	assert_int_equal(fixture.counts.wrong, 3);
	assert_int_equal(fixture.counts.stale, 1);
	assert_non_null(strstr(fixture.counts.first_problem, "0000000000000000"));
	stop(&fixture);
}

static void a_lost_update_is_counted(void **state)
{
	struct fixture fixture;

	(void)state;
	start(&fixture, &dialect_resp, 1, 0);
	ask(&fixture, 4, 1);
	say(&fixture, "+OK\r\n");
	assert_int_equal(deliver(&fixture, 2), 0);
	assert_int_equal(fixture.counts.updates, 1);
	fixture.mix.read_fraction = 1;
	ask(&fixture, 4, 2);
	say_value(&fixture, 4, 1);
	say_value(&fixture, 5, 0);
	ask(&fixture, 4 + KEYS, 1);
	say_value(&fixture, 4, 0);
	assert_int_equal(deliver(&fixture, 1000), 0);
	assert_int_equal(fixture.counts.hits, 3);
	assert_int_equal(fixture.counts.stale, 1);
	assert_non_null(strstr(fixture.counts.first_problem, "lost"));
	stop(&fixture);
}

static void error_replies_are_counted(void **state)
{
	struct fixture fixture;

	(void)state;
	start(&fixture, &dialect_resp, 1, 0);
	ask(&fixture, 0, 3);
	say(&fixture, "+OK\r\n-OOM command not allowed\r\n+OK\r\n");
	assert_int_equal(deliver(&fixture, 4), 0);
	assert_int_equal(fixture.completed, 3);
	assert_int_equal(fixture.counts.errors, 1);
	assert_non_null(strstr(fixture.counts.first_problem, "OOM command"));
	stop(&fixture);
}

/* Replies that nobody asked for, or of the wrong kind. */
static void nonsense_ends_it(void **state)
{
	static const char *const texts[] = {"+OK\r\n", "$-1\r\n$-1\r\n", "*2\r\n", "hello\r\n"};

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		struct fixture fixture;

		start(&fixture, &dialect_resp, 1, 1);
		ask(&fixture, 0, 1);
		say(&fixture, texts[i]);
		assert_int_equal(deliver(&fixture, 1000), -1);
		stop(&fixture);
	}
}

static void the_end_is_noticed(void **state)
{
	struct fixture fixture;

	(void)state;
	start(&fixture, &dialect_resp, 1, 1);
	shutdown(fixture.server_fd, SHUT_RDWR);
	assert_int_equal(connection_receive(&fixture.connection), -1);
	connection_put(&fixture.connection, PHASE_MIX, 0, 0);
	assert_int_equal(connection_flush(&fixture.connection), -1);
	stop(&fixture);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_in_pieces),
		cmocka_unit_test(misses_of_a_multiget),
		cmocka_unit_test(wrong_values_are_counted),
		cmocka_unit_test(a_lost_update_is_counted),
		cmocka_unit_test(error_replies_are_counted),
		cmocka_unit_test(nonsense_ends_it),
		cmocka_unit_test(the_end_is_noticed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
