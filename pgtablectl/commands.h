/* SPDX-License-Identifier: MIT */
#ifndef PGTABLECTL_COMMANDS_H
#define PGTABLECTL_COMMANDS_H

#include <stdint.h>
#include <sys/types.h>

#include "common/err.h"

/* Each gets the arguments from its own name on and returns the exit status. */
int run_command(int argc, char **argv);
int show_command(int argc, char **argv);
int migrate_command(int argc, char **argv);
int replicate_command(int argc, char **argv);
int off_command(int argc, char **argv);
int auto_command(int argc, char **argv);

/* What several commands parse. ERR_USAGE names the text and what would be right. */
int parse_pid(const char *text, pid_t *pid, struct err *err);
int parse_node(const char *text, const char *what, int *node, struct err *err);
/* "all" is 0: every node with memory. */
int parse_nodes(const char *text, const char *what, uint64_t *nodes, struct err *err);

#endif
