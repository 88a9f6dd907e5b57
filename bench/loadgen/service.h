/* SPDX-License-Identifier: MIT */
/*
 * What the workloads with a real server share: options, the way from an empty server to a loaded
 * and measured one, the verdict and the metrics. A server differs from another by a `struct
 * service`.
 */
#ifndef BENCH_LOADGEN_SERVICE_H
#define BENCH_LOADGEN_SERVICE_H

#include "bench/loadgen/client.h"
#include "bench/loadgen/server.h"
#include "bench/workload.h"

/* Of the server's own accounts. */
struct service_numbers {
	pid_t pid;
	uint64_t items, evictions;
};

struct service_plan {
	uint64_t keys;
	double item_bytes;    /* mean, all that a key takes up in the server */
	uint64_t table_bytes; /* of the hash table, with the one it grew from */
	uint64_t bytes;       /* server and client */
	int nr_threads;
	bool huge_pages; /* wanted: the server shall not forbid them */
};

struct service {
	const char *program;
	const struct dialect *dialect;
	uint64_t value_bytes_max;
	int threads_max;
	uint64_t base_bytes; /* of a server that holds nothing */

	/* Memory of an item with a value of so many bytes, without the hash table. */
	double (*item_bytes)(uint64_t value_bytes, const void *unused);
	uint64_t (*table_bytes)(uint64_t keys);
	void (*command)(struct server_command *command, const struct client_address *address,
			const char *directory, const struct service_plan *plan);

	/* A blocking connection besides those of the load, to ask the server about itself. */
	int (*admin_open)(void **admin, const struct client_address *address, struct err *err);
	void (*admin_close)(void *admin); /* NULL is fine */
	int (*admin_numbers)(void *admin, struct service_numbers *numbers, struct err *err);
	/* The value of a key: its size, or -1 with err; 0 when there is none. */
	int64_t (*admin_fetch)(void *admin, uint64_t key, char *value, uint64_t value_max,
			       struct err *err);
};

extern const struct option service_options[];

int service_check(const struct service *service, const struct option_set *options, int nr_threads,
		  struct err *err);
uint64_t service_footprint_bytes(const struct service *service, const struct option_set *options,
				 int nr_threads);
int service_server(const struct service *service, const struct option_set *options,
		   struct workload_server *server, struct err *err);
int service_setup(const struct service *service, struct workload_run *run, struct err *err);
void service_run(struct workload_run *run, int thread);
int service_check_run(struct workload_run *run, struct err *err);
int service_verify(struct workload_run *run, struct verification *verification, struct err *err);
void service_metrics(struct workload_run *run, struct metrics *metrics);
json_t *service_series(struct workload_run *run);
void service_teardown(struct workload_run *run);

#endif
