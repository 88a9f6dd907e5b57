// SPDX-License-Identifier: MIT
#include "harness/progress.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define SECOND_NS UINT64_C(1000000000)

static const char *left(const struct progress *progress, uint64_t seconds)
{
	static char text[32];

	progress_left(progress, progress->started_ns + seconds * SECOND_NS, text, sizeof(text));
	return text;
}

static void time_left_follows_the_runs(void **state)
{
	struct progress progress = {.total = 10, .started_ns = 5};

	(void)state;
	assert_string_equal(left(&progress, 3), "");
	progress.estimate_ns = 60 * SECOND_NS;
	assert_string_equal(left(&progress, 20), "41 s left");
	assert_string_equal(left(&progress, 70), ""); /* it takes longer than thought */
	progress.finished = 2;
	assert_string_equal(left(&progress, 40), "3 min left");
	progress.finished = 9;
	assert_string_equal(left(&progress, 36000), "67 min left");
}

static void log_has_plain_lines(void **state)
{
	char *text = NULL;
	size_t length = 0;
	FILE *out = tmpfile();
	struct progress progress;

	(void)state;
	progress_open(&progress, out, 2, 0);
	progress_start(&progress, "gups LP-LD");
	progress_phase(&progress, "gups LP-LD", "setup", 0.5);
	progress_finish(&progress, false, "gups LP-LD: done");
	progress_start(&progress, "gups RP-LD");
	progress_close(&progress);
	rewind(out);
	assert_true(getdelim(&text, &length, '\0', out) > 0);
	assert_null(strchr(text, '\r'));
	assert_null(strchr(text, '\033'));
	assert_non_null(strstr(text, "[1/2] gups LP-LD\ngups LP-LD: done\n[2/2] gups RP-LD"));
	free(text);
	fclose(out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(time_left_follows_the_runs),
		cmocka_unit_test(log_has_plain_lines),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
