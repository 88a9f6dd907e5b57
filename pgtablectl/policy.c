// SPDX-License-Identifier: MIT
#include "pgtablectl/policy.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/units.h"

/* Share of the walks' last steps that leave the node when there is one tree. */
static double remote_share(const struct policy_view *view)
{
	uint64_t all = 0;
	double local = 0;

	for (int node = 0; node < 64; node++)
		all += view->last_level_pages[node];
	for (int node = 0; node < 64 && all; node++)
		local +=
			view->node_share[node] * (double)view->last_level_pages[node] / (double)all;
	return all ? 1 - local : 0;
}

/*
 * Of the time that goes into walks with remote last steps, replication gives back one part; when it
 * is on already, walks were measured without that time, and turning it off would add the other.
 */
static double gain_of(const struct policy_view *view, double walks, double remote)
{
	const double factor = view->replicated ? POLICY_REMOTE_CYCLES / POLICY_LOCAL_CYCLES - 1
					       : 1 - POLICY_LOCAL_CYCLES / POLICY_REMOTE_CYCLES;

	return walks * remote * factor;
}

static double cost_of(const struct policy_view *view)
{
	const int replicas = __builtin_popcountll(view->wanted) - 1;

	if (view->cpu_seconds <= 0 || replicas <= 0)
		return 0;
	return view->faults / view->cpu_seconds * POLICY_CYCLES_PER_PAGE_AND_REPLICA * replicas /
	       POLICY_CPU_HZ;
}

static int busiest_node(const struct policy_view *view)
{
	int busiest = 0;

	for (int node = 1; node < 64; node++)
		if (view->node_share[node] > view->node_share[busiest])
			busiest = node;
	return busiest;
}

__attribute__((format(printf, 3, 4))) static void
decide(struct policy_verdict *verdict, enum policy_act act, const char *format, ...)
{
	va_list args;

	verdict->act = act;
	va_start(args, format);
	vsnprintf(verdict->reason, sizeof(verdict->reason), format, args);
	va_end(args);
}

/* What an idle or small process is spared; true when that settles it. */
static bool settle_early(const struct policy *policy, const struct policy_view *view,
			 struct policy_verdict *verdict)
{
	char size[UNITS_TEXT_MAX], least[UNITS_TEXT_MAX];

	if (view->cpu_seconds <= 0) {
		decide(verdict, POLICY_KEEP, "idle");
		return true;
	}
	if (view->table_bytes >= policy->least_table_bytes)
		return false;
	decide(verdict, view->replicated ? POLICY_OFF : POLICY_KEEP,
	       "small: %s of page tables, less than %s", units_format_size(view->table_bytes, size),
	       units_format_size(policy->least_table_bytes, least));
	return true;
}

/* All on one node: moving the tables there gains the same and costs nothing later. */
static bool settle_by_move(const struct policy *policy, const struct policy_view *view,
			   struct policy_verdict *verdict)
{
	const int node = busiest_node(view);

	if (view->replicated || view->node_share[node] < policy->one_node_share ||
	    verdict->gain < policy->least_gain)
		return false;
	verdict->node = node;
	decide(verdict, POLICY_MIGRATE,
	       "%.0f%% of its time is on node %d, the tables are elsewhere: expected gain %.1f%%",
	       100 * view->node_share[node], node, 100 * verdict->gain);
	return true;
}

static void weigh(const struct policy *policy, const struct policy_view *view, const char *why,
		  struct policy_verdict *verdict)
{
	const double net = verdict->gain - verdict->cost;

	if (!view->replicated && net >= policy->least_gain && verdict->gain >= 2 * verdict->cost)
		decide(verdict, POLICY_REPLICATE, "%s: expected gain %.1f%%, cost %.2f%%", why,
		       100 * verdict->gain, 100 * verdict->cost);
	else if (view->replicated && verdict->cost > verdict->gain)
		decide(verdict, POLICY_OFF,
		       "write-heavy, %.0f pages mapped in a second of CPU time: cost %.2f%%, gain "
		       "%.2f%% (%s)",
		       view->faults / view->cpu_seconds, 100 * verdict->cost, 100 * verdict->gain,
		       why);
	else if (view->replicated && net < policy->least_gain_kept)
		decide(verdict, POLICY_OFF, "gains too little: %.2f%%, cost %.2f%% (%s)",
		       100 * verdict->gain, 100 * verdict->cost, why);
	else
		decide(verdict, POLICY_KEEP, "%s: gain %.2f%%, cost %.2f%%", why,
		       100 * verdict->gain, 100 * verdict->cost);
}

void policy_judge(const struct policy *policy, const struct policy_view *view,
		  struct policy_verdict *verdict)
{
	const bool counted = view->walk_fraction >= 0;
	const double walks = counted ? view->walk_fraction : policy->assumed_walks;
	const double remote = remote_share(view);
	char why[128];

	*verdict = (struct policy_verdict){.node = -1};
	if (settle_early(policy, view, verdict))
		return;
	verdict->gain = gain_of(view, walks, remote);
	verdict->cost = cost_of(view);
	if (settle_by_move(policy, view, verdict))
		return;
	snprintf(why, sizeof(why), "walks %s %.0f%% of cycles, %.0f%% of them remote%s",
		 counted ? "take" : "assumed at", 100 * walks, 100 * remote,
		 view->replicated ? " without replicas" : "");
	weigh(policy, view, why, verdict);
}

const char *policy_act_name(enum policy_act act)
{
	static const char *const names[] = {
		[POLICY_KEEP] = "keep",
		[POLICY_REPLICATE] = "replicate",
		[POLICY_OFF] = "off",
		[POLICY_MIGRATE] = "migrate",
	};

	return names[act];
}
