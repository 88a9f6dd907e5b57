// SPDX-License-Identifier: MIT
#include "emulator/plugin/decode.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define BIT(index) (UINT64_C(1) << (index))

enum { RAX, RCX, RDX, RBX, RSP, RBP, RSI, RDI, R8, R9 };

#define XMM0  DECODE_VECTOR
#define XMM1  (DECODE_VECTOR + 1)
#define FLAGS DECODE_FLAGS

enum { READS = 1, WRITES = 2, SERIALIZES = 4, BRANCHES = 8, REPEATS = 16 };

struct row {
	const char *name, *bytes;
	size_t size;
	uint64_t addresses, sources, results;
	unsigned flags;
};

#define CODE(text) text, sizeof(text) - 1

static const struct row rows[] = {
	{"mov (%rdi),%rax", CODE("\x48\x8b\x07"), BIT(RDI), 0, BIT(RAX), READS},
	{"mov %eax,%ecx", CODE("\x89\xc1"), 0, BIT(RAX), BIT(RCX), 0},
	{"mov %rax,-8(%rdx)", CODE("\x48\x89\x42\xf8"), BIT(RDX), BIT(RAX), 0, WRITES},
	{"xor %rax,(%rdi,%rcx,8)", CODE("\x48\x31\x04\xcf"), BIT(RDI) | BIT(RCX), BIT(RAX),
	 BIT(FLAGS), READS | WRITES},
	{"add $8,%rdx", CODE("\x48\x83\xc2\x08"), 0, BIT(RDX), BIT(RDX) | BIT(FLAGS), 0},
	{"xor %r9d,%r9d", CODE("\x45\x31\xc9"), 0, 0, BIT(R9) | BIT(FLAGS), 0},
	{"pxor %xmm0,%xmm0", CODE("\x66\x0f\xef\xc0"), 0, 0, BIT(XMM0), 0},
	{"lea (%rcx,%rcx,1),%rax", CODE("\x48\x8d\x04\x09"), 0, BIT(RCX), BIT(RAX), 0},
	{"nopl 0(%rax)", CODE("\x0f\x1f\x40\x00"), 0, BIT(RAX), 0, 0},
	{"cmovs %rsi,%rax", CODE("\x48\x0f\x48\xc6"), 0, BIT(RSI) | BIT(RAX) | BIT(FLAGS), BIT(RAX),
	 0},
	{"cmovs (%rsi),%rax", CODE("\x48\x0f\x48\x06"), BIT(RSI), BIT(RAX) | BIT(FLAGS), BIT(RAX),
	 READS},
	{"cmp (%rdi),%rsi", CODE("\x48\x3b\x37"), BIT(RDI), BIT(RSI), BIT(FLAGS), READS},
	{"push %rbx", CODE("\x53"), 0, BIT(RBX), 0, WRITES},
	{"pop %rbx", CODE("\x5b"), 0, 0, BIT(RBX), READS},
	{"call *%rax", CODE("\xff\xd0"), 0, BIT(RAX), 0, 0},
	{"ret", CODE("\xc3"), 0, 0, 0, 0},
	{"jmp *(%rax)", CODE("\xff\x20"), BIT(RAX), 0, 0, 0},
	{"jne +0", CODE("\x75\x00"), 0, BIT(FLAGS), 0, BRANCHES},
	{"jmp +0", CODE("\xeb\x00"), 0, 0, 0, 0},
	{"rep movsq", CODE("\xf3\x48\xa5"), BIT(RSI) | BIT(RDI), BIT(RCX) | BIT(FLAGS),
	 BIT(RSI) | BIT(RDI) | BIT(RCX), READS | WRITES | REPEATS},
	{"rep stosq", CODE("\xf3\x48\xab"), BIT(RDI), BIT(RAX) | BIT(RCX) | BIT(FLAGS),
	 BIT(RDI) | BIT(RCX), WRITES | REPEATS},
	{"movdqu (%rsi),%xmm1", CODE("\xf3\x0f\x6f\x0e"), BIT(RSI), 0, BIT(XMM1), READS},
	{"vmovdqu %ymm1,(%rdi)", CODE("\xc5\xfe\x7f\x0f"), BIT(RDI), BIT(XMM1), 0, WRITES},
	{"movups %xmm1,(%rdi)", CODE("\x0f\x11\x0f"), BIT(RDI), BIT(XMM1), 0, WRITES},
	{"movq %xmm1,(%rdi)", CODE("\x66\x0f\xd6\x0f"), BIT(RDI), BIT(XMM1), 0, WRITES},
	{"movnti %rax,(%rdi)", CODE("\x48\x0f\xc3\x07"), BIT(RDI), BIT(RAX), 0, WRITES},
	{"setb (%rdi)", CODE("\x0f\x92\x07"), BIT(RDI), BIT(FLAGS), 0, WRITES},
	{"movsq", CODE("\x48\xa5"), BIT(RSI) | BIT(RDI), BIT(FLAGS), BIT(RSI) | BIT(RDI),
	 READS | WRITES},
	{"addsd (%rax),%xmm0", CODE("\xf2\x0f\x58\x00"), BIT(RAX), BIT(XMM0), BIT(XMM0), READS},
	{"lock cmpxchg %rdx,(%rdi)", CODE("\xf0\x48\x0f\xb1\x17"), BIT(RDI), BIT(RAX) | BIT(RDX),
	 BIT(RAX) | BIT(FLAGS), READS | WRITES | SERIALIZES},
	{"lock xadd %rax,(%rdi)", CODE("\xf0\x48\x0f\xc1\x07"), BIT(RDI), BIT(RAX),
	 BIT(RAX) | BIT(FLAGS), READS | WRITES | SERIALIZES},
	{"xchg %rax,(%rdi)", CODE("\x48\x87\x07"), BIT(RDI), BIT(RAX), BIT(RAX),
	 READS | WRITES | SERIALIZES},
	{"mfence", CODE("\x0f\xae\xf0"), 0, 0, 0, SERIALIZES},
	{"prefetcht0 (%rax)", CODE("\x0f\x18\x08"), 0, BIT(RAX), 0, 0},
	{"not an instruction", CODE("\x06"), 0, 0, 0, 0},
};

static unsigned flags_of(const struct insn *insn)
{
	return (insn->reads_memory ? READS : 0) | (insn->writes_memory ? WRITES : 0) |
	       (insn->serializes ? SERIALIZES : 0) | (insn->branches ? BRANCHES : 0) |
	       (insn->repeats ? REPEATS : 0);
}

static void typical_instructions(void **state)
{
	struct decoder decoder;
	struct err err = {.kind = ERR_NONE};

	(void)state;
	assert_int_equal(decoder_init(&decoder, &err), 0);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct row *row = &rows[i];
		struct insn insn;

		decoder_decode(&decoder, row->bytes, row->size, 0x1000, &insn);
		if (flags_of(&insn) != row->flags || insn.address_registers != row->addresses ||
		    insn.sources != row->sources || insn.results != row->results)
			fail_msg("%s: flags %u addresses %llx sources %llx results %llx", row->name,
				 flags_of(&insn), (unsigned long long)insn.address_registers,
				 (unsigned long long)insn.sources,
				 (unsigned long long)insn.results);
		assert_int_equal(insn.address, 0x1000);
		assert_true(insn.latency_cycles > 0 && insn.micro_ops > 0);
	}
	decoder_fini(&decoder);
}

static void latency_classes(void **state)
{
	const struct {
		const char *bytes;
		size_t size;
		unsigned cycles;
	} cases[] = {
		{CODE("\x48\x0f\xaf\xc1"), 3},  /* imul %rcx,%rax */
		{CODE("\x48\xf7\xf1"), 32},     /* div %rcx */
		{CODE("\x48\x01\xc8"), 1},      /* add %rcx,%rax */
		{CODE("\xf2\x0f\x59\xc1"), 5},  /* mulsd %xmm1,%xmm0 */
		{CODE("\xf0\x48\x01\x07"), 18}, /* lock add %rax,(%rdi) */
	};
	struct decoder decoder;
	struct err err = {.kind = ERR_NONE};

	(void)state;
	assert_int_equal(decoder_init(&decoder, &err), 0);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct insn insn;

		decoder_decode(&decoder, cases[i].bytes, cases[i].size, 0, &insn);
		assert_int_equal(insn.latency_cycles, cases[i].cycles);
	}
	decoder_fini(&decoder);
}

/* What QEMU translates without calling a function of its own. */
static void plain_instructions(void **state)
{
	const struct {
		const char *bytes;
		size_t size;
		bool plain;
	} cases[] = {
		{CODE("\x48\x8b\x07"), true},      /* mov (%rdi),%rax */
		{CODE("\x48\x31\x07"), true},      /* xor %rax,(%rdi) */
		{CODE("\x50"), true},              /* push %rax */
		{CODE("\xf0\x48\x01\x07"), false}, /* lock add %rax,(%rdi) */
		{CODE("\x66\x0f\x74\x07"), false}, /* pcmpeqb (%rdi),%xmm0 */
		{CODE("\xf3\x0f\x6f\x07"), false}, /* movdqu (%rdi),%xmm0 */
		{CODE("\x48\x13\x07"), false},     /* adc (%rdi),%rax */
		{CODE("\x8e\x1f"), false},         /* mov (%rdi),%ds */
		{CODE("\x48\xf7\x37"), false},     /* divq (%rdi) */
		{CODE("\xdb\x07"), false},         /* fildl (%rdi) */
	};
	struct decoder decoder;
	struct err err = {.kind = ERR_NONE};

	(void)state;
	assert_int_equal(decoder_init(&decoder, &err), 0);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct insn insn;

		decoder_decode(&decoder, cases[i].bytes, cases[i].size, 0, &insn);
		assert_int_equal(insn.plain, cases[i].plain);
	}
	decoder_fini(&decoder);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(typical_instructions),
		cmocka_unit_test(latency_classes),
		cmocka_unit_test(plain_instructions),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
