/* SPDX-License-Identifier: MIT */
/*
 * The stream from guest to host: frames of a fixed header and a payload, over a virtio-serial port.
 *
 * All fields are little-endian. The checksum is zlib's CRC-32 of the header with checksum 0 and of
 * the payload. The stream of one guest is: any number of EVENT, LOG and ALIVE, then FILE with its
 * DATA for each result file, then EXIT.
 */
#ifndef EMULATOR_FRAME_H
#define EMULATOR_FRAME_H

#include <stddef.h>
#include <stdint.h>

#include "common/err.h"

#define FRAME_PORT        "mitosis.result" /* name of the virtio-serial port */
#define FRAME_MAGIC       UINT32_C(0x4d524654)
#define FRAME_PAYLOAD_MAX 65536

enum frame_type {
	FRAME_EVENT = 1, /* JSON: a progress message of docs/PROTOCOL.md */
	FRAME_LOG,       /* text that the command wrote to stdout or stderr, as it came */
	FRAME_ALIVE,     /* empty: the guest still schedules */
	FRAME_FILE, /* JSON {"path", "mode", "bytes"}: DATA frames with that many bytes follow */
	FRAME_DATA,
	FRAME_EXIT, /* JSON {"status", "files", "error"}: the last frame */
	FRAME_TYPES
};

struct frame_header {
	uint32_t magic;
	uint32_t type;
	uint32_t length; /* of the payload */
	uint32_t checksum;
};

struct frame {
	enum frame_type type;
	const unsigned char *payload; /* valid until the reader is used again */
	size_t length;
};

/* What has arrived and is not taken yet. */
struct frame_reader {
	size_t used, taken;
	unsigned char data[2 * (sizeof(struct frame_header) + FRAME_PAYLOAD_MAX)];
};

/* Header for a payload of at most FRAME_PAYLOAD_MAX bytes. */
struct frame_header frame_header_make(enum frame_type type, const void *payload, size_t length);

/* Writes a whole frame to a blocking descriptor; -1 with errno set. */
int frame_write(int fd, enum frame_type type, const void *payload, size_t length);

void frame_reader_init(struct frame_reader *reader);

/* Where the next bytes go and how many fit (never 0 after frame_next() has returned 0). */
unsigned char *frame_reader_space(struct frame_reader *reader, size_t *size);
void frame_reader_filled(struct frame_reader *reader, size_t length);

/* 1: a frame; 0: more bytes are needed; -1 with ERR_RUN: the stream is damaged. */
int frame_next(struct frame_reader *reader, struct frame *frame, struct err *err);

/* Whether the stream ends inside a frame. */
int frame_reader_is_short(const struct frame_reader *reader);

#endif
