// SPDX-License-Identifier: MIT
/*
 * Boots a kernel in the emulated machine and runs test programs in it: what tests/kernel_check,
 * kernel/tests/soak and kernel/tests/cost are made of. The same program is init in the guest (the
 * emulator's) and what init runs there.
 *
 * Each step is a word after "--": "/path=text" writes a file of the guest, "NAME=text" sets a
 * variable for the programs that follow, anything else is a program of the host with its arguments.
 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <signal.h>
#include <unistd.h>

#include "common/fs.h"
#include "common/paths.h"
#include "common/units.h"
#include "emulator/emulator.h"
#include "emulator/initramfs.h"

#define STEPS_MAX    64
#define WORDS_MAX    32
#define GUEST_FOLDER "/tests/"
#define KSFT_SKIP    4 /* exit status of a kselftest that could not run */

static const char help_text[] =
	"usage: kernel_boot --result DIR [OPTION...] -- STEP...\n"
	"  --kernel FILE        an ELF vmlinux or a bzImage (default: the suite's)\n"
	"  --nodes N            NUMA nodes, 1 to 8 (default 2)\n"
	"  --cpus-per-node N    1 to 8 (default 1)\n"
	"  --cpus N             bring up so many, from the lowest on (default all)\n"
	"  --memory SIZE        of each node, roughly (default 384M)\n"
	"  --la57               five-level page tables (needs a bzImage)\n"
	"  --append TEXT        for the kernel's command line\n"
	"  --plugin FILE        a QEMU plugin\n"
	"  --icount             the guest's clock counts instructions\n"
	"  --timeout TIME       (default 20m)\n"
	"A STEP is /path=text, NAME=text or \"PROGRAM ARGUMENT...\". Exit status: 0 when every program\n"
	"ended with 0 or 4 (skipped), 1 when one did not, 4 when the guest failed.\n";

/* ---- in the guest ---- */

static int split(char *text, char *words[WORDS_MAX + 1])
{
	char *place;
	int nr = 0;

	for (char *word = strtok_r(text, " ", &place); word && nr < WORDS_MAX;
	     word = strtok_r(NULL, " ", &place))
		words[nr++] = word;
	words[nr] = NULL;
	return nr;
}

static int run_program(char *text)
{
	char *words[WORDS_MAX + 1];
	int status;
	pid_t pid;

	if (split(text, words) == 0)
		return 0;
	printf("=== %s\n", words[0]);
	fflush(stdout);
	pid = fork();
	if (pid == 0) {
		execv(words[0], words);
		fprintf(stderr, "cannot run %s: %s\n", words[0], strerror(errno));
		_exit(127);
	}
	if (pid < 0 || waitpid(pid, &status, 0) != pid)
		return 1;
	status = WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
	printf("=== %s status %d\n", words[0], status);
	fflush(stdout);
	return status != 0 && status != KSFT_SKIP;
}

static int write_setting(const char *step)
{
	const char *text = strchr(step, '=') + 1;
	char path[256];
	struct fs fs;

	snprintf(path, sizeof(path), "%.*s", (int)(text - 1 - step), step);
	if (fs_open(&fs, "/", NULL) != 0)
		return 1;
	if (fs_write(&fs, path, text) != 0) {
		printf("=== cannot write '%s' to %s: %s\n", text, path, strerror(errno));
		fs_close(&fs);
		return 1;
	}
	fs_close(&fs);
	return 0;
}

static bool is_assignment(const char *step)
{
	const size_t name = strcspn(step, "= ");

	return name > 0 && step[name] == '=';
}

static int run_steps(char **steps)
{
	int failed = 0;

	for (; *steps; steps++) {
		if (!is_assignment(*steps))
			failed += run_program(*steps);
		else if ((*steps)[0] == '/')
			failed += write_setting(*steps);
		else
			putenv(*steps);
	}
	return failed != 0;
}

/* ---- on the host ---- */

struct plan {
	struct emulator_job job;
	int nodes, cpus_per_node;
	bool la57;
	struct emulator_file files[STEPS_MAX];
	char guest_paths[STEPS_MAX][128];
	char *argv[STEPS_MAX + 3];
	char profile[64];
};

static int number(const char *text, const char *what, int most, int *value, struct err *err)
{
	uint64_t count;

	if (units_parse_count(text, what, &count, err) != 0)
		return -1;
	if (count < 1 || count > (uint64_t)most)
		return err_set(err, ERR_USAGE, "%s takes 1 to %d, not '%s'", what, most, text);
	*value = (int)count;
	return 0;
}

enum {
	KERNEL = 256,
	NODES,
	CPUS_PER_NODE,
	CPUS,
	MEMORY,
	LA57,
	APPEND,
	PLUGIN,
	ICOUNT,
	TIMEOUT,
	RESULT
};

static const struct option options[] = {
	{"kernel", required_argument, NULL, KERNEL},
	{"nodes", required_argument, NULL, NODES},
	{"cpus-per-node", required_argument, NULL, CPUS_PER_NODE},
	{"cpus", required_argument, NULL, CPUS},
	{"memory", required_argument, NULL, MEMORY},
	{"la57", no_argument, NULL, LA57},
	{"append", required_argument, NULL, APPEND},
	{"plugin", required_argument, NULL, PLUGIN},
	{"icount", no_argument, NULL, ICOUNT},
	{"timeout", required_argument, NULL, TIMEOUT},
	{"result", required_argument, NULL, RESULT},
	{"help", no_argument, NULL, 'h'},
	{0},
};

static int apply(struct plan *plan, int option, const char *value, struct err *err)
{
	struct emulator_job *job = &plan->job;

	switch (option) {
	case KERNEL:
		job->kernel = value;
		return 0;
	case NODES:
		return number(value, "--nodes", 8, &plan->nodes, err);
	case CPUS_PER_NODE:
		return number(value, "--cpus-per-node", 8, &plan->cpus_per_node, err);
	case CPUS:
		return number(value, "--cpus", 64, &job->cpus, err);
	case MEMORY:
		return units_parse_size(value, "--memory", &job->footprint_bytes, err);
	case LA57:
		plan->la57 = true;
		return 0;
	case APPEND:
		job->kernel_arguments = value;
		return 0;
	case PLUGIN:
		job->plugin = value;
		return 0;
	case ICOUNT:
		job->clock_by_instructions = 1;
		return 0;
	case TIMEOUT:
		return units_parse_duration(value, "--timeout", &job->timeout_ns, err);
	default:
		job->result_directory = value;
		return 0;
	}
}

/* Programs go to the guest; their step names them there. */
static int add_step(struct plan *plan, int index, char *step, struct err *err)
{
	struct emulator_file *file = &plan->files[plan->job.nr_files];
	char *guest = plan->guest_paths[index], *program, *moved;
	const size_t length = strcspn(step, " ");
	const char *base;

	plan->argv[index + 2] = step;
	if (is_assignment(step))
		return 0;
	program = strndup(step, length);
	base = program && strrchr(program, '/') ? strrchr(program, '/') + 1 : program;
	if (!program || access(program, X_OK) != 0)
		return err_set(err, ERR_USAGE, "cannot run '%s'", step);
	snprintf(guest, sizeof(plan->guest_paths[index]), GUEST_FOLDER "%s", base);
	if (asprintf(&moved, "%s%s", guest, step + length) < 0)
		return err_set(err, ERR_INTERNAL, "out of memory for a step");
	plan->argv[index + 2] = moved;
	for (int i = 0; i < plan->job.nr_files; i++)
		if (strcmp(plan->files[i].guest_path, guest) == 0)
			return 0;
	*file = (struct emulator_file){.host_path = program, .guest_path = guest};
	plan->job.nr_files++;
	return 0;
}

static int parse(struct plan *plan, int argc, char **argv, struct err *err)
{
	int option;

	opterr = 0;
	while ((option = getopt_long(argc, argv, "+:h", options, NULL)) != -1) {
		if (option == 'h')
			return 1;
		if (option == '?' || option == ':')
			return err_set(err, ERR_USAGE, "%s '%s'; see --help",
				       option == ':' ? "no value for" : "unknown option",
				       argv[optind - 1]);
		if (apply(plan, option, optarg, err) != 0)
			return -1;
	}
	if (!plan->job.result_directory || optind == argc || argc - optind > STEPS_MAX)
		return err_set(err, ERR_USAGE, "--result and 1 to %d steps are needed; see --help",
			       STEPS_MAX);
	plan->argv[0] = (char *)INITRAMFS_HARNESS;
	plan->argv[1] = (char *)"guest";
	for (int i = 0; optind + i < argc; i++)
		if (add_step(plan, i, argv[optind + i], err) != 0)
			return -1;
	plan->job.argv = plan->argv;
	plan->job.files = plan->files;
	return 0;
}

static void write_rows(FILE *out, const char *key, int nodes, int near, int far)
{
	for (int from = 0; from < nodes; from++) {
		fprintf(out, "%s_%d =", key, from);
		for (int to = 0; to < nodes; to++)
			fprintf(out, " %d", from == to ? near : far);
		fputc('\n', out);
	}
}

/* The default profile, with other nodes and CPUs. */
static int write_profile(struct plan *plan, struct err *err)
{
	char from[PATHS_MAX], line[512];
	FILE *in, *out;
	int fd;

	strcpy(plan->profile, "/tmp/kernel_boot.XXXXXX.profile");
	fd = mkostemps(plan->profile, 8, O_CLOEXEC);
	if (fd < 0 ||
	    paths_file(from, "emulator/profiles/" EMULATOR_DEFAULT_PROFILE ".profile", err) != 0)
		return err_set(err, ERR_INTERNAL, "cannot make a profile in /tmp");
	in = fopen(from, "re");
	out = fdopen(fd, "w");
	if (!in || !out)
		return err_set_errno(err, ERR_INTERNAL, errno, "cannot read '%s'", from);
	while (fgets(line, sizeof(line), in)) {
		if (strncmp(line, "nodes =", 7) == 0)
			fprintf(out, "nodes = %d\n", plan->nodes);
		else if (strncmp(line, "cpus_per_node =", 15) == 0)
			fprintf(out, "cpus_per_node = %d\n", plan->cpus_per_node);
		else if (strncmp(line, "la57 =", 6) == 0)
			fprintf(out, "la57 = %d\n", plan->la57);
		else if (strncmp(line, "distance_0", 10) == 0)
			write_rows(out, "distance", plan->nodes, 10, 21);
		else if (strncmp(line, "latency_cycles_0", 16) == 0)
			write_rows(out, "latency_cycles", plan->nodes, 280, 580);
		else if (strncmp(line, "distance_", 9) != 0 &&
			 strncmp(line, "latency_cycles_", 15) != 0)
			fputs(line, out);
	}
	fclose(in);
	fclose(out);
	plan->job.profile = plan->profile;
	return 0;
}

static int watch_signals(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	sigprocmask(SIG_BLOCK, &set, NULL);
	return signalfd(-1, &set, SFD_CLOEXEC);
}

static void copy_output(const char *directory)
{
	char path[PATHS_MAX], text[4096];
	FILE *file;
	size_t n;

	snprintf(path, sizeof(path), "%s/emulator-output.log", directory);
	file = fopen(path, "re");
	while (file && (n = fread(text, 1, sizeof(text), file)) > 0)
		fwrite(text, 1, n, stdout);
	if (file)
		fclose(file);
	fflush(stdout);
}

static int run(struct plan *plan, struct err *err)
{
	struct emulator_result result;
	int failed;

	if (write_profile(plan, err) != 0)
		return -1;
	plan->job.interrupt_fd = watch_signals();
	plan->job.without_model = 1;
	failed = emulator_run(&plan->job, &result, err);
	unlink(plan->profile);
	copy_output(plan->job.result_directory);
	if (failed)
		return -1;
	json_decref(result.machine);
	return result.guest_status;
}

int main(int argc, char **argv)
{
	static struct plan plan = {
		.job = {.footprint_bytes = UINT64_C(384) << 20,
			.timeout_ns = UINT64_C(1200) * 1000000000},
		.nodes = 2,
		.cpus_per_node = 1,
	};
	struct err err = {0};
	int status;

	if (getpid() == 1)
		emulator_guest_init(argc, argv);
	if (argc > 1 && strcmp(argv[1], "guest") == 0)
		return run_steps(argv + 2);
	status = parse(&plan, argc, argv, &err);
	if (status > 0) {
		fputs(help_text, stdout);
		return 0;
	}
	if (status == 0)
		status = run(&plan, &err);
	return err.kind != ERR_NONE ? err_report("kernel_boot", &err) : status;
}
