// SPDX-License-Identifier: MIT
#include "harness/driver_plan.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "common/paths.h"
#include "harness/child.h"
#include "harness/deadline.h"

#define PLAN_TIMEOUT_MS       30000
#define EXTRA_WORDS           16
#define EMULATED_MEMORY_BYTES (UINT64_C(2) << 30)

static int add_word(struct driver_plan *plan, const char *word)
{
	plan->arguments[plan->nr_arguments] = strdup(word);
	return plan->arguments[plan->nr_arguments++] ? 0 : -1;
}

static int add_number(struct driver_plan *plan, const char *option, uint64_t value)
{
	char number[24];

	snprintf(number, sizeof(number), "%" PRIu64, value);
	return add_word(plan, option) != 0 || add_word(plan, number) != 0 ? -1 : 0;
}

static bool given(const struct run_options *options, const char *name)
{
	const size_t length = strlen(name);

	for (int i = 0; i < options->nr_rest; i++) {
		const char *word = options->rest[i];

		if (strncmp(word, name, length) == 0 && strchr("=", word[length]))
			return true;
	}
	return false;
}

static int collect_arguments(struct driver_plan *plan, const struct run_options *options,
			     struct err *err)
{
	int failed = 0;

	plan->arguments = calloc((size_t)options->nr_rest + EXTRA_WORDS, sizeof(char *));
	if (!plan->arguments)
		return err_set(err, ERR_INTERNAL, "out of memory");
	for (int i = 0; i < options->nr_rest && !failed; i++)
		failed = add_word(plan, options->rest[i]);
	if (!failed && options->have_seed)
		failed = add_number(plan, "--seed", options->seed);
	if (!failed)
		failed = add_number(plan, "--threads",
				    options->threads ? (uint64_t)options->threads : 1);
	if (!failed && options->scale > 0 && given(options, "--preset")) {
		char scale[32];

		/* A preset is shrunk by what the caches are shrunk by. */
		snprintf(scale, sizeof(scale), "%.17g", options->scale);
		failed = add_word(plan, "--scale") != 0 || add_word(plan, scale) != 0 ? -1 : 0;
	}
	plan->nr_given = plan->nr_arguments;
	return failed ? err_set(err, ERR_INTERNAL, "out of memory") : 0;
}

static char *read_back(int fd)
{
	const off_t length = lseek(fd, 0, SEEK_END);
	char *text = length >= 0 ? calloc(1, (size_t)length + 1) : NULL;

	if (text && pread(fd, text, (size_t)length, 0) != length)
		text[0] = '\0';
	return text;
}

/* The driver's last line without its "bench: ", with a hint if one of our options was misspelt. */
static int refuse(const struct driver_plan *plan, const struct run_options *options, char *said,
		  int status, struct err *err)
{
	const char *hint = NULL, *line;

	said[strcspn(said, "\n")] = '\0';
	line = strncmp(said, "bench: ", 7) == 0 ? said + 7 : said;
	for (int i = 0; i < options->nr_rest && !hint; i++) {
		if (strncmp(options->rest[i], "--", 2) == 0 && strstr(line, options->rest[i]))
			hint = run_options_suggest(options->rest[i]);
	}
	if (!*line)
		line = "the driver refused it and did not say why";
	return err_set(err,
		       status == ERR_USAGE || status == ERR_MACHINE ? (enum err_kind)status
								    : ERR_INTERNAL,
		       "%s: %s%s%s%s", plan->workload, line,
		       hint ? " (harness run itself has " : "", hint ? hint : "", hint ? ")" : "");
}

static int understand(struct driver_plan *plan, const char *text, struct err *err)
{
	json_error_t error;

	plan->json = json_loads(text, JSON_REJECT_DUPLICATES, &error);
	if (!json_is_object(plan->json) ||
	    !json_is_integer(json_object_get(plan->json, "footprint_bytes")))
		return err_set(err, ERR_INTERNAL, "the driver's plan of '%s' is no plan: %.60s",
			       plan->workload, text);
	plan->footprint_bytes =
		(uint64_t)json_integer_value(json_object_get(plan->json, "footprint_bytes"));
	plan->published_footprint_bytes = (uint64_t)json_integer_value(
		json_object_get(plan->json, "published_footprint_bytes"));
	return 0;
}

static int wait_plan(struct child *child, struct err *err)
{
	const struct deadline deadline = deadline_after(PLAN_TIMEOUT_MS * UINT64_C(1000000));
	int left_ms, failed = 0;

	while (!failed && (left_ms = deadline_left_ms(&deadline, 100)) > 0) {
		if (child_wait(child, left_ms))
			return 0;
		failed = deadline_check_interrupt(err);
	}
	return failed ? -1
		      : err_set(err, ERR_INTERNAL, "the driver did not answer --plan within %d s",
				PLAN_TIMEOUT_MS / 1000);
}

static int ask(struct driver_plan *plan, const struct run_options *options, char **argv,
	       const int fds[2], struct err *err)
{
	const struct child_spec spec = {
		.argv = argv, .stdout_fd = fds[0], .stderr_fd = fds[1], .nr_cpus = 0};
	struct child child;
	char how[CHILD_TEXT_MAX];
	char *text;
	int failed;

	if (child_start(&child, &spec, err) != 0)
		return -1;
	failed = wait_plan(&child, err);
	child_end(&child, 0);
	if (failed)
		return -1;
	text = read_back(child.status ? fds[1] : fds[0]);
	if (!text)
		return err_set(err, ERR_INTERNAL, "out of memory");
	if (child.status & 0x7f)
		failed = err_set(err, ERR_INTERNAL, "the driver was %s when it planned '%s'",
				 child_describe(child.status, how), plan->workload);
	else if (child.status)
		failed = refuse(plan, options, text, child.status >> 8, err);
	else
		failed = understand(plan, text, err);
	free(text);
	return failed;
}

static int run_driver(struct driver_plan *plan, const struct run_options *options, struct err *err)
{
	char program[PATHS_MAX], flag[] = "--plan";
	char **argv = calloc((size_t)plan->nr_arguments + 4, sizeof(char *));
	const int fds[2] = {memfd_create("plan", MFD_CLOEXEC),
			    memfd_create("messages", MFD_CLOEXEC)};
	int failed = -1;

	if (!argv || fds[0] < 0 || fds[1] < 0) {
		err_set_errno(err, ERR_INTERNAL, errno, "cannot ask the driver");
	} else if (paths_program(program, "bench", err) == 0) {
		argv[0] = program;
		argv[1] = plan->workload;
		memcpy(argv + 2, plan->arguments, (size_t)plan->nr_arguments * sizeof(char *));
		argv[plan->nr_arguments + 2] = flag;
		failed = ask(plan, options, argv, fds, err);
	}
	for (int i = 0; i < 2; i++) {
		if (fds[i] >= 0)
			close(fds[i]);
	}
	free(argv);
	return failed;
}

/* "interleave:0,1": the driver then plans with the emptiest node times their number. */
static int add_all_nodes(struct driver_plan *plan, const struct topology *topology)
{
	char policy[sizeof("interleave:") + TOPOLOGY_NODES_MAX * 4] = "interleave:";
	size_t used = strlen(policy);
	int n = 0;

	for (int i = 0; i < topology->nr_nodes; i++) {
		if (topology->nodes[i].memory_bytes > 0)
			used += (size_t)snprintf(policy + used, sizeof(policy) - used, "%s%d",
						 n++ ? "," : "", topology->nodes[i].id);
	}
	return add_word(plan, "--data-policy") != 0 || add_word(plan, policy) != 0 ? -1 : 0;
}

static void drop_words(struct driver_plan *plan, int from)
{
	while (plan->nr_arguments > from)
		free(plan->arguments[--plan->nr_arguments]);
	plan->arguments[from] = NULL;
}

/* Settles --memory, which default sizes follow, unless the user has. */
static int settle_memory(struct driver_plan *plan, const struct run_options *options,
			 const struct driver_plan_target *target, struct err *err)
{
	const struct topology *topology = target->topology;
	uint64_t memory_bytes = EMULATED_MEMORY_BYTES;
	int failed = 0;

	if (!target->emulated) {
		if (add_all_nodes(plan, topology) != 0)
			return err_set(err, ERR_INTERNAL, "out of memory");
		if (run_driver(plan, options, err) != 0)
			return -1;
		memory_bytes =
			(uint64_t)json_integer_value(json_object_get(plan->json, "memory_bytes"));
		if (target->one_node)
			memory_bytes /= (uint64_t)topology_memory_nodes(topology);
		json_decref(plan->json);
		plan->json = NULL;
		drop_words(plan, plan->nr_given);
	} else {
		failed = add_word(plan, "--emulated");
	}
	if (!failed && !given(options, "--memory"))
		failed = add_number(plan, "--memory", memory_bytes);
	return failed ? err_set(err, ERR_INTERNAL, "out of memory") : 0;
}

int driver_plan_make(struct driver_plan *plan, const char *workload,
		     const struct run_options *options, const struct driver_plan_target *target,
		     struct err *err)
{
	*plan = (struct driver_plan){.workload = strdup(workload)};
	if (plan->workload && collect_arguments(plan, options, err) == 0 &&
	    settle_memory(plan, options, target, err) == 0 && run_driver(plan, options, err) == 0)
		return 0;
	driver_plan_free(plan);
	return err_set(err, ERR_INTERNAL, "out of memory");
}

void driver_plan_describe(const struct driver_plan *plan, json_t *record)
{
	static const char *const members[] = {"options", "seed", "threads", "footprint_bytes",
					      "preset"};
	json_t *workload = json_object_get(record, "workload");

	for (size_t i = 0; i < sizeof(members) / sizeof(members[0]); i++) {
		json_t *value = json_object_get(plan->json, members[i]);

		if (value)
			json_object_set(workload, members[i], value);
	}
}

void driver_plan_free(struct driver_plan *plan)
{
	for (int i = 0; i < plan->nr_arguments; i++)
		free(plan->arguments[i]);
	free(plan->arguments);
	free(plan->workload);
	json_decref(plan->json);
	*plan = (struct driver_plan){0};
}
