// SPDX-License-Identifier: MIT
#include "common/fs.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

int fs_open(struct fs *fs, const char *root, struct err *err)
{
	fs->root_fd = open(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fs->root_fd < 0)
		return err_set_errno(err, ERR_USAGE, errno, "cannot read the machine at '%s'",
				     root);
	return 0;
}

void fs_close(struct fs *fs)
{
	if (fs->root_fd >= 0)
		close(fs->root_fd);
	fs->root_fd = -1;
}

static const char *relative(const char *path)
{
	while (*path == '/')
		path++;
	return *path ? path : ".";
}

static ssize_t read_full(int fd, char *data, size_t size)
{
	size_t used = 0;

	while (used < size) {
		const ssize_t n = read(fd, data + used, size - used);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -1;
		if (n == 0)
			break;
		used += (size_t)n;
	}
	return (ssize_t)used;
}

ssize_t fs_read(const struct fs *fs, const char *path, char *text, size_t size)
{
	const int fd = openat(fs->root_fd, relative(path), O_RDONLY | O_CLOEXEC);
	ssize_t length;
	int saved;

	if (fd < 0)
		return -1;
	length = read_full(fd, text, size - 1);
	saved = errno;
	close(fd);
	errno = saved;
	if (length < 0)
		return -1;
	if (length > 0 && text[length - 1] == '\n')
		length--;
	text[length] = '\0';
	return length;
}

int fs_read_u64(const struct fs *fs, const char *path, uint64_t *value)
{
	char text[64];
	char *end;

	if (fs_read(fs, path, text, sizeof(text)) < 0)
		return -1;
	errno = 0;
	*value = strtoull(text, &end, 10);
	if (errno == 0 && (end == text || *end != '\0'))
		errno = EINVAL;
	return errno == 0 ? 0 : -1;
}

char *fs_read_all(const struct fs *fs, const char *path, size_t *length)
{
	const int fd = openat(fs->root_fd, relative(path), O_RDONLY | O_CLOEXEC);
	size_t size = 16384, used = 0;
	char *data = NULL;

	if (fd < 0)
		return NULL;
	for (;;) {
		char *larger = realloc(data, size);
		ssize_t n;

		if (!larger)
			break;
		data = larger;
		n = read_full(fd, data + used, size - used - 1);
		if (n < 0)
			break;
		used += (size_t)n;
		if (used < size - 1) {
			data[used] = '\0';
			if (length)
				*length = used;
			close(fd);
			return data;
		}
		size *= 2;
	}
	free(data);
	close(fd);
	return NULL;
}

int fs_write(const struct fs *fs, const char *path, const char *text)
{
	const int fd = openat(fs->root_fd, relative(path), O_WRONLY | O_TRUNC | O_CLOEXEC);
	const size_t length = strlen(text);
	ssize_t n;
	int saved;

	if (fd < 0)
		return -1;
	n = write(fd, text, length);
	saved = n < 0 ? errno : EIO;
	close(fd);
	if (n == (ssize_t)length)
		return 0;
	errno = saved;
	return -1;
}

int fs_exists(const struct fs *fs, const char *path)
{
	return faccessat(fs->root_fd, relative(path), F_OK, 0) == 0;
}

int fs_mkdir_parents(const char *path)
{
	char copy[4096];
	struct stat st;

	if (strlen(path) >= sizeof(copy)) {
		errno = ENAMETOOLONG;
		return -1;
	}
	strcpy(copy, path);
	for (char *slash = strchr(copy + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		if (mkdir(copy, 0777) != 0 && errno != EEXIST)
			return -1;
		*slash = '/';
	}
	if (mkdir(copy, 0777) == 0)
		return 0;
	if (errno == EEXIST && stat(copy, &st) == 0 && S_ISDIR(st.st_mode))
		return 0;
	return -1;
}

static int write_full(int fd, const char *data, size_t length)
{
	while (length > 0) {
		const ssize_t n = write(fd, data, length);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -1;
		data += n;
		length -= (size_t)n;
	}
	return 0;
}

/* A rename is durable only once the directory that holds the name is. */
static void sync_directory_of(const char *path)
{
	char copy[4096];
	char *slash;
	int fd;

	snprintf(copy, sizeof(copy), "%s", path);
	slash = strrchr(copy, '/');
	if (slash)
		slash[slash == copy] = '\0';
	fd = open(slash ? copy : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return;
	fsync(fd);
	close(fd);
}

int fs_replace(const char *path, const void *data, size_t length, struct err *err)
{
	char temporary[4096];
	int fd, failed, saved;

	if (snprintf(temporary, sizeof(temporary), "%s.XXXXXX", path) >= (int)sizeof(temporary))
		return err_set(err, ERR_USAGE, "the path '%.200s...' is too long", path);
	fd = mkostemp(temporary, O_CLOEXEC);
	if (fd < 0)
		return err_set_errno(err, ERR_INTERNAL, errno, "cannot create '%s'", temporary);
	failed = write_full(fd, data, length) != 0 || fchmod(fd, 0644) != 0 || fsync(fd) != 0;
	saved = errno;
	if (close(fd) != 0 && !failed) {
		failed = 1;
		saved = errno;
	}
	if (!failed && rename(temporary, path) != 0) {
		failed = 1;
		saved = errno;
	}
	if (failed) {
		unlink(temporary);
		return err_set_errno(err, ERR_INTERNAL, saved, "cannot write '%s'", path);
	}
	sync_directory_of(path);
	return 0;
}
