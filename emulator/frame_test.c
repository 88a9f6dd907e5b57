// SPDX-License-Identifier: MIT
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "emulator/frame.h"

struct stream {
	unsigned char *data;
	size_t length;
};

/* The bytes that frame_write() makes of three frames: text, nothing, and a full one. */
static struct stream sample(void)
{
	static unsigned char full[FRAME_PAYLOAD_MAX];
	const int fd = memfd_create("stream", 0);
	struct stream stream;

	for (size_t i = 0; i < sizeof(full); i++)
		full[i] = (unsigned char)(i * 7);
	assert_int_equal(frame_write(fd, FRAME_LOG, "hello", 5), 0);
	assert_int_equal(frame_write(fd, FRAME_ALIVE, NULL, 0), 0);
	assert_int_equal(frame_write(fd, FRAME_DATA, full, sizeof(full)), 0);
	stream.length = (size_t)lseek(fd, 0, SEEK_END);
	stream.data = malloc(stream.length);
	assert_int_equal(pread(fd, stream.data, stream.length, 0), stream.length);
	close(fd);
	return stream;
}

/* Feeds the reader in pieces; returns the number of frames, or -1. */
static int feed(struct frame_reader *reader, const struct stream *stream, size_t piece,
		struct err *err)
{
	struct frame frame;
	int count = 0, more;

	for (size_t at = 0; at < stream->length;) {
		size_t room, n = stream->length - at;
		unsigned char *space = frame_reader_space(reader, &room);

		assert_true(room > 0);
		n = n < piece ? n : piece;
		n = n < room ? n : room;
		memcpy(space, stream->data + at, n);
		frame_reader_filled(reader, n);
		at += n;
		while ((more = frame_next(reader, &frame, err)) > 0)
			count++;
		if (more < 0)
			return -1;
	}
	return count;
}

static void test_any_pieces(void **state)
{
	static const size_t pieces[] = {1, 7, 4096, 1000000};
	static struct frame_reader reader;
	struct stream stream = sample();
	struct err err = {0};

	(void)state;
	for (size_t i = 0; i < sizeof(pieces) / sizeof(pieces[0]); i++) {
		frame_reader_init(&reader);
		assert_int_equal(feed(&reader, &stream, pieces[i], &err), 3);
		assert_false(frame_reader_is_short(&reader));
	}
	free(stream.data);
}

static void test_content(void **state)
{
	static struct frame_reader reader;
	struct stream stream = sample();
	struct frame frame;
	struct err err = {0};
	size_t room;

	(void)state;
	frame_reader_init(&reader);
	memcpy(frame_reader_space(&reader, &room), stream.data, stream.length);
	assert_true(room >= stream.length);
	frame_reader_filled(&reader, stream.length);
	assert_int_equal(frame_next(&reader, &frame, &err), 1);
	assert_int_equal(frame.type, FRAME_LOG);
	assert_int_equal(frame.length, 5);
	assert_memory_equal(frame.payload, "hello", 5);
	assert_int_equal(frame_next(&reader, &frame, &err), 1);
	assert_int_equal(frame.type, FRAME_ALIVE);
	assert_int_equal(frame.length, 0);
	assert_int_equal(frame_next(&reader, &frame, &err), 1);
	assert_int_equal(frame.length, FRAME_PAYLOAD_MAX);
	assert_int_equal(frame.payload[1000], (unsigned char)7000);
	assert_int_equal(frame_next(&reader, &frame, &err), 0);
	free(stream.data);
}

static void test_short_stream(void **state)
{
	static struct frame_reader reader;
	struct stream stream = sample();
	struct err err = {0};

	(void)state;
	stream.length -= 1;
	frame_reader_init(&reader);
	assert_int_equal(feed(&reader, &stream, 4096, &err), 2);
	assert_true(frame_reader_is_short(&reader));
	stream.length = 3; /* not even a header */
	frame_reader_init(&reader);
	assert_int_equal(feed(&reader, &stream, 4096, &err), 0);
	assert_true(frame_reader_is_short(&reader));
	free(stream.data);
}

/* One wrong bit anywhere in the first two frames is noticed. */
static void test_every_bit_counts(void **state)
{
	static struct frame_reader reader;
	const struct stream stream = sample();
	const size_t headers = 2 * sizeof(struct frame_header) + 5;

	(void)state;
	for (size_t bit = 0; bit < headers * 8; bit++) {
		struct err err = {0};
		int frames;

		stream.data[bit / 8] ^= (unsigned char)(1u << bit % 8);
		frame_reader_init(&reader);
		frames = feed(&reader, &stream, 1000000, &err);
		assert_true(frames == -1 || (frames < 3 && frame_reader_is_short(&reader)));
		if (frames == -1)
			assert_int_equal(err.kind, ERR_RUN);
		stream.data[bit / 8] ^= (unsigned char)(1u << bit % 8);
	}
	free(stream.data);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_any_pieces),
		cmocka_unit_test(test_content),
		cmocka_unit_test(test_short_stream),
		cmocka_unit_test(test_every_bit_counts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
