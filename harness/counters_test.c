// SPDX-License-Identifier: MIT
//
// The counters against a kernel of our own: it has as many counters, files and permissions as a
// test says, so that every answer of perf_event_open(2) can be had on any machine.
#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "harness/counters_set.h"

#define FAKE_FILES   8192
#define FAKE_THREADS 64
#define FIRST_FD     100
#define ENABLED_NS   1000000

struct fake_file {
	struct perf_event_attr attr;
	pid_t tid;
	int group_fd;
	bool open, enabled;
};

struct fake {
	struct perf_kernel kernel;
	struct fake_file files[FAKE_FILES];
	int nr_files, nr_open;
	/* What this kernel is like. */
	bool no_hardware, forbid_kernel_mode, forbid_all;
	int files_max, group_max, nr_threads, dead_tid, late_threads;
	int running_percent; /* time on a counter of the time enabled, for hardware events */
	int nr_scans;
};

static int fake_refusal(const struct fake *fake, const struct perf_event_attr *attr, pid_t tid,
			int group_fd)
{
	const bool hardware = attr->type != PERF_TYPE_SOFTWARE;
	int members = 1;

	for (int i = 0; group_fd >= 0 && i < fake->nr_files; i++)
		members += fake->files[i].open &&
			   (fake->files[i].group_fd == group_fd || i == group_fd - FIRST_FD);
	if (fake->forbid_all || (fake->forbid_kernel_mode && !attr->exclude_kernel))
		return EACCES;
	if (tid == fake->dead_tid)
		return ESRCH;
	if (hardware && fake->no_hardware)
		return ENOENT;
	if (fake->files_max && fake->nr_open >= fake->files_max)
		return EMFILE;
	return fake->group_max && members > fake->group_max ? EINVAL : 0;
}

static int fake_open(void *context, struct perf_event_attr *attr, pid_t tid, int cpu, int group_fd,
		     unsigned long flags)
{
	struct fake *fake = context;
	const int refusal = fake_refusal(fake, attr, tid, group_fd);

	assert_int_equal(cpu, -1);
	assert_int_equal(flags, PERF_FLAG_FD_CLOEXEC);
	assert_true(attr->inherit);
	assert_int_equal(attr->size, sizeof(*attr));
	assert_int_equal(attr->read_format,
			 PERF_FORMAT_TOTAL_TIME_ENABLED | PERF_FORMAT_TOTAL_TIME_RUNNING);
	assert_true(attr->disabled == (group_fd < 0));
	if (refusal) {
		errno = refusal;
		return -1;
	}
	assert_true(fake->nr_files < FAKE_FILES);
	fake->files[fake->nr_files] = (struct fake_file){*attr, tid, group_fd, true, false};
	fake->nr_open++;
	return FIRST_FD + fake->nr_files++;
}

static struct fake_file *fake_file(struct fake *fake, int fd)
{
	assert_in_range(fd, FIRST_FD, FIRST_FD + fake->nr_files - 1);
	assert_true(fake->files[fd - FIRST_FD].open);
	return &fake->files[fd - FIRST_FD];
}

/* Every thread counts 1000 of each event, and loses what it is not on a counter for. */
static ssize_t fake_read(void *context, int fd, void *data, size_t size)
{
	struct fake *fake = context;
	const struct fake_file *file = fake_file(fake, fd);
	const bool hardware = file->attr.type != PERF_TYPE_SOFTWARE;
	const uint64_t percent = hardware ? (uint64_t)fake->running_percent : 100;
	const uint64_t answer[3] = {1000 * percent / 100, ENABLED_NS, ENABLED_NS * percent / 100};

	assert_int_equal(size, sizeof(answer));
	memcpy(data, answer, sizeof(answer));
	return (ssize_t)sizeof(answer);
}

static int fake_control(void *context, int fd, unsigned long request)
{
	struct fake_file *file = fake_file(context, fd);

	assert_int_equal(file->group_fd, -1); /* groups are switched by their leaders */
	file->enabled = request == PERF_EVENT_IOC_ENABLE;
	return 0;
}

static int fake_close(void *context, int fd)
{
	struct fake *fake = context;

	fake_file(fake, fd)->open = false;
	fake->nr_open--;
	return 0;
}

/* Threads 1 to nr_threads of process 0, 1001 and on of process 1000, and so on. */
static int fake_threads(void *context, pid_t pid, pid_t **tids, int nr_tids)
{
	struct fake *fake = context;
	const int nr = fake->nr_threads + (fake->nr_scans++ ? fake->late_threads : 0);

	if (pid < 0) {
		errno = ENOENT;
		return -1;
	}
	*tids = realloc(*tids, (size_t)(nr_tids + nr + 1) * sizeof(pid_t));
	for (int i = 0; i < nr; i++)
		(*tids)[nr_tids + i] = pid + 1 + i;
	return nr;
}

static int setup(void **state)
{
	struct fake *fake = calloc(1, sizeof(*fake));

	fake->kernel = (struct perf_kernel){fake,         fake_open,  fake_read,
					    fake_control, fake_close, fake_threads};
	fake->nr_threads = 1;
	fake->running_percent = 100;
	fake->dead_tid = -1;
	*state = fake;
	return 0;
}

/* No descriptor may be left behind, whatever happened. */
static int teardown(void **state)
{
	const struct fake *fake = *state;
	const bool leak = fake->nr_open != 0;

	free(*state);
	return leak;
}

static const struct counter_cpu *cpu(const char *label)
{
	const struct counter_cpu *found;

	for (int i = 0; (found = counters_cpu_at(i)); i++)
		if (strcmp(found->label, label) == 0)
			return found;
	fail_msg("no CPU '%s'", label);
	return NULL;
}

static struct counters *open_ok(struct fake *fake, const char *label, const char *events)
{
	const struct counters_options options = {.events = events};
	const pid_t pids[] = {0};
	struct counters *counters;
	struct err err = {0};

	if (counters_open_with(&counters, &options, cpu(label), &fake->kernel, pids, 1, &err) != 0)
		fail_msg("%s", err.text);
	return counters;
}

static struct err open_fails(struct fake *fake, const char *label, const char *events, pid_t pid)
{
	const struct counters_options options = {.events = events};
	struct counters *counters;
	struct err err = {0};

	assert_int_equal(
		counters_open_with(&counters, &options, cpu(label), &fake->kernel, &pid, 1, &err),
		-1);
	assert_null(counters);
	return err;
}

/* Starts, stops, and writes the record. */
static json_t *count(struct counters *counters)
{
	struct err err = {0};
	json_t *record;

	assert_int_equal(counters_start(counters, &err), 0);
	assert_int_equal(counters_stop(counters, &err), 0);
	record = counters_to_json(counters);
	assert_non_null(record);
	return record;
}

static json_t *named(const json_t *record, const char *list, const char *name)
{
	json_t *entry;
	size_t i;

	json_array_foreach (json_object_get(record, list), i, entry) {
		if (strcmp(json_string_value(json_object_get(entry, "name")), name) == 0)
			return entry;
	}
	fail_msg("no '%s' in '%s'", name, list);
	return NULL;
}

static json_int_t event_integer(const json_t *record, const char *name, const char *member)
{
	const json_t *value = json_object_get(named(record, "events", name), member);

	assert_true(json_is_integer(value));
	return json_integer_value(value);
}

static const char *absent_reason(const json_t *record, const char *list, const char *name)
{
	const json_t *entry = named(record, list, name);

	assert_true(json_is_null(json_object_get(entry, "value")));
	return json_string_value(json_object_get(entry, "reason"));
}

static void finish(struct counters *counters, json_t *record)
{
	json_decref(record);
	counters_close(counters);
}

static const struct fake_file *opened(const struct fake *fake, uint32_t type, uint64_t config)
{
	for (int i = 0; i < fake->nr_files; i++)
		if (fake->files[i].attr.type == type && fake->files[i].attr.config == config)
			return &fake->files[i];
	fail_msg("type %u config %#lx was not opened", type, config);
	return NULL;
}

static void test_walk_cycles_are_of_the_same_moments_as_cycles(void **state)
{
	struct fake *fake = *state;
	struct counters *counters = open_ok(fake, "Intel Haswell-EP/EX", NULL);
	const struct fake_file *cycles = opened(fake, PERF_TYPE_HARDWARE, PERF_COUNT_HW_CPU_CYCLES);
	const int leader = FIRST_FD + (int)(cycles - fake->files);

	assert_int_equal(cycles->group_fd, -1);
	/* DTLB_LOAD_MISSES and DTLB_STORE_MISSES.WALK_DURATION: SDM 3B, 08H/10H and 49H/10H. */
	assert_int_equal(opened(fake, PERF_TYPE_RAW, 0x1008)->group_fd, leader);
	assert_int_equal(opened(fake, PERF_TYPE_RAW, 0x1049)->group_fd, leader);
	/* Page-walker loads are another group. */
	assert_int_not_equal(opened(fake, PERF_TYPE_RAW, 0x12bc)->group_fd, leader);
	counters_close(counters);
}

static void test_hardware_is_counted_in_user_mode_and_software_everywhere(void **state)
{
	struct fake *fake = *state;
	struct counters *counters = open_ok(fake, "Intel Ice Lake-SP", NULL);

	for (int i = 0; i < fake->nr_files; i++) {
		const struct perf_event_attr *attr = &fake->files[i].attr;

		assert_int_equal(attr->exclude_kernel, attr->type != PERF_TYPE_SOFTWARE);
		assert_false(attr->exclude_user);
	}
	counters_close(counters);
}

static void test_only_leaders_are_switched(void **state)
{
	struct fake *fake = *state;
	struct counters *counters = open_ok(fake, "AMD Zen 3", NULL);
	struct err err = {0};

	assert_int_equal(counters_start(counters, &err), 0);
	for (int i = 0; i < fake->nr_files; i++)
		assert_int_equal(fake->files[i].enabled, fake->files[i].group_fd < 0);
	assert_int_equal(counters_stop(counters, &err), 0);
	for (int i = 0; i < fake->nr_files; i++)
		assert_false(fake->files[i].enabled);
	counters_close(counters);
}

static void test_record_has_walk_fraction(void **state)
{
	struct counters *counters = open_ok(*state, "Intel Cascade Lake", NULL);
	json_t *record = count(counters);
	const json_t *fraction;

	assert_int_equal(event_integer(record, "cycles", "value"), 1000);
	assert_int_equal(event_integer(record, "walk_cycles", "value"), 2000);
	assert_int_equal(event_integer(record, "walk_cycles", "time_enabled_ns"), ENABLED_NS);
	fraction = named(record, "derived", "walk_fraction");
	assert_float_equal(json_real_value(json_object_get(fraction, "value")), 2.0, 1e-9);
	assert_string_equal(json_string_value(json_object_get(fraction, "formula")),
			    "walk_cycles / cycles");
	assert_float_equal(
		json_real_value(json_object_get(named(record, "derived", "dtlb_mpki"), "value")),
		2000.0, 1e-9);
	assert_string_equal(json_string_value(json_object_get(record, "source")), "perf_event");
	finish(counters, record);
}

static void test_multiplexed_counts_are_scaled_and_keep_both_times(void **state)
{
	struct fake *fake = *state;
	struct counters *counters = open_ok(fake, "Intel Skylake-SP", NULL);
	json_t *record;

	fake->running_percent = 25;
	record = count(counters);
	assert_int_equal(event_integer(record, "cycles", "value"), 1000);
	assert_int_equal(event_integer(record, "cycles", "raw_value"), 250);
	assert_int_equal(event_integer(record, "cycles", "time_enabled_ns"), ENABLED_NS);
	assert_int_equal(event_integer(record, "cycles", "time_running_ns"), ENABLED_NS / 4);
	assert_int_equal(event_integer(record, "task_clock", "time_running_ns"), ENABLED_NS);
	finish(counters, record);
}

static void test_an_event_without_a_counter_is_not_zero(void **state)
{
	struct fake *fake = *state;
	struct counters *counters = open_ok(fake, "Intel Skylake-SP", NULL);
	json_t *record;

	fake->running_percent = 0;
	record = count(counters);
	assert_non_null(strstr(absent_reason(record, "events", "cycles"), "never on a counter"));
	assert_non_null(strstr(absent_reason(record, "events", "walk_cycles"), "never on a"));
	assert_non_null(strstr(absent_reason(record, "derived", "walk_fraction"), "walk_cycles"));
	assert_int_equal(event_integer(record, "cycles", "time_enabled_ns"), ENABLED_NS);
	finish(counters, record);
}

static void test_amd_has_no_walk_cycles_and_says_so(void **state)
{
	struct counters *counters = open_ok(*state, "AMD Zen 4", NULL);
	json_t *record = count(counters);

	assert_non_null(
		strstr(absent_reason(record, "events", "walk_cycles"), "documents no event"));
	assert_non_null(strstr(counters_note(counters), "walk_cycles"));
	assert_int_equal(event_integer(record, "dtlb_misses", "value"), 1000);
	finish(counters, record);
}

static void test_without_hardware_software_remains(void **state)
{
	struct fake *fake = *state;
	struct counters *counters;
	json_t *record;

	fake->no_hardware = true;
	counters = open_ok(fake, "Intel Haswell", NULL);
	record = count(counters);
	assert_non_null(strstr(counters_note(counters), "no hardware counters"));
	assert_non_null(absent_reason(record, "events", "cycles"));
	assert_int_equal(event_integer(record, "minor_faults", "value"), 1000);
	assert_int_equal(event_integer(record, "context_switches", "value"), 1000);
	finish(counters, record);
}

static void test_without_kernel_mode_the_scheduler_is_absent(void **state)
{
	struct fake *fake = *state;
	struct counters *counters;
	json_t *record;

	fake->forbid_kernel_mode = true;
	counters = open_ok(fake, "Intel Haswell", NULL);
	record = count(counters);
	assert_non_null(strstr(absent_reason(record, "events", "context_switches"), "paranoid"));
	assert_int_equal(event_integer(record, "minor_faults", "value"), 1000);
	assert_string_equal(json_string_value(json_object_get(
				    named(record, "events", "minor_faults"), "scope")),
			    "user");
	assert_int_equal(event_integer(record, "cycles", "value"), 1000);
	finish(counters, record);
}

static void test_no_permission_at_all_is_an_error_with_a_remedy(void **state)
{
	struct fake *fake = *state;
	struct err err;

	fake->forbid_all = true;
	err = open_fails(fake, "Intel Haswell", NULL, 0);
	assert_int_equal(err.kind, ERR_MACHINE);
	assert_non_null(strstr(err.text, "perf_event_paranoid"));
}

static void test_every_thread_of_every_process_counts(void **state)
{
	struct fake *fake = *state;
	const struct counters_options options = {0};
	const pid_t pids[] = {0, 1000, 2000};
	struct counters *counters;
	struct err err = {0};
	json_t *record;

	fake->nr_threads = 50;
	assert_int_equal(counters_open_with(&counters, &options, cpu("AMD Zen 2"), &fake->kernel,
					    pids, 3, &err),
			 0);
	record = count(counters);
	assert_int_equal(event_integer(record, "cycles", "value"), 150000);
	assert_int_equal(event_integer(record, "cycles", "time_enabled_ns"), 150 * ENABLED_NS);
	/* Groups are per thread: a leader on one thread never leads another's. */
	for (int i = 0; i < fake->nr_files; i++)
		if (fake->files[i].group_fd >= 0)
			assert_int_equal(fake->files[i].tid,
					 fake->files[fake->files[i].group_fd - FIRST_FD].tid);
	finish(counters, record);
}

static void test_a_thread_that_ended_is_left_out(void **state)
{
	struct fake *fake = *state;
	struct counters *counters;
	json_t *record;

	fake->nr_threads = 4;
	fake->dead_tid = 3;
	counters = open_ok(fake, "AMD Zen 3", NULL);
	record = count(counters);
	assert_int_equal(event_integer(record, "cycles", "value"), 3000);
	finish(counters, record);
}

static void test_a_process_that_ended_is_an_error(void **state)
{
	struct err err = open_fails(*state, "AMD Zen 3", NULL, -5);

	assert_int_equal(err.kind, ERR_RUN);
	assert_non_null(strstr(err.text, "-5"));
}

/* 10 threads and 60 files: software events fit, the first hardware event fits, the rest does not.
 */
static void test_out_of_files_gives_up_hardware_events_whole(void **state)
{
	struct fake *fake = *state;
	struct counters *counters;
	json_t *record;

	fake->nr_threads = 10;
	fake->files_max = 65;
	counters = open_ok(fake, "AMD Zen 3", NULL);
	record = count(counters);
	assert_int_equal(event_integer(record, "cycles", "value"), 10000);
	assert_non_null(strstr(absent_reason(record, "events", "instructions"), "ulimit"));
	assert_int_equal(event_integer(record, "cpu_migrations", "value"), 10000);
	assert_non_null(strstr(counters_note(counters), "instructions"));
	finish(counters, record);
}

static void test_a_full_group_counts_the_rest_outside(void **state)
{
	struct fake *fake = *state;
	struct counters *counters;
	json_t *record;

	fake->group_max = 3;
	counters = open_ok(fake, "Intel Skylake", NULL);
	record = count(counters);
	assert_int_equal(event_integer(record, "dtlb_store_walk_cycles", "value"), 1000);
	assert_non_null(
		strstr(json_string_value(json_object_get(
			       named(record, "events", "dtlb_store_walk_cycles"), "reason")),
		       "outside its group"));
	finish(counters, record);
}

static void test_threads_born_meanwhile_are_confessed(void **state)
{
	struct fake *fake = *state;
	struct counters *counters;

	fake->late_threads = 2;
	counters = open_ok(fake, "Intel Haswell", NULL);
	assert_non_null(strstr(counters_note(counters), "2 threads started while"));
	counters_close(counters);
}

static void test_named_events_share_a_group_and_keep_their_names(void **state)
{
	struct fake *fake = *state;
	struct counters *counters =
		open_ok(fake, "Intel Skylake-SP",
			"cycles,page-faults, dtlb_load_misses.walk_pending ,r01c2");
	json_t *record = count(counters);
	const struct fake_file *cycles = opened(fake, PERF_TYPE_HARDWARE, PERF_COUNT_HW_CPU_CYCLES);
	const int leader = FIRST_FD + (int)(cycles - fake->files);

	assert_int_equal(opened(fake, PERF_TYPE_RAW, 0x1008)->group_fd, leader);
	assert_int_equal(opened(fake, PERF_TYPE_RAW, 0x01c2)->group_fd, leader);
	assert_int_equal(event_integer(record, "dtlb_load_misses.walk_pending", "value"), 1000);
	assert_int_equal(event_integer(record, "page-faults", "value"), 1000);
	assert_int_equal(event_integer(record, "r01c2", "value"), 1000);
	assert_int_equal(event_integer(record, "task_clock", "value"), 1000);
	finish(counters, record);
}

static void test_more_named_events_than_counters_make_more_groups(void **state)
{
	struct fake *fake = *state;
	struct counters *counters = open_ok(fake, "Intel Haswell", "r1,r2,r3,r4,r5,r6");

	assert_int_equal(opened(fake, PERF_TYPE_RAW, 1)->group_fd, -1);
	assert_int_not_equal(opened(fake, PERF_TYPE_RAW, 4)->group_fd, -1);
	assert_int_equal(opened(fake, PERF_TYPE_RAW, 5)->group_fd, -1);
	counters_close(counters);
}

static void test_a_named_sum_brings_its_terms(void **state)
{
	struct counters *counters = open_ok(*state, "Intel Broadwell", "walk_cycles,cycles");
	json_t *record = count(counters);

	assert_int_equal(event_integer(record, "walk_cycles", "value"), 2000);
	assert_float_equal(json_real_value(json_object_get(
				   named(record, "derived", "walk_fraction"), "value")),
			   2.0, 1e-9);
	finish(counters, record);
}

static void test_unknown_events_are_usage_errors(void **state)
{
	static const struct {
		const char *events, *says;
	} wrong[] = {
		{"task-clok", "TASK-CLOCK"},
		{"dtlb_load_misses.walk_activ", "DTLB_LOAD_MISSES:WALK_ACTIVE"},
		{"DTLB_LOAD_MISSES:WALK_DURATOIN", "DTLB_LOAD_MISSES:WALK_DURATION"},
		{"hsw::DTLB_LOAD_MISSES:WALK_DURATION", "no event of this machine"},
		{"cycles,,nonsense", "'nonsense'"},
		{"rxyz", "'rxyz'"},
		{"r", "'r'"},
		{"r11223344556677889", "'r11223344556677889'"},
		{"cycles:x", "'cycles:x'"},
		{",", "names no event"},
		{"", "names no event"},
		{" ", "names no event"},
		{"::", "'::'"},
		{"perf::", "'perf::'"},
	};

	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		const struct err err = open_fails(*state, "Intel Skylake-SP", wrong[i].events, 0);

		assert_int_equal(err.kind, ERR_USAGE);
		if (!strstr(err.text, wrong[i].says))
			fail_msg("'%s': '%s' does not name %s", wrong[i].events, err.text,
				 wrong[i].says);
	}
}

static void test_a_named_event_that_cannot_be_counted_is_an_error(void **state)
{
	struct fake *fake = *state;
	struct err err;

	fake->no_hardware = true;
	err = open_fails(fake, "Intel Skylake-SP", "r01c2,page-faults", 0);
	assert_int_equal(err.kind, ERR_MACHINE);
	assert_non_null(strstr(err.text, "r01c2"));
}

static void test_no_counters_on_request(void **state)
{
	const struct counters_options options = {.backend = COUNTERS_NONE};
	struct fake *fake = *state;
	const pid_t pid = 0;
	struct counters *counters;
	struct err err = {0};
	json_t *record;

	assert_int_equal(counters_open_with(&counters, &options, cpu("AMD Zen 3"), &fake->kernel,
					    &pid, 1, &err),
			 0);
	record = count(counters);
	assert_string_equal(json_string_value(json_object_get(record, "source")), "none");
	assert_int_equal(json_array_size(json_object_get(record, "events")), 0);
	assert_int_equal(fake->nr_files, 0);
	finish(counters, record);
}

#define TOUCHED_PAGES 2000

/* Waits for a byte, touches fresh pages, answers, and waits to be killed. */
static _Noreturn void child_touch_pages(int from_parent, int to_parent)
{
	const size_t page = (size_t)sysconf(_SC_PAGESIZE);
	char *memory = mmap(NULL, TOUCHED_PAGES * page, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	char byte;

	/* A failed assertion must not leave this process behind. */
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	madvise(memory, TOUCHED_PAGES * page, MADV_NOHUGEPAGE);
	if (read(from_parent, &byte, 1) == 1)
		for (size_t i = 0; i < TOUCHED_PAGES; i++)
			memory[i * page] = 1;
	if (write(to_parent, "x", 1) == 1)
		pause();
	_exit(0);
}

/* The real kernel: faults of a child between start and stop, and only those. */
static void test_page_faults_of_a_real_process(void **state)
{
	const struct counters_options options = {.events = "page-faults"};
	int go[2], done[2];
	struct counters *counters;
	struct err err = {0};
	json_t *record;
	char byte;
	pid_t pid;

	(void)state;
	assert_int_equal(pipe(go) | pipe(done), 0);
	pid = fork();
	if (pid == 0)
		child_touch_pages(go[0], done[1]);
	if (counters_open_with(&counters, &options, cpu("unknown CPU"), &perf_kernel_linux, &pid, 1,
			       &err) != 0) {
		kill(pid, SIGKILL);
		waitpid(pid, NULL, 0);
		print_message("%s\n", err.text);
		skip();
	}
	assert_int_equal(counters_start(counters, &err), 0);
	assert_int_equal(write(go[1], "x", 1), 1);
	assert_int_equal(read(done[0], &byte, 1), 1);
	assert_int_equal(counters_stop(counters, &err), 0);
	record = counters_to_json(counters);
	assert_in_range(event_integer(record, "page-faults", "value"), TOUCHED_PAGES,
			2 * TOUCHED_PAGES); /* a sanitizer touches pages of its own */
	assert_in_range(event_integer(record, "task_clock", "value"), 1, 10000000000);
	finish(counters, record);
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	close(go[0]);
	close(go[1]);
	close(done[0]);
	close(done[1]);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_walk_cycles_are_of_the_same_moments_as_cycles),
		TEST(test_hardware_is_counted_in_user_mode_and_software_everywhere),
		TEST(test_only_leaders_are_switched),
		TEST(test_record_has_walk_fraction),
		TEST(test_multiplexed_counts_are_scaled_and_keep_both_times),
		TEST(test_an_event_without_a_counter_is_not_zero),
		TEST(test_amd_has_no_walk_cycles_and_says_so),
		TEST(test_without_hardware_software_remains),
		TEST(test_without_kernel_mode_the_scheduler_is_absent),
		TEST(test_no_permission_at_all_is_an_error_with_a_remedy),
		TEST(test_every_thread_of_every_process_counts),
		TEST(test_a_thread_that_ended_is_left_out),
		TEST(test_a_process_that_ended_is_an_error),
		TEST(test_out_of_files_gives_up_hardware_events_whole),
		TEST(test_a_full_group_counts_the_rest_outside),
		TEST(test_threads_born_meanwhile_are_confessed),
		TEST(test_named_events_share_a_group_and_keep_their_names),
		TEST(test_more_named_events_than_counters_make_more_groups),
		TEST(test_a_named_sum_brings_its_terms),
		TEST(test_unknown_events_are_usage_errors),
		TEST(test_a_named_event_that_cannot_be_counted_is_an_error),
		TEST(test_no_counters_on_request),
		TEST(test_page_faults_of_a_real_process),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
