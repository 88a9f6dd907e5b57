/* SPDX-License-Identifier: MIT */
#ifndef HARNESS_CMD_RUN_H
#define HARNESS_CMD_RUN_H

/* `harness run` and `harness exec`; argv[0] is the command's name. Return the exit status. */
int run_command(int argc, char **argv);
int exec_command(int argc, char **argv);

#endif
