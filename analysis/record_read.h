/* SPDX-License-Identifier: MIT */
/* One record: JSON to plain values. */
#ifndef ANALYSIS_RECORD_READ_H
#define ANALYSIS_RECORD_READ_H

#include "analysis/records.h"

/*
 * Reads and checks the file. ERR_USAGE with the reason when it is no record, was cut, lacks a
 * member that every record has, or was written by a newer suite.
 */
int record_read_file(struct record *record, const char *path, struct err *err);
void run_record_free(struct record *record);

#endif
