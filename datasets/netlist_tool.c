// SPDX-License-Identifier: MIT
#include "datasets/netlist_tool.h"

#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "bench/options.h"
#include "common/units.h"
#include "common/version.h"
#include "datasets/netlist_read.h"
#include "datasets/netlist_write.h"

enum { ELEMENTS, FAN_IN, ASPECT, SEED, THREADS, BLOCK, PRESET, DRY_RUN, HELP };

static const struct option rows[] = {
	[ELEMENTS] = {.name = "elements",
		      .type = OPTION_COUNT,
		      .min = 2,
		      .max = NETLIST_ELEMENTS_MAX,
		      .help = "number of elements"},
	[FAN_IN] = {.name = "fan-in",
		    .type = OPTION_INT,
		    .native = "5",
		    .min = 1,
		    .max = NETLIST_FAN_IN_MAX,
		    .help = "elements that feed an element"},
	[ASPECT] = {.name = "aspect",
		    .type = OPTION_DOUBLE,
		    .native = "0.909091",
		    .help = "width of the grid divided by its height"},
	[SEED] = {.name = "seed", .type = OPTION_COUNT, .native = "1", .help = "of the netlist"},
	[THREADS] = {.name = "threads",
		     .type = OPTION_INT,
		     .min = 1,
		     .max = NETLIST_THREADS_MAX,
		     .help = "threads; default: one per CPU"},
	[BLOCK] = {.name = "block",
		   .type = OPTION_COUNT,
		   .native = "2^20",
		   .min = 1,
		   .max = 1 << 26,
		   .help = "elements under one checksum; a thread holds so many lines in memory"},
	[PRESET] = {.name = "preset", .type = OPTION_TEXT, .help = "small or large"},
	[DRY_RUN] = {.name = "dry-run",
		     .type = OPTION_FLAG,
		     .help = "print the exact size, write nothing"},
	[HELP] = {.name = "help", .type = OPTION_FLAG, .help = "print this"},
	{.name = NULL},
};

static const struct option_preset presets[] = {
	{"small", "one socket in both papers", "elements=100M fan-in=5 aspect=0.909091"},
	{"large", "all sockets", "elements=1200M fan-in=5 aspect=10.909091"},
	{.name = NULL},
};

static volatile sig_atomic_t stop;

static void on_signal(int number)
{
	(void)number;
	stop = 1;
}

static void catch_signals(void)
{
	struct sigaction action = {.sa_handler = on_signal, .sa_flags = SA_RESTART};

	sigemptyset(&action.sa_mask);
	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
	sigaction(SIGHUP, &action, NULL);
}

/* --- progress --------------------------------------------------------------------------------- */

struct meter {
	const char *verb;
	uint64_t start_ns, drawn_ns;
	bool terminal;
};

static uint64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * UINT64_C(1000000000) + (uint64_t)now.tv_nsec;
}

static struct meter meter_start(const char *verb)
{
	return (struct meter){
		.verb = verb, .start_ns = now_ns(), .terminal = isatty(STDERR_FILENO)};
}

/* Rewrites a terminal's line twice a second; a log gets a line a minute. */
static void meter_draw(void *context, uint64_t bytes, uint64_t before, uint64_t total)
{
	struct meter *meter = context;
	const uint64_t now = now_ns(), interval = meter->terminal ? 500000000 : 60000000000;
	const double per_ns = (double)(bytes - before) / (double)(now - meter->start_ns + 1);
	char done[UNITS_TEXT_MAX], all[UNITS_TEXT_MAX], rate[UNITS_TEXT_MAX], left[UNITS_TEXT_MAX];

	if (now - (meter->drawn_ns ? meter->drawn_ns : meter->start_ns) < interval)
		return;
	meter->drawn_ns = now;
	fprintf(stderr, "%snetlist: %s %s of %s (%.0f%%), %s/s, %s left%s",
		meter->terminal ? "\r\033[K" : "", meter->verb, units_format_size(bytes, done),
		units_format_size(total, all), 100.0 * (double)bytes / (double)total,
		units_format_size((uint64_t)(per_ns * 1e9), rate),
		units_format_duration((uint64_t)((double)(total - bytes) / per_ns), left),
		meter->terminal ? "" : "\n");
}

static void meter_end(const struct meter *meter)
{
	if (meter->terminal && meter->drawn_ns > 0)
		fputs("\r\033[K", stderr);
}

/* --- generate --------------------------------------------------------------------------------- */

static int apply_preset(struct option_set *set, struct err *err)
{
	const char *name = option_text(set, PRESET);

	for (const struct option_preset *preset = presets; name && preset->name; preset++)
		if (strcmp(preset->name, name) == 0)
			return options_apply_preset(set, preset, 1, err);
	return name ? err_set(err, ERR_USAGE, "--preset: '%s' is neither small nor large", name)
		    : 0;
}

static int resolve(struct option_set *set, int argc, char **argv, struct netlist_write *write,
		   struct err *err)
{
	const struct option_context none = {0};

	options_init(set, rows);
	if (options_parse(&set, 1, argc, argv, err) != 0 || apply_preset(set, err) != 0 ||
	    options_default(set, &none, err) != 0)
		return -1;
	if (option_flag(set, HELP))
		return 0;
	if (option_u64(set, ELEMENTS) == 0)
		return err_set(err, ERR_USAGE, "how many elements? Give --elements N or --preset");
	write->block_elements = option_u64(set, BLOCK);
	write->nr_threads = (int)option_u64(set, THREADS);
	if (write->nr_threads == 0)
		write->nr_threads = (int)sysconf(_SC_NPROCESSORS_ONLN);
	if (write->nr_threads > NETLIST_THREADS_MAX)
		write->nr_threads = NETLIST_THREADS_MAX;
	return netlist_plan_make(&write->plan, option_u64(set, ELEMENTS), option_u64(set, FAN_IN),
				 option_f64(set, ASPECT), option_u64(set, SEED), err);
}

static void print_plan(const struct netlist_write *write, uint64_t rest)
{
	const struct netlist_plan *plan = &write->plan;
	const uint64_t bytes = netlist_file_bytes(plan);
	char size[UNITS_TEXT_MAX], left[UNITS_TEXT_MAX];

	fprintf(stderr,
		"netlist: %s: %" PRIu64 " elements on a grid of %" PRIu64 " by %" PRIu64
		", %" PRIu64 " bytes (%s)",
		write->file, plan->elements, plan->width, plan->height, bytes,
		units_format_size(bytes, size));
	if (rest < bytes && rest > 0)
		fprintf(stderr, ", going on with the last %s", units_format_size(rest, left));
	fprintf(stderr, "%s\n", rest == 0 ? ", complete" : "");
}

static void print_help(void)
{
	printf("netlist %s: input files for the workload canneal\n\n"
	       "  netlist generate FILE --elements N   write a synthetic netlist; after an\n"
	       "                                       interruption the same command goes on\n"
	       "  netlist generate FILE --preset NAME\n"
	       "  netlist check FILE                   checksums, format and length\n\n"
	       "options:\n",
	       suite_version);
	options_print_help(stdout, rows);
	for (const struct option_preset *preset = presets; preset->name; preset++)
		printf("%s  %-26s %s (%s)\n", preset == presets ? "presets:\n" : "", preset->name,
		       preset->summary, preset->settings);
	printf("\nFILE.sums holds the checksums; canneal reads them when it loads FILE.\n"
	       "exit status: 0 done, 1 internal error, 2 usage or a bad file, 3 this machine cannot\n"
	       "(disk full), 130 interrupted\n");
}

static int generate(const char *file, int argc, char **argv, struct err *err)
{
	struct netlist_write write = {.file = file, .stop = &stop, .progress = meter_draw};
	struct meter meter;
	struct option_set set;
	uint64_t rest;
	int failed;

	if (resolve(&set, argc, argv, &write, err) != 0)
		return -1;
	if (option_flag(&set, HELP)) {
		print_help();
		return 0;
	}
	if (netlist_write_rest(&write, &rest, err) != 0)
		return -1;
	print_plan(&write, rest);
	if (rest == 0 || option_flag(&set, DRY_RUN))
		return 0;
	catch_signals();
	meter = meter_start("wrote");
	write.context = &meter;
	failed = netlist_write(&write, err);
	meter_end(&meter);
	return failed;
}

/* --- check ------------------------------------------------------------------------------------ */

static int check_lines(const struct netlist_file *file, const struct netlist_block *piece,
		       uint64_t first_line, struct err *err)
{
	struct netlist_lines lines;
	struct netlist_text text;
	struct netlist_line line;
	int got = netlist_lines_open(&lines, file, piece, first_line, err);

	while (got == 0) {
		const uint64_t number = lines.line;

		got = netlist_lines_next(&lines, &text, err);
		if (got == 0)
			break;
		got = got < 0 ? -1 : netlist_parse_line(file, number, text, &line, err);
	}
	netlist_lines_close(&lines);
	return got;
}

static int check_pieces(const struct netlist_file *file, uint64_t *nr_lines, struct err *err)
{
	const uint64_t piece_bytes = UINT64_C(1) << 26;
	const uint64_t nr_pieces = netlist_nr_pieces(file, piece_bytes);
	struct meter meter = meter_start("checked");

	for (uint64_t i = 0; i < nr_pieces; i++) {
		const struct netlist_block piece = netlist_piece(file, piece_bytes, i);
		uint64_t here;

		if (stop)
			return err_set(err, ERR_INTERRUPTED, "interrupted");
		if (netlist_check_piece(file, &piece, &here, err) != 0 ||
		    check_lines(file, &piece, *nr_lines + 1, err) != 0)
			return -1;
		*nr_lines += here;
		meter_draw(&meter, piece.offset + piece.bytes, 0, file->bytes);
	}
	meter_end(&meter);
	return 0;
}

static int check(const char *path, struct err *err)
{
	struct netlist_file file;
	uint64_t nr_lines = 0;
	int failed;

	if (netlist_open(&file, path, err) != 0)
		return -1;
	catch_signals();
	failed = check_pieces(&file, &nr_lines, err);
	if (!failed)
		failed = netlist_check_count(&file, nr_lines, err);
	if (!failed)
		printf("%s: %" PRIu64 " elements on a grid of %" PRIu64 " by %" PRIu64
		       ", well formed%s\n",
		       path, file.elements, file.width, file.height,
		       file.has_sums ? ", checksums right" : "; it has no checksums");
	netlist_close(&file);
	return failed;
}

/* --- the program ------------------------------------------------------------------------------ */

static int run(int argc, char **argv, struct err *err)
{
	const bool is_generate = strcmp(argv[1], "generate") == 0;

	if (!is_generate && strcmp(argv[1], "check") != 0)
		return err_set(err, ERR_USAGE,
			       "'%s' is neither generate nor check; see netlist --help", argv[1]);
	if (argc > 2 && strcmp(argv[2], "--help") == 0) {
		print_help();
		return 0;
	}
	if (argc < 3 || strncmp(argv[2], "--", 2) == 0)
		return err_set(err, ERR_USAGE, "netlist %s FILE: which file?", argv[1]);
	if (is_generate)
		return generate(argv[2], argc - 3, argv + 3, err);
	if (argc > 3)
		return err_set(err, ERR_USAGE, "netlist check takes one file, not also '%s'",
			       argv[3]);
	return check(argv[2], err);
}

int netlist_main(int argc, char **argv)
{
	struct err err = {0};

	if (argc < 2 || strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0) {
		print_help();
		return 0;
	}
	if (strcmp(argv[1], "--version") == 0) {
		printf("netlist %s (%s)\n", suite_version, suite_commit);
		return 0;
	}
	return run(argc, argv, &err) == 0 ? 0 : err_report("netlist", &err);
}
