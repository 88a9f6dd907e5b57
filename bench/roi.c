// SPDX-License-Identifier: MIT
#include "bench/roi.h"

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>

uint64_t roi_now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC_RAW, &now);
	return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

/* --- the descriptor ------------------------------------------------------------------------- */

static int send_marker(struct roi *roi, enum roi_command command, const char *name, struct err *err)
{
	volatile struct roi_descriptor *descriptor = roi->descriptor;

	descriptor->magic = ROI_MAGIC;
	descriptor->command = command;
	descriptor->answer = ROI_UNANSWERED;
	roi_marker(descriptor);
	if (descriptor->answer == ROI_OK)
		return 0;
	if (descriptor->answer == ROI_REFUSED)
		return err_set(err, ERR_RUN, "the model refuses the %s marker: %.127s", name,
			       roi->descriptor->reason);
	return err_set(err, ERR_RUN,
		       "no model answers the %s marker; the emulated machine runs without its "
		       "plugin",
		       name);
}

int roi_open(struct roi *roi, bool emulated, struct err *err)
{
	*roi = (struct roi){0};
	if (!emulated)
		return 0;
	roi->descriptor = mmap(NULL, ROI_PAGE_BYTES, PROT_READ | PROT_WRITE,
			       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (roi->descriptor == MAP_FAILED) {
		roi->descriptor = NULL;
		return err_set_errno(err, ERR_INTERNAL, errno, "cannot map the ROI's descriptor");
	}
	/* Its frame must never change: the model remembers the address. */
	if (mlock(roi->descriptor, ROI_PAGE_BYTES) != 0)
		return err_set_errno(err, ERR_MACHINE, errno, "cannot lock the ROI's descriptor");
	memset(roi->descriptor, 0, ROI_PAGE_BYTES);
	return send_marker(roi, ROI_PROBE, "probe", err);
}

void roi_close(struct roi *roi)
{
	if (roi->descriptor)
		munmap(roi->descriptor, ROI_PAGE_BYTES);
	roi->descriptor = NULL;
}

/* {"0": A, ...}: nodes without a root of their own walk that of the lowest node. */
static int configure_roots(struct roi_descriptor *descriptor, const json_t *roots, struct err *err)
{
	uint64_t first = 0;

	for (int node = ROI_NODES_MAX - 1; node >= 0; node--) {
		char key[12];
		const json_t *root;

		snprintf(key, sizeof(key), "%d", node);
		root = json_object_get(roots, key);
		if (root && !json_is_integer(root))
			return err_set(err, ERR_RUN, "model.roots.%s is no number", key);
		descriptor->roots[node] = (uint64_t)json_integer_value(root);
		if (root)
			first = descriptor->roots[node];
	}
	for (int node = 0; node < ROI_NODES_MAX; node++)
		if (descriptor->roots[node] == 0)
			descriptor->roots[node] = first;
	return 0;
}

static int mask_from_json(const json_t *array, const char *name, uint64_t *mask, struct err *err)
{
	size_t index;
	json_t *item;

	*mask = 0;
	json_array_foreach (array, index, item) {
		const json_int_t number = json_integer_value(item);

		if (!json_is_integer(item) || number < 0 || number > 63)
			return err_set(err, ERR_RUN, "model.%s holds no number from 0 to 63", name);
		*mask |= UINT64_C(1) << number;
	}
	return 0;
}

int roi_configure(struct roi *roi, const json_t *model, const char *label, const int *cpus,
		  int nr_cpus, struct err *err)
{
	struct roi_descriptor *descriptor = roi->descriptor;
	const json_t *listed = json_object_get(model, "cpus");

	if (!descriptor)
		return 0;
	descriptor->levels = (uint32_t)json_integer_value(json_object_get(model, "levels"));
	snprintf(descriptor->label, sizeof(descriptor->label), "%s", label);
	if (configure_roots(descriptor, json_object_get(model, "roots"), err) != 0 ||
	    mask_from_json(json_object_get(model, "contended_nodes"), "contended_nodes",
			   &descriptor->contended_nodes, err) != 0 ||
	    mask_from_json(listed, "cpus", &descriptor->vcpu_mask, err) != 0)
		return -1;
	for (int i = 0; !listed && i < nr_cpus; i++) {
		if (cpus[i] >= ROI_VCPUS_MAX)
			return err_set(err, ERR_MACHINE, "the model has %d vCPUs, not a CPU %d",
				       ROI_VCPUS_MAX, cpus[i]);
		descriptor->vcpu_mask |= UINT64_C(1) << cpus[i];
	}
	return 0;
}

static uint64_t elapsed_ns(const struct roi_descriptor *descriptor)
{
	return (uint64_t)((double)descriptor->elapsed_cycles * 1e9 /
			  (double)descriptor->frequency_hz);
}

/* --- the two ends --------------------------------------------------------------------------- */

int roi_begin(struct roi *roi, struct err *err)
{
	roi->modelled = false;
	if (roi->descriptor && send_marker(roi, ROI_BEGIN, "begin", err) != 0)
		return -1;
	roi->running = true;
	roi->begin_ns = roi_now_ns();
	return 0;
}

int roi_end(struct roi *roi, struct err *err)
{
	roi->host_ns = roi_now_ns() - roi->begin_ns;
	roi->duration_ns = roi->host_ns;
	roi->running = false;
	if (!roi->descriptor)
		return 0;
	if (roi->lap_refused[0])
		return err_set(err, ERR_RUN, "%s", roi->lap_refused);
	if (send_marker(roi, ROI_END, "end", err) != 0)
		return -1;
	if (roi->descriptor->frequency_hz == 0 || roi->descriptor->elapsed_cycles == 0)
		return err_set(err, ERR_RUN, "the model counted no cycles");
	roi->duration_ns = elapsed_ns(roi->descriptor);
	roi->modelled = true;
	return 0;
}

uint64_t roi_lap_ns(struct roi *roi)
{
	struct err err = {0};

	if (!roi->running || !roi->descriptor)
		return roi_now_ns();
	if (send_marker(roi, ROI_LAP, "lap", &err) != 0) {
		snprintf(roi->lap_refused, sizeof(roi->lap_refused), "%.150s", err.text);
		return 0;
	}
	return elapsed_ns(roi->descriptor);
}

const char *roi_clock(const struct roi *roi)
{
	return roi->modelled ? "model" : "monotonic_raw";
}

/* --- counters ------------------------------------------------------------------------------- */

#define COUNTER(field)                                          \
	{                                                       \
#field, offsetof(struct roi_counters, field), 1 \
	}
#define COUNTER_LEVEL(field)                                                 \
	{                                                                    \
#field, offsetof(struct roi_counters, field), ROI_LEVELS_MAX \
	}

static const struct {
	const char *name;
	size_t offset, count;
} counters[] = {
	COUNTER(instructions),
	COUNTER(accesses),
	COUNTER(loads),
	COUNTER(stores),
	COUNTER(tlb_l1_hits),
	COUNTER(tlb_l2_hits),
	COUNTER(walks),
	COUNTER(walk_cycles),
	COUNTER(walk_failed),
	COUNTER_LEVEL(table_accesses_local),
	COUNTER_LEVEL(table_accesses_remote),
	COUNTER(table_memory_local),
	COUNTER(table_memory_remote),
	COUNTER(data_l1_hits),
	COUNTER(data_l2_hits),
	COUNTER(data_llc_hits),
	COUNTER(data_memory_local),
	COUNTER(data_memory_remote),
	COUNTER(table_l1_hits),
	COUNTER(table_l2_hits),
	COUNTER(table_llc_hits),
};

static json_t *numbers_to_json(const uint64_t *values, size_t count)
{
	json_t *array;

	if (count == 1)
		return json_integer((json_int_t)values[0]);
	array = json_array();
	for (size_t i = 0; i < count; i++)
		json_array_append_new(array, json_integer((json_int_t)values[i]));
	return array;
}

/* Rows and columns up to the last node that was reached. */
static json_t *node_matrix_to_json(const struct roi_counters *sums)
{
	size_t nr_nodes = 1;
	json_t *rows = json_array();

	for (size_t i = 0; i < ROI_NODES_MAX; i++)
		for (size_t j = 0; j < ROI_NODES_MAX; j++)
			if (sums->memory_accesses[i][j] && nr_nodes <= (i > j ? i : j))
				nr_nodes = (i > j ? i : j) + 1;
	for (size_t i = 0; i < nr_nodes; i++) {
		json_t *row = json_array();

		for (size_t j = 0; j < nr_nodes; j++)
			json_array_append_new(
				row, json_integer((json_int_t)sums->memory_accesses[i][j]));
		json_array_append_new(rows, row);
	}
	return rows;
}

json_t *roi_model_to_json(const struct roi *roi)
{
	const struct roi_descriptor *descriptor = roi->descriptor;
	json_t *object;

	if (!roi->modelled)
		return NULL;
	object = json_pack("{s:I, s:I, s:I, s:i, s:s}", "elapsed_cycles",
			   (json_int_t)descriptor->elapsed_cycles, "total_cycles",
			   (json_int_t)descriptor->total_cycles, "frequency_hz",
			   (json_int_t)descriptor->frequency_hz, "nr_vcpus",
			   (int)descriptor->nr_vcpus, "profile", descriptor->profile);
	for (size_t i = 0; i < sizeof(counters) / sizeof(counters[0]); i++) {
		const void *at = (const char *)&descriptor->counters + counters[i].offset;

		json_object_set_new(object, counters[i].name,
				    numbers_to_json(at, counters[i].count));
	}
	json_object_set_new(object, "memory_accesses", node_matrix_to_json(&descriptor->counters));
	return object;
}
