// SPDX-License-Identifier: MIT
/*
 * Latencies are those of Haswell in classes, from the table of instruction latencies in Intel's
 * optimisation manual (appendix on instruction latency and throughput). Only long dependency chains
 * of arithmetic feel them; the workloads here wait for memory.
 */
#include "emulator/plugin/decode.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#define LATENCY_LOCKED 18 /* on top of the drained store buffer */
#define LATENCY_FENCE  33

/* Legacy names of the first eight registers; the rest are r8..r15 with a suffix. */
static const char *const gpr_names[8][5] = {
	{"rax", "eax", "ax", "al", "ah"}, {"rcx", "ecx", "cx", "cl", "ch"},
	{"rdx", "edx", "dx", "dl", "dh"}, {"rbx", "ebx", "bx", "bl", "bh"},
	{"rsp", "esp", "sp", "spl", ""},  {"rbp", "ebp", "bp", "bpl", ""},
	{"rsi", "esi", "si", "sil", ""},  {"rdi", "edi", "di", "dil", ""},
};

#define RAX_BIT   (UINT64_C(1) << DECODE_GPR)
#define RSP_BIT   (UINT64_C(1) << (DECODE_GPR + 4))
#define FLAGS_BIT (UINT64_C(1) << DECODE_FLAGS)

struct register_family {
	const char *prefix;
	int first, count;
};

static const struct register_family families[] = {
	{"xmm", DECODE_VECTOR, 32}, {"ymm", DECODE_VECTOR, 32}, {"zmm", DECODE_VECTOR, 32},
	{"mm", DECODE_X87, 1},      {"st", DECODE_X87, 1},      {"fp", DECODE_X87, 1},
	{"k", DECODE_MASK, 8},      {"r", DECODE_GPR, 16},
};

static int register_index(const char *name)
{
	for (int i = 0; i < 8; i++)
		for (int k = 0; k < 5; k++)
			if (strcmp(name, gpr_names[i][k]) == 0)
				return DECODE_GPR + i;
	if (strstr(name, "flags"))
		return DECODE_FLAGS;
	for (size_t i = 0; i < sizeof(families) / sizeof(families[0]); i++) {
		const struct register_family *family = &families[i];
		const size_t length = strlen(family->prefix);

		if (strncmp(name, family->prefix, length) != 0)
			continue;
		if (family->count == 1)
			return family->first;
		if (isdigit((unsigned char)name[length]))
			return family->first + atoi(name + length) % family->count;
	}
	return -1;
}

struct latency_class {
	unsigned id;
	uint16_t cycles;
};

static const struct latency_class latencies[] = {
	{X86_INS_IMUL, 3},
	{X86_INS_MUL, 3},
	{X86_INS_MULX, 4},
	{X86_INS_DIV, 32},
	{X86_INS_IDIV, 39},
	{X86_INS_POPCNT, 3},
	{X86_INS_LZCNT, 3},
	{X86_INS_TZCNT, 3},
	{X86_INS_BSF, 3},
	{X86_INS_BSR, 3},
	{X86_INS_CRC32, 3},
	{X86_INS_PDEP, 3},
	{X86_INS_PEXT, 3},
	{X86_INS_BSWAP, 2},
	{X86_INS_XCHG, 2},
	{X86_INS_CMOVA, 2},
	{X86_INS_CMOVBE, 2},
	{X86_INS_ADC, 2},
	{X86_INS_SBB, 2},
	{X86_INS_ADDSD, 3},
	{X86_INS_ADDSS, 3},
	{X86_INS_SUBSD, 3},
	{X86_INS_SUBSS, 3},
	{X86_INS_ADDPD, 3},
	{X86_INS_ADDPS, 3},
	{X86_INS_SUBPD, 3},
	{X86_INS_SUBPS, 3},
	{X86_INS_MULSD, 5},
	{X86_INS_MULSS, 5},
	{X86_INS_MULPD, 5},
	{X86_INS_MULPS, 5},
	{X86_INS_DIVSD, 16},
	{X86_INS_DIVSS, 11},
	{X86_INS_DIVPD, 16},
	{X86_INS_DIVPS, 11},
	{X86_INS_SQRTSD, 16},
	{X86_INS_SQRTSS, 11},
	{X86_INS_SQRTPD, 16},
	{X86_INS_SQRTPS, 11},
	{X86_INS_COMISD, 3},
	{X86_INS_UCOMISD, 3},
	{X86_INS_COMISS, 3},
	{X86_INS_UCOMISS, 3},
	{X86_INS_CVTSI2SD, 4},
	{X86_INS_CVTTSD2SI, 4},
	{X86_INS_CVTSI2SS, 4},
	{X86_INS_CVTTSS2SI, 4},
	{X86_INS_CVTSS2SD, 2},
	{X86_INS_CVTSD2SS, 4},
	{X86_INS_PMULUDQ, 5},
	{X86_INS_PMULLD, 10},
	{X86_INS_VADDSD, 3},
	{X86_INS_VADDPD, 3},
	{X86_INS_VSUBSD, 3},
	{X86_INS_VSUBPD, 3},
	{X86_INS_VMULSD, 5},
	{X86_INS_VMULPD, 5},
	{X86_INS_VDIVSD, 16},
	{X86_INS_VDIVPD, 25},
	{X86_INS_VSQRTSD, 16},
	{X86_INS_MOVMSKPD, 3},
	{X86_INS_PMOVMSKB, 3},
	{X86_INS_RDTSC, 24},
	{X86_INS_RDTSCP, 30},
	{X86_INS_CPUID, 100},
	{X86_INS_SYSCALL, 100},
	{X86_INS_MFENCE, LATENCY_FENCE},
	{X86_INS_LFENCE, 4},
	{X86_INS_SFENCE, 5},
};

static uint16_t latency_of(unsigned id)
{
	for (size_t i = 0; i < sizeof(latencies) / sizeof(latencies[0]); i++)
		if (latencies[i].id == id)
			return latencies[i].cycles;
	return 1;
}

static bool is_one_of(unsigned id, const unsigned *ids, size_t nr_ids)
{
	for (size_t i = 0; i < nr_ids; i++)
		if (ids[i] == id)
			return true;
	return false;
}

#define IS_ONE_OF(id, ids) is_one_of(id, ids, sizeof(ids) / sizeof((ids)[0]))

static const unsigned fences[] = {X86_INS_MFENCE, X86_INS_LFENCE, X86_INS_CPUID, X86_INS_SYSCALL};
/* The stack pointer of these is kept by the front end, not by the execution units. */
static const unsigned pushes[] = {X86_INS_PUSH, X86_INS_PUSHFQ};
static const unsigned pops[] = {X86_INS_POP, X86_INS_POPFQ};
/* Have a memory operand and do not touch memory, or are no-ops for QEMU. */
static const unsigned address_only[] = {X86_INS_LEA,        X86_INS_NOP,        X86_INS_PREFETCHT0,
					X86_INS_PREFETCHT1, X86_INS_PREFETCHT2, X86_INS_PREFETCHNTA,
					X86_INS_PREFETCHW,  X86_INS_PREFETCH,   X86_INS_CLFLUSH,
					X86_INS_CLFLUSHOPT, X86_INS_CLWB,       X86_INS_INVLPG};
/* A result that does not depend on the operand when both are the same register. */
static const unsigned zeroing[] = {X86_INS_XOR,   X86_INS_SUB,   X86_INS_PXOR,  X86_INS_XORPS,
				   X86_INS_XORPD, X86_INS_VPXOR, X86_INS_VXORPS};
/* On general registers, any emulator does these without a function of its own. */
static const unsigned simple[] = {X86_INS_MOV, X86_INS_MOVZX, X86_INS_MOVSX, X86_INS_MOVSXD,
				  X86_INS_ADD, X86_INS_SUB,   X86_INS_AND,   X86_INS_OR,
				  X86_INS_XOR, X86_INS_CMP,   X86_INS_TEST,  X86_INS_PUSH,
				  X86_INS_POP};
static const unsigned unconditional[] = {X86_INS_JMP, X86_INS_LJMP};

static uint64_t bit_of(const struct decoder *decoder, unsigned reg)
{
	const int index = reg < X86_REG_ENDING ? decoder->registers[reg] : -1;

	return index < 0 ? 0 : UINT64_C(1) << index;
}

static uint64_t bits_of(const struct decoder *decoder, const uint16_t *regs, unsigned count)
{
	uint64_t bits = 0;

	for (unsigned i = 0; i < count; i++)
		bits |= bit_of(decoder, regs[i]);
	return bits;
}

/*
 * Beginnings of the names of instructions that only write a memory operand in the first place;
 * libcapstone 4 calls many of them reads.
 */
static const char *const stores[] = {"mov",  "vmov", "vextract", "pextr",     "vpextr",
				     "set",  "fst",  "fist",     "vmaskmov",  "vpmaskmov",
				     "fnst", "vst",  "stmxcsr",  "vpcompress"};

static bool only_writes(const cs_insn *code)
{
	const cs_x86 *x86 = &code->detail->x86;

	/* A string move reads its second operand. */
	if (x86->op_count > 1 && x86->operands[1].type == X86_OP_MEM)
		return false;
	for (size_t i = 0; i < sizeof(stores) / sizeof(stores[0]); i++)
		if (strncmp(code->mnemonic, stores[i], strlen(stores[i])) == 0)
			return true;
	return false;
}

static void take_memory(const struct decoder *decoder, const cs_insn *code, struct insn *insn)
{
	const cs_x86 *x86 = &code->detail->x86;

	if (IS_ONE_OF(code->id, address_only))
		return;
	for (unsigned i = 0; i < x86->op_count; i++) {
		const cs_x86_op *operand = &x86->operands[i];
		const bool store = i == 0 && only_writes(code);

		if (operand->type != X86_OP_MEM)
			continue;
		insn->address_registers |=
			bit_of(decoder, operand->mem.base) | bit_of(decoder, operand->mem.index);
		insn->reads_memory |= !store && (operand->access & CS_AC_READ) != 0;
		insn->writes_memory |= store || (operand->access & CS_AC_WRITE) != 0;
	}
	/* libcapstone 4 does not know all that these write. */
	if (code->id == X86_INS_CMPXCHG) {
		insn->writes_memory |= insn->reads_memory;
		insn->results |= RAX_BIT | FLAGS_BIT;
	} else if (code->id == X86_INS_XADD) {
		insn->results |= FLAGS_BIT;
	}
}

/* Memory that is no operand in the syntax. */
static void take_stack(unsigned id, struct insn *insn)
{
	const bool push = IS_ONE_OF(id, pushes), pop = IS_ONE_OF(id, pops);

	if (!push && !pop)
		return;
	insn->writes_memory |= push;
	insn->reads_memory |= pop;
	insn->results &= ~RSP_BIT;
	insn->sources &= ~RSP_BIT;
}

/*
 * Jumps, calls and returns count as if they touched no memory: QEMU before 8.0 keeps a pointer to
 * the callbacks of an access at the end of a block, and trips over it when the block is dropped.
 */
static bool transfers(const struct decoder *decoder, const cs_insn *code)
{
	return cs_insn_group(decoder->capstone, code, X86_GRP_JUMP) ||
	       cs_insn_group(decoder->capstone, code, X86_GRP_CALL) ||
	       cs_insn_group(decoder->capstone, code, X86_GRP_RET);
}

static void take_transfer(struct insn *insn)
{
	insn->reads_memory = insn->writes_memory = false;
	insn->results &= ~RSP_BIT;
	insn->sources &= ~RSP_BIT;
}

static bool is_zeroing(const cs_insn *code)
{
	const cs_x86 *x86 = &code->detail->x86;
	const unsigned last = x86->op_count;

	return last >= 2 && IS_ONE_OF(code->id, zeroing) &&
	       x86->operands[last - 1].type == X86_OP_REG &&
	       x86->operands[last - 2].type == X86_OP_REG &&
	       x86->operands[last - 1].reg == x86->operands[last - 2].reg;
}

/* "mov" and "push" also name segment, control and debug registers. */
static bool is_special(x86_reg reg)
{
	return (reg >= X86_REG_CR0 && reg <= X86_REG_DR15) || reg == X86_REG_CS ||
	       reg == X86_REG_DS || reg == X86_REG_ES || reg == X86_REG_FS || reg == X86_REG_GS ||
	       reg == X86_REG_SS;
}

static bool uses_general_registers(const cs_insn *code)
{
	const cs_x86 *x86 = &code->detail->x86;

	for (unsigned i = 0; i < x86->op_count; i++)
		if (x86->operands[i].type == X86_OP_REG &&
		    (x86->operands[i].size > 8 || is_special(x86->operands[i].reg)))
			return false;
	return true;
}

static void take_kind(const struct decoder *decoder, const cs_insn *code, struct insn *insn)
{
	const uint8_t prefix = code->detail->x86.prefix[0];
	const bool exchanges = code->id == X86_INS_XCHG && insn->writes_memory;

	insn->latency_cycles = latency_of(code->id);
	if (prefix == X86_PREFIX_LOCK || exchanges) {
		insn->serializes = true;
		insn->latency_cycles = LATENCY_LOCKED;
		insn->micro_ops = 8;
	} else if (insn->reads_memory && insn->writes_memory) {
		insn->micro_ops = 2;
	}
	insn->serializes |= IS_ONE_OF(code->id, fences);
	insn->plain = IS_ONE_OF(code->id, simple) && prefix == 0 && uses_general_registers(code);
	insn->branches = cs_insn_group(decoder->capstone, code, X86_GRP_JUMP) &&
			 !IS_ONE_OF(code->id, unconditional);
	insn->repeats = (prefix == X86_PREFIX_REP || prefix == X86_PREFIX_REPNE) &&
			(insn->reads_memory || insn->writes_memory);
}

static void pack(uint64_t mask, uint8_t *slots, unsigned nr_slots, uint8_t unused)
{
	for (unsigned i = 0; i < nr_slots; i++) {
		slots[i] = mask ? (uint8_t)__builtin_ctzll(mask) : unused;
		mask &= mask - 1;
	}
}

void insn_pack(struct insn *insn)
{
	pack(insn->address_registers, insn->address_slots, INSN_ADDRESSES, DECODE_NONE);
	pack(insn->sources, insn->source_slots, INSN_SOURCES, DECODE_NONE);
	pack(insn->results, insn->result_slots, INSN_RESULTS, DECODE_SINK);
	insn->has_sources = insn->sources != 0;
	insn->rare = insn->serializes || insn->micro_ops != 1 ||
		     __builtin_popcountll(insn->sources) > INSN_COMMON_SOURCES ||
		     __builtin_popcountll(insn->results) > INSN_COMMON_RESULTS;
}

static void decode_known(struct decoder *decoder, const cs_insn *decoded, struct insn *insn)
{
	cs_regs read, written;
	uint8_t nr_read = 0, nr_written = 0;

	if (cs_regs_access(decoder->capstone, decoded, read, &nr_read, written, &nr_written) == 0) {
		insn->sources = bits_of(decoder, read, nr_read);
		insn->results = bits_of(decoder, written, nr_written);
	}
	take_memory(decoder, decoded, insn);
	take_stack(decoded->id, insn);
	if (transfers(decoder, decoded))
		take_transfer(insn);
	insn->sources &= ~insn->address_registers;
	if (is_zeroing(decoded))
		insn->sources = 0;
	take_kind(decoder, decoded, insn);
}

void decoder_decode(struct decoder *decoder, const void *bytes, size_t size, uint64_t address,
		    struct insn *insn)
{
	const uint8_t *code = bytes;
	uint64_t at = address;

	*insn = (struct insn){.address = address, .latency_cycles = 1, .micro_ops = 1};
	if (cs_disasm_iter(decoder->capstone, &code, &size, &at, decoder->scratch))
		decode_known(decoder, decoder->scratch, insn);
	insn_pack(insn);
}

int decoder_init(struct decoder *decoder, struct err *err)
{
	cs_err status = cs_open(CS_ARCH_X86, CS_MODE_64, &decoder->capstone);

	if (status == CS_ERR_OK)
		status = cs_option(decoder->capstone, CS_OPT_DETAIL, CS_OPT_ON);
	if (status != CS_ERR_OK)
		return err_set(err, ERR_INTERNAL, "libcapstone: %s", cs_strerror(status));
	decoder->scratch = cs_malloc(decoder->capstone);
	if (!decoder->scratch) {
		cs_close(&decoder->capstone);
		return err_set(err, ERR_INTERNAL, "no memory for the decoder");
	}
	for (unsigned i = 0; i < X86_REG_ENDING; i++) {
		const char *name = cs_reg_name(decoder->capstone, i);

		decoder->registers[i] = (int8_t)(name ? register_index(name) : -1);
	}
	return 0;
}

void decoder_fini(struct decoder *decoder)
{
	cs_free(decoder->scratch, 1);
	cs_close(&decoder->capstone);
}
