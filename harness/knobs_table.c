// SPDX-License-Identifier: MIT
/* The table of settings, and how their files are found and read. */
#include <errno.h>
#include <fnmatch.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/paths.h"
#include "harness/knob_files.h"

/* Sources: the kernel's Documentation/admin-guide (mm/transhuge, sysctl/kernel, sysctl/vm, pm). */
static const struct knob table[] = {
	{"thp_enabled", "/sys/kernel/mm/transparent_hugepage/enabled", "always, madvise or never",
	 "never", "4 KiB or 2 MiB pages are part of a config", 0},
	{"thp_defrag", "/sys/kernel/mm/transparent_hugepage/defrag",
	 "always, defer, defer+madvise, madvise or never", "never",
	 "whether a fault waits for a huge page", 0},
	{"khugepaged_defrag", "/sys/kernel/mm/transparent_hugepage/khugepaged/defrag", "0 or 1",
	 "0", "khugepaged replaces page tables while they are measured", 0},
	{"numa_balancing", "/proc/sys/kernel/numa_balancing", "0, 1 or 2", "0",
	 "AutoNUMA moves pages away from where the config puts them", 0},
	{"ksm", "/sys/kernel/mm/ksm/run", "0, 1 or 2", "0", "merged pages change their node", 0},
	{"no_turbo", "/sys/devices/system/cpu/intel_pstate/no_turbo", "0 or 1", NULL,
	 "a fixed clock rate makes runs comparable (Intel)", 0},
	{"boost", "/sys/devices/system/cpu/cpufreq/boost", "0 or 1", NULL,
	 "a fixed clock rate makes runs comparable (AMD, Arm)", 0},
	{"governor", "/sys/devices/system/cpu/cpufreq/policy*/scaling_governor",
	 "performance, powersave, ...", NULL, "clock rates that follow the load are late", 0},
	{"nmi_watchdog", "/proc/sys/kernel/nmi_watchdog", "0 or 1", "0",
	 "the watchdog takes a hardware counter", 0},
	{"drop_caches", "/proc/sys/vm/drop_caches", "1, 2 or 3", NULL,
	 "an empty page cache leaves every node's memory free", 1},
};

#define NR_KNOBS (int)(sizeof(table) / sizeof(table[0]))

const struct knob *knobs_table(int index)
{
	return index >= 0 && index < NR_KNOBS ? &table[index] : NULL;
}

const struct knob *knobs_find(const char *name)
{
	for (int i = 0; i < NR_KNOBS; i++)
		if (strcmp(table[i].name, name) == 0)
			return &table[i];
	return NULL;
}

void knob_chosen_value(const char *text, char *value, size_t size)
{
	const char *open = strchr(text, '[');
	const char *close = open ? strchr(open, ']') : NULL;

	if (close)
		snprintf(value, size, "%.*s", (int)(close - open - 1), open + 1);
	else
		snprintf(value, size, "%.*s", (int)strcspn(text, "\n"), text);
}

int knob_read_value(const struct fs *root, const char *path, char *value, size_t size)
{
	char text[KNOB_VALUE_MAX];

	if (fs_read(root, path, text, sizeof(text)) < 0)
		return -1;
	knob_chosen_value(text, value, size);
	return 0;
}

bool knob_value_offered(const char *text, const char *value)
{
	const size_t length = strlen(value);

	if (!strchr(text, '['))
		return true;
	while (*text) {
		const size_t word = strcspn(text, " []\n");

		if (word == length && strncmp(text, value, word) == 0)
			return true;
		text += word + (text[word] != '\0');
	}
	return false;
}

int knob_files(const struct fs *root, const struct knob *knob, glob_t *files, size_t *prefix)
{
	char link[64], base[PATHS_MAX], pattern[2 * PATHS_MAX];
	ssize_t length;

	snprintf(link, sizeof(link), "/proc/self/fd/%d", root->root_fd);
	length = readlink(link, base, sizeof(base) - 1);
	if (length < 0)
		return -1;
	while (length > 0 && base[length - 1] == '/')
		length--;
	base[length] = '\0';
	*prefix = (size_t)length;
	snprintf(pattern, sizeof(pattern), "%s%s", base, knob->path);
	return glob(pattern, 0, NULL, files) == 0 ? 0 : -1;
}

int knobs_read(const struct fs *root, const char *name, char *value, size_t size)
{
	const struct knob *knob = knobs_find(name);
	int result = -1, saved = ENOENT;
	size_t prefix;
	glob_t files;

	if (!knob || knob->write_only) {
		errno = EINVAL;
		return -1;
	}
	if (knob_files(root, knob, &files, &prefix) == 0) {
		result = knob_read_value(root, files.gl_pathv[0] + prefix, value, size);
		saved = errno;
		globfree(&files);
	} else if (knob->absent) {
		snprintf(value, size, "%s", knob->absent);
		return 0;
	}
	errno = saved;
	return result;
}

bool knob_is_path(const char *path)
{
	for (int i = 0; i < NR_KNOBS; i++)
		if (!table[i].write_only &&
		    fnmatch(table[i].path, path, FNM_PATHNAME | FNM_PERIOD) == 0)
			return true;
	return false;
}
