// SPDX-License-Identifier: MIT
/*
 * Memcached: Debian's server, loaded over a Unix socket. The published runs (WORKLOAD `memcached`
 * of both artifacts) hold 2.3e9 pairs in 412 GB of slabs (thin) and 3.9e9 in 581 GiB (wide); the
 * size of a value below is what these leave for it.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "bench/loadgen/service.h"

#define PAGE_BYTES (UINT64_C(1) << 20)

static const struct option_preset presets[] = {
	{"mitosis-thin", "one socket in Mitosis",
	 "keys=2300M value-size=96 requests=10G reads=100 key-order=uniform"},
	{"vmitosis-thin", "one socket in vMitosis",
	 "keys=2300M value-size=96 requests=10G reads=100 key-order=uniform"},
	{"vmitosis-wide", "all sockets in vMitosis",
	 "keys=3900M value-size=80 requests=10G reads=100 key-order=uniform"},
	{.name = NULL},
};

/* --- memory ------------------------------------------------------------------------------------
 */

/* An item is a header of 48 bytes, a check-and-set number of 8, the key with a NUL, and the value
 * with CR LF; chunks grow by 1.25 from 96 bytes, in multiples of 8, and share pages of 1 MiB
 * (items.c, slabs.c of memcached 1.6). */
static double item_bytes(uint64_t value_bytes, const void *unused)
{
	const uint64_t bytes = 48 + 8 + DIALECT_KEY_BYTES + 1 + value_bytes + 2;
	double chunk = 96;

	(void)unused;
	while (chunk < (double)bytes && chunk <= (double)(PAGE_BYTES / 2) / 1.25)
		chunk = (double)(((uint64_t)(chunk * 1.25) + 7) / 8 * 8);
	if (chunk < (double)bytes) /* in pieces of half a page and a rest */
		return (double)bytes * 1.1;
	return (double)PAGE_BYTES / (double)(PAGE_BYTES / (uint64_t)chunk);
}

/* It starts with 2^16 buckets and doubles when there are 1.5 items to one; then both are there. */
static uint64_t table_bytes(uint64_t keys)
{
	uint64_t buckets = 1 << 16;

	while (keys > buckets / 2 * 3)
		buckets *= 2;
	return buckets * 8 + buckets * 4;
}

/* --- the server --------------------------------------------------------------------------------
 */

/* The limit is what it plans with, and it drops keys to keep it; half as much again is never used.
 * Fewer than 64 MiB are too few for a page of each size of chunk. */
static uint64_t limit_mib(const struct service_plan *plan)
{
	const double bytes = plan->item_bytes * (double)plan->keys * 1.5;

	return (uint64_t)(bytes / (double)PAGE_BYTES) + 128;
}

static void add_command(struct server_command *command, const struct client_address *address,
			const char *directory, const struct service_plan *plan)
{
	(void)directory;
	if (address->path[0]) {
		server_command_add(command, "-s");
		server_command_add(command, "%s", address->path);
	} else {
		server_command_add(command, "-l");
		server_command_add(command, "127.0.0.1");
		server_command_add(command, "-p");
		server_command_add(command, "%d", address->port);
	}
	server_command_add(command, "-U");
	server_command_add(command, "0");
	server_command_add(command, "-t");
	server_command_add(command, "%d", plan->nr_threads);
	server_command_add(command, "-m");
	server_command_add(command, "%" PRIu64, limit_mib(plan));
	server_command_add(command, "-c");
	server_command_add(command, "12000");
	/* Requests of a connection before another has its turn: no less than what we pipeline. */
	server_command_add(command, "-R");
	server_command_add(command, "256");
	if (geteuid() == 0) {
		server_command_add(command, "-u");
		server_command_add(command, "root");
	}
}

/* --- a connection that asks --------------------------------------------------------------------
 */

struct admin {
	int fd;
	size_t used;
	char text[16384 + 64];
};

static int admin_open(void **result, const struct client_address *address, struct err *err)
{
	struct admin *admin = calloc(1, sizeof(*admin));

	*result = admin;
	if (!admin)
		return err_set(err, ERR_INTERNAL, "out of memory");
	admin->fd = client_connect(address, err);
	return admin->fd < 0 ? -1 : 0;
}

static void admin_close(void *context)
{
	struct admin *admin = context;

	if (admin && admin->fd >= 0)
		close(admin->fd);
	free(admin);
}

static int tell(struct admin *admin, const char *text, struct err *err)
{
	const size_t length = strlen(text);

	admin->used = 0;
	admin->text[0] = '\0';
	if (send(admin->fd, text, length, MSG_NOSIGNAL) == (ssize_t)length)
		return 0;
	return err_set_errno(err, ERR_RUN, errno, "memcached does not listen any more");
}

static int hear(struct admin *admin, struct err *err)
{
	ssize_t n;

	if (admin->used + 1 >= sizeof(admin->text))
		return err_set(err, ERR_RUN, "memcached's answer is too long");
	n = recv(admin->fd, admin->text + admin->used, sizeof(admin->text) - 1 - admin->used, 0);
	if (n <= 0)
		return err_set(err, ERR_RUN, "memcached does not answer any more");
	admin->used += (size_t)n;
	admin->text[admin->used] = '\0';
	return 0;
}

static uint64_t stat_number(const char *text, const char *name)
{
	const char *line = strstr(text, name);

	return line ? strtoull(line + strlen(name), NULL, 10) : 0;
}

static int admin_numbers(void *context, struct service_numbers *numbers, struct err *err)
{
	struct admin *admin = context;

	if (tell(admin, "stats\r\n", err) != 0)
		return -1;
	while (admin->used < 5 || strcmp(admin->text + admin->used - 5, "END\r\n") != 0) {
		if (hear(admin, err) != 0)
			return -1;
	}
	numbers->pid = (pid_t)stat_number(admin->text, "STAT pid ");
	numbers->items = stat_number(admin->text, "STAT curr_items ");
	numbers->evictions = stat_number(admin->text, "STAT evictions ");
	return 0;
}

/* The rest of a value that is longer than what has been read, and the "END" behind it. */
static int64_t take_value(struct admin *admin, char *value, uint64_t bytes, struct err *err)
{
	char *data = strstr(admin->text, "\r\n") + 2;
	uint64_t have = admin->used - (size_t)(data - admin->text);
	char tail[8];

	if (have > bytes)
		have = bytes;
	memcpy(value, data, have);
	data += have;
	while (have < bytes) {
		const ssize_t n = recv(admin->fd, value + have, bytes - have, 0);

		if (n <= 0)
			return err_set(err, ERR_RUN, "memcached does not answer any more");
		have += (uint64_t)n;
	}
	have = admin->used - (size_t)(data - admin->text);
	if (have < 7 && recv(admin->fd, tail, 7 - have, MSG_WAITALL) != (ssize_t)(7 - have))
		return err_set(err, ERR_RUN, "memcached does not answer any more");
	return (int64_t)bytes;
}

static int64_t admin_fetch(void *context, uint64_t key, char *value, uint64_t value_max,
			   struct err *err)
{
	struct admin *admin = context;
	uint64_t bytes;
	char request[40];

	snprintf(request, sizeof(request), "get %016" PRIx64 "\r\n", key);
	if (tell(admin, request, err) != 0)
		return -1;
	while (!strstr(admin->text, "\r\n")) {
		if (hear(admin, err) != 0)
			return -1;
	}
	if (strcmp(admin->text, "END\r\n") == 0)
		return 0;
	if (sscanf(admin->text, "VALUE %*16[0-9a-f] %*u %" SCNu64, &bytes) != 1 ||
	    bytes > value_max)
		return err_set(err, ERR_RUN, "memcached answers '%.40s'", admin->text);
	return take_value(admin, value, bytes, err);
}

static const struct service service = {
	.program = "memcached",
	.dialect = &dialect_memcached,
	.value_bytes_max = (1 << 20) - 512,
	.threads_max = 256,
	.base_bytes = UINT64_C(8) << 20,
	.item_bytes = item_bytes,
	.table_bytes = table_bytes,
	.command = add_command,
	.admin_open = admin_open,
	.admin_close = admin_close,
	.admin_numbers = admin_numbers,
	.admin_fetch = admin_fetch,
};

static int check(const struct option_set *options, int nr_threads, struct err *err)
{
	return service_check(&service, options, nr_threads, err);
}

static uint64_t footprint_bytes(const struct option_set *options, int nr_threads)
{
	return service_footprint_bytes(&service, options, nr_threads);
}

static int server(const struct option_set *options, struct workload_server *out, struct err *err)
{
	return service_server(&service, options, out, err);
}

static int setup(struct workload_run *run, struct err *err)
{
	return service_setup(&service, run, err);
}

const struct workload workload_memcached = {
	.name = "memcached",
	.summary = "Debian's Memcached under load from clients of ours (Mitosis, vMitosis)",
	.options = service_options,
	.presets = presets,
	.published_threads = 1,
	/* Mitosis, table of workloads. */
	.published_footprint_bytes = UINT64_C(350) << 30,
	.check = check,
	.footprint_bytes = footprint_bytes,
	.server = server,
	.setup = setup,
	.run = service_run,
	.check_run = service_check_run,
	.verify = service_verify,
	.metrics = service_metrics,
	.series = service_series,
	.teardown = service_teardown,
};
