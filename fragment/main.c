// SPDX-License-Identifier: MIT
/* The command `fragment`: options, the channel to the harness, and what a person reads. */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/units.h"
#include "common/wire.h"
#include "fragment/fragmenter.h"
#include "harness/deadline.h"
#include "harness/interrupt.h"

#define DEFAULT_GOAL    0.05
#define DEFAULT_RESERVE (UINT64_C(64) << 20)
#define TELL_NS         UINT64_C(200000000)
#define STOP_LINE_MS    5000

static const char usage[] =
	"usage: fragment [options]\n"
	"\n"
	"Fragments free memory, so that the kernel finds few blocks for huge pages: of each such\n"
	"block one page is taken and pinned, the rest stays free. Without --hold the effect is\n"
	"reported and given back at once.\n"
	"\n"
	"  --nodes LIST      nodes, such as 0 or 0-1,3 (all with memory)\n"
	"  --goal SHARE      of free memory that may be left in blocks of 2 MiB or more (5%)\n"
	"  --exhaust         go on beyond the goal until the kernel has no such block left, also by\n"
	"                    compaction (which it tries where transparent_hugepage/defrag lets it)\n"
	"  --hold            keep it so until SIGINT or SIGTERM\n"
	"  --hold-for TIME   keep it so for that long, such as 30s or 10m\n"
	"  --limit SIZE      take at most so much of each node, and be content with that\n"
	"  --reserve SIZE    stop before less memory than this is available (64M)\n"
	"  --json            print the report as JSON\n"
	"  --help            print this\n"
	"\n"
	"All is given back when the program ends, in whatever way. Exit status: 0 done, 2 usage,\n"
	"3 this machine cannot, 4 the goal was not reached, 130 interrupted before it was.\n";

struct command {
	struct fragmenter fragmenter;
	bool hold, json;
	uint64_t hold_ns; /* 0: until a signal comes */
	struct wire wire; /* fd -1: nobody started us for a run */
	uint64_t begun_ns, told_ns;
	int told_tenth;
};

/* --- options ------------------------------------------------------------------------------- */

static int parse_goal(const char *text, double *goal, struct err *err)
{
	char *end;
	double value;

	errno = 0;
	value = strtod(text, &end);
	if (end != text && strcmp(end, "%") == 0) {
		value /= 100;
		end++;
	}
	if (end == text || *end || errno || !(value >= 0 && value < 1))
		return err_set(err, ERR_USAGE,
			       "--goal '%s': give a share such as 5%% or 0.05, below 100%%", text);
	*goal = value;
	return 0;
}

/* "0-1,3" */
static int parse_nodes(const char *text, uint64_t *mask, struct err *err)
{
	const char *at = text;

	*mask = 0;
	for (;;) {
		char *end;
		const unsigned long first = strtoul(at, &end, 10);
		unsigned long last = first;

		if (end == at || *at < '0' || *at > '9')
			break;
		if (*end == '-') {
			at = end + 1;
			last = strtoul(at, &end, 10);
			if (end == at || *at < '0' || *at > '9')
				break;
		}
		if (last < first || last >= BUDDY_NODES_MAX)
			break;
		for (unsigned long node = first; node <= last; node++)
			*mask |= UINT64_C(1) << node;
		if (*end == '\0')
			return 0;
		if (*end != ',')
			break;
		at = end + 1;
	}
	return err_set(err, ERR_USAGE,
		       "--nodes '%s': give node numbers below %d, such as 0 or 0-1,3", text,
		       BUDDY_NODES_MAX);
}

enum { NODES = 1, GOAL, EXHAUST, HOLD, HOLD_FOR, LIMIT, RESERVE, JSON, HELP };

static const struct option long_options[] = {
	{"nodes", required_argument, NULL, NODES},
	{"goal", required_argument, NULL, GOAL},
	{"exhaust", no_argument, NULL, EXHAUST},
	{"hold", no_argument, NULL, HOLD},
	{"hold-for", required_argument, NULL, HOLD_FOR},
	{"limit", required_argument, NULL, LIMIT},
	{"reserve", required_argument, NULL, RESERVE},
	{"json", no_argument, NULL, JSON},
	{"help", no_argument, NULL, HELP},
	{0},
};

static int take_option(struct command *command, int option, struct err *err)
{
	struct fragment_options *options = &command->fragmenter.options;

	switch (option) {
	case NODES:
		return parse_nodes(optarg, &options->nodes, err);
	case GOAL:
		return parse_goal(optarg, &options->goal, err);
	case EXHAUST:
		options->exhaust = true;
		return 0;
	case HOLD:
		command->hold = true;
		return 0;
	case HOLD_FOR:
		command->hold = true;
		return units_parse_duration(optarg, "--hold-for", &command->hold_ns, err);
	case LIMIT:
		if (units_parse_size(optarg, "--limit", &options->limit_bytes, err) != 0)
			return -1;
		return options->limit_bytes ? 0
					    : err_set(err, ERR_USAGE, "--limit 0: nothing to take");
	case RESERVE:
		return units_parse_size(optarg, "--reserve", &options->reserve_bytes, err);
	case JSON:
		command->json = true;
		return 0;
	default:
		return -1;
	}
}

static int parse(struct command *command, int argc, char **argv, struct err *err)
{
	int option;

	opterr = 0;
	while ((option = getopt_long(argc, argv, ":", long_options, NULL)) != -1) {
		if (option == HELP) {
			fputs(usage, stdout);
			exit(0);
		}
		if (option == ':')
			return err_set(err, ERR_USAGE, "%s takes a value; see fragment --help",
				       argv[optind - 1]);
		if (option == '?')
			return err_set(err, ERR_USAGE, "unknown option '%s'; see fragment --help",
				       argv[optind - 1]);
		if (take_option(command, option, err) != 0)
			return -1;
	}
	if (optind < argc)
		return err_set(err, ERR_USAGE, "unknown argument '%s'; see fragment --help",
			       argv[optind]);
	return 0;
}

/* --- telling ------------------------------------------------------------------------------- */

static void tell_harness(struct command *command, double done)
{
	json_t *message =
		json_pack("{s:s, s:s, s:f}", "msg", "progress", "phase", "fragment", "done", done);

	wire_send(&command->wire, message, NULL);
	json_decref(message);
}

static void tell_person(struct command *command, double done, uint64_t now_ns)
{
	const double spent = (double)(now_ns - command->begun_ns) / 1e9;
	const int tenth = (int)(done * 10);

	if (isatty(STDERR_FILENO)) {
		fprintf(stderr, "\rfragment: %3.0f%%", 100 * done);
		if (done > 0.05)
			fprintf(stderr, ", %.0f s left ", spent / done - spent);
	} else if (tenth > command->told_tenth) {
		fprintf(stderr, "fragment: %d%%\n", 10 * tenth);
		command->told_tenth = tenth;
	}
}

static int tick(void *context, double done, struct err *err)
{
	struct command *command = context;
	const uint64_t now_ns = deadline_now_ns();

	if (deadline_check_interrupt(err) != 0)
		return -1;
	if (now_ns - command->told_ns < TELL_NS)
		return 0;
	command->told_ns = now_ns;
	if (command->wire.fd >= 0)
		tell_harness(command, done);
	else
		tell_person(command, done, now_ns);
	return 0;
}

static void print_node(const struct fragment_node *node)
{
	char free_text[UNITS_TEXT_MAX], held[UNITS_TEXT_MAX];

	printf("node %d: %.1f%% of %s free was in large blocks, %.1f%% is; %llu blocks broken up, "
	       "%s held, %s",
	       node->node, 100 * buddy_share(&node->before),
	       units_format_size(node->before.free_bytes, free_text),
	       100 * buddy_share(&node->after), (unsigned long long)node->hold.blocks,
	       units_format_size(node->hold.blocks * node->hold.page_bytes, held),
	       node->hold.pinned == node->hold.blocks ? "pinned" : "not all pinned");
	if (node->stop != FRAGMENT_GOAL)
		printf("; stopped by: %s", fragment_stop_name(node->stop));
	putchar('\n');
}

static int report(struct command *command, struct err *err)
{
	const struct fragmenter *fragmenter = &command->fragmenter;
	json_t *object;
	int failed = 0;

	if (command->wire.fd < 0 && isatty(STDERR_FILENO))
		fputs("\r\033[K", stderr);
	if (!command->json) {
		for (int i = 0; i < fragmenter->nr_nodes; i++)
			print_node(&fragmenter->nodes[i]);
	} else {
		object = fragmenter_to_json(fragmenter);
		failed = json_dumpf(object, stdout, JSON_INDENT(2));
		putchar('\n');
		json_decref(object);
	}
	if (failed || fflush(stdout) != 0)
		return err_set_errno(err, ERR_INTERNAL, errno, "cannot write the report");
	return 0;
}

/* What went wrong where, for the one line of an error. */
static int judge(const struct fragmenter *fragmenter, struct err *err)
{
	for (int i = 0; i < fragmenter->nr_nodes; i++) {
		const struct fragment_node *node = &fragmenter->nodes[i];

		if (node->stop == FRAGMENT_GOAL || node->stop == FRAGMENT_LIMIT)
			continue;
		return err_set(err, ERR_RUN,
			       "node %d: %.1f%% of the free memory is still in large blocks, the "
			       "goal is %.1f%%; %s",
			       node->node, 100 * buddy_share(&node->after),
			       100 * fragmenter->options.goal,
			       node->stop == FRAGMENT_RESERVE
				       ? "going on would take from the reserve (--reserve)"
				       : "the kernel gives no more of them");
	}
	return 0;
}

/* --- holding ------------------------------------------------------------------------------- */

/* Until a signal comes or the time is over: both are the end that was asked for. */
static void hold(const struct command *command)
{
	const uint64_t begun_ns = deadline_now_ns();

	while (!interrupt_signal &&
	       (!command->hold_ns || deadline_now_ns() - begun_ns < command->hold_ns))
		poll(NULL, 0, INTERRUPT_SLICE_MS);
}

static int send(struct command *command, const char *name, struct err *err)
{
	json_t *message = fragmenter_to_json(&command->fragmenter);
	int failed;

	json_object_set_new(message, "msg", json_string(name));
	failed = wire_send(&command->wire, message, err);
	json_decref(message);
	return failed;
}

/* For the harness: holds until it says stop or is gone, and looks once more. */
static int hold_for_run(struct command *command, struct err *err)
{
	json_t *message = NULL;
	int got = 0;

	if (send(command, "ready", err) != 0)
		return -1;
	while (got == 0) {
		struct pollfd pfd = {.fd = command->wire.fd, .events = POLLIN};

		if (deadline_check_interrupt(err) != 0)
			return -1;
		if (poll(&pfd, 1, INTERRUPT_SLICE_MS) > 0)
			got = wire_receive(&command->wire, STOP_LINE_MS, &message, err) > 0 ? 1
											    : -1;
	}
	json_decref(message);
	if (got < 0)
		return err_set(err, ERR_RUN, "the harness is gone");
	return fragmenter_look(&command->fragmenter, err) != 0 ? -1 : send(command, "done", err);
}

/* If memory runs short after all, this process is the first to go, and all it holds with it. */
static void volunteer(void)
{
	const int fd = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);

	if (fd >= 0 && write(fd, "1000", 4) < 0)
		fputs("fragment: cannot raise its own oom_score_adj\n", stderr);
	if (fd >= 0)
		close(fd);
}

static int work(struct command *command, struct err *err)
{
	struct fragmenter *fragmenter = &command->fragmenter;

	if (fs_open(&fragmenter->fs, "/", err) != 0 || fragmenter_open(fragmenter, err) != 0 ||
	    fragmenter_run(fragmenter, err) != 0)
		return -1;
	if (command->wire.fd >= 0)
		return judge(fragmenter, err) != 0 ? -1 : hold_for_run(command, err);
	if (report(command, err) != 0 || judge(fragmenter, err) != 0)
		return -1;
	if (command->hold)
		hold(command);
	return 0;
}

static void complain(struct command *command, const struct err *err)
{
	json_t *message = json_pack("{s:s, s:i, s:s}", "msg", "error", "kind", (int)err->kind,
				    "text", err->text);

	wire_send(&command->wire, message, NULL);
	json_decref(message);
}

int main(int argc, char **argv)
{
	const char *wire = getenv(WIRE_ENV);
	struct command command = {
		.fragmenter = {.fs = {.root_fd = -1},
			       .options = {.goal = DEFAULT_GOAL, .reserve_bytes = DEFAULT_RESERVE},
			       .tick = tick},
		.wire = {.fd = -1},
		.begun_ns = deadline_now_ns(),
	};
	struct err err = {0};
	int status = 0;

	command.fragmenter.context = &command;
	interrupt_install();
	if (wire)
		wire_init(&command.wire, atoi(wire));
	volunteer();
	if (parse(&command, argc, argv, &err) != 0 || work(&command, &err) != 0) {
		if (command.wire.fd >= 0)
			complain(&command, &err);
		else if (isatty(STDERR_FILENO))
			fputs("\r\033[K", stderr);
		status = err_report("fragment", &err);
	}
	fragmenter_close(&command.fragmenter);
	fs_close(&command.fragmenter.fs);
	return status;
}
