// SPDX-License-Identifier: MIT
/* The gnuplot script of one plot. */
#include <math.h>
#include <string.h>

#include "analysis/describe.h"
#include "analysis/plot.h"

#define WIDTH           960
#define HEIGHT          440
#define GROUP_GAP       0.7
#define BAR_WIDTH       0.4
#define WIDTH_MIN_SLOTS 6  /* so that a single bar is no wall */
#define MANY_SLOTS      9  /* more config names than this do not fit side by side */
#define DENSE_SLOTS     12 /* more numbers than this do not fit above the bars */
#define COLOUR_INK      "#1a1a1a"
#define COLOUR_ALARM    "#b00020"
#define COLOUR_FAINT    "#6b6b6b"

/* Okabe and Ito's palette: told apart by everyone, and in grey. */
#define COLOUR_MODELLED "#e69f00"
#define COLOUR_MEASURED "#56b4e9"

struct canvas {
	FILE *out;
	const struct table *table;
	const struct table_panel *panel;
	const struct table_group *groups;
	int nr_groups;
	int slots;
	bool modelled;
	bool walk, whiskers, published, published_walk; /* there is one to draw */
	double y_max;
};

/* One config of one workload: two bars, or the word that says why there is none. */
struct slot {
	const struct table_row *row;
	double x; /* centre */
	const char *config;
	bool failed; /* there are runs, and none could be used */
};

/* For inside single quotes, where gnuplot takes everything literally but the quote itself (and
 * gets a doubled one wrong at the start): a quote becomes an apostrophe, and what could end a line
 * or start a command elsewhere is shown as '?'. Texts are cut after so many characters (not bytes:
 * they are UTF-8). */
#define LABEL_MAX 40

static void print_literal(FILE *out, const char *text)
{
	int characters = 0;

	for (; *text; text++) {
		const unsigned char c = (unsigned char)*text;

		characters += (c & 0xc0) != 0x80;
		if (characters > LABEL_MAX) {
			fputs("\xe2\x80\xa6", out);
			return;
		}
		if (c == '\'')
			fputs("\xe2\x80\x99", out);
		else
			fputc(c < 0x20 || c == 0x7f || strchr("`@\\", c) ? '?' : c, out);
	}
}

static double group_x(const struct canvas *canvas, int group)
{
	return group * (canvas->panel->nr_configs + GROUP_GAP);
}

static struct slot slot_at(const struct canvas *canvas, int group, int config)
{
	const struct table_group *row_group = &canvas->groups[group];
	const char *name = canvas->panel->configs[config];
	const struct table_row *row = table_find(canvas->table, row_group, name);

	return (struct slot){
		.row = row,
		.x = group_x(canvas, group) + config,
		.config = name,
		.failed = row ? row->nr_used == 0 : table_failed(canvas->table, row_group, name),
	};
}

static void for_each_slot(struct canvas *canvas, void (*act)(struct canvas *, const struct slot *))
{
	for (int g = 0; g < canvas->nr_groups; g++) {
		for (int c = 0; c < canvas->panel->nr_configs; c++) {
			const struct slot slot = slot_at(canvas, g, c);

			act(canvas, &slot);
		}
	}
}

static bool has_bar(const struct slot *slot)
{
	return slot->row && !isnan(slot->row->ratio);
}

/* The baseline is 1 by definition; its whisker is its own spread. */
static struct stats_interval whisker(const struct table_row *row)
{
	struct stats_interval interval = row->ratio_interval;

	if (!row->is_baseline)
		return interval;
	interval = row->runtime_interval;
	interval.low /= row->runtime_ns;
	interval.high /= row->runtime_ns;
	return interval;
}

static double own_x(const struct canvas *canvas, const struct slot *slot)
{
	return canvas->published ? slot->x - BAR_WIDTH / 2 - 0.01 : slot->x;
}

static double published_x(const struct slot *slot)
{
	return slot->x + BAR_WIDTH / 2 + 0.01;
}

/* --- scales ----------------------------------------------------------------------------------- */

static void measure_slot(struct canvas *canvas, const struct slot *slot)
{
	if (!has_bar(slot))
		return;
	canvas->y_max = fmax(canvas->y_max, slot->row->ratio);
	canvas->walk |= !isnan(slot->row->walk_fraction);
	canvas->whiskers |= whisker(slot->row).method != STATS_NONE;
	if (!slot->row->published)
		return;
	canvas->published = true;
	canvas->published_walk |= !isnan(slot->row->published->walk_fraction);
	canvas->y_max = fmax(canvas->y_max, slot->row->published->normalised);
}

static void stretch_for_whisker(struct canvas *canvas, const struct slot *slot)
{
	const double high = has_bar(slot) ? whisker(slot->row).high : NAN;

	if (!isnan(high))
		canvas->y_max = fmax(canvas->y_max, high);
}

static void choose_scale(struct canvas *canvas)
{
	double bars;

	for_each_slot(canvas, measure_slot);
	bars = canvas->y_max;
	for_each_slot(canvas, stretch_for_whisker);
	/* Two runs may have an interval of any length; it must not flatten the bars. */
	canvas->y_max = fmin(canvas->y_max, 1.35 * bars) * 1.12;
}

/* --- the script's parts ----------------------------------------------------------------------- */

static void print_title(const struct canvas *canvas, const struct record *example)
{
	FILE *out = canvas->out;

	fprintf(out, "set title '%s on ", canvas->modelled ? "MODELLED" : "Measured");
	print_literal(out, describe_machine(example));
	fputs(": runtime relative to ", out);
	print_literal(out, canvas->panel->baseline);
	fprintf(out, "' font ',15' textcolor rgb '%s' offset 0,-0.3\n", COLOUR_INK);
}

static void print_setup(const struct canvas *canvas)
{
	FILE *out = canvas->out;
	const double width = group_x(canvas, canvas->nr_groups) - GROUP_GAP;
	const double margin = fmax(0.75, (WIDTH_MIN_SLOTS - width) / 2);

	fprintf(out,
		"set terminal svg size %d,%d font 'sans-serif,13' noenhanced "
		"background rgb '#ffffff'\n",
		WIDTH, HEIGHT);
	fprintf(out, "set xrange [%.3f:%.3f]\nset yrange [0:%.4f]\n", -margin, width - 1 + margin,
		canvas->y_max);
	fprintf(out, "set lmargin at screen 0.075\nset rmargin at screen 0.985\n"
		     "set bmargin at screen 0.2\nset tmargin at screen 0.8\n");
	fprintf(out,
		"set border 3 lc rgb '%s'\nset ytics nomirror\nset grid ytics lc rgb "
		"'#dddddd' lw 0.7 dt 1\n",
		COLOUR_FAINT);
	fprintf(out, "set ylabel 'runtime / baseline' offset 1,0\n");
	fprintf(out, "set key outside top center horizontal samplen 2 width 1 font ',12'\n");
	fprintf(out, "set style arrow 1 heads size screen 0.004,90 fixed lw 1.3 lc rgb '%s'\n",
		COLOUR_INK);
	fprintf(out, "set style fill border\n");
}

static void print_tick(struct canvas *canvas, const struct slot *slot)
{
	const bool off = slot->row && strcmp(slot->row->placement, "off") == 0;

	fputs("set xtics add ('", canvas->out);
	print_literal(canvas->out, slot->config);
	fprintf(canvas->out, "%s' %.3f)\n", off ? " \xe2\x80\xa0" : "", slot->x);
}

static void print_ticks(struct canvas *canvas)
{
	const bool many = canvas->slots > MANY_SLOTS, dense = canvas->slots > DENSE_SLOTS;

	fprintf(canvas->out,
		"set xtics nomirror scale 0 font ',%d' textcolor rgb '%s'%s\nset xtics ()\n",
		dense ? 10 : 12, COLOUR_INK,
		dense  ? " rotate by 90 right"
		: many ? " rotate by 40 right"
		       : "");
	for_each_slot(canvas, print_tick);
	for (int g = 0; g < canvas->nr_groups; g++) {
		const double first = group_x(canvas, g);

		fputs("set label '", canvas->out);
		print_literal(canvas->out, canvas->groups[g].label);
		fprintf(canvas->out, "' at first %.3f, screen 0.035 center font ',14'\n",
			first + (canvas->panel->nr_configs - 1) / 2.0);
		if (g > 0)
			fprintf(canvas->out,
				"set arrow from first %.3f, graph 0 to first %.3f, graph 1 nohead "
				"lc rgb '#bbbbbb' dt 3 back\n",
				first - 0.5 - GROUP_GAP / 2, first - 0.5 - GROUP_GAP / 2);
	}
}

static void print_value(const struct canvas *canvas, double x, double y, double value,
			const char *colour)
{
	const bool dense = canvas->slots > DENSE_SLOTS;

	fprintf(canvas->out,
		"set label '%.2f' at first %.3f,%.4f %s font ',10' textcolor rgb '%s' front\n",
		value, x, y, dense ? "left rotate by 90 offset 0,0.3" : "center offset 0,0.5",
		colour);
}

static void print_word(struct canvas *canvas, const struct slot *slot)
{
	const char *word = slot->failed ? "failed" : slot->row ? "no baseline" : "missing";

	fprintf(canvas->out,
		"set label '%s' at first %.3f, graph 0.03 left rotate by 90 font ',12' textcolor "
		"rgb '%s' front\n",
		word, slot->x, slot->failed ? COLOUR_ALARM : COLOUR_FAINT);
}

static void print_labels(struct canvas *canvas, const struct slot *slot)
{
	const struct table_row *row = slot->row;
	double top;

	if (!has_bar(slot)) {
		print_word(canvas, slot);
		return;
	}
	top = fmax(row->ratio, whisker(row).high);
	print_value(canvas, own_x(canvas, slot), fmin(top, canvas->y_max * 0.95), row->ratio,
		    COLOUR_INK);
	if (row->published)
		print_value(canvas, published_x(slot), row->published->normalised,
			    row->published->normalised, COLOUR_FAINT);
}

/* --- data blocks: x, height ------------------------------------------------------------------- */

static void print_own(struct canvas *canvas, const struct slot *slot)
{
	if (has_bar(slot))
		fprintf(canvas->out, "%.3f %.6f\n", own_x(canvas, slot), slot->row->ratio);
}

static void print_own_walk(struct canvas *canvas, const struct slot *slot)
{
	if (has_bar(slot) && !isnan(slot->row->walk_fraction))
		fprintf(canvas->out, "%.3f %.6f\n", own_x(canvas, slot),
			slot->row->ratio * fmin(1, slot->row->walk_fraction));
}

static void print_published(struct canvas *canvas, const struct slot *slot)
{
	if (has_bar(slot) && slot->row->published)
		fprintf(canvas->out, "%.3f %.6f\n", published_x(slot),
			slot->row->published->normalised);
}

static void print_published_walk(struct canvas *canvas, const struct slot *slot)
{
	const struct published *bar = slot->row ? slot->row->published : NULL;

	if (has_bar(slot) && bar && !isnan(bar->walk_fraction))
		fprintf(canvas->out, "%.3f %.6f\n", published_x(slot),
			bar->normalised * fmin(1, bar->walk_fraction));
}

static void print_whisker(struct canvas *canvas, const struct slot *slot)
{
	struct stats_interval interval;

	if (!has_bar(slot))
		return;
	interval = whisker(slot->row);
	if (interval.method == STATS_NONE)
		return;
	interval.high = fmin(interval.high, canvas->y_max * 0.999);
	fprintf(canvas->out, "%.3f %.6f %.6f\n", own_x(canvas, slot), interval.low,
		interval.high - interval.low);
}

static void print_block(struct canvas *canvas, const char *name,
			void (*print)(struct canvas *, const struct slot *))
{
	fprintf(canvas->out, "$%s << EOD\n", name);
	for_each_slot(canvas, print);
	fputs("EOD\n", canvas->out);
}

static void print_own_bars(const struct canvas *canvas)
{
	const char *kind = canvas->modelled ? "modelled" : "measured";

	fprintf(canvas->out,
		", $own with boxes fs solid 1.0 border rgb '%s' fc rgb '%s' title '%s runtime'",
		COLOUR_INK, canvas->modelled ? COLOUR_MODELLED : COLOUR_MEASURED, kind);
	if (canvas->walk)
		fprintf(canvas->out,
			", $own_walk with boxes fs transparent pattern 4 border rgb '%s' fc rgb "
			"'%s' title 'walk share, %s'",
			COLOUR_INK, COLOUR_INK, kind);
}

static void print_published_bars(const struct canvas *canvas)
{
	if (canvas->published)
		fprintf(canvas->out,
			", $published with boxes fs solid 1.0 border rgb '%s' fc rgb '#f2f2f2' "
			"title 'published runtime'",
			COLOUR_FAINT);
	if (canvas->published_walk)
		fprintf(canvas->out,
			", $published_walk with boxes fs transparent pattern 5 border rgb '%s' fc "
			"rgb '#8c8c8c' title 'walk share, published'",
			COLOUR_FAINT);
}

/* gnuplot fails on a block without data, so each is drawn only when it has some. */
static void print_plot(const struct canvas *canvas)
{
	fprintf(canvas->out,
		"set boxwidth %.2f absolute\nplot 1 with lines lc rgb '%s' lw 0.8 dt 2 notitle",
		canvas->published ? BAR_WIDTH : 1.5 * BAR_WIDTH, COLOUR_FAINT);
	print_own_bars(canvas);
	print_published_bars(canvas);
	if (canvas->whiskers)
		fputs(", $whiskers using 1:2:(0):3 with vectors arrowstyle 1 title '95% interval'",
		      canvas->out);
	fputc('\n', canvas->out);
}

void plot_print_script(FILE *out, const struct table *table, const struct plot *plot)
{
	const struct table_panel *panel = &table->panels[plot->panel];
	const struct record *example = table->sections[plot->section].example;
	struct canvas canvas = {
		.out = out,
		.table = table,
		.panel = panel,
		.groups = &table->groups[plot->first_group],
		.nr_groups = plot->nr_groups,
		.slots = plot->nr_groups * panel->nr_configs,
		.modelled = example->modelled,
		.y_max = 1,
	};

	choose_scale(&canvas);
	print_setup(&canvas);
	print_title(&canvas, example);
	print_ticks(&canvas);
	for_each_slot(&canvas, print_labels);
	print_block(&canvas, "own", print_own);
	print_block(&canvas, "own_walk", print_own_walk);
	print_block(&canvas, "published", print_published);
	print_block(&canvas, "published_walk", print_published_walk);
	print_block(&canvas, "whiskers", print_whisker);
	print_plot(&canvas);
}
