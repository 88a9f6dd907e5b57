/* SPDX-License-Identifier: MIT */
#ifndef PGTABLECTL_SHOW_H
#define PGTABLECTL_SHOW_H

#include <jansson.h>
#include <stdio.h>
#include <sys/types.h>

#include "common/pgtable_numa.h"

/* For people. */
void show_text(FILE *out, pid_t pid, const char *command, const struct pgtable_numa *numa);

/*
 * For programs: {pid, command, nodes: [..], failed, roots: [{node, where, replica}],
 * tables: [{level, node, master, replica}], trees: [{node, remote_tables, remote_data}],
 * edges: [{tree, level, from, to, entries}]}. New reference.
 */
json_t *show_json(pid_t pid, const char *command, const struct pgtable_numa *numa);

#endif
