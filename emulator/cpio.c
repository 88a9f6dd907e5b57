// SPDX-License-Identifier: MIT
#include "emulator/cpio.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define CPIO_TRAILER    "TRAILER!!!"
#define CPIO_ALIGNMENT  4
#define CPIO_LENGTH_MAX UINT32_MAX /* the size field has eight hexadecimal digits */

struct entry {
	const char *name;
	mode_t mode;
	uint64_t length;
	unsigned major, minor;
};

int cpio_open(struct cpio *cpio, int fd, struct err *err)
{
	const int copy = fcntl(fd, F_DUPFD_CLOEXEC, 3);

	*cpio = (struct cpio){.stream = copy < 0 ? NULL : fdopen(copy, "wb")};
	if (cpio->stream)
		return 0;
	err_set_errno(err, ERR_INTERNAL, errno, "cannot write the guest's initramfs");
	if (copy >= 0)
		close(copy);
	return -1;
}

static int put(struct cpio *cpio, const void *data, size_t length, struct err *err)
{
	if (fwrite(data, 1, length, cpio->stream) != length)
		return err_set_errno(err, ERR_INTERNAL, errno,
				     "cannot write the guest's initramfs");
	cpio->bytes += length;
	return 0;
}

static int put_padding(struct cpio *cpio, struct err *err)
{
	static const char zeros[CPIO_ALIGNMENT];

	return put(cpio, zeros, -cpio->bytes % CPIO_ALIGNMENT, err);
}

/* The thirteen fields of a header, each of eight hexadecimal digits, then name and padding. */
static int put_header(struct cpio *cpio, const struct entry *entry, struct err *err)
{
	const size_t name_size = strlen(entry->name) + 1;
	const unsigned nr_links = S_ISDIR(entry->mode) ? 2 : 1;
	char header[6 + 13 * 8 + 1];

	if (entry->length > CPIO_LENGTH_MAX)
		return err_set(err, ERR_USAGE,
			       "'%s' has over 4 GiB, too much for the guest's initramfs",
			       entry->name);
	snprintf(header, sizeof(header),
		 "070701%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x", ++cpio->last_inode,
		 (unsigned)entry->mode, 0u, 0u, nr_links, 0u, (unsigned)entry->length, 0u, 0u,
		 entry->major, entry->minor, (unsigned)name_size, 0u);
	if (put(cpio, header, sizeof(header) - 1, err) != 0 ||
	    put(cpio, entry->name, name_size, err) != 0)
		return -1;
	return put_padding(cpio, err);
}

static const char *without_root(const char *path)
{
	while (*path == '/')
		path++;
	return path;
}

static int put_entry(struct cpio *cpio, const struct entry *entry, const void *data,
		     struct err *err)
{
	if (put_header(cpio, entry, err) != 0 || put(cpio, data, entry->length, err) != 0)
		return -1;
	return put_padding(cpio, err);
}

int cpio_directory(struct cpio *cpio, const char *path, mode_t mode, struct err *err)
{
	const struct entry entry = {.name = without_root(path), .mode = S_IFDIR | mode};

	return put_entry(cpio, &entry, "", err);
}

int cpio_file(struct cpio *cpio, const char *path, mode_t mode, const void *data, size_t length,
	      struct err *err)
{
	const struct entry entry = {
		.name = without_root(path), .mode = S_IFREG | mode, .length = length};

	return put_entry(cpio, &entry, data, err);
}

int cpio_symlink(struct cpio *cpio, const char *path, const char *target, struct err *err)
{
	const struct entry entry = {
		.name = without_root(path), .mode = S_IFLNK | 0777, .length = strlen(target)};

	return put_entry(cpio, &entry, target, err);
}

int cpio_character_device(struct cpio *cpio, const char *path, mode_t mode, unsigned major,
			  unsigned minor, struct err *err)
{
	const struct entry entry = {
		.name = without_root(path), .mode = S_IFCHR | mode, .major = major, .minor = minor};

	return put_entry(cpio, &entry, "", err);
}

/* The header has promised `length` bytes: a file that shrinks meanwhile breaks the archive. */
static int put_content(struct cpio *cpio, int fd, uint64_t length, const char *host_path,
		       struct err *err)
{
	char block[65536];

	while (length > 0) {
		const size_t wanted = length < sizeof(block) ? length : sizeof(block);
		const ssize_t n = read(fd, block, wanted);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_set_errno(err, ERR_USAGE, errno, "cannot read '%s'", host_path);
		if (n == 0)
			return err_set(err, ERR_RUN,
				       "'%s' became shorter while it was copied; try again",
				       host_path);
		if (put(cpio, block, (size_t)n, err) != 0)
			return -1;
		length -= (uint64_t)n;
	}
	return put_padding(cpio, err);
}

int cpio_copy(struct cpio *cpio, const char *path, mode_t mode, const char *host_path,
	      struct err *err)
{
	struct entry entry = {.name = without_root(path), .mode = S_IFREG | mode};
	const int fd = open(host_path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	struct stat st;
	int failed;

	if (fd < 0 || fstat(fd, &st) != 0) {
		err_set_errno(err, ERR_USAGE, errno, "cannot read '%s'", host_path);
		if (fd >= 0)
			close(fd);
		return -1;
	}
	entry.length = (uint64_t)st.st_size;
	if (!S_ISREG(st.st_mode))
		failed = err_set(err, ERR_USAGE, "'%s' is not a regular file", host_path);
	else if ((failed = put_header(cpio, &entry, err)) == 0)
		failed = put_content(cpio, fd, entry.length, host_path, err);
	close(fd);
	return failed;
}

int cpio_finish(struct cpio *cpio, struct err *err)
{
	const struct entry trailer = {.name = CPIO_TRAILER};
	int failed = put_header(cpio, &trailer, err);

	if (fclose(cpio->stream) != 0 && !failed)
		failed = err_set_errno(err, ERR_INTERNAL, errno,
				       "cannot write the guest's initramfs");
	cpio->stream = NULL;
	return failed;
}

void cpio_abandon(struct cpio *cpio)
{
	if (cpio->stream)
		fclose(cpio->stream);
	cpio->stream = NULL;
}
