/* SPDX-License-Identifier: MIT */
/*
 * Markers of the counting plugin: two long NOPs that a program in the guest executes around what it
 * wants counted. They cost two instructions of user mode and do nothing on real hardware.
 */
#ifndef EMULATOR_COUNT_MARKER_H
#define EMULATOR_COUNT_MARKER_H

/* 0f 1f 80 disp32: nopl disp32(%rax). Begin spells "CNTB", end "CNTE". */
#define COUNT_BEGIN_BYTES                                \
	{                                                \
		0x0f, 0x1f, 0x80, 0x43, 0x4e, 0x54, 0x42 \
	}
#define COUNT_END_BYTES                                  \
	{                                                \
		0x0f, 0x1f, 0x80, 0x43, 0x4e, 0x54, 0x45 \
	}
#define COUNT_MARKER_SIZE 7

static inline void count_begin(void)
{
	__asm__ volatile(".byte 0x0f, 0x1f, 0x80, 0x43, 0x4e, 0x54, 0x42" ::: "memory");
}

static inline void count_end(void)
{
	__asm__ volatile(".byte 0x0f, 0x1f, 0x80, 0x43, 0x4e, 0x54, 0x45" ::: "memory");
}

#endif
