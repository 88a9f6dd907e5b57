// SPDX-License-Identifier: MIT
#include "harness/exec_model.h"

#include <stdio.h>

#include "emulator/roi_client.h"
#include "harness/model_link.h"
#include "harness/record.h"

static int take_cpu(struct scene *scene, struct err *err)
{
	if (scene_step_aside(scene, scene->cpus, scene->nr_cpus) == 0)
		return 0;
	if (scene->nr_cpus > 1 && scene_step_aside(scene, scene->cpus, scene->nr_cpus - 1) == 0) {
		scene->nr_cpus--;
		return 0;
	}
	return err_set(err, ERR_MACHINE, "the emulated machine has no CPU for the harness itself");
}

int exec_model_open(struct exec_model *model, struct scene *scene, struct err *err)
{
	if (!scene->model)
		return 0;
	if (take_cpu(scene, err) != 0)
		return -1;
	model->descriptor = roi_client_open(err);
	return model->descriptor ? roi_client_send(model->descriptor, ROI_PROBE, err) : -1;
}

int exec_model_begin(struct exec_model *model, struct scene *scene, pid_t pid, struct err *err)
{
	struct roi_descriptor *descriptor = model->descriptor;
	uint64_t root;
	int levels;

	if (scene_root(scene, pid, &root, &levels, err) != 0)
		return -1;
	for (int node = 0; node < ROI_NODES_MAX; node++)
		descriptor->roots[node] = root;
	descriptor->levels = (uint32_t)levels;
	descriptor->contended_nodes = scene->placement.interference_nodes;
	descriptor->vcpu_mask = 0;
	for (int i = 0; i < scene->nr_cpus; i++) {
		if (scene->cpus[i] < ROI_VCPUS_MAX)
			descriptor->vcpu_mask |= UINT64_C(1) << scene->cpus[i];
	}
	snprintf(descriptor->label, sizeof(descriptor->label), "exec %d", (int)pid);
	return roi_client_send(descriptor, ROI_BEGIN, err);
}

int exec_model_end(struct exec_model *model, json_t *record, uint64_t *runtime_ns, struct err *err)
{
	json_t *reply;

	if (roi_client_end(model->descriptor, runtime_ns, err) != 0)
		return -1;
	reply = roi_client_reply(model->descriptor);
	json_object_set_new(record, "counters", model_link_counters(reply));
	json_decref(reply);
	return 0;
}

void exec_model_close(struct exec_model *model)
{
	roi_client_close(model->descriptor);
	model->descriptor = NULL;
}
