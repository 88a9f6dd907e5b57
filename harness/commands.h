/* SPDX-License-Identifier: MIT */
/*
 * Sub-commands of `harness`. argv starts with the name of the command; each returns the exit status
 * of the program.
 */
#ifndef HARNESS_COMMANDS_H
#define HARNESS_COMMANDS_H

int list_command(int argc, char **argv);
int restore_command(int argc, char **argv);

#endif
