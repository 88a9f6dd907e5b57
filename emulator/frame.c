// SPDX-License-Identifier: MIT
#include "emulator/frame.h"

#include <assert.h>
#include <errno.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>
#include <zlib.h>

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__,
	       "frames are written as they lie in memory");

static uint32_t checksum_of(struct frame_header header, const void *payload)
{
	uLong checksum;

	header.checksum = 0;
	checksum = crc32(0, (const Bytef *)&header, sizeof(header));
	if (header.length > 0)
		checksum = crc32(checksum, payload, header.length);
	return (uint32_t)checksum;
}

struct frame_header frame_header_make(enum frame_type type, const void *payload, size_t length)
{
	struct frame_header header = {
		.magic = FRAME_MAGIC, .type = type, .length = (uint32_t)length};

	assert(length <= FRAME_PAYLOAD_MAX);
	header.checksum = checksum_of(header, payload);
	return header;
}

int frame_write(int fd, enum frame_type type, const void *payload, size_t length)
{
	struct frame_header header = frame_header_make(type, payload, length);
	struct iovec parts[2] = {{&header, sizeof(header)}, {(void *)payload, length}};
	int part = 0;

	while (part < 2) {
		ssize_t n = writev(fd, parts + part, 2 - part);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -1;
		while (part < 2 && (size_t)n >= parts[part].iov_len)
			n -= (ssize_t)parts[part++].iov_len;
		if (part < 2) {
			parts[part].iov_base = (char *)parts[part].iov_base + n;
			parts[part].iov_len -= (size_t)n;
		}
	}
	return 0;
}

void frame_reader_init(struct frame_reader *reader)
{
	reader->used = reader->taken = 0;
}

unsigned char *frame_reader_space(struct frame_reader *reader, size_t *size)
{
	reader->used -= reader->taken;
	memmove(reader->data, reader->data + reader->taken, reader->used);
	reader->taken = 0;
	*size = sizeof(reader->data) - reader->used;
	return reader->data + reader->used;
}

void frame_reader_filled(struct frame_reader *reader, size_t length)
{
	reader->used += length;
}

int frame_next(struct frame_reader *reader, struct frame *frame, struct err *err)
{
	const unsigned char *start = reader->data + reader->taken;
	const size_t left = reader->used - reader->taken;
	struct frame_header header;

	if (left < sizeof(header))
		return 0;
	memcpy(&header, start, sizeof(header));
	if (header.magic != FRAME_MAGIC || header.type < FRAME_EVENT ||
	    header.type >= FRAME_TYPES || header.length > FRAME_PAYLOAD_MAX)
		return err_set(err, ERR_RUN, "the guest's result stream is damaged (no frame)");
	if (left - sizeof(header) < header.length)
		return 0;
	if (checksum_of(header, start + sizeof(header)) != header.checksum)
		return err_set(err, ERR_RUN, "the guest's result stream is damaged (checksum)");
	*frame = (struct frame){.type = (enum frame_type)header.type,
				.payload = start + sizeof(header),
				.length = header.length};
	reader->taken += sizeof(header) + header.length;
	return 1;
}

int frame_reader_is_short(const struct frame_reader *reader)
{
	return reader->used > reader->taken;
}
