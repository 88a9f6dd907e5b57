/* SPDX-License-Identifier: MIT */
#ifndef DATASETS_NETLIST_TOOL_H
#define DATASETS_NETLIST_TOOL_H

/* The whole program, `netlist ARGUMENTS`; returns its exit status. */
int netlist_main(int argc, char **argv);

#endif
