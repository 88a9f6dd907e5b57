// SPDX-License-Identifier: MIT
/*
 * Boots real guests and looks at what comes back: results, exit status, a panic, a hang, a time
 * limit, signals. The same program is the harness's half on the host, init in the guest, and the
 * command that init runs there. Prints TAP; exits with 77 where the host cannot do it.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "common/fs.h"
#include "emulator/emulator.h"
#include "emulator/initramfs.h"

#define SECOND_NS       UINT64_C(1000000000)
#define FOOTPRINT_BYTES (UINT64_C(64) << 20)
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

/* Every node must have room for the whole footprint. */
static int guest_memory(void)
{
	return access("/sys/devices/system/node/node1/meminfo", R_OK) == 0 ? 0 : 1;
}

static int guest_panic(void)
{
	const int fd = open("/proc/sysrq-trigger", O_WRONLY);

	printf("about to panic\n");
	fflush(stdout);
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
	{"files", guest_files}, {"memory", guest_memory},   {"panic", guest_panic},
	{"sleep", guest_sleep}, {"orphans", guest_orphans},
};

static int run_guest_command(const char *name)
{
	for (size_t i = 0; i < sizeof(guest_commands) / sizeof(guest_commands[0]); i++)
		if (strcmp(guest_commands[i].name, name) == 0)
			return guest_commands[i].run();
	return 2;
}

/* ---- on the host ---- */

struct outcome {
	int failed;
	struct err err;
	struct emulator_result result;
	uint64_t init_ns, total_ns; /* from the start of the call */
	uint64_t started_ns;
	int roi_events;
	char directory[64];
};

static uint64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * SECOND_NS + (uint64_t)now.tv_nsec;
}

static void note_event(void *context, const json_t *event)
{
	struct outcome *outcome = context;
	const char *phase = json_string_value(json_object_get(event, "phase"));

	if (phase && strcmp(phase, "init") == 0)
		outcome->init_ns = now_ns() - outcome->started_ns;
	if (phase && strcmp(phase, "roi") == 0)
		outcome->roi_events++;
}

static void boot(struct outcome *outcome, const char *command, struct emulator_job job)
{
	char *argv[] = {(char *)INITRAMFS_HARNESS, "guest", (char *)command, NULL};

	*outcome = (struct outcome){.started_ns = now_ns()};
	snprintf(outcome->directory, sizeof(outcome->directory), "%s/%s", scratch, command);
	job.profile = EMULATOR_DEFAULT_PROFILE;
	job.argv = argv;
	job.footprint_bytes = FOOTPRINT_BYTES;
	job.result_directory = outcome->directory;
	job.progress = note_event;
	job.progress_context = outcome;
	job.without_model = 1;
	outcome->failed = emulator_run(&job, &outcome->result, &outcome->err);
	outcome->total_ns = now_ns() - outcome->started_ns;
}

/* Processes named qemu whose parent is this process, or `orphans` of it (session of this test). */
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

static void test_round_trip(void)
{
	struct outcome outcome;

	boot(&outcome, "files", (struct emulator_job){.timeout_ns = 120 * SECOND_NS});
	check(!outcome.failed, "a guest runs a command%s%s", outcome.failed ? ": " : "",
	      outcome.err.text);
	check(outcome.result.guest_status == 42, "its exit status comes back");
	check(pattern_came_back(outcome.directory), "its files come back");
	check(file_contains(outcome.directory, "empty", ""), "an empty file too");
	check(file_contains(outcome.directory, "environment.json", EMULATOR_DEFAULT_PROFILE),
	      "it knows its machine");
	check(file_contains(outcome.directory, "emulator-output.log", "hello from the guest"),
	      "its output comes back");
	check(outcome.roi_events == 1, "its progress comes back");
	check(find_qemu(getpid()) == 0, "no QEMU is left");
	printf("# init after %.2f s, all in %.2f s\n", (double)outcome.init_ns / 1e9,
	       (double)outcome.total_ns / 1e9);
	json_decref(outcome.result.machine);
}

int main(int argc, char **argv)
{
	if (getpid() == 1)
		emulator_guest_init(argc, argv);
	if (argc == 3 && strcmp(argv[1], "guest") == 0)
		return run_guest_command(argv[2]);
	if (!mkdtemp(scratch))
		return 1;
	test_round_trip();
	printf("1..%d\n", nr_tests);
	return nr_failed;
}
