// SPDX-License-Identifier: MIT
#include "emulator/host.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "emulator/emulator.h"
#include "emulator/layout.h"
#include "emulator/qemu.h"

#define PROFILE_FOLDER  "emulator/profiles"
#define KERNEL_FOLDER   "kernel"
#define PLUGIN          "bin/emu_model.so"
#define CHECK_FOOTPRINT (UINT64_C(256) << 20) /* of the smallest run that is worth it */

/*
 * An ELF kernel starts at its PVH entry and saves two seconds of decompression, but only the
 * compressed image's stub can switch to five-level page tables.
 */
static int find_in(struct host *host, const struct profile *profile, const char *folder,
		   struct err *err)
{
	static const char *const names[] = {"vmlinux", "vmlinuz"};
	char path[PATHS_MAX];

	for (size_t i = profile->la57 ? 1 : 0; i < sizeof(names) / sizeof(names[0]); i++) {
		snprintf(path, sizeof(path), "precompiled/%s/%s", folder, names[i]);
		if (paths_file(host->kernel, path, err) != 0)
			return -1;
		if (access(host->kernel, R_OK) == 0)
			return 0;
	}
	return 1;
}

/* A word is a variant that scripts/build-kernel made: "mitosis" is precompiled/kernel-mitosis. */
static int find_variant(struct host *host, const struct profile *profile, const char *name,
			struct err *err)
{
	char folder[128];
	int found;

	snprintf(folder, sizeof(folder), "kernel-%.100s", name);
	found = find_in(host, profile, folder, err);
	if (found <= 0)
		return found;
	if (strcmp(name, "mitosis") == 0)
		return err_set(err, ERR_MACHINE,
			       "--kernel mitosis: it is not built; run 'make kernel'");
	return err_set(err, ERR_USAGE,
		       "--kernel %.100s: neither a file nor a variant in precompiled/ "
		       "(scripts/build-kernel --variant)",
		       name);
}

static int find_kernel(struct host *host, const struct profile *profile, const char *given,
		       struct err *err)
{
	int found;

	if (given && !strchr(given, '/') && access(given, R_OK) != 0)
		return find_variant(host, profile, given, err);
	if (given) {
		snprintf(host->kernel, sizeof(host->kernel), "%s", given);
		if (access(given, R_OK) == 0)
			return 0;
		return err_set_errno(err, ERR_USAGE, errno, "cannot read the kernel '%s'", given);
	}
	found = find_in(host, profile, KERNEL_FOLDER, err);
	if (found <= 0)
		return found;
	return err_set(err, ERR_MACHINE,
		       "there is no guest kernel in precompiled/; run 'make kernel-image', or name "
		       "one with --kernel FILE");
}

/* Beside the running program first, so that each build variant takes its own. */
static int find_plugin(struct host *host, struct err *err)
{
	struct err ignored = {0};

	if (paths_program(host->plugin, "emu_model.so", &ignored) == 0)
		return 0;
	return err_set(err, ERR_MACHINE, "the model's plugin '%s' is not built; run 'make'",
		       PLUGIN);
}

static int find_qemu(struct host *host, struct err *err)
{
	const char *given = getenv(QEMU_ENV);

	snprintf(host->qemu, sizeof(host->qemu), "%s", given && *given ? given : QEMU_PROGRAM);
	return qemu_version(host->qemu, host->qemu_version, sizeof(host->qemu_version), err);
}

static int find_profile(struct host *host, const char *name, struct err *err)
{
	char root[PATHS_MAX];

	if (strchr(name, '/')) {
		snprintf(host->profile, sizeof(host->profile), "%s", name);
		return 0;
	}
	if (paths_file(root, PROFILE_FOLDER, err) != 0)
		return -1;
	if (snprintf(host->profile, sizeof(host->profile), "%s/%s" PROFILE_SUFFIX, root, name) >=
	    (int)sizeof(host->profile))
		return err_set(err, ERR_USAGE, "the profile name '%.60s...' is too long", name);
	return 0;
}

int host_find(struct host *host, struct profile *profile, const struct host_wish *wish,
	      struct err *err)
{
	*host = (struct host){0};
	if (profile_load(profile, wish->profile, err) != 0 ||
	    find_profile(host, wish->profile, err) != 0 || find_qemu(host, err) != 0 ||
	    find_kernel(host, profile, wish->kernel, err) != 0)
		return -1;
	return wish->without_model ? 0 : find_plugin(host, err);
}

int emulator_check(struct err *err)
{
	return emulator_check_with(NULL, NULL, err);
}

int emulator_check_with(const char *profile_name, const char *kernel, struct err *err)
{
	const struct host_wish wish = {
		.profile = profile_name ? profile_name : EMULATOR_DEFAULT_PROFILE,
		.kernel = kernel,
	};
	struct profile profile;
	struct layout layout;
	struct host host;
	struct fs fs;
	int failed;

	if (host_find(&host, &profile, &wish, err) != 0 ||
	    layout_compute(&layout, (int)profile.nr_nodes, CHECK_FOOTPRINT, 0, err) != 0 ||
	    fs_open(&fs, "/", err) != 0)
		return -1;
	failed = layout_check_host(&layout, &fs, err);
	fs_close(&fs);
	return failed;
}

int emulator_profile_info(const char *name, struct emulator_profile_info *info, struct err *err)
{
	struct profile profile;

	if (profile_load(&profile, name, err) != 0)
		return -1;
	*info = (struct emulator_profile_info){
		.nr_nodes = (int)profile.nr_nodes,
		.cpus_per_node = (int)profile.cpus_per_node,
		.frequency_hz = profile.frequency_hz,
	};
	snprintf(info->name, sizeof(info->name), "%s", profile.name);
	snprintf(info->summary, sizeof(info->summary), "%s", profile.summary);
	return 0;
}

static int is_profile(const struct dirent *entry)
{
	const size_t length = strlen(entry->d_name), suffix = strlen(PROFILE_SUFFIX);

	return length > suffix && strcmp(entry->d_name + length - suffix, PROFILE_SUFFIX) == 0;
}

json_t *emulator_profiles(struct err *err)
{
	char folder[PATHS_MAX];
	struct dirent **entries;
	json_t *names;
	int n;

	if (paths_file(folder, PROFILE_FOLDER, err) != 0)
		return NULL;
	n = scandir(folder, &entries, is_profile, alphasort);
	if (n < 0) {
		err_set_errno(err, ERR_INTERNAL, errno, "cannot read '%s'", folder);
		return NULL;
	}
	names = json_array();
	for (int i = 0; i < n; i++) {
		const size_t length = strlen(entries[i]->d_name) - strlen(PROFILE_SUFFIX);

		json_array_append_new(names, json_stringn(entries[i]->d_name, length));
		free(entries[i]);
	}
	free(entries);
	return names;
}
