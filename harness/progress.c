// SPDX-License-Identifier: MIT
#include "harness/progress.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "harness/deadline.h"

#define REDRAW_NS UINT64_C(100000000)
#define SECOND_NS UINT64_C(1000000000)

void progress_open(struct progress *progress, FILE *out, int total, uint64_t estimate_ns)
{
	const char *term = getenv("TERM");

	*progress = (struct progress){
		.out = out,
		.terminal = isatty(fileno(out)) && term && strcmp(term, "dumb") != 0,
		.total = total,
		.started_ns = deadline_now_ns(),
		.estimate_ns = estimate_ns,
	};
}

static void wipe(struct progress *progress)
{
	if (progress->terminal && progress->drawn[0])
		fputs("\r\033[K", progress->out);
	progress->drawn[0] = '\0';
}

void progress_close(struct progress *progress)
{
	wipe(progress);
	fflush(progress->out);
}

static void format_seconds(uint64_t seconds, char *text, size_t size)
{
	if (seconds < 90)
		snprintf(text, size, "%u s left", (unsigned)seconds);
	else if (seconds < 90 * 60)
		snprintf(text, size, "%u min left", (unsigned)((seconds + 30) / 60));
	else
		snprintf(text, size, "%.1f h left", (double)seconds / 3600);
}

void progress_left(const struct progress *progress, uint64_t now_ns, char *text, size_t size)
{
	const uint64_t spent_ns = now_ns - progress->started_ns;
	uint64_t all_ns = progress->estimate_ns;

	text[0] = '\0';
	if (progress->finished > 0)
		all_ns = spent_ns / (uint64_t)progress->finished * (uint64_t)progress->total;
	if (all_ns > spent_ns)
		format_seconds((all_ns - spent_ns) / SECOND_NS + 1, text, size);
}

void progress_start(struct progress *progress, const char *cell)
{
	char left[32];

	progress->started++;
	if (progress->terminal) {
		progress_phase(progress, cell, "start", -1);
		return;
	}
	progress_left(progress, deadline_now_ns(), left, sizeof(left));
	fprintf(progress->out, "[%d/%d] %s%s%s\n", progress->started, progress->total, cell,
		left[0] ? ", " : "", left);
	fflush(progress->out);
}

void progress_phase(struct progress *progress, const char *cell, const char *phase, double done)
{
	const uint64_t now_ns = deadline_now_ns();
	char line[256], left[32], percent[8] = "";

	if (!progress->terminal || (progress->drawn[0] && now_ns - progress->drawn_ns < REDRAW_NS))
		return;
	progress_left(progress, now_ns, left, sizeof(left));
	if (done >= 0)
		snprintf(percent, sizeof(percent), " %3.0f%%", 100 * (done > 1 ? 1 : done));
	snprintf(line, sizeof(line), "[%d/%d] %s: %s%s%s%s", progress->finished + 1,
		 progress->total, cell, phase, percent, left[0] ? ", " : "", left);
	fprintf(progress->out, "\r%.79s\033[K", line);
	fflush(progress->out);
	memcpy(progress->drawn, line, sizeof(line));
	progress->drawn_ns = now_ns;
}

void progress_note(struct progress *progress, const char *line)
{
	wipe(progress);
	fprintf(progress->out, "%s\n", line);
	fflush(progress->out);
}

void progress_finish(struct progress *progress, bool failed, const char *line)
{
	progress->finished++;
	progress->failed += failed;
	progress_note(progress, line);
}
