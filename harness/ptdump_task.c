// SPDX-License-Identifier: MIT
#include "harness/ptdump_task.h"

#include <stdio.h>
#include <string.h>

/* More processes than Linux allows (PID_MAX_LIMIT): the list was changed under us and loops. */
#define MAX_TASKS (4u << 20)

/* One read per process covers the members we want: they are within 4 KiB of each other. */
struct window {
	uint32_t first;
	uint32_t size;
};

struct task {
	uint64_t next; /* address of the next task_struct */
	uint64_t mm;
	int32_t tgid;
};

static struct window window_of(const struct btf_layout *layout)
{
	const uint32_t first[] = {layout->task_tasks, layout->task_tgid, layout->task_mm};
	struct window window = {UINT32_MAX, 0};
	uint32_t end = 0;

	for (size_t i = 0; i < sizeof(first) / sizeof(first[0]); i++) {
		if (first[i] < window.first)
			window.first = first[i];
		if (first[i] + sizeof(uint64_t) > end)
			end = first[i] + (uint32_t)sizeof(uint64_t);
	}
	window.size = end - window.first;
	return window;
}

static int read_task(const struct ptdump_memory *memory, uint64_t address, struct task *task)
{
	const struct btf_layout *layout = &memory->layout;
	const struct window window = window_of(layout);
	char bytes[PTDUMP_TABLE_BYTES];

	if (window.size > sizeof(bytes) ||
	    memory->read(memory->context, address + window.first, bytes, window.size))
		return -1;
	memcpy(&task->next, bytes + layout->task_tasks - window.first, sizeof(task->next));
	memcpy(&task->mm, bytes + layout->task_mm - window.first, sizeof(task->mm));
	memcpy(&task->tgid, bytes + layout->task_tgid - window.first, sizeof(task->tgid));
	task->next -= layout->task_tasks;
	return 0;
}

/*
 * 1 found, 0 not on the list, -1 the list could not be followed. It is read without the kernel's
 * locks: a process that exits meanwhile can lead astray, which ends in an unreadable address, in a
 * loop or in "not found", and is tried again.
 */
static int search(struct ptdump_memory *memory, pid_t pid, struct task *task)
{
	uint64_t address = memory->first_task;

	if (memory->last_pid == pid && read_task(memory, memory->last_task, task) == 0 &&
	    task->tgid == pid && task->mm != 0)
		return 1;
	for (unsigned int i = 0; i < MAX_TASKS; i++) {
		if (read_task(memory, address, task))
			return -1;
		if (task->tgid == pid) {
			memory->last_pid = pid;
			memory->last_task = address;
			return 1;
		}
		address = task->next;
		if (address == memory->first_task)
			return 0;
	}
	return -1;
}

static int no_such_process(const struct fs *fs, pid_t pid, struct err *err)
{
	char path[64], text[1024];
	const char *tgid;
	int leader = 0;

	snprintf(path, sizeof(path), "/proc/%d/status", (int)pid);
	if (fs_read(fs, path, text, sizeof(text)) < 0)
		return err_set(err, ERR_USAGE, "there is no process %d", (int)pid);
	tgid = strstr(text, "\nTgid:");
	if (tgid && sscanf(tgid, "\nTgid: %d", &leader) == 1 && leader != pid)
		return err_set(err, ERR_USAGE,
			       "%d is a thread of process %d and shares its page tables: dump %d",
			       (int)pid, leader, leader);
	return err_set(err, ERR_USAGE, "process %d is not on the kernel's list of processes",
		       (int)pid);
}

int ptdump_task_find(struct ptdump_memory *memory, const struct fs *fs, pid_t pid,
		     struct ptdump_space *space, struct err *err)
{
	struct task task;
	uint64_t pgd;
	int found = 0;

	for (int attempt = 0; attempt < 3 && found <= 0; attempt++)
		found = search(memory, pid, &task);
	if (found < 0)
		return err_set(err, ERR_MACHINE, "cannot follow the kernel's list of processes");
	if (found == 0)
		return no_such_process(fs, pid, err);
	if (task.mm == 0)
		return err_set(
			err, ERR_USAGE,
			"process %d has no address space: it is a kernel thread or has ended",
			(int)pid);
	if (memory->read(memory->context, task.mm + memory->layout.mm_pgd, &pgd, sizeof(pgd)) ||
	    pgd < memory->direct_map || pgd % PTDUMP_TABLE_BYTES != 0)
		return err_set(err, ERR_USAGE, "process %d ended while it was looked up", (int)pid);
	space->root_address = pgd - memory->direct_map;
	space->levels = memory->levels;
	return 0;
}
