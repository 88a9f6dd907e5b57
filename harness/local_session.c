// SPDX-License-Identifier: MIT
#include "harness/local_session.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/paths.h"
#include "harness/cpulist.h"
#include "harness/deadline.h"
#include "harness/driver_link.h"
#include "harness/model_link.h"
#include "harness/record.h"
#include "harness/scene.h"

#define END_GRACE_MS 2000
#define CPUS_MAX     TOPOLOGY_CPUS_MAX
#define LOG_OUTPUT   "driver-stdout.log"
#define LOG_MESSAGES "driver-stderr.log"

struct session {
	const struct local_session_input *input;
	json_t *record;
	struct scene scene;
	char log_path[PATHS_MAX];
	char phase[32]; /* what it does now, for the screen */
	struct child child;
	struct driver_link link;
	pid_t pids[SCENE_PIDS_MAX];
	int nr_pids;
	uint64_t arena_bytes;
	json_t *ready; /* the driver's message */
};

static void report(const struct session *session, const char *phase, double done)
{
	if (session->input->progress)
		session->input->progress(session->input->context, phase, done);
}

static void progress(void *context, const char *phase, double done)
{
	struct session *session = context;

	snprintf(session->phase, sizeof(session->phase), "%s", phase);
	model_link_progress(session->scene.model, phase, done);
	report(session, phase, done);
}

/* Keeps the time left on the screen up to date. */
static int tick(void *context, struct err *err)
{
	struct session *session = context;

	report(session, session->phase, -1);
	return interference_check(session->scene.interference, err);
}

static json_t *record_member(const struct session *session, const char *name)
{
	return json_object_get(session->record, name);
}

static int step_scene(struct session *session, struct err *err)
{
	const struct local_session_input *input = session->input;

	return scene_open(&session->scene, input->options, input->config, true, input->directory,
			  session->record, err);
}

static int step_settings(struct session *session, struct err *err)
{
	return scene_apply_settings(&session->scene, err);
}

static int step_fragment(struct session *session, struct err *err)
{
	return scene_fragment(&session->scene, deadline_after(session->input->options->timeout_ns),
			      progress, session, err);
}

/* "bind:0", "interleave:0-3", "first-touch", as the driver's --data-policy takes it; malloc'd. */
static char *data_policy_text(const struct placement *placement)
{
	static const char *const names[] = {
		[PLACE_FIRST_TOUCH] = "first-touch",
		[PLACE_BIND] = "bind",
		[PLACE_INTERLEAVE] = "interleave",
	};
	char *nodes = cpulist_format_nodes(placement->data_nodes), *text = NULL;
	const bool named = placement->data_policy != PLACE_FIRST_TOUCH;

	if (nodes && asprintf(&text, "%s%s%s", names[placement->data_policy], named ? ":" : "",
			      named ? nodes : "") < 0)
		text = NULL;
	free(nodes);
	return text;
}

static int open_log(const struct session *session, const char *name, struct err *err)
{
	char path[PATHS_MAX];
	int fd;

	snprintf(path, sizeof(path), "%s/%s", session->input->directory, name);
	fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
	return fd >= 0 ? fd : err_set_errno(err, ERR_MACHINE, errno, "cannot write '%s'", path);
}

static int start_driver(struct session *session, char **argv, struct err *err)
{
	struct child_spec spec = {
		.argv = argv,
		.wire = true,
		.stdout_fd = open_log(session, LOG_OUTPUT, err),
		.stderr_fd = open_log(session, LOG_MESSAGES, err),
	};
	int failed = -1;

	scene_place_child(&session->scene, &spec);
	if (spec.stdout_fd >= 0 && spec.stderr_fd >= 0)
		failed = child_start(&session->child, &spec, err);
	if (spec.stdout_fd >= 0)
		close(spec.stdout_fd);
	if (spec.stderr_fd >= 0)
		close(spec.stderr_fd);
	return failed;
}

static int step_start(struct session *session, struct err *err)
{
	const struct local_session_input *input = session->input;
	const struct scene *scene = &session->scene;
	const struct driver_plan *plan = input->plan;
	char *cpus = cpulist_format(scene->cpus, scene->nr_cpus);
	char *policy = data_policy_text(&scene->placement);
	char *thp = scene->placement.thp ? "always" : "never";
	char *placing[] = {"--data-policy", policy, "--cpus", cpus, "--thp", thp, NULL};
	char **argv = calloc((size_t)plan->nr_arguments + 16, sizeof(char *));
	int failed = -1;

	if (argv && cpus && policy) {
		argv[0] = (char *)input->driver;
		argv[1] = plan->workload;
		memcpy(argv + 2, plan->arguments, (size_t)plan->nr_arguments * sizeof(char *));
		memcpy(argv + 2 + plan->nr_arguments, placing, sizeof(placing));
		failed = start_driver(session, argv, err);
	} else {
		err_set(err, ERR_INTERNAL, "out of memory");
	}
	free(argv);
	free(cpus);
	free(policy);
	snprintf(session->log_path, sizeof(session->log_path), "%s/%s", input->directory,
		 LOG_MESSAGES);
	session->link = (struct driver_link){
		.name = "the driver",
		.child = &session->child,
		.stderr_path = session->log_path,
		.deadline = deadline_after(input->options->timeout_ns),
		.tick = tick,
		.progress = progress,
		.context = session,
	};
	return failed;
}

static int step_hello(struct session *session, struct err *err)
{
	json_t *hello, *workload = record_member(session, "workload");

	progress(session, "setup", -1);
	if (driver_link_expect(&session->link, "hello", &hello, err) != 0)
		return -1;
	json_object_set(workload, "options", json_object_get(hello, "options"));
	json_object_set(workload, "footprint_bytes", json_object_get(hello, "footprint_bytes"));
	json_decref(hello);
	return 0;
}

static int take_pids(struct session *session, const json_t *pids, struct err *err)
{
	const json_t *pid;
	size_t i;

	json_array_foreach (pids, i, pid) {
		if (!json_is_integer(pid) || session->nr_pids == SCENE_PIDS_MAX)
			break;
		session->pids[session->nr_pids++] = (pid_t)json_integer_value(pid);
	}
	if (session->nr_pids == 0 || (size_t)session->nr_pids != json_array_size(pids))
		return err_set(err, ERR_RUN, "the driver's 'ready' names no usable \"pids\"");
	return 0;
}

static int step_ready(struct session *session, struct err *err)
{
	const json_t *region;
	size_t i;

	if (driver_link_expect(&session->link, "ready", &session->ready, err) != 0 ||
	    take_pids(session, json_object_get(session->ready, "pids"), err) != 0)
		return -1;
	json_array_foreach (json_object_get(session->ready, "regions"), i, region) {
		session->arena_bytes +=
			(uint64_t)json_integer_value(json_object_get(region, "bytes"));
	}
	json_object_set(record_member(session, "workload"), "threads",
			json_object_get(session->ready, "threads"));
	record_phase(session->record, "setup",
		     (uint64_t)json_integer_value(json_object_get(session->ready, "setup_ns")));
	return 0;
}

static int step_migrate(struct session *session, struct err *err)
{
	const struct placement *placement = &session->scene.placement;
	json_t *answer;
	const char *status;
	int failed = 0;

	if (placement->migration != MIGRATION_MREMAP)
		return 0;
	progress(session, "migrate page tables", -1);
	if (scene_dump(&session->scene, VERIFY_BUILT, session->pids, session->nr_pids, err) != 0 ||
	    driver_link_send(&session->link, "migrate_tables",
			     json_pack("{s:i}", "node", placement->migration_node), err) != 0 ||
	    driver_link_expect(&session->link, "migrated", &answer, err) != 0)
		return -1;
	status = json_string_value(json_object_get(answer, "status"));
	if (!status || strcmp(status, "ok") != 0) {
		const char *reason = json_string_value(json_object_get(answer, "reason"));

		failed = err_set(err, ERR_RUN, "the page tables could not be moved to node %d: %s",
				 placement->migration_node, reason ? reason : "no reason given");
	}
	record_phase(session->record, "migrate",
		     (uint64_t)json_integer_value(json_object_get(answer, "duration_ns")));
	json_decref(answer);
	return failed;
}

static int step_dump_ready(struct session *session, struct err *err)
{
	return scene_dump(&session->scene, VERIFY_READY, session->pids, session->nr_pids, err);
}

static int add_cpus(const json_t *cpus, int *busy, int n)
{
	const json_t *cpu;
	size_t i;

	json_array_foreach (cpus, i, cpu) {
		if (n < CPUS_MAX)
			busy[n++] = (int)json_integer_value(cpu);
	}
	return n;
}

/* The rest of the machine makes way for the workload, or makes trouble for it. */
static int step_interfere(struct session *session, struct err *err)
{
	int busy[CPUS_MAX], n = 0;

	n = add_cpus(json_object_get(session->ready, "cpus"), busy, n);
	if (session->scene.model)
		scene_step_aside(&session->scene, busy, n);
	/* A server's clients shall not be disturbed; the model knows nothing of theirs. */
	n = add_cpus(json_object_get(session->ready, "client_cpus"), busy, n);
	return scene_start_interference(&session->scene, busy, n, session->link.deadline, err);
}

static int step_counters(struct session *session, struct err *err)
{
	return scene_open_counters(&session->scene, session->pids, session->nr_pids, err);
}

/* The body of `go`: what the model has to know, in the emulated machine. */
static int make_go(struct session *session, json_t **body, struct err *err)
{
	struct scene *scene = &session->scene;
	uint64_t root;
	int levels;

	*body = NULL;
	if (!scene->model)
		return 0;
	if (scene_root(scene, session->pids[0], &root, &levels, err) != 0)
		return -1;
	*body = json_pack("{s:o}", "model",
			  model_link_request(&scene->placement, &scene->topology, root, levels,
					     json_object_get(session->ready, "cpus")));
	return *body ? 0 : err_set(err, ERR_RUN, "the driver's 'ready' names no \"cpus\"");
}

/* A run under the model has the model's clock and counters or is no result at all. */
static int take_model(struct session *session, const json_t *roi_end, struct err *err)
{
	const json_t *model = json_object_get(roi_end, "model");
	const char *clock = json_string_value(json_object_get(roi_end, "clock"));

	if (!clock || strcmp(clock, "model") != 0 || !json_is_object(model))
		return err_set(err, ERR_RUN,
			       "the model of the emulated machine did not answer: the time of this "
			       "run would mean nothing");
	json_object_set_new(session->record, "counters", model_link_counters(model));
	return 0;
}

static int take_roi(struct session *session, const json_t *roi_end, struct err *err)
{
	const json_int_t roi_ns = json_integer_value(json_object_get(roi_end, "roi_ns"));
	const json_t *host_ns = json_object_get(roi_end, "host_ns");
	const char *clock = json_string_value(json_object_get(roi_end, "clock"));

	if (session->scene.model && take_model(session, roi_end, err) != 0)
		return -1;
	if (roi_ns <= 0 || !clock)
		return err_set(err, ERR_RUN,
			       "the driver's 'roi_end' has no \"roi_ns\" or \"clock\"");
	json_object_set_new(session->record, "runtime_ns", json_integer(roi_ns));
	json_object_set_new(session->record, "clock", json_string(clock));
	record_phase(session->record, "roi",
		     (uint64_t)(json_is_integer(host_ns) ? json_integer_value(host_ns) : roi_ns));
	return 0;
}

static int step_roi(struct session *session, struct err *err)
{
	struct scene *scene = &session->scene;
	json_t *body, *roi_end;
	int failed;

	progress(session, "roi", -1);
	if (make_go(session, &body, err) != 0)
		return -1;
	if (scene->counters && counters_start(scene->counters, err) != 0) {
		json_decref(body);
		return -1;
	}
	if (driver_link_send(&session->link, "go", body, err) != 0 ||
	    driver_link_expect(&session->link, "roi_end", &roi_end, err) != 0)
		return -1;
	failed = scene->counters ? counters_stop(scene->counters, err) : 0;
	if (!failed)
		failed = take_roi(session, roi_end, err);
	json_decref(roi_end);
	if (!failed && !scene->model)
		json_object_set_new(session->record, "counters", scene_counters_to_json(scene));
	return failed;
}

static int step_after(struct session *session, struct err *err)
{
	if (interference_check(session->scene.interference, err) != 0)
		return -1;
	if (scene_dump(&session->scene, VERIFY_DONE, session->pids, session->nr_pids, err) != 0)
		return -1;
	if (scene_stop_interference(&session->scene, err) != 0)
		return -1;
	return scene_stop_fragmentation(&session->scene, err);
}

static int check_done(struct session *session, struct err *err)
{
	const json_t *verification = record_member(session, "verification");
	const char *status = json_string_value(json_object_get(verification, "status"));
	const char *detail = json_string_value(json_object_get(verification, "detail"));

	if (!record_primary_metric(session->record))
		return err_set(err, ERR_RUN, "the driver's 'done' has no primary metric");
	if (!status)
		return err_set(err, ERR_RUN, "the driver's 'done' has no verification");
	if (strcmp(status, "fail") == 0)
		return err_set(err, ERR_RUN, "the workload did wrong work: %s",
			       detail ? detail : "its verification failed");
	return 0;
}

static int step_done(struct session *session, struct err *err)
{
	static const char *const members[] = {"metrics", "verification", "work", "series"};
	const uint64_t started_ns = deadline_now_ns();
	json_t *done;

	progress(session, "verify", -1);
	if (driver_link_send(&session->link, "continue", NULL, err) != 0 ||
	    driver_link_expect(&session->link, "done", &done, err) != 0)
		return -1;
	record_phase(session->record, "verify", deadline_now_ns() - started_ns);
	for (size_t i = 0; i < sizeof(members) / sizeof(members[0]); i++) {
		json_t *value = json_object_get(done, members[i]);

		if (value)
			json_object_set(session->record, members[i], value);
	}
	json_decref(done);
	if (check_done(session, err) != 0)
		return -1;
	return driver_link_wait_end(&session->link, err);
}

static int (*const steps[])(struct session *, struct err *) = {
	step_scene, step_settings, step_fragment,   step_start,     step_hello,
	step_ready, step_migrate,  step_dump_ready, step_interfere, step_counters,
	step_roi,   step_after,    step_done,
};

int local_session_run(const struct local_session_input *input, json_t *record, struct err *err)
{
	struct session *session = calloc(1, sizeof(*session));
	int failed = 0;

	if (!session)
		return err_set(err, ERR_INTERNAL, "out of memory");
	session->input = input;
	session->record = record;
	session->child = CHILD_NONE;
	session->scene.root.root_fd = -1;
	for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]) && !failed; i++) {
		failed = deadline_check_interrupt(err);
		if (!failed)
			failed = steps[i](session, err);
	}
	child_end(&session->child, END_GRACE_MS);
	/* What was seen of the placement belongs to the record of a failed run as well. */
	if (session->scene.have_topology &&
	    scene_verify(&session->scene, session->arena_bytes, failed ? NULL : err) != 0)
		failed = -1;
	if (scene_close(&session->scene, err) != 0)
		failed = -1;
	json_decref(session->ready);
	free(session);
	return failed;
}
