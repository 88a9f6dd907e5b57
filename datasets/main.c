// SPDX-License-Identifier: MIT
/* netlist: makes and checks input files for canneal. */
#include "datasets/netlist_tool.h"

int main(int argc, char **argv)
{
	return netlist_main(argc, argv);
}
