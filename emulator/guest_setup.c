// SPDX-License-Identifier: MIT
#include "emulator/guest_setup.h"

#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <net/if.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "common/fs.h"
#include "emulator/frame.h"

#define PORT_WAIT_MS  10000
#define PORT_RETRY_MS 20

static const struct {
	const char *type, *path, *options;
	bool required;
} mounts[] = {
	{"proc", "/proc", NULL, true},
	{"sysfs", "/sys", NULL, true},
	{"devtmpfs", "/dev", NULL, true},
	{"tmpfs", "/dev/shm", NULL, true},
	{"tmpfs", "/tmp", NULL, true},
	/* Results go to the host through memory: records and dumps, not data. */
	{"tmpfs", GUEST_RESULT_DIRECTORY, "size=128m", true},
	{"devpts", "/dev/pts", NULL, false},
	{"hugetlbfs", "/dev/hugepages", NULL, false},
	{"cgroup2", "/sys/fs/cgroup", NULL, false},
	{"bpf", "/sys/fs/bpf", NULL, false},
	{"debugfs", "/sys/kernel/debug", NULL, false},
	{"tracefs", "/sys/kernel/tracing", NULL, false},
};

static int mount_all(struct err *err)
{
	for (size_t i = 0; i < sizeof(mounts) / sizeof(mounts[0]); i++) {
		mkdir(mounts[i].path, 0755); /* is there already, or cannot be made: mount tells */
		if (mount(mounts[i].type, mounts[i].path, mounts[i].type, MS_NOSUID,
			  mounts[i].options) != 0 &&
		    mounts[i].required)
			return err_set_errno(err, ERR_MACHINE, errno, "cannot mount %s at %s",
					     mounts[i].type, mounts[i].path);
	}
	return 0;
}

/* Servers that a job may start talk over the loopback; there is no other interface. */
static void raise_loopback(void)
{
	struct ifreq request = {.ifr_name = "lo", .ifr_flags = IFF_UP | IFF_RUNNING};
	const int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return;
	ioctl(fd, SIOCSIFFLAGS, &request);
	close(fd);
}

int guest_setup(struct err *err)
{
	umask(022);
	if (mount_all(err) != 0)
		return -1;
	if (sethostname(GUEST_HOST_NAME, strlen(GUEST_HOST_NAME)) != 0)
		return err_set_errno(err, ERR_INTERNAL, errno, "cannot set the host name");
	raise_loopback();
	return 0;
}

/* "/sys/class/virtio-ports/vport0p1/name" is one port's name; the device has the directory's. */
static int find_port(const struct fs *fs, char device[64])
{
	glob_t names;
	int found = 0;

	if (glob("/sys/class/virtio-ports/*/name", 0, NULL, &names) != 0)
		return 0;
	for (size_t i = 0; i < names.gl_pathc && !found; i++) {
		char port[64], name[64];

		if (fs_read(fs, names.gl_pathv[i], name, sizeof(name)) < 0 ||
		    strcmp(name, FRAME_PORT) != 0 ||
		    sscanf(names.gl_pathv[i], "/sys/class/virtio-ports/%57[^/]", port) != 1)
			continue;
		snprintf(device, 64, "/dev/%.57s", port);
		found = 1;
	}
	globfree(&names);
	return found;
}

int guest_open_port(struct err *err)
{
	const struct timespec pause = {.tv_nsec = PORT_RETRY_MS * 1000000};
	char device[64];
	struct fs fs;
	int fd = -1;

	if (fs_open(&fs, "/", err) != 0)
		return -1;
	for (int waited_ms = 0; fd < 0 && waited_ms < PORT_WAIT_MS; waited_ms += PORT_RETRY_MS) {
		if (find_port(&fs, device))
			fd = open(device, O_WRONLY | O_CLOEXEC);
		if (fd < 0)
			nanosleep(&pause, NULL);
	}
	fs_close(&fs);
	if (fd < 0)
		err_set(err, ERR_MACHINE,
			"no virtio-serial port '%s'; the kernel needs CONFIG_VIRTIO_PCI=y and "
			"CONFIG_VIRTIO_CONSOLE=y",
			FRAME_PORT);
	return fd;
}
