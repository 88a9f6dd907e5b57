// SPDX-License-Identifier: MIT
#include "emulator/roi_client.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>
#include <sys/mman.h>

struct roi_descriptor *roi_client_open(struct err *err)
{
	void *page = mmap(NULL, ROI_PAGE_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
			  -1, 0);

	if (page == MAP_FAILED) {
		err_set_errno(err, ERR_INTERNAL, errno, "cannot map the ROI's descriptor");
		return NULL;
	}
	/* Its frame must never change: the model remembers the address. */
	if (mlock(page, ROI_PAGE_BYTES) != 0) {
		err_set_errno(err, ERR_MACHINE, errno, "cannot lock the ROI's descriptor");
		munmap(page, ROI_PAGE_BYTES);
		return NULL;
	}
	memset(page, 0, ROI_PAGE_BYTES);
	return page;
}

void roi_client_close(struct roi_descriptor *descriptor)
{
	if (descriptor)
		munmap(descriptor, ROI_PAGE_BYTES);
}

int roi_client_send(struct roi_descriptor *descriptor, enum roi_command command, struct err *err)
{
	static const char *const names[] = {
		[ROI_PROBE] = "probe", [ROI_BEGIN] = "begin", [ROI_END] = "end", [ROI_LAP] = "lap"};
	volatile struct roi_descriptor *page = descriptor;

	page->magic = ROI_MAGIC;
	page->command = command;
	page->answer = ROI_UNANSWERED;
	roi_marker(page);
	if (page->answer == ROI_OK)
		return 0;
	if (page->answer == ROI_REFUSED)
		return err_set(err, ERR_RUN, "the model refuses the %s marker: %.127s",
			       names[command], descriptor->reason);
	return err_set(err, ERR_RUN,
		       "no model answers the %s marker; the emulated machine runs without its "
		       "plugin",
		       names[command]);
}

int roi_client_end(struct roi_descriptor *descriptor, uint64_t *duration_ns, struct err *err)
{
	if (roi_client_send(descriptor, ROI_END, err) != 0)
		return -1;
	if (descriptor->frequency_hz == 0)
		return err_set(err, ERR_RUN, "the model gave no clock frequency");
	*duration_ns = (uint64_t)((double)descriptor->elapsed_cycles * 1e9 /
				  (double)descriptor->frequency_hz);
	return 0;
}

/* --- the reply ------------------------------------------------------------------------------ */

#define COUNTER(name)                                            \
	{                                                        \
#name, offsetof(struct roi_counters, name),      \
			sizeof(((struct roi_counters *)0)->name) \
	}

/* All but the matrix. */
static const struct {
	const char *name;
	size_t offset, bytes;
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
	COUNTER(table_accesses_local),
	COUNTER(table_accesses_remote),
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

static json_t *numbers(const uint64_t *values, size_t count)
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
static json_t *node_matrix(const struct roi_counters *sums)
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

json_t *roi_client_reply(const struct roi_descriptor *descriptor)
{
	json_t *reply = json_pack("{s:I, s:I, s:I, s:i, s:s}", "elapsed_cycles",
				  (json_int_t)descriptor->elapsed_cycles, "total_cycles",
				  (json_int_t)descriptor->total_cycles, "frequency_hz",
				  (json_int_t)descriptor->frequency_hz, "nr_vcpus",
				  (int)descriptor->nr_vcpus, "profile", descriptor->profile);

	for (size_t i = 0; i < sizeof(counters) / sizeof(counters[0]); i++) {
		const void *at = (const char *)&descriptor->counters + counters[i].offset;

		json_object_set_new(reply, counters[i].name,
				    numbers(at, counters[i].bytes / sizeof(uint64_t)));
	}
	json_object_set_new(reply, "memory_accesses", node_matrix(&descriptor->counters));
	return reply;
}
