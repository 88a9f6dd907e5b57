// SPDX-License-Identifier: MIT
#include "common/vcpu_settle.h"

#include <sched.h>
#include <sys/syscall.h>
#include <unistd.h>

#if defined(__x86_64__)
/* A vector load, and sched_setaffinity(0, ...) without a return or a jump in between. */
static void settle_and_go(const cpu_set_t *to)
{
	static const char block[16] __attribute__((aligned(16)));
	long result = SYS_sched_setaffinity;

	__asm__ volatile("pcmpeqb (%[block]), %%xmm0\n\t"
			 "syscall"
			 : "+a"(result)
			 : [block] "r"(block), "D"(0), "S"(sizeof(*to)), "d"(to)
			 : "rcx", "r11", "xmm0", "memory");
}
#endif

void vcpu_settle(void)
{
#if defined(__x86_64__)
	const long nr_cpus = sysconf(_SC_NPROCESSORS_ONLN);
	cpu_set_t before, next;

	if (sched_getaffinity(0, sizeof(before), &before) != 0)
		return;
	for (long cpu = 0; cpu < nr_cpus && cpu < CPU_SETSIZE; cpu++) {
		CPU_ZERO(&next);
		CPU_SET((size_t)cpu, &next);
		settle_and_go(&next);
	}
	settle_and_go(&before);
#endif
}
