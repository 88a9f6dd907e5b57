// SPDX-License-Identifier: MIT
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "harness/fragmentation.h"

static json_t *report(int node, int free_bytes, int large_bytes)
{
	return json_pack("{s:f, s:[{s:i, s:{s:i, s:i}}]}", "goal", 0.05, "nodes", "node", node,
			 "after", "free_bytes", free_bytes, "large_bytes", large_bytes);
}

static void judge(json_t *ready, json_t *done, const char *says)
{
	char off[FRAGMENTATION_TEXT_MAX];

	fragmentation_judge(ready, done, off);
	if (says)
		assert_non_null(strstr(off, says));
	else
		assert_string_equal(off, "");
	json_decref(ready);
	json_decref(done);
}

static void it_lasts_or_not(void **state)
{
	(void)state;
	judge(report(0, 1000, 40), report(0, 1000, 40), NULL);
	/* Little is free at the end, and half of it in large blocks: still what it was. */
	judge(report(0, 1000, 40), report(0, 80, 40), NULL);
	judge(report(0, 1000, 50), report(0, 1000, 50), NULL);
	judge(report(1, 1000, 40), report(1, 900, 300), "30.0% of the memory of node 1");
	judge(report(0, 1000, 40), report(1, 1000, 40), "node 0");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(it_lasts_or_not),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
