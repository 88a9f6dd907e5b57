// SPDX-License-Identifier: MIT
#include "harness/counters_encode.h"

#include <ctype.h>
#include <perfmon/pfmlib.h>
#include <perfmon/pfmlib_perf_event.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/distance.h"

#define NEAREST_MAX    3
#define NAME_MAX_CHARS 128 /* longer names are never suggested */

/*
 * libpfm4 encodes events of PMUs that are not here only if it is told so when it starts. That is
 * needed for machines newer than the library, whose events equal those of a PMU it knows.
 */
static int library_start(struct err *err)
{
	static const char variable[] = "LIBPFM_ENCODE_INACTIVE";
	const bool set = getenv(variable) != NULL;
	int status;

	if (!set)
		setenv(variable, "1", 1);
	status = pfm_initialize();
	if (!set)
		unsetenv(variable);
	if (status != PFM_SUCCESS)
		return err_set(err, ERR_INTERNAL, "libpfm4 does not start: %s",
			       pfm_strerror(status));
	return 0;
}

/* rNNNN, the spelling of perf-record(1): hexadecimal digits are the raw config. */
static bool encode_raw(const char *text, struct perf_event_attr *attr)
{
	const size_t digits = text[0] == 'r' ? strspn(text + 1, "0123456789abcdefABCDEF") : 0;

	if (digits == 0 || digits > 16 || text[1 + digits] != '\0')
		return false;
	attr->type = PERF_TYPE_RAW;
	attr->config = strtoull(text + 1, NULL, 16);
	attr->exclude_kernel = 1;
	attr->exclude_hv = 1;
	return true;
}

static int encode(const char *text, struct perf_event_attr *attr, char *pmu, size_t size)
{
	char *full = NULL;
	pfm_perf_encode_arg_t argument = {.attr = attr, .fstr = &full, .size = sizeof(argument)};
	int status;

	memset(attr, 0, sizeof(*attr));
	attr->size = sizeof(*attr);
	if (pmu)
		*pmu = '\0';
	if (encode_raw(text, attr))
		return PFM_SUCCESS;
	status = pfm_get_os_event_encoding(text, PFM_PLM3, PFM_OS_PERF_EVENT, &argument);
	if (status == PFM_SUCCESS && full && pmu)
		snprintf(pmu, size, "%.*s", (int)strcspn(full, ":"), full);
	free(full);
	/* Reads and inheritance are the back end's business; libpfm4 may have set neither. */
	attr->size = sizeof(*attr);
	return status;
}

void counters_event_text(const struct counter_cpu *cpu, const char *event, char *text, size_t size)
{
	struct perf_event_attr ignored = {0};

	if (strstr(event, "::") || !cpu->pmu || encode_raw(event, &ignored))
		snprintf(text, size, "%s", event);
	else
		snprintf(text, size, "%s::%s", cpu->pmu, event);
}

int counters_encode(const char *text, struct perf_event_attr *attr, struct err *err)
{
	int status;

	if (library_start(err) != 0)
		return -1;
	status = encode(text, attr, NULL, 0);
	if (status != PFM_SUCCESS)
		return err_set(err, ERR_USAGE, "libpfm4 does not know the event '%s': %s", text,
			       pfm_strerror(status));
	return 0;
}

bool counters_is_software(const struct perf_event_attr *attr)
{
	return attr->type == PERF_TYPE_SOFTWARE || attr->type == PERF_TYPE_TRACEPOINT;
}

struct nearest {
	char names[NEAREST_MAX][NAME_MAX_CHARS];
	unsigned distances[NEAREST_MAX];
};

static void nearest_offer(struct nearest *nearest, const char *wanted, const char *name)
{
	unsigned distance = distance_between(wanted, name);
	int place = NEAREST_MAX;

	/* A name that begins or goes on with what was typed beats one that is merely short. */
	if (strcasestr(name, wanted))
		distance /= 4;
	while (place > 0 && distance < nearest->distances[place - 1])
		place--;
	if (place == NEAREST_MAX)
		return;
	for (int i = NEAREST_MAX - 1; i > place; i--) {
		memcpy(nearest->names[i], nearest->names[i - 1], sizeof(nearest->names[i]));
		nearest->distances[i] = nearest->distances[i - 1];
	}
	snprintf(nearest->names[place], sizeof(nearest->names[place]), "%s", name);
	nearest->distances[place] = distance;
}

static void nearest_offer_event(struct nearest *nearest, const char *wanted, int event)
{
	pfm_event_info_t info = {.size = sizeof(info)};
	char name[NAME_MAX_CHARS];

	if (pfm_get_event_info(event, PFM_OS_PERF_EVENT, &info) != PFM_SUCCESS)
		return;
	nearest_offer(nearest, wanted, info.name);
	for (int i = 0; i < info.nattrs; i++) {
		pfm_event_attr_info_t attribute = {.size = sizeof(attribute)};

		if (pfm_get_event_attr_info(event, i, PFM_OS_PERF_EVENT, &attribute) !=
			    PFM_SUCCESS ||
		    attribute.type != PFM_ATTR_UMASK)
			continue;
		snprintf(name, sizeof(name), "%s:%s", info.name, attribute.name);
		nearest_offer(nearest, wanted, name);
	}
}

static void nearest_offer_pmu(struct nearest *nearest, const char *wanted, const char *pmu)
{
	pfm_pmu_t id;

	pfm_for_all_pmus(id)
	{
		pfm_pmu_info_t info = {.size = sizeof(info)};

		if (pfm_get_pmu_info(id, &info) != PFM_SUCCESS || strcmp(info.name, pmu) != 0)
			continue;
		for (int e = info.first_event; e != -1; e = pfm_get_event_next(e))
			nearest_offer_event(nearest, wanted, e);
	}
}

static int unknown_event(const struct counter_cpu *cpu, const char *event, struct err *err)
{
	struct nearest nearest = {
		.distances = {NAME_MAX_CHARS, NAME_MAX_CHARS, NAME_MAX_CHARS},
	};
	const struct counter_row *row;

	for (int i = 0; (row = counters_cpu_row(cpu, i)); i++)
		nearest_offer(&nearest, event, row->name);
	nearest_offer_pmu(&nearest, event, "perf");
	if (cpu->pmu && strcmp(cpu->pmu, "perf") != 0)
		nearest_offer_pmu(&nearest, event, cpu->pmu);
	return err_set(err, ERR_USAGE,
		       "--counters: '%s' is no event of this machine (%s); nearest: %s, %s, %s; "
		       "'--counters list' shows what there is, rNNNN takes a raw code",
		       event, cpu->label, nearest.names[0], nearest.names[1], nearest.names[2]);
}

static bool pmu_is_present(const char *name)
{
	pfm_pmu_t id;

	pfm_for_all_pmus(id)
	{
		pfm_pmu_info_t info = {.size = sizeof(info)};

		if (pfm_get_pmu_info(id, &info) == PFM_SUCCESS && strcmp(info.name, name) == 0)
			return info.is_present;
	}
	return false;
}

/* Encodes "prefix::event"; the PMU must be this CPU's, perf's own, or one that libpfm4 found. */
static bool try_name(const struct counter_cpu *cpu, const char *prefix, const char *event,
		     char *text, size_t size, struct perf_event_attr *attr)
{
	char pmu[64];

	snprintf(text, size, "%s%s%s", prefix, *prefix ? "::" : "", event);
	if (encode(text, attr, pmu, sizeof(pmu)) != PFM_SUCCESS)
		return false;
	return !*pmu || (cpu->pmu && strcmp(pmu, cpu->pmu) == 0) || pmu_is_present(pmu);
}

int counters_encode_user(const struct counter_cpu *cpu, const char *event, char *text, size_t size,
			 struct perf_event_attr *attr, struct err *err)
{
	const char *const prefixes[] = {cpu->pmu ? cpu->pmu : "perf", "perf", ""};
	char colons[COUNTER_EVENT_MAX];

	if (library_start(err) != 0)
		return -1;
	/* perf writes event.umask where libpfm4 writes EVENT:UMASK. */
	snprintf(colons, sizeof(colons), "%s", event);
	for (char *dot = strchr(colons, '.'); dot; dot = strchr(dot, '.'))
		*dot = ':';
	for (size_t i = strstr(event, "::") ? 2 : 0; i < 3; i++)
		if (try_name(cpu, prefixes[i], event, text, size, attr) ||
		    try_name(cpu, prefixes[i], colons, text, size, attr))
			return 0;
	return unknown_event(cpu, event, err);
}
