// SPDX-License-Identifier: MIT
#include "bench/roi.h"

#include <stdio.h>
#include <time.h>

#include "emulator/roi_client.h"

uint64_t roi_now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC_RAW, &now);
	return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

/* --- the descriptor ------------------------------------------------------------------------- */

int roi_open(struct roi *roi, bool emulated, struct err *err)
{
	*roi = (struct roi){0};
	if (!emulated)
		return 0;
	roi->descriptor = roi_client_open(err);
	return roi->descriptor ? roi_client_send(roi->descriptor, ROI_PROBE, err) : -1;
}

void roi_close(struct roi *roi)
{
	roi_client_close(roi->descriptor);
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
	if (roi->descriptor && roi_client_send(roi->descriptor, ROI_BEGIN, err) != 0)
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
	if (roi_client_end(roi->descriptor, &roi->duration_ns, err) != 0)
		return -1;
	if (roi->descriptor->elapsed_cycles == 0)
		return err_set(err, ERR_RUN, "the model counted no cycles");
	roi->modelled = true;
	return 0;
}

uint64_t roi_lap_ns(struct roi *roi)
{
	struct err err = {0};

	if (!roi->running || !roi->descriptor)
		return roi_now_ns();
	if (roi_client_send(roi->descriptor, ROI_LAP, &err) != 0) {
		snprintf(roi->lap_refused, sizeof(roi->lap_refused), "%.150s", err.text);
		return 0;
	}
	return elapsed_ns(roi->descriptor);
}

const char *roi_clock(const struct roi *roi)
{
	return roi->modelled ? "model" : "monotonic_raw";
}

json_t *roi_model_to_json(const struct roi *roi)
{
	return roi->modelled ? roi_client_reply(roi->descriptor) : NULL;
}
