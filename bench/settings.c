// SPDX-License-Identifier: MIT
#include "bench/settings.h"

#include <errno.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>

#include "bench/nearest.h"
#include "bench/numbers.h"
#include "common/fs.h"
#include "emulator/emulator.h"

enum {
	CPUS,
	THREADS,
	DATA_POLICY,
	PAGE_TABLE_NODE,
	THP,
	SEED,
	PRESET,
	SCALE,
	MEMORY,
	EMULATED,
	PLAN,
	JSON,
	HELP,
};

static const struct option rows[] = {
	[CPUS] = {.name = "cpus",
		  .type = OPTION_TEXT,
		  .help = "CPUs to run on, such as 0-3,8; default: all that this process may use"},
	[THREADS] = {.name = "threads",
		     .type = OPTION_INT,
		     .min = 1,
		     .max = TEAM_THREADS_MAX,
		     .help = "threads, pinned to the CPUs in turn; default: as published, or one "
			     "per CPU"},
	[DATA_POLICY] = {.name = "data-policy",
			 .type = OPTION_TEXT,
			 .native = "first-touch",
			 .help = "first-touch, bind:N or interleave:N,M"},
	[PAGE_TABLE_NODE] = {.name = "page-table-node",
			     .type = OPTION_INT,
			     .max = 63,
			     .help = "node of the page tables; the program restarts itself under "
				     "that policy"},
	[THP] = {.name = "thp",
		 .type = OPTION_CHOICE,
		 .native = "default",
		 .choices = "default|always|never",
		 .help = "huge pages for the data, by madvise"},
	[SEED] = {.name = "seed",
		  .type = OPTION_COUNT,
		  .native = "1",
		  .help = "of everything that is random"},
	[PRESET] = {.name = "preset",
		    .type = OPTION_TEXT,
		    .help = "a published set of arguments; options given as well win"},
	[SCALE] = {.name = "scale",
		   .type = OPTION_DOUBLE,
		   .native = "1",
		   .help = "divides the preset's amounts of memory"},
	[MEMORY] =
		{.name = "memory",
		 .type = OPTION_SIZE,
		 .help = "choose default sizes for this much memory; default: what is available"},
	[EMULATED] = {.name = "emulated",
		      .type = OPTION_FLAG,
		      .help = "the defaults of the emulated machine: seconds of modelled work"},
	[PLAN] = {.name = "plan",
		  .type = OPTION_FLAG,
		  .help = "print footprint and options as JSON, allocate nothing"},
	[JSON] = {.name = "json", .type = OPTION_FLAG, .help = "print the result as JSON"},
	[HELP] = {.name = "help", .type = OPTION_FLAG, .help = "print this"},
	{.name = NULL},
};

const struct option *settings_rows(void)
{
	return rows;
}

static bool given(const struct option_set *set, int index)
{
	return set->values[index].source == OPTION_USER;
}

/* --- CPUs and threads ----------------------------------------------------------------------- */

static int usable_cpus(struct settings *settings, struct err *err)
{
	cpu_set_t *set = CPU_ALLOC(TEAM_CPUS_MAX);
	const size_t size = CPU_ALLOC_SIZE(TEAM_CPUS_MAX);

	if (!set)
		return err_set(err, ERR_INTERNAL, "out of memory");
	if (sched_getaffinity(0, size, set) != 0) {
		CPU_FREE(set);
		return err_set_errno(err, ERR_MACHINE, errno, "cannot read the CPU affinity");
	}
	settings->nr_cpus = 0;
	for (int cpu = 0; cpu < TEAM_CPUS_MAX; cpu++)
		if (CPU_ISSET_S((size_t)cpu, size, set))
			settings->cpus[settings->nr_cpus++] = cpu;
	CPU_FREE(set);
	return 0;
}

static int resolve_cpus(struct settings *settings, struct err *err)
{
	const char *text = option_text(&settings->driver_options, CPUS);

	if (text) {
		settings->nr_cpus = numbers_parse(text, "--cpus", TEAM_CPUS_MAX, settings->cpus,
						  TEAM_CPUS_MAX, err);
		if (settings->nr_cpus < 0)
			return -1;
	} else if (usable_cpus(settings, err) != 0) {
		return -1;
	}
	settings->nr_threads = (int)option_u64(&settings->driver_options, THREADS);
	if (settings->nr_threads == 0)
		settings->nr_threads = settings->workload->published_threads;
	if (settings->nr_threads == 0)
		settings->nr_threads = settings->nr_cpus;
	return 0;
}

/* --- the team ------------------------------------------------------------------------------- */

/* How many of the CPUs the threads use. */
static int nr_used_cpus(const struct settings *settings)
{
	return settings->nr_cpus < settings->nr_threads ? settings->nr_cpus : settings->nr_threads;
}

static bool used_cpu(const struct settings *settings, int cpu)
{
	for (int i = 0; i < nr_used_cpus(settings); i++)
		if (settings->cpus[i] == cpu)
			return true;
	return false;
}

static void take_others(struct settings *settings, const int *cpus, int nr_cpus)
{
	for (int i = 0; i < nr_cpus; i++)
		if (!used_cpu(settings, cpus[i]))
			settings->team_cpus[settings->nr_team_cpus++] = cpus[i];
}

/* Clients stay off the server's CPUs: the rest of --cpus, else any other, else there is no choice.
 */
static int choose_client_cpus(struct settings *settings, struct err *err)
{
	int online[TEAM_CPUS_MAX], nr_online = 0;
	char text[4096];
	struct fs fs;

	if (settings->server.client_cpus) {
		settings->nr_team_cpus =
			numbers_parse(settings->server.client_cpus, "--client-cpus", TEAM_CPUS_MAX,
				      settings->team_cpus, TEAM_CPUS_MAX, err);
		return settings->nr_team_cpus < 0 ? -1 : 0;
	}
	take_others(settings, settings->cpus, settings->nr_cpus);
	if (settings->nr_team_cpus == 0 && fs_open(&fs, "/", err) == 0) {
		if (fs_read(&fs, "/sys/devices/system/cpu/online", text, sizeof(text)) > 0)
			nr_online = numbers_parse(text, "online CPUs", TEAM_CPUS_MAX, online,
						  TEAM_CPUS_MAX, NULL);
		take_others(settings, online, nr_online);
		fs_close(&fs);
	}
	for (int i = 0; settings->nr_team_cpus == 0 && i < nr_used_cpus(settings); i++)
		settings->team_cpus[i] = settings->cpus[i];
	if (settings->nr_team_cpus == 0)
		settings->nr_team_cpus = nr_used_cpus(settings);
	return 0;
}

static int resolve_team(struct settings *settings, struct err *err)
{
	const struct workload *workload = settings->workload;

	if (!workload->server) {
		settings->nr_team = settings->nr_threads;
		settings->nr_team_cpus = settings->nr_cpus;
		memcpy(settings->team_cpus, settings->cpus, sizeof(settings->team_cpus));
		return 0;
	}
	settings->has_server = true;
	if (workload->server(&settings->options, &settings->server, err) != 0)
		return -1;
	settings->nr_team = settings->server.nr_clients;
	return choose_client_cpus(settings, err);
}

/* The last-level caches of the CPUs together; 0 where sysfs does not tell. */
static uint64_t cache_bytes(const struct settings *settings, const struct fs *fs)
{
	static const char directory[] = "/sys/devices/system/cpu/cpu%d/cache/index%d/%s";
	bool seen[TEAM_CPUS_MAX] = {false};
	uint64_t sum = 0;

	for (int i = 0; i < settings->nr_cpus; i++) {
		for (int level = 3; level >= 1; level--) {
			char path[96], text[256];
			int first;
			long kib;

			snprintf(path, sizeof(path), directory, settings->cpus[i], level,
				 "shared_cpu_list");
			if (fs_read(fs, path, text, sizeof(text)) < 0)
				continue;
			first = atoi(text);
			snprintf(path, sizeof(path), directory, settings->cpus[i], level, "size");
			if (first < 0 || first >= TEAM_CPUS_MAX || seen[first] ||
			    fs_read(fs, path, text, sizeof(text)) < 0)
				break;
			seen[first] = true;
			kib = strtol(text, NULL, 10);
			sum += (uint64_t)(kib > 0 ? kib : 0) * 1024;
			break;
		}
	}
	return sum;
}

/* --- presets -------------------------------------------------------------------------------- */

static int resolve_preset(struct settings *settings, struct err *err)
{
	const char *name = option_text(&settings->driver_options, PRESET);
	const double scale = option_f64(&settings->driver_options, SCALE);
	const struct option_preset *preset = settings->workload->presets;
	struct nearest nearest;
	char hint[160];

	if (!(scale >= 1e-3 && scale <= 1e6))
		return err_set(err, ERR_USAGE, "--scale: %g is not between 0.001 and 1000000",
			       scale);
	if (!name)
		return 0;
	nearest_init(&nearest, name);
	for (; preset && preset->name; preset++) {
		if (strcmp(preset->name, name) == 0) {
			settings->preset = preset;
			return options_apply_preset(&settings->options, preset, scale, err);
		}
		nearest_offer(&nearest, preset->name);
	}
	return err_set(err, ERR_USAGE, "--preset: %s has no preset '%s'%s",
		       settings->workload->name, name,
		       nearest_text(&nearest, "", hint, sizeof(hint)));
}

/* --- all together --------------------------------------------------------------------------- */

static int resolve_machine(struct settings *settings, struct option_context *context,
			   struct err *err)
{
	struct fs fs;
	int failed = 0;

	if (fs_open(&fs, "/", err) != 0)
		return -1;
	settings->memory_bytes = option_u64(&settings->driver_options, MEMORY);
	if (settings->memory_bytes == 0)
		failed = arena_memory(&fs, &settings->policy, &settings->memory_bytes, err);
	*context = (struct option_context){.memory_bytes = settings->memory_bytes,
					   .cache_bytes = cache_bytes(settings, &fs),
					   .nr_threads = settings->nr_threads,
					   .emulated = settings->emulated};
	fs_close(&fs);
	return failed;
}

static int resolve_driver_options(struct settings *settings, struct err *err)
{
	const struct option_context none = {0};
	struct option_set *options = &settings->driver_options;

	if (options_default(options, &none, err) != 0 ||
	    arena_parse_policy(option_text(options, DATA_POLICY), &settings->policy, err) != 0)
		return -1;
	settings->policy.thp = (enum arena_thp)option_choice(options, THP);
	settings->page_table_node =
		given(options, PAGE_TABLE_NODE) ? (int)option_u64(options, PAGE_TABLE_NODE) : -1;
	settings->seed = option_u64(options, SEED);
	settings->modelled = getenv(EMULATOR_ENV) != NULL;
	settings->emulated = settings->modelled || option_flag(options, EMULATED);
	settings->plan = option_flag(options, PLAN);
	settings->json = option_flag(options, JSON);
	settings->help = option_flag(options, HELP);
	return 0;
}

int settings_resolve(struct settings *settings, const struct workload *workload, int argc,
		     char *const *argv, struct err *err)
{
	struct option_set *const sets[] = {&settings->options, &settings->driver_options};
	struct option_context context;

	*settings = (struct settings){.workload = workload};
	options_init(&settings->options, workload->options);
	options_init(&settings->driver_options, rows);
	if (options_parse(sets, 2, argc, argv, err) != 0 ||
	    resolve_driver_options(settings, err) != 0)
		return -1;
	if (settings->help)
		return 0;
	if (resolve_cpus(settings, err) != 0 || resolve_preset(settings, err) != 0 ||
	    resolve_machine(settings, &context, err) != 0 ||
	    options_default(&settings->options, &context, err) != 0)
		return -1;
	if (workload->check && workload->check(&settings->options, settings->nr_threads, err) != 0)
		return -1;
	if (resolve_team(settings, err) != 0)
		return -1;
	settings->endless = workload->endless && workload->endless(&settings->options);
	settings->footprint_bytes =
		workload->footprint_bytes(&settings->options, settings->nr_threads);
	return 0;
}
