// SPDX-License-Identifier: MIT
#include "harness/ready_when.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

static struct ready_when *open_good(const char *text)
{
	struct ready_when *ready_when;
	struct err err = {0};

	if (ready_when_open(&ready_when, text, &err) != 0)
		fail_msg("%s", err.text);
	return ready_when;
}

static void time_passes(void **state)
{
	struct ready_when *ready_when = open_good("50ms");

	(void)state;
	ready_when_started(ready_when);
	assert_int_equal(ready_when_check(ready_when, NULL), 0);
	usleep(60000);
	assert_int_equal(ready_when_check(ready_when, NULL), 1);
	ready_when_close(ready_when);
}

static void file_appears(void **state)
{
	char text[64], *path = text + strlen("file:");
	struct ready_when *ready_when;

	(void)state;
	snprintf(text, sizeof(text), "file:/tmp/ready-when-test.%d", (int)getpid());
	ready_when = open_good(text);
	ready_when_started(ready_when);
	assert_int_equal(ready_when_check(ready_when, NULL), 0);
	close(open(path, O_CREAT | O_WRONLY, 0600));
	assert_int_equal(ready_when_check(ready_when, NULL), 1);
	ready_when_close(ready_when);
	assert_int_equal(ready_when_open(&ready_when, text, NULL), -1); /* it is there already */
	unlink(path);
}

static int listen_somewhere(int *port)
{
	struct sockaddr_in address = {
		.sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	socklen_t length = sizeof(address);
	const int fd = socket(AF_INET, SOCK_STREAM, 0);

	assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &length), 0);
	*port = ntohs(address.sin_port);
	return fd;
}

static void port_accepts(void **state)
{
	struct ready_when *ready_when;
	char text[32];
	int port;
	const int fd = listen_somewhere(&port);

	(void)state;
	snprintf(text, sizeof(text), "tcp:%d", port);
	ready_when = open_good(text);
	ready_when_started(ready_when);
	assert_int_equal(ready_when_check(ready_when, NULL), 0);
	listen(fd, 4);
	assert_int_equal(ready_when_check(ready_when, NULL), 1);
	ready_when_close(ready_when);
	assert_int_equal(ready_when_open(&ready_when, text, NULL), -1);
	close(fd);
}

static void line_is_printed_and_passed_on(void **state)
{
	static const char before[] = "loading ready\nnot yet\n", after[] = "ready for 7\nmore";
	struct ready_when *ready_when = open_good("output:^ready for [0-9]+$");
	const int sink = memfd_create("sink", MFD_CLOEXEC);
	const int output = dup(ready_when_output(ready_when, 0, sink));
	char text[128] = "";

	(void)state;
	ready_when_started(ready_when);
	assert_int_equal(write(output, before, strlen(before)), strlen(before));
	assert_int_equal(ready_when_check(ready_when, NULL), 0);
	assert_int_equal(write(output, after, strlen(after)), strlen(after));
	assert_int_equal(ready_when_check(ready_when, NULL), 1);
	close(output);
	ready_when_close(ready_when);
	assert_int_equal(pread(sink, text, sizeof(text), 0), strlen(before) + strlen(after));
	assert_string_equal(text, "loading ready\nnot yet\nready for 7\nmore");
	close(sink);
}

static void messages_count_as_well(void **state)
{
	struct ready_when *ready_when = open_good("output:up$");
	const int sink = memfd_create("sink", MFD_CLOEXEC);
	const int output = dup(ready_when_output(ready_when, 0, sink));
	const int messages = dup(ready_when_output(ready_when, 1, sink));

	(void)state;
	ready_when_started(ready_when);
	assert_int_equal(write(output, "is u", 4), 4);
	assert_int_equal(write(messages, "p\n", 2), 2); /* no line of both */
	assert_int_equal(ready_when_check(ready_when, NULL), 0);
	assert_int_equal(write(messages, "server up\n", 10), 10);
	assert_int_equal(ready_when_check(ready_when, NULL), 1);
	close(output);
	close(messages);
	ready_when_close(ready_when);
	close(sink);
}

static void port_of_the_other_family(void **state)
{
	struct sockaddr_in6 address = {.sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT};
	socklen_t length = sizeof(address);
	const int fd = socket(AF_INET6, SOCK_STREAM, 0);
	struct ready_when *ready_when;
	char text[32];

	(void)state;
	if (fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof(address)) != 0)
		skip(); /* no IPv6 here */
	assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &length), 0);
	snprintf(text, sizeof(text), "tcp:%d", ntohs(address.sin6_port));
	ready_when = open_good(text);
	ready_when_started(ready_when);
	assert_int_equal(ready_when_check(ready_when, NULL), 0);
	listen(fd, 4);
	assert_int_equal(ready_when_check(ready_when, NULL), 1);
	ready_when_close(ready_when);
	close(fd);
}

static void the_program_says(void **state)
{
	struct ready_when *ready_when = open_good("roi");
	struct ready_when *other = open_good("1ms");

	(void)state;
	assert_true(ready_when_by_program(ready_when));
	assert_false(ready_when_by_program(other));
	assert_false(ready_when_by_program(NULL));
	ready_when_started(ready_when);
	assert_int_equal(ready_when_check(ready_when, NULL), 0);
	ready_when_program_is(ready_when);
	assert_int_equal(ready_when_check(ready_when, NULL), 1);
	ready_when_close(ready_when);
	ready_when_close(other);
}

static void wrong_texts_are_usage_errors(void **state)
{
	static const char *const texts[] = {"",          "soon",  "file:",   "tcp:",     "tcp:0",
					    "tcp:70000", "tcp:x", "output:", "output:(", "roi:x",
					    "roix",      "-1",    "1x"};

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		struct ready_when *ready_when;
		struct err err = {0};

		assert_int_equal(ready_when_open(&ready_when, texts[i], &err), -1);
		assert_int_equal(err.kind, ERR_USAGE);
		assert_non_null(strstr(err.text, "--ready-when"));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(time_passes),
		cmocka_unit_test(file_appears),
		cmocka_unit_test(port_accepts),
		cmocka_unit_test(line_is_printed_and_passed_on),
		cmocka_unit_test(messages_count_as_well),
		cmocka_unit_test(port_of_the_other_family),
		cmocka_unit_test(the_program_says),
		cmocka_unit_test(wrong_texts_are_usage_errors),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
