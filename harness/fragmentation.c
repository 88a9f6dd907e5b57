// SPDX-License-Identifier: MIT
#include "harness/fragmentation.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "common/paths.h"
#include "harness/child.h"
#include "harness/cpulist.h"

#define STOP_NS      UINT64_C(10000000000)
#define END_GRACE_MS 1000
#define LOG_NAME     "fragment.log"
#define GOAL         "1%" /* of free memory: little beside what a workload takes */

struct fragmentation {
	char log_path[PATHS_MAX];
	struct child child;
	struct driver_link link;
	json_t *ready;
};

bool fragmentation_available(void)
{
	char program[PATHS_MAX];

	return paths_program(program, "fragment", NULL) == 0;
}

static int spawn(struct fragmentation *fragmentation, uint64_t node_mask, struct err *err)
{
	char program[PATHS_MAX];
	char *nodes = cpulist_format_nodes(node_mask);
	char *argv[] = {program, "--nodes", nodes, "--goal", GOAL, "--exhaust", NULL};
	struct child_spec spec = {.argv = argv, .wire = true};
	int failed = -1;

	spec.stdout_fd =
		open(fragmentation->log_path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
	spec.stderr_fd = spec.stdout_fd;
	if (!nodes)
		err_set(err, ERR_INTERNAL, "out of memory");
	else if (spec.stdout_fd < 0)
		err_set_errno(err, ERR_MACHINE, errno, "cannot write '%s'",
			      fragmentation->log_path);
	else if (paths_program(program, "fragment", err) == 0)
		failed = child_start(&fragmentation->child, &spec, err);
	if (spec.stdout_fd >= 0)
		close(spec.stdout_fd);
	free(nodes);
	return failed;
}

int fragmentation_start(struct fragmentation **result, const struct fragmentation_spec *spec,
			struct err *err)
{
	struct fragmentation *fragmentation = calloc(1, sizeof(*fragmentation));

	if (!fragmentation)
		return err_set(err, ERR_INTERNAL, "out of memory");
	fragmentation->child = CHILD_NONE;
	snprintf(fragmentation->log_path, sizeof(fragmentation->log_path), "%s/%s",
		 spec->log_directory, LOG_NAME);
	fragmentation->link = (struct driver_link){
		.name = "the fragmenter of memory",
		.child = &fragmentation->child,
		.stderr_path = fragmentation->log_path,
		.deadline = spec->deadline,
		.progress = spec->progress,
		.context = spec->context,
	};
	if (spawn(fragmentation, spec->nodes, err) != 0 ||
	    driver_link_expect(&fragmentation->link, "ready", &fragmentation->ready, err) != 0) {
		fragmentation_close(fragmentation);
		return -1;
	}
	*result = fragmentation;
	return 0;
}

static const json_t *node_of(const json_t *report, json_int_t number)
{
	const json_t *node;
	size_t i;

	json_array_foreach (json_object_get(report, "nodes"), i, node) {
		if (json_integer_value(json_object_get(node, "node")) == number)
			return node;
	}
	return NULL;
}

static double bytes_after(const json_t *node, const char *name)
{
	return json_number_value(json_object_get(json_object_get(node, "after"), name));
}

/*
 * The workload takes small blocks first, so the share of large ones rises although none came back:
 * what counts is how much of the memory that was free before it ran is in large blocks now.
 */
void fragmentation_judge(const json_t *ready, const json_t *done, char off[FRAGMENTATION_TEXT_MAX])
{
	const double goal = json_number_value(json_object_get(ready, "goal"));
	const json_t *before;
	size_t i;

	off[0] = '\0';
	json_array_foreach (json_object_get(ready, "nodes"), i, before) {
		const json_int_t number = json_integer_value(json_object_get(before, "node"));
		const json_t *after = node_of(done, number);
		const double free_bytes = bytes_after(before, "free_bytes");
		const double share =
			free_bytes > 0 ? bytes_after(after, "large_bytes") / free_bytes : 0;

		if (after && share <= goal)
			continue;
		snprintf(off, FRAGMENTATION_TEXT_MAX,
			 "%.1f%% of the memory of node %d that was free when the run began was in "
			 "large blocks again when it ended, the goal is %.1f%%",
			 100 * share, (int)number, 100 * goal);
		return;
	}
}

int fragmentation_stop(struct fragmentation *fragmentation, json_t **record,
		       char off[FRAGMENTATION_TEXT_MAX], struct err *err)
{
	json_t *done = NULL;
	int failed;

	fragmentation->link.deadline = deadline_after(STOP_NS);
	failed = driver_link_send(&fragmentation->link, "stop", NULL, err) != 0 ||
		 driver_link_expect(&fragmentation->link, "done", &done, err) != 0;
	child_end(&fragmentation->child, END_GRACE_MS);
	off[0] = '\0';
	if (!failed)
		fragmentation_judge(fragmentation->ready, done, off);
	json_object_del(fragmentation->ready, "msg");
	json_object_del(done, "msg");
	*record = json_pack("{s:s, s:s, s:O, s:o}", "status", failed || off[0] ? "off" : "ok",
			    "detail",
			    failed   ? "the fragmenter died while the workload ran"
			    : off[0] ? off
				     : "few large blocks were free before and after the run",
			    "ready", fragmentation->ready, "done", done ? done : json_null());
	return failed ? -1 : 0;
}

void fragmentation_close(struct fragmentation *fragmentation)
{
	if (!fragmentation)
		return;
	child_end(&fragmentation->child, END_GRACE_MS);
	json_decref(fragmentation->ready);
	free(fragmentation);
}
