// SPDX-License-Identifier: MIT
#include "analysis/html.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

static void test_escapes(void **state)
{
	char *text;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	(void)state;
	html_text(out, "<script>\"a\" & 'b'</script>\x01 \xc3\xa9");
	html_text(out, NULL);
	html_printf(out, "|%s|%d", "<", 5);
	html_number(out, "%s", ">");
	html_name(out, "a&b");
	html_name(out, "longer than a name of our own would ever be");
	fclose(out);
	assert_string_equal(
		text, "&lt;script&gt;&quot;a&quot; &amp; &#39;b&#39;&lt;/script&gt;\xef\xbf\xbd "
		      "\xc3\xa9|&lt;|5<td class=\"n\">&gt;</td><td class=\"c\">a&amp;b</td><td "
		      "class=\"w\">longer than a name of our own would ever be</td>");
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_escapes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
