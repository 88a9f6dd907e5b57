// SPDX-License-Identifier: MIT
#include "emulator/tail.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define SEPARATOR " | "

int tail_open(struct tail *tail, int directory_fd, const char *name, struct err *err)
{
	tail->used = 0;
	tail->fd = openat(directory_fd, name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	if (tail->fd < 0)
		return err_set_errno(err, ERR_INTERNAL, errno,
				     "cannot write '%s' in the result directory", name);
	return 0;
}

void tail_close(struct tail *tail)
{
	if (tail->fd >= 0)
		close(tail->fd);
	tail->fd = -1;
}

void tail_add(struct tail *tail, const char *data, size_t length)
{
	const char *left = data;
	size_t left_length = length;

	while (tail->fd >= 0 && left_length > 0) {
		const ssize_t n = write(tail->fd, left, left_length);

		if (n < 0 && errno != EINTR)
			break;
		left += n < 0 ? 0 : n;
		left_length -= n < 0 ? 0 : (size_t)n;
	}
	if (length > TAIL_BYTES) {
		data += length - TAIL_BYTES;
		length = TAIL_BYTES;
	}
	if (tail->used + length > TAIL_BYTES) {
		const size_t dropped = tail->used + length - TAIL_BYTES;

		memmove(tail->text, tail->text + dropped, tail->used - dropped);
		tail->used -= dropped;
	}
	memcpy(tail->text + tail->used, data, length);
	tail->used += length;
}

/* The line that ends before `end`: its first and last printable character; returns its start. */
static const char *line_before(const char *text, const char *end, const char **first,
			       size_t *length)
{
	const char *start = end, *last = end;

	while (start > text && start[-1] != '\n')
		start--;
	*first = start;
	while (*first < last && isspace((unsigned char)**first))
		(*first)++;
	while (last > *first && isspace((unsigned char)last[-1]))
		last--;
	*length = (size_t)(last - *first);
	return start;
}

/* Terminal escapes and NULs of a console have no business in a message. */
static void copy_printable(char *to, const char *from, size_t length)
{
	for (size_t i = 0; i < length; i++)
		to[i] = isprint((unsigned char)from[i]) ? from[i] : ' ';
}

const char *tail_format(const struct tail *tail, char *text, size_t size)
{
	const char *end = tail->text + tail->used;
	size_t at = size - 1; /* filled from its end */

	text[at] = '\0';
	while (end > tail->text) {
		const size_t gap = text[at] ? strlen(SEPARATOR) : 0;
		const char *first, *start;
		size_t length;

		start = line_before(tail->text, end, &first, &length);
		if (length + gap > at)
			break;
		if (length > 0) {
			at -= gap;
			memcpy(text + at, SEPARATOR, gap);
			at -= length;
			copy_printable(text + at, first, length);
		}
		end = start > tail->text ? start - 1 : start;
	}
	return memmove(text, text + at, size - at);
}

const char *tail_find(const struct tail *tail, const char *word, char *text, size_t size)
{
	const char *found = memmem(tail->text, tail->used, word, strlen(word));
	const char *end, *first;
	size_t length;

	if (!found)
		return NULL;
	end = memchr(found, '\n', (size_t)(tail->text + tail->used - found));
	if (!end)
		end = tail->text + tail->used;
	line_before(tail->text, end, &first, &length);
	if (length >= size)
		length = size - 1;
	copy_printable(text, first, length);
	text[length] = '\0';
	return text;
}
