// SPDX-License-Identifier: MIT
/* Replies that end anywhere, replies that are none, and requests byte by byte. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench/loadgen/dialect.h"

struct expected {
	enum reply_kind kind;
	const char *data;
	uint64_t count, key;
};

/* A copy of its own of every prefix, so that a read beyond it is noticed by ASan. */
static struct reply read_prefix(const struct dialect *dialect, const char *text, size_t bytes)
{
	char *copy = malloc(bytes ? bytes : 1);
	struct reply reply;

	memcpy(copy, text, bytes);
	dialect->read(copy, bytes, 1000, &reply);
	if (reply.data)
		reply.data = text + (reply.data - copy);
	free(copy);
	return reply;
}

/* Each reply is partial up to its last byte, and then itself. */
static void check_stream(const struct dialect *dialect, const char *text,
			 const struct expected *expected, int n)
{
	for (int i = 0; i < n; i++) {
		struct reply reply;
		size_t bytes = 0;

		do {
			reply = read_prefix(dialect, text, bytes++);
		} while (reply.kind == REPLY_PARTIAL && bytes <= strlen(text));
		if (reply.kind != expected[i].kind)
			fail_msg("reply %d is %d", i, reply.kind);
		assert_int_equal(reply.consumed, bytes - 1);
		if (expected[i].data) {
			assert_int_equal(reply.bytes, strlen(expected[i].data));
			assert_memory_equal(reply.data, expected[i].data, reply.bytes);
		}
		assert_int_equal(reply.count, expected[i].count);
		assert_int_equal(reply.key, expected[i].key);
		text += reply.consumed;
	}
	assert_int_equal(*text, '\0');
}

static void resp_split_anywhere(void **state)
{
	static const char text[] = "+OK\r\n$5\r\nhe\r\no\r\n$-1\r\n*2\r\n$0\r\n\r\n$3\r\nabc\r\n"
				   "-ERR unknown command\r\n";
	static const struct expected expected[] = {
		{.kind = REPLY_STORED, .data = "OK"},
		{.kind = REPLY_VALUE, .data = "he\r\no"},
		{.kind = REPLY_MISS},
		{.kind = REPLY_LIST, .count = 2},
		{.kind = REPLY_VALUE, .data = ""},
		{.kind = REPLY_VALUE, .data = "abc"},
		{.kind = REPLY_ERROR, .data = "ERR unknown command"},
	};

	(void)state;
	check_stream(&dialect_resp, text, expected, 7);
}

static void memcached_split_anywhere(void **state)
{
	static const char text[] = "STORED\r\nVALUE 00000000000000ff 0 5\r\nhe\r\no\r\n"
				   "VALUE fedcba9876543210 32 0\r\n\r\nEND\r\n"
				   "SERVER_ERROR out of memory storing object\r\nNOT_STORED\r\n"
				   "ERROR\r\n";
	static const struct expected expected[] = {
		{.kind = REPLY_STORED},
		{.kind = REPLY_VALUE, .data = "he\r\no", .key = 0xff},
		{.kind = REPLY_VALUE, .data = "", .key = UINT64_C(0xfedcba9876543210)},
		{.kind = REPLY_END},
		{.kind = REPLY_ERROR, .data = "SERVER_ERROR out of memory storing object"},
		{.kind = REPLY_ERROR, .data = "NOT_STORED"},
		{.kind = REPLY_ERROR, .data = "ERROR"},
	};

	(void)state;
	check_stream(&dialect_memcached, text, expected, 7);
}

static void check_garbage(const struct dialect *dialect, const char *const *texts)
{
	for (; *texts; texts++) {
		const struct reply reply = read_prefix(dialect, *texts, strlen(*texts));

		if (reply.kind != REPLY_GARBAGE)
			fail_msg("'%s' is taken for a reply (%d)", *texts, reply.kind);
	}
}

static void garbage_is_refused(void **state)
{
	static const char *const resp[] = {"HTTP/1.1 400\r\n",
					   "$5\r\nhello!!",
					   "$1001\r\n",
					   "$-2\r\n",
					   "$\r\n",
					   "$5x\r\n",
					   "$99999999999999999999999\r\n",
					   "*-1\r\n",
					   ":12\r\n",
					   NULL};
	static const char *const memcached[] = {"stored\r\n",
						"OK\r\n",
						"VALUE 00000000000000ff 0\r\n",
						"VALUE 00000000000000fg 0 1\r\nx\r\n",
						"VALUE 00000000000000ff 0 1\r\nxyz",
						"VALUE 00000000000000ff 0 1001\r\n",
						"VALUE 00000000000000ff x 1\r\n",
						"END \r\n",
						NULL};
	char endless[5000];

	(void)state;
	check_garbage(&dialect_resp, resp);
	check_garbage(&dialect_memcached, memcached);
	memset(endless, 'A', sizeof(endless));
	assert_int_equal(read_prefix(&dialect_memcached, endless, sizeof(endless)).kind,
			 REPLY_GARBAGE);
	endless[0] = '-';
	assert_int_equal(read_prefix(&dialect_resp, endless, sizeof(endless)).kind, REPLY_GARBAGE);
}

static void check_requests(const struct dialect *dialect, const char *set, const char *get,
			   const char *gets)
{
	static const uint64_t keys[] = {0xff, UINT64_C(0xfedcba9876543210)};
	char text[512];

	*dialect->put_set(text, 0x2a, 1024) = '\0';
	assert_string_equal(text, set);
	*dialect->put_get(text, keys, 1) = '\0';
	assert_string_equal(text, get);
	*dialect->put_get(text, keys, 2) = '\0';
	assert_string_equal(text, gets);
}

static void requests(void **state)
{
	(void)state;
	check_requests(
		&dialect_resp, "*3\r\n$3\r\nSET\r\n$16\r\n000000000000002a\r\n$1024\r\n",
		"*2\r\n$3\r\nGET\r\n$16\r\n00000000000000ff\r\n",
		"*3\r\n$4\r\nMGET\r\n$16\r\n00000000000000ff\r\n$16\r\nfedcba9876543210\r\n");
	check_requests(&dialect_memcached, "set 000000000000002a 0 0 1024\r\n",
		       "get 00000000000000ff\r\n", "get 00000000000000ff fedcba9876543210\r\n");
}

/* What a connection reserves must hold the longest request. */
static void requests_fit(void **state)
{
	static const struct dialect *const dialects[] = {&dialect_resp, &dialect_memcached};
	uint64_t keys[DIALECT_KEYS_MAX];

	(void)state;
	memset(keys, 0xff, sizeof(keys));
	for (int i = 0; i < 2; i++) {
		char text[4096];

		assert_true((size_t)(dialects[i]->put_set(text, UINT64_MAX, 64 << 20) - text) + 2 <=
			    dialects[i]->overhead_bytes);
		assert_true((size_t)(dialects[i]->put_get(text, keys, DIALECT_KEYS_MAX) - text) <=
			    dialects[i]->overhead_bytes +
				    DIALECT_KEYS_MAX * (DIALECT_KEY_BYTES + 8));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(resp_split_anywhere), cmocka_unit_test(memcached_split_anywhere),
		cmocka_unit_test(garbage_is_refused),  cmocka_unit_test(requests),
		cmocka_unit_test(requests_fit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
