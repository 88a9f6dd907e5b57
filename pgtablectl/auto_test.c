// SPDX-License-Identifier: MIT
#include "pgtablectl/proc_fixture.h"

#include <unistd.h>

#include "harness/counters.h"
#include "pgtablectl/auto.h"

#define TABLES(nodes)                                                       \
	"nodes " nodes "\nfailed 0\nroot N0 master N0\nroot N1 master N0\n" \
	"L1 N0 master 4000 replica 0\nL4 N0 master 1 replica 0\n"

struct scene {
	struct proc_fixture fixture;
	struct auto_options options;
	struct auto_daemon daemon;
	double walks;
	uint64_t ticks, faults;
	char *log;
	size_t log_bytes;
};

static double given_walks(void *context, pid_t pid, struct counters **counters)
{
	const struct scene *scene = context;

	(void)pid;
	(void)counters;
	return scene->walks;
}

static void parse(struct auto_options *options, const char *line)
{
	static char words[16][64];
	char copy[512], *rest = copy, *argv[17] = {NULL};
	struct err err = {0};
	int argc = 0;

	snprintf(copy, sizeof(copy), "%s", line);
	for (char *word; (word = strsep(&rest, " ")) && argc < 16;) {
		snprintf(words[argc], sizeof(words[argc]), "%s", word);
		argv[argc] = words[argc];
		argc++;
	}
	assert_int_equal(auto_parse_options(options, argc, argv, &err), 0);
}

static void open_scene(struct scene *scene, const char *options)
{
	struct err err = {0};

	*scene = (struct scene){.walks = 0.4};
	proc_open(&scene->fixture);
	parse(&scene->options, options);
	scene->daemon.options = &scene->options;
	scene->daemon.fs = &scene->fixture.fs;
	scene->daemon.log = open_memstream(&scene->log, &scene->log_bytes);
	scene->daemon.walk_fraction = given_walks;
	scene->daemon.context = scene;
	assert_int_equal(sample_nodes_read(&scene->daemon.nodes, &scene->fixture.fs, &err), 0);
	proc_put(&scene->fixture, "/proc/50/pgtable_numa", TABLES("-"));
}

static void close_scene(struct scene *scene)
{
	auto_end(&scene->daemon);
	fclose(scene->daemon.log);
	free(scene->log);
	proc_close(&scene->fixture);
}

/* Another second of CPU time on both nodes, and one look. */
static void round_of(struct scene *scene)
{
	struct err err = {0};

	scene->ticks += 100;
	proc_put_process(&scene->fixture, 50, "gups", scene->faults,
			 (uint64_t[]){scene->ticks, scene->ticks}, (int[]){0, 2});
	assert_int_equal(auto_round(&scene->daemon, &err), 0);
}

static const char *file_of(const struct scene *scene, char text[256])
{
	assert_true(fs_read(&scene->fixture.fs, "/proc/50/pgtable_numa", text, 256) >= 0);
	return text;
}

static void three_looks_turn_it_on_and_the_end_off(void **state)
{
	struct scene scene;
	char text[256];

	(void)state;
	open_scene(&scene, "auto --names gups,other");
	round_of(&scene);
	round_of(&scene);
	assert_string_equal(file_of(&scene, text), "nodes -\nfailed 0\nroot N0 master N0\nroot N1 "
						   "master N0\nL1 N0 master 4000 replica 0\nL4 N0 "
						   "master 1 replica 0");
	round_of(&scene);
	assert_string_equal(file_of(&scene, text), "replicate 0-1");
	assert_non_null(
		strstr(scene.log, "gups (50): replicate 0-1: walks take 40% of cycles, 50%"));
	auto_end(&scene.daemon);
	assert_string_equal(file_of(&scene, text), "off");
	close_scene(&scene);
}

static void a_dry_run_only_tells(void **state)
{
	struct scene scene;
	char text[256];

	(void)state;
	open_scene(&scene, "auto --pids 50 --dry-run --votes 1");
	round_of(&scene);
	assert_non_null(strstr(scene.log, "would replicate 0-1"));
	assert_int_equal(strncmp(file_of(&scene, text), "nodes -", 7), 0);
	close_scene(&scene);
}

static void what_gains_no_more_is_turned_off(void **state)
{
	struct scene scene;
	char text[256];

	(void)state;
	open_scene(&scene, "auto --pids 50 --votes 2");
	round_of(&scene);
	round_of(&scene);
	assert_string_equal(file_of(&scene, text), "replicate 0-1");
	scene.walks = 0;
	for (int i = 0; i < 2; i++) {
		proc_put(&scene.fixture, "/proc/50/pgtable_numa", TABLES("0-1"));
		round_of(&scene);
	}
	assert_string_equal(file_of(&scene, text), "off");
	assert_non_null(strstr(scene.log, "off: gains too little"));
	close_scene(&scene);
}

/* Somebody else asked for it: not ours to take away. */
static void a_foreign_replication_stays(void **state)
{
	struct scene scene;
	char text[256];

	(void)state;
	open_scene(&scene, "auto --pids 50 --votes 1");
	proc_put(&scene.fixture, "/proc/50/pgtable_numa", TABLES("0-1"));
	scene.walks = 0;
	round_of(&scene);
	round_of(&scene);
	assert_int_equal(strncmp(file_of(&scene, text), "nodes 0-1", 9), 0);
	close_scene(&scene);
}

static void a_group_is_read_each_time(void **state)
{
	struct scene scene;
	struct err err = {0};
	pid_t *pids;
	int nr;

	(void)state;
	open_scene(&scene, "auto --cgroup work --pids 9");
	assert_int_equal(auto_select(&scene.options, &scene.fixture.fs, &pids, &nr, &err), -1);
	assert_int_equal(err.kind, ERR_MACHINE);
	proc_put(&scene.fixture, "/sys/fs/cgroup/work/cgroup.procs", "50\n7\n%d\n", getpid());
	assert_int_equal(auto_select(&scene.options, &scene.fixture.fs, &pids, &nr, &err), 0);
	assert_int_equal(nr, 3);
	assert_int_equal(pids[0], 7);
	assert_int_equal(pids[1], 9);
	assert_int_equal(pids[2], 50);
	free(pids);
	close_scene(&scene);
}

static void options_are_checked(void **state)
{
	static const char *const bad[] = {
		"auto",
		"auto --pids",
		"auto --pids 0",
		"auto --pids 1,x",
		"auto --names ,",
		"auto --names a-name-of-more-than-15-bytes",
		"auto --pids 1 --nodes 3-1",
		"auto --pids 1 --interval 1ms",
		"auto --pids 1 --votes 0",
		"auto --pids 1 --least-gain 101",
		"auto --pids 1 --assume-walks -1",
		"auto --pids 1 --least-tables x",
		"auto --pids 1 --nonsense",
		"auto --pids 1 extra",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		char copy[128], *rest = copy, *argv[8] = {NULL};
		struct auto_options options;
		struct err err = {0};
		int argc = 0;

		snprintf(copy, sizeof(copy), "%s", bad[i]);
		for (char *word; (word = strsep(&rest, " ")) && argc < 7;)
			argv[argc++] = word;
		assert_int_equal(auto_parse_options(&options, argc, argv, &err), -1);
		assert_int_equal(err.kind, ERR_USAGE);
		assert_null(strchr(err.text, '\n'));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(three_looks_turn_it_on_and_the_end_off),
		cmocka_unit_test(a_dry_run_only_tells),
		cmocka_unit_test(what_gains_no_more_is_turned_off),
		cmocka_unit_test(a_foreign_replication_stays),
		cmocka_unit_test(a_group_is_read_each_time),
		cmocka_unit_test(options_are_checked),
	};

	return cmocka_run_group_tests_name("auto", tests, NULL, NULL);
}
