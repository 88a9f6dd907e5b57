/* SPDX-License-Identifier: MIT */
/*
 * The server as a child process: in a directory of its own, on a socket that nobody else knows,
 * placed before it is executed, and gone when its parent is, however that ends (PR_SET_PDEATHSIG).
 */
#ifndef BENCH_LOADGEN_SERVER_H
#define BENCH_LOADGEN_SERVER_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "bench/arena.h"
#include "bench/loadgen/client.h"
#include "bench/workload.h"
#include "common/err.h"

#define SERVER_ARGUMENTS_MAX 48
#define SERVER_WORD_MAX      128

/* The command line, built up word by word. */
struct server_command {
	char words[SERVER_ARGUMENTS_MAX][SERVER_WORD_MAX];
	char *argv[SERVER_ARGUMENTS_MAX + 1];
	int nr_words;
};
void server_command_add(struct server_command *command, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

struct server {
	const char *name;   /* for messages: "redis-server" */
	char directory[64]; /* its working directory; "" when there is none (any more) */
	struct client_address address;
	pid_t pid; /* 0: not started */
	int pidfd;
	int log_fd; /* what it prints, in memory */
	bool ended;
	int status; /* as waitpid(2) gives it */
};

#define SERVER_NONE ((struct server){.pidfd = -1, .log_fd = -1})

/*
 * The program's path: `wanted` when it is absolute, else looked up in PATH and the usual
 * directories of daemons. ERR_MACHINE, with the remedy, when there is none.
 */
int server_find(const char *wanted, char path[WORKLOAD_PATH_MAX], struct err *err);

enum server_transport { SERVER_UNIX, SERVER_TCP };

/*
 * Makes the directory and chooses the address. `port` 0: a free one. ERR_USAGE when somebody
 * listens on the port already.
 */
int server_prepare(struct server *server, enum server_transport transport, int port,
		   struct err *err);

struct server_place {
	const int *cpus;
	int nr_cpus;
	const struct arena_policy *policy;
};

/*
 * Starts it on those CPUs, under the memory policy of the caller (which decides about page tables),
 * or interleaved where the policy says so and the caller is not bound to a node. Waits until it can
 * be connected to. ERR_RUN with its last words when it ends instead.
 */
int server_start(struct server *server, const struct server_command *command,
		 const struct server_place *place, struct err *err);

/* Moves its pages to where the policy wants data; page tables stay (docs/PROTOCOL.md). */
int server_move_data(const struct server *server, const struct arena_policy *policy,
		     struct err *err);

/* Takes the socket and the directory away: who is connected stays connected. */
void server_hide(struct server *server);

/* Whether it runs; else the error says how it ended and what it said last. */
int server_check(struct server *server, struct err *err);

/* SIGTERM, after some seconds SIGKILL; removes what it left. */
void server_stop(struct server *server);

struct server_usage {
	uint64_t cpu_ns, user_ns, system_ns;
	uint64_t rss_bytes, anonymous_bytes, page_table_bytes;
};
int server_usage(const struct server *server, struct server_usage *usage, struct err *err);

#endif
