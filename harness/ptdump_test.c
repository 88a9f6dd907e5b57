// SPDX-License-Identifier: MIT
/*
 * Dumps of real processes on the machine at hand, against what /proc says of them. Skipped, with
 * the reason, where no reader works.
 */
#include "harness/ptdump.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include "harness/ptdump_testing.h"

#define PAGE 4096

static const char *reader_name;

static struct ptdump *open_or_skip(void)
{
	const struct ptdump_options options = {.reader = reader_name};
	struct ptdump *ptdump;
	struct err err = {0};

	if (ptdump_open(&ptdump, &options, &err) == 0)
		return ptdump;
	assert_int_equal(err.kind, ERR_MACHINE);
	print_message("skipped: %s\n", err.text);
	skip();
	return NULL;
}

/* A child that touches pages of its region on demand and does nothing else meanwhile. */
struct child {
	pid_t pid;
	int order, done;
};

/* A sanitizer's shadow pages would be counted, too. */
__attribute__((no_sanitize("address"))) static void child_main(int order, int done, size_t bytes)
{
	char *region =
		mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	size_t touched = 0, pages;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	madvise(region, bytes, MADV_NOHUGEPAGE);
	while (read(order, &pages, sizeof(pages)) == sizeof(pages)) {
		for (; pages > 0; pages--, touched++)
			region[touched * PAGE] = 1;
		if (write(done, &pages, sizeof(pages)) != sizeof(pages))
			break;
	}
	_exit(0);
}

static void touch(const struct child *child, size_t pages)
{
	assert_int_equal(write(child->order, &pages, sizeof(pages)), sizeof(pages));
	assert_int_equal(read(child->done, &pages, sizeof(pages)), sizeof(pages));
}

static struct child start_child(size_t bytes)
{
	int order[2], done[2];
	struct child child;

	assert_int_equal(pipe2(order, O_CLOEXEC), 0);
	assert_int_equal(pipe2(done, O_CLOEXEC), 0);
	child.pid = fork();
	if (child.pid == 0)
		child_main(order[0], done[1], bytes);
	close(order[0]);
	close(done[1]);
	child.order = order[1];
	child.done = done[0];
	/* Once around, so that its stack and code are there before the counting begins. */
	touch(&child, 1);
	touch(&child, 0);
	return child;
}

static void end_child(const struct child *child)
{
	close(child->order);
	close(child->done);
	kill(child->pid, SIGKILL);
	assert_int_equal(waitpid(child->pid, NULL, 0), child->pid);
}

static uint64_t pages_mapped(const struct ptdump_result *result)
{
	uint64_t pages = result->unresolved;

	for (int table = 0; table < PTDUMP_NODES_MAX; table++) {
		for (int data = 0; data < PTDUMP_NODES_MAX; data++)
			pages += result->leaves[0][table][data] +
				 512 * result->leaves[1][table][data] +
				 512 * 512 * result->leaves[2][table][data];
	}
	return pages;
}

static uint64_t level_pages(const struct ptdump_result *result, int level)
{
	uint64_t pages = 0;

	for (int node = 0; node < PTDUMP_NODES_MAX; node++)
		pages += result->table_pages[level][node];
	return pages;
}

static struct ptdump_result dump(struct ptdump *ptdump, pid_t pid)
{
	struct ptdump_result result;
	struct err err = {0};

	if (ptdump_process(ptdump, pid, &result, &err))
		fail_msg("%s", err.text);
	return result;
}

/* Present pages of all VMAs by /proc/PID/pagemap: the kernel's own walk. */
static uint64_t pagemap_pages(pid_t pid)
{
	char path[64], line[512];
	uint64_t present = 0;
	unsigned long start, end;
	FILE *maps;
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/pagemap", (int)pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	snprintf(path, sizeof(path), "/proc/%d/maps", (int)pid);
	maps = fopen(path, "r");
	assert_true(fd >= 0 && maps);
	while (fgets(line, sizeof(line), maps)) {
		uint64_t entries[512];
		ssize_t n;

		/* vsyscall lies in the kernel's half; sanitizers reserve terabytes of nothing. */
		if (sscanf(line, "%lx-%lx", &start, &end) != 2 || start >> 63 ||
		    strstr(line, "---p"))
			continue;
		for (unsigned long at = start; at < end; at += (unsigned long)n / 8 * PAGE) {
			const unsigned long left = (end - at) / PAGE * 8;

			n = pread(fd, entries, left < sizeof(entries) ? left : sizeof(entries),
				  (off_t)(at / PAGE * 8));
			assert_true(n > 0);
			for (ssize_t i = 0; i < n / 8; i++)
				present += entries[i] >> 63;
		}
	}
	fclose(maps);
	close(fd);
	return present;
}

static uint64_t status_kib(pid_t pid, const char *name)
{
	char path[64], line[256];
	uint64_t value = 0;
	FILE *status;

	snprintf(path, sizeof(path), "/proc/%d/status", (int)pid);
	status = fopen(path, "r");
	assert_non_null(status);
	while (fgets(line, sizeof(line), status)) {
		if (strncmp(line, name, strlen(name)) == 0)
			value = strtoull(line + strlen(name) + 1, NULL, 10);
	}
	fclose(status);
	return value;
}

/* Exactly the pages that the child touches appear, in exactly the tables that they need. */
static void test_touched_pages(void **state)
{
	const size_t pages = 20 * 512;
	struct ptdump *ptdump = open_or_skip();
	struct child child = start_child(2 * pages * PAGE);
	const struct ptdump_result before = dump(ptdump, child.pid);
	struct ptdump_result after;
	const uint64_t vmpte = status_kib(child.pid, "VmPTE");

	(void)state;
	touch(&child, pages);
	after = dump(ptdump, child.pid);
	assert_int_equal(pages_mapped(&after) - pages_mapped(&before), pages);
	assert_int_equal((ptdump_table_bytes(&after) - ptdump_table_bytes(&before)) / 1024,
			 status_kib(child.pid, "VmPTE") - vmpte);
	assert_in_range(level_pages(&after, 0) - level_pages(&before, 0), 20, 21);
	assert_int_equal(after.root_address, before.root_address);
	assert_int_equal(after.entries_read, 512 * ptdump_table_pages(&after, -1));
	assert_false(after.torn);
	end_child(&child);
	ptdump_close(ptdump);
}

static void test_against_proc(void **state)
{
	struct ptdump *ptdump = open_or_skip();
	struct child child = start_child(64 << 20);
	struct ptdump_result result;
	uint64_t huge = 0, tables, vmpte;

	(void)state;
	touch(&child, 3000);
	result = dump(ptdump, child.pid);
	/* Pagemap leaves out VMAs of bare frames: up to 4 pages of vvar and its like. */
	assert_in_range(pages_mapped(&result) - pagemap_pages(child.pid), 0, 4);
	/* VmPTE counts PT, PD and PDPT, and a spare table for each huge page. */
	tables = level_pages(&result, 0) + level_pages(&result, 1) + level_pages(&result, 2);
	vmpte = status_kib(child.pid, "VmPTE") / 4;
	for (int data = 0; data < PTDUMP_NODES_MAX; data++)
		huge += result.leaves[1][data][data];
	assert_in_range(vmpte, tables, tables + huge);
	assert_int_equal(level_pages(&result, result.levels - 1), 1);
	end_child(&child);
	ptdump_close(ptdump);
}

static void test_root(void **state)
{
	struct ptdump *ptdump = open_or_skip();
	const struct ptdump_result result = dump(ptdump, getpid());
	struct err err = {0};
	uint64_t address;
	int levels;

	(void)state;
	assert_int_equal(ptdump_root(ptdump, getpid(), &address, &levels, &err), 0);
	assert_int_equal(address, result.root_address);
	assert_int_equal(levels, result.levels);
	assert_int_not_equal(address, 0);
	ptdump_close(ptdump);
}

static void test_no_such_process(void **state)
{
	struct ptdump *ptdump = open_or_skip();
	struct child child = start_child(PAGE);
	struct ptdump_result result;
	struct err err = {0};

	(void)state;
	dump(ptdump, child.pid);
	end_child(&child);
	assert_int_equal(ptdump_process(ptdump, child.pid, &result, &err), -1);
	assert_int_equal(err.kind, ERR_USAGE);
	assert_non_null(strstr(err.text, "no process"));
	/* kthreadd */
	err_clear(&err);
	assert_int_equal(ptdump_process(ptdump, 2, &result, &err), -1);
	assert_int_equal(err.kind, ERR_USAGE);
	ptdump_close(ptdump);
}

/* Maps, touches and unmaps as fast as it can. */
static void churn(void)
{
	const size_t bytes = 32 << 20;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	for (;;) {
		char *region = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
				    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

		madvise(region, bytes, MADV_NOHUGEPAGE);
		for (size_t i = 0; i < bytes; i += 16 * PAGE)
			region[i] = 1;
		munmap(region, bytes);
	}
}

/* However a process changes its tables, the dump ends, its counts are sane, and some are torn. */
static void test_torn(void **state)
{
	struct ptdump *ptdump = open_or_skip();
	const pid_t pid = fork();
	unsigned int torn = 0, dumps;

	(void)state;
	if (pid == 0)
		churn();
	for (dumps = 0; dumps < 500 || (torn == 0 && dumps < 20000); dumps++) {
		const struct ptdump_result result = dump(ptdump, pid);

		torn += result.torn;
		assert_true(pages_mapped(&result) < 1 << 20);
	}
	print_message("%u of %u dumps torn\n", torn, dumps);
	/* On a single CPU they take turns, mostly. */
	assert_true(torn > 0 || sysconf(_SC_NPROCESSORS_ONLN) == 1);
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	ptdump_close(ptdump);
}

int main(void)
{
	static const char *const names[] = {"kcore", "bpf"};
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_touched_pages), cmocka_unit_test(test_against_proc),
		cmocka_unit_test(test_root),          cmocka_unit_test(test_no_such_process),
		cmocka_unit_test(test_torn),
	};
	int failed = 0;

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		reader_name = names[i];
		failed += cmocka_run_group_tests_name(names[i], tests, NULL, NULL);
	}
	return failed;
}
