// SPDX-License-Identifier: MIT
#include "harness/list.h"

#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/fs.h"
#include "common/paths.h"
#include "emulator/emulator.h"
#include "harness/topology.h"

extern char **environ;

/* Starts the program with its output in a pipe; the reading end, or -1. */
static int spawn_reader(char *const *argv, pid_t *pid, struct err *err)
{
	posix_spawn_file_actions_t actions;
	int ends[2], failed;

	if (pipe2(ends, O_CLOEXEC) != 0)
		return err_set_errno(err, ERR_INTERNAL, errno, "cannot make a pipe");
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO);
	failed = posix_spawn(pid, argv[0], &actions, NULL, argv, environ);
	posix_spawn_file_actions_destroy(&actions);
	close(ends[1]);
	if (failed == 0)
		return ends[0];
	close(ends[0]);
	return err_set_errno(err, ERR_INTERNAL, failed, "cannot start '%s'", argv[0]);
}

json_t *list_workloads(struct err *err)
{
	char program[PATHS_MAX];
	char *const argv[] = {program, "list", "--json", NULL};
	json_error_t where;
	json_t *array;
	int fd, status;
	pid_t pid;

	if (paths_program(program, "bench", err) != 0)
		return NULL;
	fd = spawn_reader(argv, &pid, err);
	if (fd < 0)
		return NULL;
	array = json_loadfd(fd, 0, &where);
	close(fd);
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		continue;
	if (json_is_array(array) && WIFEXITED(status) && WEXITSTATUS(status) == 0)
		return array;
	err_set(err, ERR_INTERNAL, "'%s list --json' did not print its workloads: %s", program,
		json_is_array(array) ? "it failed" : where.text);
	json_decref(array);
	return NULL;
}

json_t *list_configs(struct err *err)
{
	json_t *array = json_array();
	const struct config *config;
	char meaning[256];

	(void)err;
	for (int i = 0; (config = config_published(i)); i++)
		json_array_append_new(
			array,
			json_pack("{s:s, s:s, s:s, s:s, s:s}", "name", config->name, "family",
				  config_family_name(config->family), "meaning",
				  config_describe(config, meaning, sizeof(meaning)), "published",
				  config->published, "baseline", config->baseline));
	return array;
}

static json_t *native_machine(struct err *err)
{
	struct topology topology;
	uint64_t memory = 0;
	json_t *machine;
	struct fs fs;
	int failed;

	if (fs_open(&fs, "/", err) != 0)
		return NULL;
	failed = topology_read(&topology, &fs, err);
	fs_close(&fs);
	if (failed)
		return NULL;
	for (int i = 0; i < topology.nr_nodes; i++)
		memory += topology.nodes[i].memory_bytes;
	machine = json_pack("{s:s, s:s, s:i, s:i, s:i, s:I, s:o, s:b, s:n}", "name", "native",
			    "provenance", "measured", "nodes", topology.nr_nodes, "memory_nodes",
			    topology_memory_nodes(&topology), "cpus", topology.nr_cpus,
			    "memory_bytes", (json_int_t)memory, "summary",
			    json_sprintf("this machine: %s", topology.cpu_model), "usable", 1,
			    "reason");
	topology_free(&topology);
	return machine;
}

static json_t *emulated_machine(const char *profile, const struct err *unusable, struct err *err)
{
	const bool usable = unusable->kind == ERR_NONE;
	struct emulator_profile_info info;

	if (emulator_profile_info(profile, &info, err) != 0)
		return NULL;
	return json_pack("{s:o, s:s, s:i, s:i, s:i, s:n, s:s, s:b, s:o}", "name",
			 json_sprintf("emu:%s", profile), "provenance", "modelled", "nodes",
			 info.nr_nodes, "memory_nodes", info.nr_nodes, "cpus",
			 info.nr_nodes * info.cpus_per_node, "memory_bytes", "summary",
			 info.summary, "usable", usable, "reason",
			 usable ? json_null() : json_string(unusable->text));
}

static int add_machine(json_t *array, json_t *machine)
{
	return machine ? json_array_append_new(array, machine) : -1;
}

json_t *list_machines(struct err *err)
{
	json_t *array = json_array();
	json_t *profiles = emulator_profiles(err);
	struct err unusable = {0};
	json_t *profile;
	size_t i;
	int failed = profiles ? add_machine(array, native_machine(err)) : -1;

	if (!failed)
		(void)emulator_check(&unusable);
	json_array_foreach (profiles, i, profile)
		if (!failed)
			failed = add_machine(array, emulated_machine(json_string_value(profile),
								     &unusable, err));
	json_decref(profiles);
	if (!failed)
		return array;
	json_decref(array);
	return NULL;
}
