/* SPDX-License-Identifier: MIT */
/*
 * Marks the region of interest of a program of your own, GNU C11 or C++11, for
 *
 *     harness exec CONFIG --ready-when roi -- ./program
 *
 * Time, counters and page-table dumps of the run then cover what lies between the two calls, on
 * this machine as in the emulated one. Without the harness, or without --ready-when roi, both calls
 * return at once and do nothing. There is nothing to link with; `pkg-config --cflags mitosis-suite`
 * says where this header is. docs/OWN_PROGRAM.md has a worked example.
 *
 *     build the data, with all threads
 *     mitosis_roi_begin();
 *     the work that is to be measured
 *     mitosis_roi_end();
 *
 * One thread calls, once each; the others should wait meanwhile, as between the calls data may be
 * moved to other nodes. A process has one region; it may be a child of the program that was named.
 */
#ifndef MITOSIS_SUITE_ROI_H
#define MITOSIS_SUITE_ROI_H

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#ifdef __cplusplus
extern "C" {
#endif

/* The descriptor of the harness, or -1 when there is none: MITOSIS_SUITE_WIRE_FD, if it is a
 * socket. */
static inline int mitosis_roi_channel(void)
{
	const char *text = getenv("MITOSIS_SUITE_WIRE_FD");
	struct stat st;
	char *end;
	long fd;

	if (!text || !*text)
		return -1;
	fd = strtol(text, &end, 10);
	if (*end || fd < 0 || fd > 1 << 20 || fstat((int)fd, &st) != 0 || !S_ISSOCK(st.st_mode))
		return -1;
	return (int)fd;
}

/* CLOCK_MONOTONIC_RAW, in nanoseconds: the clock of the suite. */
static inline uint64_t mitosis_roi_now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC_RAW, &now);
	return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

/* Sends a line and waits for the one that answers it: 0, or -1 with errno. */
static inline int mitosis_roi_ask(int fd, const char *line)
{
	char answer[512];
	size_t length = strlen(line), used = 0;

	while (length > 0) {
		const ssize_t n = send(fd, line, length, MSG_NOSIGNAL);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -1;
		line += n;
		length -= (size_t)n;
	}
	while (used == 0 || answer[used - 1] != '\n') {
		const ssize_t n = recv(fd, answer + used, sizeof(answer) - 1 - used, 0);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0 || used + (size_t)n == sizeof(answer) - 1) {
			errno = n < 0 ? errno : EPROTO;
			return -1;
		}
		used += (size_t)n;
	}
	answer[used] = '\0';
	if (strstr(answer, "\"refused\"")) {
		errno = EALREADY;
		return -1;
	}
	return 0;
}

/* When the region began by the program's own clock; one for the process, if one file includes this.
 */
static inline uint64_t *mitosis_roi_begun_ns(void)
{
	static uint64_t begun_ns;

	return &begun_ns;
}

/*
 * Begins the region: returns when everything is in place. 0, also without a harness; -1 with errno:
 * EALREADY for a second region, EPIPE, ECONNRESET or EPROTO when the harness is gone.
 */
static inline int mitosis_roi_begin(void)
{
	const int fd = mitosis_roi_channel();

	if (fd < 0)
		return 0;
	if (mitosis_roi_ask(fd, "{\"msg\":\"roi_begin\"}\n") != 0)
		return -1;
	*mitosis_roi_begun_ns() = mitosis_roi_now_ns();
	return 0;
}

/* Ends it; the same values. A region that is not ended ends with the program. */
static inline int mitosis_roi_end(void)
{
	const uint64_t ended_ns = mitosis_roi_now_ns();
	const int fd = mitosis_roi_channel();
	char line[128];

	if (fd < 0)
		return 0;
	snprintf(line, sizeof(line), "{\"msg\":\"roi_end\",\"begun_ns\":%llu,\"ended_ns\":%llu}\n",
		 (unsigned long long)*mitosis_roi_begun_ns(), (unsigned long long)ended_ns);
	return mitosis_roi_ask(fd, line);
}

#ifdef __cplusplus
}
#endif

#endif
