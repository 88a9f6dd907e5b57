// SPDX-License-Identifier: MIT
/*
 * Boots real guests and looks at what comes back: results, exit status, a panic, a hang, a time
 * limit, signals. The same program is the harness's half on the host, init in the guest, and the
 * command that init runs there. Prints TAP; an argument names a single test.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <numaif.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <stdarg.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "common/fs.h"
#include "common/paths.h"
#include "emulator/emulator.h"
#include "emulator/initramfs.h"
#include "emulator/roi.h"

#define SECOND_NS       UINT64_C(1000000000)
#define STALL_NS        (12 * SECOND_NS) /* over two heartbeats */
#define FOOTPRINT_BYTES (UINT64_C(64) << 20)
#define LARGE_BYTES     (UINT64_C(640) << 20)
#define BIG_FILE_BYTES  (3 * 1048576 + 17)

static char scratch[] = "/tmp/emulator_boot.XXXXXX";

/* ---- in the guest ---- */

static unsigned char pattern(size_t i)
{
	return (unsigned char)(i * 2654435761u >> 13);
}

static int guest_files(void)
{
	FILE *big, *small;

	printf("hello from the guest\n");
	mkdir("deep", 0755);
	mkdir("deep/er", 0755);
	big = fopen("deep/er/big", "wb");
	small = fopen("environment.json", "w");
	if (!big || !small)
		return 1;
	for (size_t i = 0; i < BIG_FILE_BYTES; i++)
		fputc(pattern(i), big);
	fprintf(small, "%s", getenv(EMULATOR_ENV));
	fclose(fopen("empty", "w"));
	fclose(small);
	fclose(big);
	dprintf(3, "{\"msg\":\"progress\",\"phase\":\"roi\",\"done\":0.5}\nthis is no JSON\n");
	return 42;
}

/*
 * Every node must have room for the whole footprint with its page tables: all of it is bound to one
 * node after the other. Without swap a node that is too small means SIGBUS or the OOM killer.
 */
static int guest_memory(void)
{
	for (int node = 0; node < 2; node++) {
		const unsigned long mask = 1ul << node;
		volatile char *data = mmap(NULL, LARGE_BYTES, PROT_READ | PROT_WRITE,
					   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

		if (data == MAP_FAILED || set_mempolicy(MPOL_BIND, &mask, 64) != 0)
			return 1;
		for (size_t at = 0; at < LARGE_BYTES; at += 4096)
			data[at] = 1;
		for (size_t at = 0; at < LARGE_BYTES; at += LARGE_BYTES / 16) {
			int where = -1;

			if (get_mempolicy(&where, NULL, 0, (char *)data + at,
					  MPOL_F_NODE | MPOL_F_ADDR) != 0 ||
			    where != node)
				return 2;
		}
		munmap((char *)data, LARGE_BYTES);
		set_mempolicy(MPOL_DEFAULT, NULL, 0);
	}
	return 0;
}

static int guest_five_levels(void)
{
	struct fs fs;
	char *info;
	int found;

	if (fs_open(&fs, "/", NULL) != 0)
		return 1;
	info = fs_read_all(&fs, "/proc/cpuinfo", NULL);
	found = info && strstr(info, " la57");
	free(info);
	fs_close(&fs);
	return found ? 0 : 1;
}

static struct roi_descriptor *map_descriptor(void)
{
	struct roi_descriptor *descriptor = mmap(NULL, ROI_PAGE_BYTES, PROT_READ | PROT_WRITE,
						 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (descriptor == MAP_FAILED || mlock(descriptor, ROI_PAGE_BYTES) != 0)
		return NULL;
	*descriptor = (struct roi_descriptor){.magic = ROI_MAGIC};
	return descriptor;
}

static bool mark(struct roi_descriptor *descriptor, enum roi_command command)
{
	descriptor->command = command;
	descriptor->answer = ROI_UNANSWERED;
	roi_marker(descriptor);
	return descriptor->answer == ROI_OK;
}

/* The plugin sees the marker, finds the descriptor in the guest's memory and answers into it. */
static int guest_model(void)
{
	struct roi_descriptor *descriptor = map_descriptor();

	if (!descriptor)
		return 1;
	mark(descriptor, ROI_PROBE);
	printf("answer %u, %u vCPUs, %s\n", descriptor->answer, descriptor->nr_vcpus,
	       descriptor->profile);
	return descriptor->answer == ROI_OK && descriptor->nr_vcpus == 4 &&
			       strcmp(descriptor->profile, EMULATOR_DEFAULT_PROFILE) == 0
		       ? 0
		       : 2;
}

/*
 * psadbw (%rdi),%xmm0 as the last instruction on a page, which ends QEMU's block, and ret on the
 * next. QEMU has a function for the first that it tells where the plugin's callbacks are; from 7.2
 * that pointer outlives the end of the region, and the next instruction with a function, fxsave,
 * follows it.
 */
static int guest_last_on_page(void)
{
	static const unsigned char code[] = {0x66, 0x0f, 0xf6, 0x07, 0xc3};
	static char operand[16] __attribute__((aligned(16)));
	static char area[512] __attribute__((aligned(16)));
	struct roi_descriptor *descriptor = map_descriptor();
	unsigned char *pages = mmap(NULL, 2 * 4096, PROT_READ | PROT_WRITE | PROT_EXEC,
				    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(0, &set);
	if (!descriptor || pages == MAP_FAILED || sched_setaffinity(0, sizeof(set), &set) != 0)
		return 1;
	memcpy(pages + 4096 - 4, code, sizeof(code));
	descriptor->levels = 4;
	descriptor->vcpu_mask = 1;
	for (int node = 0; node < ROI_NODES_MAX; node++)
		descriptor->roots[node] = UINT64_C(1) << 20; /* any page: the walks may fail */
	for (int round = 0; round < 20; round++) {
		if (!mark(descriptor, ROI_BEGIN))
			return 2;
		__asm__ volatile("call *%0" ::"r"(pages + 4096 - 4), "D"(operand)
				 : "xmm0", "memory");
		if (!mark(descriptor, ROI_END))
			return 3;
		__asm__ volatile("fxsave (%0)" ::"r"(area) : "memory");
	}
	return 0;
}

static int guest_panic(void)
{
	const int fd = open("/proc/sysrq-trigger", O_WRONLY);

	printf("about to panic\n");
	fflush(stdout);
	/* Time for the line to leave the guest. */
	sleep(2);
	return write(fd, "c", 1) == 1 ? 1 : 2;
}

static int guest_sleep(void)
{
	printf("going to sleep\n");
	fflush(stdout);
	sleep(600);
	return 0;
}

static int guest_orphans(void)
{
	if (fork() == 0) {
		sleep(600);
		_exit(0);
	}
	raise(SIGSEGV);
	return 0;
}

static const struct {
	const char *name;
	int (*run)(void);
} guest_commands[] = {
	{"files", guest_files},     {"memory", guest_memory},
	{"panic", guest_panic},     {"sleep", guest_sleep},
	{"orphans", guest_orphans}, {"five-levels", guest_five_levels},
	{"model", guest_model},     {"last-on-page", guest_last_on_page},
};

static int run_guest_command(const char *name)
{
	for (size_t i = 0; i < sizeof(guest_commands) / sizeof(guest_commands[0]); i++)
		if (strcmp(guest_commands[i].name, name) == 0)
			return guest_commands[i].run();
	return 2;
}

/* ---- on the host ---- */

enum act { ACT_NONE, ACT_LOOK, ACT_STOP_QEMU, ACT_KILL_QEMU, ACT_INTERRUPT, ACT_TELL };

/* One run of a guest: what to do to it once its command runs, and what came of it. */
struct trial {
	const char *command;
	enum act act;
	int act_fd; /* of ACT_INTERRUPT and ACT_TELL */
	bool with_model;
	const char *directory_name;

	int failed;
	struct err err;
	struct emulator_result result;
	uint64_t started_ns, init_ns, total_ns;
	int roi_events;
	bool memory_is_nameless;
	char directory[64];
};

static pid_t find_qemu(pid_t parent);

/* The slowest boot so far: a limit that a test sets must leave time for one on a busy machine. */
static uint64_t slowest_boot_ns = 5 * SECOND_NS;

static uint64_t limit_ns(uint64_t seconds)
{
	return 3 * slowest_boot_ns + seconds * SECOND_NS;
}

static uint64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * SECOND_NS + (uint64_t)now.tv_nsec;
}

/* Guest memory in a file of /dev/shm or /tmp would outlive a harness that is killed. */
static bool is_nameless(pid_t qemu)
{
	char path[64];
	struct fs fs;
	char *maps;
	bool nameless;

	snprintf(path, sizeof(path), "/proc/%d/maps", qemu);
	if (fs_open(&fs, "/", NULL) != 0)
		return false;
	maps = fs_read_all(&fs, path, NULL);
	nameless = maps && strstr(maps, "/memfd:guest-node") && !strstr(maps, "/dev/shm");
	free(maps);
	fs_close(&fs);
	return nameless;
}

static void act(struct trial *trial)
{
	const uint64_t value = 1;
	const pid_t qemu = find_qemu(getpid());

	if (trial->act == ACT_LOOK)
		trial->memory_is_nameless = is_nameless(qemu);
	if (trial->act == ACT_STOP_QEMU)
		kill(qemu, SIGSTOP);
	if (trial->act == ACT_KILL_QEMU)
		kill(qemu, SIGKILL);
	if (trial->act == ACT_INTERRUPT && write(trial->act_fd, &value, sizeof(value)) < 0)
		abort();
	if (trial->act == ACT_TELL && write(trial->act_fd, &qemu, sizeof(qemu)) < 0)
		abort();
}

static void note_event(void *context, const json_t *event)
{
	struct trial *trial = context;
	const char *phase = json_string_value(json_object_get(event, "phase"));

	if (phase && strcmp(phase, "init") == 0)
		trial->init_ns = now_ns() - trial->started_ns;
	if (trial->init_ns > slowest_boot_ns)
		slowest_boot_ns = trial->init_ns;
	if (phase && strcmp(phase, "command") == 0)
		act(trial);
	if (phase && strcmp(phase, "roi") == 0)
		trial->roi_events++;
}

static void boot(struct trial *trial, struct emulator_job job)
{
	char *argv[] = {(char *)INITRAMFS_HARNESS, "guest", (char *)trial->command, NULL};

	snprintf(trial->directory, sizeof(trial->directory), "%s/%s", scratch,
		 trial->directory_name ? trial->directory_name : trial->command);
	if (!job.profile)
		job.profile = EMULATOR_DEFAULT_PROFILE;
	if (!job.argv)
		job.argv = argv;
	if (!job.footprint_bytes)
		job.footprint_bytes = FOOTPRINT_BYTES;
	if (!job.timeout_ns)
		job.timeout_ns = 120 * SECOND_NS;
	job.result_directory = trial->directory;
	job.progress = note_event;
	job.progress_context = trial;
	job.without_model = !trial->with_model;
	trial->started_ns = now_ns();
	trial->failed = emulator_run(&job, &trial->result, &trial->err);
	trial->total_ns = now_ns() - trial->started_ns;
	json_decref(trial->result.machine);
}

/* A QEMU that is a child of `parent`, or 0. */
static pid_t find_qemu(pid_t parent)
{
	DIR *proc = opendir("/proc");
	struct dirent *entry;
	pid_t found = 0;

	while (proc && !found && (entry = readdir(proc))) {
		char path[300], text[512], *end;
		int ppid;
		struct fs fs = {.root_fd = dirfd(proc)};

		snprintf(path, sizeof(path), "%s/stat", entry->d_name);
		if (entry->d_name[0] < '1' || entry->d_name[0] > '9' ||
		    fs_read(&fs, path, text, sizeof(text)) < 0)
			continue;
		end = strrchr(text, ')');
		if (strstr(text, "(qemu-") && end && sscanf(end, ") %*c %d", &ppid) == 1 &&
		    ppid == parent)
			found = atoi(entry->d_name);
	}
	if (proc)
		closedir(proc);
	return found;
}

static int nr_tests, nr_failed;

__attribute__((format(printf, 2, 3))) static void check(bool good, const char *format, ...)
{
	va_list args;

	printf("%s %d - ", good ? "ok" : "not ok", ++nr_tests);
	va_start(args, format);
	vprintf(format, args);
	va_end(args);
	printf("\n");
	fflush(stdout);
	nr_failed += !good;
}

static bool pattern_came_back(const char *directory)
{
	char path[128];
	FILE *file;
	size_t i = 0;
	int c;

	snprintf(path, sizeof(path), "%s/deep/er/big", directory);
	file = fopen(path, "rb");
	if (!file)
		return false;
	while ((c = fgetc(file)) != EOF && c == pattern(i))
		i++;
	fclose(file);
	return i == BIG_FILE_BYTES;
}

static bool file_contains(const char *directory, const char *name, const char *text)
{
	char path[128];
	struct fs fs;
	char *content;
	bool found;

	snprintf(path, sizeof(path), "%s/%s", directory, name);
	if (fs_open(&fs, "/", NULL) != 0)
		return false;
	content = fs_read_all(&fs, path, NULL);
	found = content && strstr(content, text);
	free(content);
	fs_close(&fs);
	return found;
}

static bool mentions(const struct trial *trial, const char *text)
{
	return strstr(trial->err.text, text) != NULL;
}

/* The usual end of a trial that must fail: kind, words of the message, no QEMU left. */
static void check_failure(const struct trial *trial, enum err_kind kind, const char *what,
			  const char *word, const char *other_word)
{
	check(trial->failed && trial->err.kind == kind && mentions(trial, word) &&
		      mentions(trial, other_word) && find_qemu(getpid()) == 0,
	      "%s", what);
	printf("# %s (%.1f s)\n", trial->err.text, (double)trial->total_ns / 1e9);
}

static void test_round_trip(void)
{
	struct trial trial = {.command = "files", .act = ACT_LOOK};

	boot(&trial, (struct emulator_job){0});
	check(!trial.failed, "a guest runs a command %s", trial.err.text);
	check(trial.result.guest_status == 42, "its exit status comes back");
	check(pattern_came_back(trial.directory), "its files come back");
	check(file_contains(trial.directory, "empty", ""), "an empty file too");
	check(file_contains(trial.directory, "environment.json", EMULATOR_DEFAULT_PROFILE),
	      "it knows its machine");
	check(file_contains(trial.directory, "emulator-output.log", "hello from the guest"),
	      "its output comes back");
	check(trial.roi_events == 1, "its progress comes back");
	check(trial.memory_is_nameless, "its memory has no name on the host");
	check(find_qemu(getpid()) == 0, "no QEMU is left");
	printf("# init after %.2f s, all in %.2f s\n", (double)trial.init_ns / 1e9,
	       (double)trial.total_ns / 1e9);
}

static void test_memory(void)
{
	struct trial trial = {.command = "memory"};

	boot(&trial, (struct emulator_job){.footprint_bytes = LARGE_BYTES});
	check(!trial.failed && trial.result.guest_status == 0,
	      "each node holds the footprint and its tables (status %d %s)",
	      trial.result.guest_status, trial.err.text);
}

/* The default profile with five-level paging, as a file of its own. */
static void test_five_levels(void)
{
	struct trial trial = {.command = "five-levels"};
	char from[PATHS_MAX], to[64], command[2 * PATHS_MAX];

	snprintf(to, sizeof(to), "%s/five.profile", scratch);
	if (paths_file(from, "emulator/profiles/" EMULATOR_DEFAULT_PROFILE ".profile", NULL) != 0)
		abort();
	snprintf(command, sizeof(command), "sed 's/^la57 = 0/la57 = 1/' '%s' > '%s'", from, to);
	if (system(command) != 0)
		abort();
	boot(&trial, (struct emulator_job){.profile = to});
	check(!trial.failed && trial.result.guest_status == 0,
	      "five-level page tables where the profile has them (status %d %s)",
	      trial.result.guest_status, trial.err.text);
}

static void test_model(void)
{
	struct trial trial = {.command = "model", .with_model = true};

	boot(&trial, (struct emulator_job){0});
	check(!trial.failed && trial.result.guest_status == 0, "the model answers (status %d %s)",
	      trial.result.guest_status, trial.err.text);
	printf("# with the model: init after %.2f s, all in %.2f s\n", (double)trial.init_ns / 1e9,
	       (double)trial.total_ns / 1e9);
}

static void test_last_on_page(void)
{
	struct trial trial = {.command = "last-on-page", .with_model = true};

	boot(&trial, (struct emulator_job){0});
	check(!trial.failed && trial.result.guest_status == 0,
	      "a vector load that ends a page in a region leaves nothing behind (status %d %s)",
	      trial.result.guest_status, trial.err.text);
}

static void test_crash_of_command(void)
{
	struct trial trial = {.command = "orphans"};

	boot(&trial, (struct emulator_job){0});
	check(!trial.failed && trial.result.guest_status == 128 + SIGSEGV,
	      "a command that crashes and leaves a process behind %s", trial.err.text);
}

static void test_missing_command(void)
{
	struct trial trial = {.command = "missing"};
	char *argv[] = {"/no/such/program", NULL};

	boot(&trial, (struct emulator_job){.argv = argv});
	check(!trial.failed && trial.result.guest_status == 127 &&
		      file_contains(trial.directory, "emulator-output.log", "No such file"),
	      "a command that is not there");
}

static void test_panic(void)
{
	struct trial trial = {.command = "panic"};

	boot(&trial, (struct emulator_job){0});
	check_failure(&trial, ERR_RUN, "a panic is told", "Kernel panic", "about to panic");
	check(file_contains(trial.directory, "emulator-console.log", "sysrq"),
	      "and its console is kept");
}

static void test_timeout(void)
{
	struct trial trial = {.command = "sleep", .directory_name = "timeout"};

	boot(&trial, (struct emulator_job){.timeout_ns = limit_ns(5)});
	check_failure(&trial, ERR_RUN, "a time limit ends a guest", "was not done within",
		      "going to sleep");
}

static void test_hang(void)
{
	struct trial trial = {.command = "sleep", .act = ACT_STOP_QEMU, .directory_name = "hang"};

	boot(&trial, (struct emulator_job){.stall_ns = STALL_NS});
	check_failure(&trial, ERR_RUN, "a guest that hangs is noticed", "no sign of life", "");
}

/* The heartbeat tells a guest that is quiet from one that hangs. */
static void test_quiet_guest(void)
{
	struct trial trial = {.command = "sleep", .directory_name = "quiet"};

	boot(&trial, (struct emulator_job){.stall_ns = STALL_NS, .timeout_ns = limit_ns(20)});
	check_failure(&trial, ERR_RUN, "a quiet guest is no hang", "was not done within", "");
}

static void test_qemu_dies(void)
{
	struct trial trial = {.command = "sleep", .act = ACT_KILL_QEMU, .directory_name = "killed"};

	boot(&trial, (struct emulator_job){0});
	check_failure(&trial, ERR_RUN, "the end of QEMU is told", "QEMU was killed by SIGKILL", "");
}

static void test_interrupt(void)
{
	struct trial trial = {.command = "sleep",
			      .act = ACT_INTERRUPT,
			      .act_fd = eventfd(0, EFD_CLOEXEC),
			      .directory_name = "interrupt"};

	boot(&trial, (struct emulator_job){.interrupt_fd = trial.act_fd});
	check_failure(&trial, ERR_INTERRUPTED, "an interrupt ends a guest", "interrupted", "");
	close(trial.act_fd);
}

static void test_bad_kernel(void)
{
	struct trial trial = {.command = "kernel"};

	boot(&trial, (struct emulator_job){.kernel = "/proc/self/status"});
	check_failure(&trial, ERR_RUN, "a kernel that is none", "QEMU ended with status 1", "");
	trial = (struct trial){.command = "kernel"};
	boot(&trial, (struct emulator_job){.kernel = "/no/such/kernel"});
	check_failure(&trial, ERR_USAGE, "a kernel that is not there", "/no/such/kernel", "");
}

static void test_bad_host(void)
{
	struct trial trial = {.command = "host"};

	boot(&trial, (struct emulator_job){.footprint_bytes = UINT64_C(1) << 44});
	check_failure(&trial, ERR_MACHINE, "too little memory", "available", "--size");
	setenv("MITOSIS_SUITE_QEMU", "/no/such/qemu", 1);
	trial = (struct trial){.command = "host"};
	boot(&trial, (struct emulator_job){0});
	check_failure(&trial, ERR_MACHINE, "no QEMU", "/no/such/qemu", "install");
	unsetenv("MITOSIS_SUITE_QEMU");
}

static bool is_gone(pid_t pid)
{
	for (int i = 0; i < 100; i++) {
		char path[64], state = 'X';
		FILE *file;

		snprintf(path, sizeof(path), "/proc/%d/stat", pid);
		file = fopen(path, "r");
		if (!file)
			return true;
		/* Its new parent may be slow to reap: a zombie is gone as well. */
		if (fscanf(file, "%*d (%*[^)]) %c", &state) != 1)
			state = 'X';
		fclose(file);
		if (state == 'Z' || state == 'X')
			return true;
		usleep(50000);
	}
	return false;
}

/* The harness gets SIGKILL and cannot put anything away. */
static void test_sigkill(void)
{
	pid_t harness, qemu = 0;
	int ends[2];

	if (pipe2(ends, O_CLOEXEC) != 0)
		abort();
	harness = fork();
	if (harness == 0) {
		struct trial trial = {.command = "sleep",
				      .act = ACT_TELL,
				      .act_fd = ends[1],
				      .directory_name = "sigkill"};

		boot(&trial, (struct emulator_job){0});
		_exit(1);
	}
	close(ends[1]);
	if (read(ends[0], &qemu, sizeof(qemu)) != sizeof(qemu))
		qemu = 0;
	kill(harness, SIGKILL);
	waitpid(harness, NULL, 0);
	check(qemu > 0 && is_gone(qemu), "SIGKILL of the harness leaves no QEMU");
	close(ends[0]);
}

static void test_side_by_side(void)
{
	pid_t pids[2];
	int good = 0;

	for (int i = 0; i < 2; i++) {
		pids[i] = fork();
		if (pids[i] == 0) {
			struct trial trial = {.command = "files",
					      .directory_name = i ? "left" : "right"};

			boot(&trial, (struct emulator_job){.timeout_ns = limit_ns(240)});
			if (trial.failed)
				printf("# %s\n", trial.err.text);
			fflush(stdout);
			_exit(!trial.failed && pattern_came_back(trial.directory) ? 0 : 1);
		}
	}
	for (int i = 0; i < 2; i++) {
		int status;

		waitpid(pids[i], &status, 0);
		good += WIFEXITED(status) && WEXITSTATUS(status) == 0;
	}
	check(good == 2, "two guests side by side");
}

static const struct {
	const char *name;
	void (*run)(void);
} tests[] = {
	{"model", test_model},
	{"last-on-page", test_last_on_page},
	{"round-trip", test_round_trip},
	{"memory", test_memory},
	{"five-levels", test_five_levels},
	{"crash", test_crash_of_command},
	{"missing", test_missing_command},
	{"panic", test_panic},
	{"timeout", test_timeout},
	{"hang", test_hang},
	{"quiet", test_quiet_guest},
	{"qemu-dies", test_qemu_dies},
	{"interrupt", test_interrupt},
	{"kernel", test_bad_kernel},
	{"host", test_bad_host},
	{"sigkill", test_sigkill},
	{"side-by-side", test_side_by_side},
};

/* All tests, or the one that is named. */
static void run_tests(const char *name)
{
	for (size_t i = 0; i < sizeof(tests) / sizeof(tests[0]); i++)
		if (!name || strcmp(tests[i].name, name) == 0)
			tests[i].run();
}

int main(int argc, char **argv)
{
	char command[64];

	if (getpid() == 1)
		emulator_guest_init(argc, argv);
	if (argc == 3 && strcmp(argv[1], "guest") == 0)
		return run_guest_command(argv[2]);
	if (!mkdtemp(scratch))
		return 1;
	run_tests(argc > 1 ? argv[1] : NULL);
	snprintf(command, sizeof(command), "rm -rf %s", scratch);
	nr_failed += system(command) != 0;
	printf("1..%d\n", nr_tests);
	return nr_failed;
}
