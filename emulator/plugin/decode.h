/* SPDX-License-Identifier: MIT */
/*
 * What the scoreboard needs to know about an instruction, found once when its block is translated.
 */
#ifndef EMULATOR_PLUGIN_DECODE_H
#define EMULATOR_PLUGIN_DECODE_H

#include <capstone/capstone.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/err.h"

/* Registers as bits: 16 general ones, 32 vector ones, flags, x87, 8 masks. */
enum {
	DECODE_GPR = 0,
	DECODE_VECTOR = 16,
	DECODE_FLAGS = 48,
	DECODE_X87 = 49,
	DECODE_MASK = 50,
	DECODE_REGISTERS = 58,
	DECODE_NONE = 58, /* read: always ready */
	DECODE_SINK = 59, /* written: never read */
	DECODE_SLOTS = 60,
};

/* The registers of a mask as a fixed number of slots, which a scoreboard reads without a branch. */
#define INSN_ADDRESSES 2
#define INSN_SOURCES   4
#define INSN_RESULTS   3

struct insn {
	/* What running it needs comes first, in one cache line. The slots hold the lowest first. */
	uint8_t source_slots[INSN_SOURCES];
	uint8_t result_slots[INSN_RESULTS];
	uint8_t address_slots[INSN_ADDRESSES];
	uint8_t micro_ops;       /* fused-domain: places in the window */
	uint16_t latency_cycles; /* from the last operand to the result, without memory */
	bool rare;               /* does not fit the scoreboard's short way */
	bool has_sources;
	bool reads_memory, writes_memory;
	bool serializes;  /* waits for all before it, all after wait for it: fences, locked */
	bool branches;    /* conditional jump */
	bool repeats;     /* string instruction with a repeat prefix: one call per element */
	bool plain;       /* moves and simple arithmetic on general registers, maybe with memory */
	uint64_t address; /* of the instruction */
	uint64_t address_registers; /* form the address of its memory operand */
	uint64_t sources;           /* other registers it reads */
	uint64_t results;           /* registers it writes */
};

/* The short way: so many sources and results, one micro-operation, no serialization. */
#define INSN_COMMON_SOURCES 2
#define INSN_COMMON_RESULTS 2

/*
 * Fills the slots, `rare` and `has_sources` from the rest. Nothing that matters has more registers
 * than slots (cpuid has); the highest ones are left out then.
 */
void insn_pack(struct insn *insn);

struct decoder {
	csh capstone;
	cs_insn *scratch;
	int8_t registers[X86_REG_ENDING]; /* capstone's number to ours, -1: not tracked */
};

int decoder_init(struct decoder *decoder, struct err *err);
void decoder_fini(struct decoder *decoder);

/* Bytes that are no known instruction become one that takes a cycle and touches nothing. */
void decoder_decode(struct decoder *decoder, const void *bytes, size_t size, uint64_t address,
		    struct insn *insn);

#endif
