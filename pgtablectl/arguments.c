// SPDX-License-Identifier: MIT
#include <ctype.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "common/pgtable_numa.h"
#include "pgtablectl/commands.h"

static int parse_int(const char *text, int *value)
{
	char *end;
	long number;

	if (!isdigit((unsigned char)text[0]))
		return -1;
	number = strtol(text, &end, 10);
	if (*end != '\0' || number > INT_MAX)
		return -1;
	*value = (int)number;
	return 0;
}

int parse_pid(const char *text, pid_t *pid, struct err *err)
{
	int value;

	if (parse_int(text, &value) != 0 || value == 0)
		return err_set(err, ERR_USAGE, "'%s' is no process id", text);
	*pid = value;
	return 0;
}

int parse_node(const char *text, const char *what, int *node, struct err *err)
{
	if (parse_int(text, node) == 0 && *node < PGTABLE_NUMA_NODES_MAX)
		return 0;
	return err_set(err, ERR_USAGE, "%s takes the number of one node (0 to %d), not '%s'", what,
		       PGTABLE_NUMA_NODES_MAX - 1, text);
}

int parse_nodes(const char *text, const char *what, uint64_t *nodes, struct err *err)
{
	*nodes = 0;
	if (strcmp(text, "all") == 0 || pgtable_numa_parse_nodes(text, nodes) == 0)
		return 0;
	return err_set(err, ERR_USAGE,
		       "%s takes a list of nodes like 0-3 or 0,2, or 'all', not '%s'", what, text);
}
