// SPDX-License-Identifier: MIT
#include "bench/numbers.h"

#include <ctype.h>
#include <stdlib.h>

/* Parses "N" or "N-M" at *text and moves it on. */
static int parse_range(const char **text, long limit, long *first, long *last)
{
	char *end;

	if (!isdigit((unsigned char)**text))
		return -1;
	*first = *last = strtol(*text, &end, 10);
	if (*end == '-') {
		if (!isdigit((unsigned char)end[1]))
			return -1;
		*last = strtol(end + 1, &end, 10);
	}
	*text = end;
	return *first <= *last && *last < limit ? 0 : -1;
}

int numbers_parse(const char *text, const char *what, int limit, int *values, int max,
		  struct err *err)
{
	const char *at = text;
	int count = 0;

	for (;;) {
		long first, last;

		if (parse_range(&at, limit, &first, &last) != 0)
			break;
		for (; first <= last; first++) {
			if (count == max || (count > 0 && values[count - 1] >= first))
				return err_set(err, ERR_USAGE,
					       "%s: '%s' is not in ascending order without repeats",
					       what, text);
			values[count++] = (int)first;
		}
		if (*at == '\0')
			return count;
		if (*at++ != ',')
			break;
	}
	return err_set(err, ERR_USAGE, "%s: '%s' is no list of numbers below %d such as 0-3,8",
		       what, text, limit);
}

int numbers_parse_mask(const char *text, const char *what, uint64_t *mask, struct err *err)
{
	int values[64];
	const int count = numbers_parse(text, what, 64, values, 64, err);

	if (count < 0)
		return -1;
	*mask = 0;
	for (int i = 0; i < count; i++)
		*mask |= UINT64_C(1) << values[i];
	return 0;
}
