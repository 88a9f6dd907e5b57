/* SPDX-License-Identifier: MIT */
/*
 * The machine a run happened on, as the record's "machine" object (docs/RECORD.md), and the
 * readings of it that others judge (doctor.c).
 */
#ifndef HARNESS_MACHINE_H
#define HARNESS_MACHINE_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "common/err.h"
#include "common/fs.h"
#include "harness/topology.h"

#define MACHINE_TEXT_MAX 160

/*
 * A new reference; NULL and ERR_INTERNAL when memory is out. All members of docs/RECORD.md except
 * `changed`; `kind` is "native" and `name` the host's name, which other machines replace. What
 * cannot be read is null, and `unknown` says why: {"governor": "there is no cpufreq ..."}.
 * `distances` are in the order of `nodes`.
 */
json_t *machine_to_json(const struct topology *topology, const struct fs *root, struct err *err);

/*
 * The chosen word of a file like "always [madvise] never", or its first word where none is chosen.
 * -1 with errno set.
 */
int machine_read_choice(const struct fs *root, const char *path, char *word, size_t size);

/* The governor of all CPUs, "mixed" when they differ. -1 where there is no frequency scaling. */
int machine_read_governor(const struct topology *topology, const struct fs *root, char *governor,
			  size_t size);

/* 1 on, 0 off, -1 unknown. */
int machine_read_turbo(const struct fs *root);
int machine_read_smt(const struct fs *root);

/* "QEMU Standard PC", "unnamed" when it does not tell; false on bare metal. */
bool machine_read_hypervisor(const struct fs *root, char *name, size_t size);

/* Averages over 1, 5 and 15 minutes. -1 with errno set. */
int machine_read_load(const struct fs *root, double load[3]);

#endif
