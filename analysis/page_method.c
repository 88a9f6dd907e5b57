// SPDX-License-Identifier: MIT
/* How the numbers were made, what they cannot say, and how to make them again. */
#include <stdlib.h>
#include <string.h>

#include "analysis/array.h"
#include "analysis/html.h"
#include "analysis/page.h"

static const char statistics[] =
	"<p>A bar is the median of the runs that ended well and whose results were verified. The "
	"interval around a median is a 95 % confidence interval: from 6 runs on by order statistics "
	"(exact, no assumption), for 2 to 5 runs by Student's t on the logarithms (it assumes that "
	"runtimes scatter log-normally; no method without an assumption reaches 95 % with so few). "
	"The interval of a ratio is a percentile bootstrap of both medians (10,000 resamples, fixed "
	"seed) when both sides have 6 runs or more, else Welch's t on the logarithms. A single run "
	"has no interval. Two modelled runs of the same job differ very little, so their intervals "
	"say how repeatable the model is, not how right.</p>\n";

static const char runtime[] =
	"<p>Runtime is the length of the region of interest: wall-clock time where it was measured, "
	"the modelled cycles of the slowest thread divided by the modelled frequency where it was "
	"modelled. The walk share is walk cycles over cycles, both summed over the threads. On CPUs "
	"with two page walkers the sum can exceed the cycles; a bar is then hatched to its top.</p>\n";

static const char modelled[] =
	"<p>Modelled results come from a machine that does not exist: an emulator runs the real "
	"kernel and the real program, and a model of TLBs, page walkers, caches and memory latency "
	"counts cycles. Footprints are smaller than the published ones and caches are scaled with "
	"them. The order and the rough size of effects carry over to a real machine; absolute times "
	"do not, and nothing modelled here is a measurement.</p>\n";

static const char published[] =
	"<p>Published bars are from R. Achermann et al., <cite>Mitosis: Transparently "
	"Self-Replicating Page-Tables for Large-Memory Machines</cite>, ASPLOS 2020 (cycles of all "
	"threads), and A. Panwar et al., <cite>Fast Local Page-Tables for Virtualized NUMA Servers "
	"with vMitosis</cite>, ASPLOS 2021 (whole seconds); nearly every one is a single run. Each is "
	"divided by its own baseline on its own machine, so only relative runtimes are compared.</p>\n";

static bool any_modelled(const struct table *table)
{
	for (int i = 0; i < table->nr_sections; i++)
		if (table->sections[i].example->modelled)
			return true;
	return false;
}

/* --- commands --------------------------------------------------------------------------------- */

static bool is_plain(const char *word)
{
	static const char safe[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
				   "-_./:=+,@%^";

	return *word && word[strspn(word, safe)] == '\0';
}

/* As a shell would have to read it. */
static void print_word(FILE *out, const char *word)
{
	if (is_plain(word)) {
		fputs(word, out);
		return;
	}
	fputc('\'', out);
	for (; *word; word++) {
		if (*word == '\'')
			fputs("'\\''", out);
		else
			fputc(*word, out);
	}
	fputc('\'', out);
}

static char *command_of(const struct record *run)
{
	const json_t *command = json_object_get(run->json, "command");
	char *text = NULL;
	size_t size = 0, i;
	FILE *out = open_memstream(&text, &size);
	json_t *word;

	if (!out)
		return NULL;
	json_array_foreach ((json_t *)command, i, word) {
		if (i)
			fputc(' ', out);
		print_word(out, json_is_string(word) ? json_string_value(word) : "?");
	}
	if (fclose(out) == 0 && size > 0)
		return text;
	free(text);
	return NULL;
}

static int compare_texts(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static void print_unique(FILE *out, char **commands, int nr)
{
	qsort(commands, (size_t)nr, sizeof(*commands), compare_texts);
	fputs("<pre>", out);
	for (int i = 0; i < nr; i++) {
		if (i > 0 && strcmp(commands[i], commands[i - 1]) == 0)
			continue;
		html_text(out, commands[i]);
		fputc('\n', out);
	}
	fputs("</pre>\n", out);
}

static void print_commands(FILE *out, const struct table *table)
{
	char **commands = NULL;
	int nr = 0;

	for (int i = 0; i < table->nr_runs; i++) {
		char *command = command_of(table->runs[i]);
		char **larger = command ? array_grow(commands, nr, sizeof(*commands)) : NULL;

		if (!larger) {
			free(command);
			continue;
		}
		commands = larger;
		commands[nr++] = command;
	}
	if (nr > 0)
		print_unique(out, commands, nr);
	else
		fputs("<p>The records hold no command.</p>\n", out);
	for (int i = 0; i < nr; i++)
		free(commands[i]);
	free(commands);
}

static void print_versions(FILE *out, const struct table *table)
{
	const struct record *first = table->runs[0];
	bool mixed = false;

	for (int i = 1; i < table->nr_runs; i++)
		mixed |= strcmp(table->runs[i]->suite_version, first->suite_version) != 0 ||
			 strcmp(table->runs[i]->suite_commit, first->suite_commit) != 0;
	fputs("<p>", out);
	if (mixed)
		fputs("The runs were made by <strong>different versions of the suite</strong>; "
		      "runs.csv says which.",
		      out);
	else
		html_printf(out, "All runs were made by version %s of the suite, commit %s.",
			    first->suite_version, first->suite_commit);
	fputs("</p>\n", out);
}

void page_print_method(FILE *out, const struct page *page)
{
	fputs("<section>\n<h2>Method and limits</h2>\n", out);
	fputs(statistics, out);
	fputs(runtime, out);
	if (any_modelled(page->table))
		fputs(modelled, out);
	fputs(published, out);
	fputs("</section>\n<section>\n<h2>How to reproduce</h2>\n", out);
	print_versions(out, page->table);
	print_commands(out, page->table);
	fputs("</section>\n<section>\n<h2>Data</h2>\n<ul>\n"
	      "<li><a href=\"runs.csv\">runs.csv</a>: one row per run</li>\n"
	      "<li><a href=\"summary.csv\">summary.csv</a>: one row per bar</li>\n"
	      "<li><a href=\"published.csv\">published.csv</a>: each bar beside every published "
	      "figure that has it</li>\n"
	      "<li><a href=\"counters.csv\">counters.csv</a>: one row per run and counter</li>\n"
	      "</ul>\n</section>\n",
	      out);
}
