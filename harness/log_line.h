/* SPDX-License-Identifier: MIT */
#ifndef HARNESS_LOG_LINE_H
#define HARNESS_LOG_LINE_H

#define LOG_LINE_MAX 512

/*
 * The last line of a log that is not empty, where a program says why it died; "" without one.
 * `path` may be NULL.
 */
void log_last_line(const char *path, char line[LOG_LINE_MAX]);

#endif
