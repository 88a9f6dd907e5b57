// SPDX-License-Identifier: MIT
#include <inttypes.h>
#include <stdio.h>

#include "bench/loadgen/service_state.h"

const struct option service_options[] = {
	[SERVICE_SIZE] =
		{.name = "size",
		 .type = OPTION_SIZE,
		 .adapt = options_quarter_of_memory,
		 .emulated = "128M",
		 .min = UINT64_C(16) << 20,
		 .max = UINT64_C(1) << 50,
		 .scales = true,
		 .help = "memory of the server, as many keys as fit; default: a quarter of memory"},
	[SERVICE_KEYS] = {.name = "keys",
			  .type = OPTION_COUNT,
			  .native = "0",
			  .max = UINT64_C(1) << 44,
			  .scales = true,
			  .help = "number of keys; 0: by --size"},
	[SERVICE_REQUESTS] = {.name = "requests",
			      .type = OPTION_COUNT,
			      .native = "10M",
			      .emulated = "10k",
			      .min = 1,
			      .max = UINT64_C(1) << 60,
			      .help = "requests by all clients together"},
	[SERVICE_DURATION] = {.name = "duration",
			      .type = OPTION_DOUBLE,
			      .native = "0",
			      .help = "seconds after which no request is sent any more, however "
				      "many --requests; 0: no limit"},
	[SERVICE_READS] = {.name = "reads",
			   .type = OPTION_DOUBLE,
			   .native = "50",
			   .help = "percent of the requests that read; the others update"},
	[SERVICE_KEY_ORDER] = {.name = "key-order",
			       .type = OPTION_CHOICE,
			       .native = "uniform",
			       .choices = KEYS_CHOICES,
			       .help = "which keys: zipf takes some much oftener than others, "
				       "latest those just written"},
	[SERVICE_ZIPF_EXPONENT] = {.name = "zipf-exponent",
				   .type = OPTION_DOUBLE,
				   .native = "0.99",
				   .help = "of zipf and latest: rank r as often as r^-exponent"},
	[SERVICE_VALUE_SIZE] = {.name = "value-size",
				.type = OPTION_SIZE,
				.native = "256",
				.min = VALUE_BYTES_MIN,
				.max = 64 << 20,
				.help = "bytes of a value, or of the largest"},
	[SERVICE_VALUE_SIZES] =
		{.name = "value-sizes",
		 .type = OPTION_CHOICE,
		 .native = "fixed",
		 .choices = VALUES_CHOICES,
		 .help = "distribution of the values' sizes; pareto: of a published "
			 "memcached pool"},
	[SERVICE_MULTIGET] = {.name = "multiget",
			      .type = OPTION_INT,
			      .native = "1",
			      .min = 1,
			      .max = DIALECT_KEYS_MAX,
			      .help = "keys of one read request"},
	[SERVICE_CONNECTIONS] = {.name = "connections",
				 .type = OPTION_INT,
				 .native = "16",
				 .emulated = "4",
				 .min = 1,
				 .max = 10000,
				 .help = "of all clients together"},
	[SERVICE_CLIENT_THREADS] = {.name = "client-threads",
				    .type = OPTION_INT,
				    .native = "1",
				    .min = 1,
				    .max = 256,
				    .help = "threads of the load; --threads are the server's"},
	[SERVICE_CLIENT_CPUS] = {.name = "client-cpus",
				 .type = OPTION_TEXT,
				 .help = "CPUs of these threads; default: those that the server "
					 "does not use"},
	[SERVICE_PIPELINE] = {.name = "pipeline",
			      .type = OPTION_INT,
			      .native = "32",
			      .min = 1,
			      .max = 4096,
			      .help = "requests that a connection keeps under way"},
	[SERVICE_RATE] = {.name = "rate",
			  .type = OPTION_COUNT,
			  .native = "0",
			  .max = UINT64_C(1) << 40,
			  .help = "requests a second by all clients, sent whether or not replies "
				  "come; 0: as replies come"},
	[SERVICE_ARRIVALS] = {.name = "arrivals",
			      .type = OPTION_CHOICE,
			      .native = "poisson",
			      .choices = "constant|poisson",
			      .help = "time between requests with --rate: equal, or exponentially "
				      "distributed"},
	[SERVICE_WARM_UP] = {.name = "warm-up",
			     .type = OPTION_COUNT,
			     .native = "1M",
			     .emulated = "2k",
			     .max = UINT64_C(1) << 60,
			     .help = "requests before the measured ones"},
	[SERVICE_TRANSPORT] = {.name = "transport",
			       .type = OPTION_CHOICE,
			       .native = "unix",
			       .choices = "unix|tcp",
			       .help = "a Unix socket, or TCP on the loopback"},
	[SERVICE_PORT] = {.name = "port",
			  .type = OPTION_INT,
			  .native = "0",
			  .max = 65535,
			  .help = "of --transport tcp; 0: a free one"},
	[SERVICE_SERVER] = {.name = "server",
			    .type = OPTION_TEXT,
			    .help = "path of the server program; default: where it is installed"},
	[SERVICE_LOAD_PIPELINE] = {.name = "load-pipeline",
				   .type = OPTION_INT,
				   .native = "256",
				   .min = 1,
				   .max = 4096,
				   .help = "requests that a connection keeps under way while the "
					   "keys are loaded"},
	{.name = NULL},
};

/* --- how large ------------------------------------------------------------------------------- */

static struct values values_of(const struct option_set *options)
{
	return (struct values){
		.kind = (enum values_kind)option_choice(options, SERVICE_VALUE_SIZES),
		.bytes = option_u64(options, SERVICE_VALUE_SIZE),
	};
}

static uint64_t bytes_of(const struct service *service, double item_bytes, uint64_t keys)
{
	return service->base_bytes + service->table_bytes(keys) +
	       (uint64_t)((item_bytes + VERSIONS_BYTES_OF_KEY) * (double)keys);
}

struct service_plan service_make_plan(const struct service *service,
				      const struct option_set *options, int nr_threads)
{
	const struct values values = values_of(options);
	const uint64_t size = option_u64(options, SERVICE_SIZE);
	struct service_plan plan = {
		.keys = option_u64(options, SERVICE_KEYS),
		.item_bytes = values_mean(&values, service->item_bytes, NULL),
		.nr_threads = nr_threads,
	};

	if (plan.keys == 0) {
		uint64_t low = 1, high = size / VALUE_BYTES_MIN;

		while (low < high) {
			const uint64_t middle = low + (high - low + 1) / 2;

			if (bytes_of(service, plan.item_bytes, middle) <= size)
				low = middle;
			else
				high = middle - 1;
		}
		plan.keys = low;
	}
	plan.table_bytes = service->table_bytes(plan.keys);
	plan.bytes = bytes_of(service, plan.item_bytes, plan.keys);
	return plan;
}

uint64_t service_footprint_bytes(const struct service *service, const struct option_set *options,
				 int nr_threads)
{
	return service_make_plan(service, options, nr_threads).bytes;
}

/* --- what cannot be meant --------------------------------------------------------------------- */

static int check_number(const struct option_set *options, int index, double least, double most,
			struct err *err)
{
	const double value = option_f64(options, index);

	if (value >= least && value <= most)
		return 0;
	return err_set(err, ERR_USAGE, "--%s: %g is not between %g and %g",
		       options->rows[index].name, value, least, most);
}

int service_check(const struct service *service, const struct option_set *options, int nr_threads,
		  struct err *err)
{
	const uint64_t value_bytes = option_u64(options, SERVICE_VALUE_SIZE);

	if (check_number(options, SERVICE_READS, 0, 100, err) != 0 ||
	    check_number(options, SERVICE_DURATION, 0, 1e6, err) != 0 ||
	    check_number(options, SERVICE_ZIPF_EXPONENT, 0.01, 10, err) != 0)
		return -1;
	if (value_bytes > service->value_bytes_max)
		return err_set(err, ERR_USAGE,
			       "--value-size: %" PRIu64 " bytes; %s takes %" PRIu64 " at most",
			       value_bytes, service->program, service->value_bytes_max);
	if (nr_threads > service->threads_max)
		return err_set(err, ERR_USAGE, "--threads: %d; %s has %d at most", nr_threads,
			       service->program, service->threads_max);
	if (option_u64(options, SERVICE_CONNECTIONS) < option_u64(options, SERVICE_CLIENT_THREADS))
		return err_set(err, ERR_USAGE,
			       "--connections: %" PRIu64
			       " are less than one for each of the %" PRIu64 " --client-threads",
			       option_u64(options, SERVICE_CONNECTIONS),
			       option_u64(options, SERVICE_CLIENT_THREADS));
	if (option_u64(options, SERVICE_PORT) > 0 && option_choice(options, SERVICE_TRANSPORT) == 0)
		return err_set(err, ERR_USAGE, "--port needs --transport tcp");
	return 0;
}

int service_server(const struct service *service, const struct option_set *options,
		   struct workload_server *server, struct err *err)
{
	const char *wanted = option_text(options, SERVICE_SERVER);

	server->nr_clients = (int)option_u64(options, SERVICE_CLIENT_THREADS);
	server->client_cpus = option_text(options, SERVICE_CLIENT_CPUS);
	return server_find(wanted ? wanted : service->program, server->program, err);
}
