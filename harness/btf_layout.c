// SPDX-License-Identifier: MIT
#include "harness/btf_layout.h"

#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#define MAX_DEPTH 8 /* anonymous structs within anonymous structs; the kernel uses two */

static const struct btf_type *strip_modifiers(const struct btf *btf, uint32_t id)
{
	const struct btf_type *type = btf__type_by_id(btf, id);

	while (type && (btf_is_mod(type) || btf_is_typedef(type)))
		type = btf__type_by_id(btf, type->type);
	return type;
}

static bool find_member(const struct btf *btf, const struct btf_type *type, const char *name,
			uint32_t *bits, int depth)
{
	const struct btf_member *members = btf_members(type);

	for (uint32_t i = 0; i < btf_vlen(type); i++) {
		const char *candidate = btf__name_by_offset(btf, members[i].name_off);
		const struct btf_type *inner = strip_modifiers(btf, members[i].type);
		uint32_t inner_bits;

		*bits = btf_member_bit_offset(type, i);
		if (candidate && strcmp(candidate, name) == 0)
			return true;
		if ((candidate && *candidate) || !inner || !btf_is_composite(inner) ||
		    depth == MAX_DEPTH)
			continue;
		if (find_member(btf, inner, name, &inner_bits, depth + 1)) {
			*bits += inner_bits;
			return true;
		}
	}
	return false;
}

int btf_layout_offset(const struct btf *btf, const char *type, const char *member, uint32_t *offset,
		      struct err *err)
{
	const int id = btf__find_by_name_kind(btf, type, BTF_KIND_STRUCT);
	uint32_t bits;

	if (id < 0)
		return err_set(err, ERR_MACHINE, "the kernel's BTF has no struct %s", type);
	if (!find_member(btf, btf__type_by_id(btf, (uint32_t)id), member, &bits, 0))
		return err_set(err, ERR_MACHINE, "the kernel's BTF has no member %s.%s", type,
			       member);
	if (bits % 8 != 0)
		return err_set(err, ERR_MACHINE, "%s.%s is a bit field in the kernel's BTF", type,
			       member);
	*offset = bits / 8;
	return 0;
}

int btf_layout_fill(struct btf_layout *layout, const struct btf *btf, struct err *err)
{
	const struct {
		const char *type;
		const char *member;
		uint32_t *offset;
	} wanted[] = {
		{"task_struct", "tasks", &layout->task_tasks},
		{"task_struct", "tgid", &layout->task_tgid},
		{"task_struct", "mm", &layout->task_mm},
		{"task_struct", "group_leader", &layout->task_group_leader},
		{"mm_struct", "pgd", &layout->mm_pgd},
	};

	for (size_t i = 0; i < sizeof(wanted) / sizeof(wanted[0]); i++) {
		if (btf_layout_offset(btf, wanted[i].type, wanted[i].member, wanted[i].offset, err))
			return -1;
	}
	return 0;
}

static int no_messages(enum libbpf_print_level level, const char *format, va_list arguments)
{
	(void)level, (void)format, (void)arguments;
	return 0;
}

int btf_layout_read(struct btf_layout *layout, const struct fs *fs, struct err *err)
{
	char path[128];
	struct btf *btf;
	int status;

	/* Errors are told once, by us, and not on stderr. */
	libbpf_set_print(no_messages);
	/* libbpf takes a path only; this one leads through the root's descriptor. */
	snprintf(path, sizeof(path), "/proc/self/fd/%d/sys/kernel/btf/vmlinux", fs->root_fd);
	btf = btf__parse(path, NULL);
	if (!btf)
		return err_set_errno(err, ERR_MACHINE, errno,
				     "cannot read /sys/kernel/btf/vmlinux (needs a kernel built "
				     "with CONFIG_DEBUG_INFO_BTF, as the distributions' are)");
	status = btf_layout_fill(layout, btf, err);
	btf__free(btf);
	return status;
}
