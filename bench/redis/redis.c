// SPDX-License-Identifier: MIT
/*
 * Redis: Debian's server, loaded over a Unix socket. The published thin runs are 2^30 keys of 256
 * bytes, 60 M updates and 60 M reads (WORKLOAD `redis` of both artifacts), with the load made
 * inside the server; the row redis-inproc does that.
 */
#include <hiredis/hiredis.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "bench/loadgen/service.h"

static const struct option_preset presets[] = {
	{"mitosis-thin", "one socket in Mitosis",
	 "keys=2^30 value-size=256 requests=120M reads=50 key-order=uniform"},
	{"vmitosis-thin", "one socket in vMitosis",
	 "keys=2^30 value-size=256 requests=120M reads=50 key-order=uniform"},
	{.name = NULL},
};

/* --- memory ------------------------------------------------------------------------------------
 */

/* jemalloc's size classes: multiples of 16 up to 128, then four to a doubling. */
static uint64_t allocated(uint64_t bytes)
{
	unsigned shift;

	if (bytes <= 128)
		return (bytes + 15) / 16 * 16;
	shift = 63 - (unsigned)__builtin_clzll(bytes - 1) - 2;
	return (((bytes - 1) >> shift) + 1) << shift;
}

/* An entry of three words, the key as a string, an object, the value as a string (server.h, sds.h,
 * dict.h of Redis 7.0): headers of 3 or 5 bytes and a NUL around the text. */
static double item_bytes(uint64_t value_bytes, const void *unused)
{
	const uint64_t header = value_bytes < 256 ? 3 : value_bytes < 65536 ? 5 : 9;
	const uint64_t key = allocated(3 + DIALECT_KEY_BYTES + 1);
	const uint64_t entry = allocated(24);

	(void)unused;
	if (value_bytes <= 44) /* object and text in one */
		return (double)(entry + key + allocated(16 + 3 + value_bytes + 1));
	return (double)(entry + key + allocated(16) + allocated(header + value_bytes + 1));
}

/* A word for every key, in powers of two; while it grows there is the one before, half as large. */
static uint64_t table_bytes(uint64_t keys)
{
	uint64_t buckets = 4;

	while (buckets < keys)
		buckets *= 2;
	return buckets * 8 + buckets * 4;
}

/* --- the server --------------------------------------------------------------------------------
 */

static void add_command(struct server_command *command, const struct client_address *address,
			const char *directory, const struct service_plan *plan)
{
	server_command_add(command, "--port");
	server_command_add(command, "%d", address->path[0] ? 0 : address->port);
	if (address->path[0]) {
		server_command_add(command, "--unixsocket");
		server_command_add(command, "%s", address->path);
	} else {
		server_command_add(command, "--bind");
		server_command_add(command, "127.0.0.1");
	}
	server_command_add(command, "--dir");
	server_command_add(command, "%s", directory);
	server_command_add(command, "--save");
	server_command_add(command, "%s", "");
	server_command_add(command, "--appendonly");
	server_command_add(command, "no");
	server_command_add(command, "--daemonize");
	server_command_add(command, "no");
	/* Its own answer to huge pages would undo what the config asks for. */
	server_command_add(command, "--disable-thp");
	server_command_add(command, plan->huge_pages ? "no" : "yes");
	server_command_add(command, "--maxclients");
	server_command_add(command, "12000");
	if (plan->nr_threads > 1) {
		server_command_add(command, "--io-threads");
		server_command_add(command, "%d", plan->nr_threads);
		server_command_add(command, "--io-threads-do-reads");
		server_command_add(command, "yes");
	}
}

static int admin_open(void **admin, const struct client_address *address, struct err *err)
{
	redisContext *context = address->path[0] ? redisConnectUnix(address->path)
						 : redisConnect("127.0.0.1", address->port);

	*admin = context;
	if (context && !context->err)
		return 0;
	return err_set(err, ERR_RUN, "cannot connect to redis-server: %s",
		       context ? context->errstr : "out of memory");
}

static void admin_close(void *admin)
{
	if (admin)
		redisFree(admin);
}

/* A reply of that type, or NULL with err. */
static redisReply *expect(redisContext *context, redisReply *reply, int type, struct err *err)
{
	if (reply && reply->type == type)
		return reply;
	err_set(err, ERR_RUN, "redis-server: %s",
		!reply                             ? context->errstr
		: reply->type == REDIS_REPLY_ERROR ? reply->str
						   : "an answer of the wrong type");
	if (reply)
		freeReplyObject(reply);
	return NULL;
}

static uint64_t info_number(const char *text, const char *name)
{
	const char *line = strstr(text, name);

	return line ? strtoull(line + strlen(name), NULL, 10) : 0;
}

static int admin_numbers(void *admin, struct service_numbers *numbers, struct err *err)
{
	redisReply *reply = expect(admin, redisCommand(admin, "INFO"), REDIS_REPLY_STRING, err);

	if (!reply)
		return -1;
	numbers->pid = (pid_t)info_number(reply->str, "\nprocess_id:");
	numbers->evictions = info_number(reply->str, "\nevicted_keys:");
	freeReplyObject(reply);
	reply = expect(admin, redisCommand(admin, "DBSIZE"), REDIS_REPLY_INTEGER, err);
	if (!reply)
		return -1;
	numbers->items = (uint64_t)reply->integer;
	freeReplyObject(reply);
	return 0;
}

static int64_t admin_fetch(void *admin, uint64_t key, char *value, uint64_t value_max,
			   struct err *err)
{
	redisReply *reply = redisCommand(admin, "GET %016" PRIx64, key);
	int64_t bytes = 0;

	if (!reply || reply->type != REDIS_REPLY_NIL) {
		reply = expect(admin, reply, REDIS_REPLY_STRING, err);
		if (!reply)
			return -1;
		if (reply->len <= value_max) {
			memcpy(value, reply->str, reply->len);
			bytes = (int64_t)reply->len;
		}
	}
	freeReplyObject(reply);
	return bytes;
}

static const struct service service = {
	.program = "redis-server",
	.dialect = &dialect_resp,
	.value_bytes_max = 64 << 20,
	.threads_max = 128,
	.base_bytes = UINT64_C(12) << 20,
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

const struct workload workload_redis = {
	.name = "redis",
	.summary = "Debian's Redis under load from clients of ours (Mitosis, vMitosis)",
	.options = service_options,
	.presets = presets,
	.published_threads = 1,
	/* Mitosis, table of workloads, one-socket runs. */
	.published_footprint_bytes = UINT64_C(75) << 30,
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
