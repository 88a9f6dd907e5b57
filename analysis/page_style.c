// SPDX-License-Identifier: MIT
/* The style of the page: readable on a screen, light or dark, and on A4. */
#include "analysis/page.h"

/* clang-format off: one rule a line */
static const char style[] =
	":root { color-scheme: light dark; --ink: #1a1a1a; --faint: #5c5c5c; --line: #d4d4d4; --paper: #ffffff; --card: #f6f6f6; --link: #005a9c; --alarm: #b00020; }\n"
	"@media (prefers-color-scheme: dark) { :root { --ink: #e8e8e8; --faint: #a8a8a8; --line: #444444; --paper: #161616; --card: #222222; --link: #7fbfff; --alarm: #ff8a80; } }\n"
	"body { color: var(--ink); background: var(--paper); font: 1rem/1.5 sans-serif; margin: 0 auto; max-width: 72rem; padding: 1rem 1.5rem 4rem; }\n"
	"h1 { font-size: 1.7rem; margin: .5rem 0; }\n"
	"h2 { font-size: 1.35rem; margin: 2.5rem 0 .5rem; border-bottom: 1px solid var(--line); }\n"
	"h3 { font-size: 1.1rem; margin: 1.5rem 0 .5rem; }\n"
	"h4 { font-size: 1rem; margin: 1rem 0 .3rem; }\n"
	"a { color: var(--link); }\n"
	".meta { color: var(--faint); }\n"
	".banner { border-left: .5rem solid; padding: .6rem 1rem; margin: .8rem 0; color: #1a1a1a; }\n"
	".banner.modelled { background: #fdeccb; border-color: #e69f00; }\n"
	".banner.measured { background: #dcf0fb; border-color: #56b4e9; }\n"
	".badge { font-size: .75rem; font-weight: bold; padding: .15rem .5rem; border-radius: .25rem; color: #1a1a1a; vertical-align: middle; }\n"
	".badge.modelled { background: #e69f00; }\n"
	".badge.measured { background: #56b4e9; }\n"
	"figure { margin: 1rem 0; }\n"
	"figure svg { display: block; box-sizing: border-box; width: 100%; height: auto; background: #ffffff; border: 1px solid var(--line); }\n"
	"figcaption { color: var(--faint); font-size: .85rem; margin-top: .4rem; }\n"
	"section { overflow-x: auto; }\n"
	"table { border-collapse: collapse; font-size: .85rem; margin: .6rem 0 1rem; width: 100%; }\n"
	"th, td { border-bottom: 1px solid var(--line); padding: .25rem .5rem; text-align: left; vertical-align: top; }\n"
	"thead th { background: var(--card); vertical-align: bottom; }\n"
	".n { text-align: right; font-variant-numeric: tabular-nums; }\n"
	".c { white-space: nowrap; }\n"
	".w { overflow-wrap: anywhere; }\n"
	"table.machine th { width: 11rem; font-weight: normal; color: var(--faint); }\n"
	".ci { color: var(--faint); font-size: .92em; white-space: nowrap; }\n"
	".source { color: var(--faint); font-size: .92em; }\n"
	".missing { color: var(--alarm); }\n"
	"pre { background: var(--card); padding: .6rem .8rem; white-space: pre-wrap; overflow-wrap: anywhere; font-size: .85rem; }\n"
	"details { margin: .6rem 0; }\n"
	"summary { cursor: pointer; font-weight: bold; }\n"
	"@page { size: A4; margin: 16mm 14mm 18mm; @bottom-right { content: counter(page) ' / ' counter(pages); font: 9pt sans-serif; color: #5c5c5c; } }\n"
	"@media print {\n"
	":root { color-scheme: light; --ink: #1a1a1a; --faint: #5c5c5c; --line: #d4d4d4; --paper: #ffffff; --card: #f6f6f6; --link: #005a9c; --alarm: #b00020; font-size: 9.5pt; }\n"
	"body { max-width: none; padding: 0; }\n"
	"section { overflow-x: visible; }\n"
	".machine > .meta { break-after: avoid; }\n"
	"h2, h3, h4, summary, thead { break-after: avoid; }\n"
	"figure, tr { break-inside: avoid; }\n"
	"table { font-size: 7.5pt; }\n"
	"h2 { border-bottom: .5pt solid #d4d4d4; }\n"
	"th, td { padding: .15rem .3rem; border-bottom: .4pt solid #d4d4d4; }\n"
	"thead { display: table-header-group; }\n"
	"summary { list-style: none; }\n"
	"}\n";
/* clang-format on */

void page_print_style(FILE *out)
{
	fputs(style, out);
}
