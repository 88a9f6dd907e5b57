/* SPDX-License-Identifier: MIT */
/*
 * The guest's whole file system: programs, the libraries they need, a job description and the few
 * directories and files that a Linux userland expects. Nothing of the host's configuration.
 */
#ifndef EMULATOR_INITRAMFS_H
#define EMULATOR_INITRAMFS_H

#include <jansson.h>
#include <stdint.h>

#include "common/err.h"
#include "emulator/emulator.h"

#define INITRAMFS_JOB     "/job.json"
#define INITRAMFS_SUITE   "/suite"
#define INITRAMFS_HARNESS INITRAMFS_SUITE "/bin/harness"

/*
 * Writes the archive to `fd`. Adds LD_LIBRARY_PATH to the job's "environment" object, as there is
 * no ld.so.cache in the guest. The harness that is running becomes INITRAMFS_HARNESS and /init.
 * ERR_USAGE for a file that cannot be taken along.
 */
int initramfs_build(int fd, json_t *job, const struct emulator_file *files, int nr_files,
		    uint64_t *bytes, struct err *err);

#endif
