// SPDX-License-Identifier: MIT
#include "bench/driver.h"

int main(int argc, char **argv)
{
	return bench_main(argc, argv);
}
