// SPDX-License-Identifier: MIT
#include "harness/exec_model.h"

#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

#include "common/vcpu_settle.h"
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

static int mark(struct exec_model *model, enum roi_command command, struct err *err)
{
	volatile struct roi_descriptor *descriptor = model->descriptor;

	descriptor->magic = ROI_MAGIC;
	descriptor->command = command;
	descriptor->answer = ROI_UNANSWERED;
	roi_marker(descriptor);
	if (descriptor->answer == ROI_OK)
		return 0;
	return err_set(err, ERR_RUN, "the model of the emulated machine %s",
		       descriptor->answer == ROI_REFUSED ? model->descriptor->reason
							 : "did not answer");
}

int exec_model_open(struct exec_model *model, struct scene *scene, struct err *err)
{
	void *page;

	if (!scene->model)
		return 0;
	if (take_cpu(scene, err) != 0)
		return -1;
	page = mmap(NULL, ROI_PAGE_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1,
		    0);
	if (page == MAP_FAILED)
		return err_set_errno(err, ERR_INTERNAL, errno, "cannot map the ROI's descriptor");
	model->descriptor = page;
	/* The model keeps the physical address. */
	if (mlock(page, ROI_PAGE_BYTES) != 0)
		return err_set_errno(err, ERR_MACHINE, errno, "cannot lock the ROI's descriptor");
	memset(page, 0, ROI_PAGE_BYTES);
	return mark(model, ROI_PROBE, err);
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
	return mark(model, ROI_BEGIN, err);
}

int exec_model_end(struct exec_model *model, json_t *record, uint64_t *runtime_ns, struct err *err)
{
	const struct roi_descriptor *descriptor = model->descriptor;
	json_t *reply;

	vcpu_settle();
	if (mark(model, ROI_END, err) != 0)
		return -1;
	if (descriptor->frequency_hz == 0)
		return err_set(err, ERR_RUN, "the model gave no clock frequency");
	*runtime_ns = (uint64_t)((long double)descriptor->elapsed_cycles * 1e9L /
				 (long double)descriptor->frequency_hz);
	reply = model_link_reply(descriptor);
	json_object_set_new(record, "counters", model_link_counters(reply));
	json_decref(reply);
	return 0;
}

void exec_model_close(struct exec_model *model)
{
	if (model->descriptor)
		munmap(model->descriptor, ROI_PAGE_BYTES);
	model->descriptor = NULL;
}
