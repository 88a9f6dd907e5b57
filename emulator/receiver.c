// SPDX-License-Identifier: MIT
#include "emulator/receiver.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define DAMAGED "the guest's result stream is damaged "

int receiver_open(struct receiver *receiver, const char *directory, struct tail *output,
		  struct err *err)
{
	*receiver = (struct receiver){.output = output, .file_fd = -1};
	frame_reader_init(&receiver->reader);
	receiver->directory_fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (receiver->directory_fd < 0)
		return err_set_errno(err, ERR_INTERNAL, errno, "cannot write to '%s'", directory);
	return 0;
}

static void close_file(struct receiver *receiver)
{
	if (receiver->file_fd >= 0)
		close(receiver->file_fd);
	receiver->file_fd = -1;
}

void receiver_close(struct receiver *receiver)
{
	if (receiver->file_fd >= 0) {
		close_file(receiver);
		unlinkat(receiver->directory_fd, receiver->file_path, 0);
	}
	if (receiver->directory_fd >= 0)
		close(receiver->directory_fd);
	receiver->directory_fd = -1;
}

static int take_event(const struct receiver *receiver, const struct frame *frame)
{
	json_t *event;

	if (!receiver->progress)
		return 0;
	/* What the command writes to its progress descriptor may be anything. */
	event = json_loadb((const char *)frame->payload, frame->length, 0, NULL);
	if (json_is_object(event))
		receiver->progress(receiver->progress_context, event);
	json_decref(event);
	return 0;
}

/* A guest names files below its result directory; nothing else of the host is its business. */
static bool is_safe(const char *path)
{
	const char *part = path;

	if (path[0] == '\0' || path[0] == '/' || strlen(path) >= PATH_MAX)
		return false;
	while (part) {
		const size_t length = strcspn(part, "/");

		if (length == 0 || (length == 1 && part[0] == '.') ||
		    (length == 2 && part[0] == '.' && part[1] == '.'))
			return false;
		part = part[length] ? part + length + 1 : NULL;
	}
	return true;
}

static int make_parents(const struct receiver *receiver, char *path)
{
	for (char *slash = strchr(path, '/'); slash; slash = strchr(slash + 1, '/')) {
		int failed;

		*slash = '\0';
		failed = mkdirat(receiver->directory_fd, path, 0777) != 0 && errno != EEXIST;
		*slash = '/';
		if (failed)
			return -1;
	}
	return 0;
}

static int finish_file(struct receiver *receiver, struct err *err)
{
	const int fd = receiver->file_fd;

	if (receiver->file_left_bytes > 0)
		return 0;
	receiver->file_fd = -1;
	receiver->nr_files++;
	if (close(fd) == 0)
		return 0;
	return err_set_errno(err, ERR_INTERNAL, errno, "cannot write the result '%s'",
			     receiver->file_path);
}

static int take_file(struct receiver *receiver, const struct frame *frame, struct err *err)
{
	json_t *header = json_loadb((const char *)frame->payload, frame->length, 0, NULL);
	const char *path;
	json_int_t bytes;
	int mode, failed = 0;

	if (receiver->file_fd >= 0 ||
	    json_unpack(header, "{s:s, s:i, s:I}", "path", &path, "mode", &mode, "bytes", &bytes) !=
		    0 ||
	    !is_safe(path) || bytes < 0) {
		json_decref(header);
		return err_set(err, ERR_RUN, DAMAGED "(file)");
	}
	strcpy(receiver->file_path, path);
	json_decref(header);
	receiver->file_left_bytes = (uint64_t)bytes;
	if (make_parents(receiver, receiver->file_path) == 0)
		receiver->file_fd = openat(receiver->directory_fd, receiver->file_path,
					   O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW,
					   (mode_t)mode & 0777);
	if (receiver->file_fd < 0)
		failed = err_set_errno(err, ERR_INTERNAL, errno, "cannot create the result '%s'",
				       receiver->file_path);
	return failed ? failed : finish_file(receiver, err);
}

static int take_data(struct receiver *receiver, const struct frame *frame, struct err *err)
{
	const unsigned char *data = frame->payload;
	size_t left = frame->length;

	if (receiver->file_fd < 0 || left > receiver->file_left_bytes)
		return err_set(err, ERR_RUN, DAMAGED "(data)");
	while (left > 0) {
		const ssize_t n = write(receiver->file_fd, data, left);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_set_errno(err, ERR_INTERNAL, errno,
					     "cannot write the result '%s'", receiver->file_path);
		data += n;
		left -= (size_t)n;
	}
	receiver->file_left_bytes -= frame->length;
	return finish_file(receiver, err);
}

static int take_exit(struct receiver *receiver, const struct frame *frame, struct err *err)
{
	json_t *message = json_loadb((const char *)frame->payload, frame->length, 0, NULL);
	int nr_files;
	const int bad =
		json_unpack(message, "{s:i, s:i}", "status", &receiver->status, "files", &nr_files);

	json_decref(message);
	if (bad || receiver->file_fd >= 0 || nr_files != receiver->nr_files)
		return err_set(err, ERR_RUN, DAMAGED "(%d result files)", receiver->nr_files);
	receiver->exited = true;
	return 0;
}

int receiver_take(struct receiver *receiver, const struct frame *frame, struct err *err)
{
	if (receiver->exited)
		return err_set(err, ERR_RUN, DAMAGED "(it goes on after its end)");
	switch (frame->type) {
	case FRAME_EVENT:
		return take_event(receiver, frame);
	case FRAME_LOG:
		tail_add(receiver->output, (const char *)frame->payload, frame->length);
		return 0;
	case FRAME_FILE:
		return take_file(receiver, frame, err);
	case FRAME_DATA:
		return take_data(receiver, frame, err);
	case FRAME_EXIT:
		return take_exit(receiver, frame, err);
	case FRAME_ALIVE:
	case FRAME_TYPES:
		break;
	}
	return 0;
}

int receiver_read(struct receiver *receiver, int fd, struct err *err)
{
	struct frame frame;
	size_t size;
	unsigned char *space = frame_reader_space(&receiver->reader, &size);
	const ssize_t n = read(fd, space, size);
	int more;

	if (n < 0 && (errno == EINTR || errno == EAGAIN))
		return 1;
	if (n == 0 || (n < 0 && errno == ECONNRESET))
		return 0;
	if (n < 0)
		return err_set_errno(err, ERR_INTERNAL, errno, "cannot read from the guest");
	frame_reader_filled(&receiver->reader, (size_t)n);
	while ((more = frame_next(&receiver->reader, &frame, err)) > 0)
		if (receiver_take(receiver, &frame, err) != 0)
			return -1;
	return more < 0 ? -1 : 1;
}
