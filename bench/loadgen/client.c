// SPDX-License-Identifier: MIT
#include "bench/loadgen/client.h"

#include <errno.h>
#include <event2/event.h>
#include <math.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "bench/loadgen/connection.h"
#include "bench/loadgen/random.h"

#define SECOND_NS UINT64_C(1000000000)
#define GAP_SEED  UINT64_C(0x676170)
#define TICK_NS   (SECOND_NS / 5)

struct line {
	struct connection connection;
	struct event *readable, *writable;
	struct client_thread *thread;
};

struct client_thread {
	struct client_mix *mix;
	struct event_base *base;
	struct event *timer, *tick;
	struct client_counts counts;
	struct histogram *latencies[2]; /* reads, updates */
	struct histogram *interval;     /* of this second */
	const struct client_phase *phase;
	int number, nr_threads;
	uint64_t begin_ns, now_ns, heard_ns;
	uint64_t requests, sent, done; /* of this thread's part */
	uint64_t told;                 /* of `done`, to mix->completed */
	double due_ns;                 /* open loop: of the next request, since begin_ns */
	uint64_t second;
	struct err err;
	bool over;
	int nr_lines, next_line;
	struct line lines[];
};

static uint64_t clock_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * SECOND_NS + (uint64_t)now.tv_nsec;
}

/* --- connecting ------------------------------------------------------------------------------ */

int client_connect(const struct client_address *address, struct err *err)
{
	const bool local = address->path[0] != '\0';
	struct sockaddr_un to_path = {.sun_family = AF_UNIX};
	struct sockaddr_in to_port = {
		.sin_family = AF_INET,
		.sin_port = htons((uint16_t)address->port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	const int fd = socket(local ? AF_UNIX : AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), one = 1;
	int failed;

	if (fd < 0)
		return err_set_errno(err, ERR_INTERNAL, errno, "cannot make a socket");
	snprintf(to_path.sun_path, sizeof(to_path.sun_path), "%s", address->path);
	failed = local ? connect(fd, (struct sockaddr *)&to_path, sizeof(to_path))
		       : connect(fd, (struct sockaddr *)&to_port, sizeof(to_port));
	if (!failed && !local)
		failed = setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	if (!failed)
		return fd;
	if (local)
		err_set_errno(err, ERR_RUN, errno, "cannot connect to the server at '%s'",
			      address->path);
	else
		err_set_errno(err, ERR_RUN, errno, "cannot connect to the server at port %d",
			      address->port);
	close(fd);
	return -1;
}

/* --- the loop -------------------------------------------------------------------------------- */

static void end_loop(struct client_thread *thread)
{
	thread->over = true;
	event_base_loopbreak(thread->base);
}

static void fail(struct client_thread *thread)
{
	atomic_store(&thread->mix->stop, true);
	end_loop(thread);
}

static void lost(struct client_thread *thread)
{
	err_set(&thread->err, ERR_RUN, "the server closed a connection in mid-run");
	fail(thread);
}

/* Nothing is sent after the end of a phase with a duration. */
static bool all_sent(const struct client_thread *thread)
{
	const struct client_phase *phase = thread->phase;

	if (thread->sent == thread->requests)
		return true;
	if (phase->duration_ns == 0)
		return false;
	if (phase->rate > 0)
		return thread->due_ns >= (double)phase->duration_ns;
	return thread->now_ns - thread->begin_ns >= phase->duration_ns;
}

static void flush(struct line *line)
{
	const int left = connection_flush(&line->connection);

	if (left < 0)
		lost(line->thread);
	else if (left > 0)
		event_add(line->writable, NULL);
}

static void put_next(struct client_thread *thread, struct line *line, uint64_t due_ns)
{
	const uint64_t step = (uint64_t)thread->nr_threads;
	const uint64_t n = thread->phase->first + (uint64_t)thread->number + thread->sent * step;

	connection_put(&line->connection, thread->phase->kind, n, due_ns);
	thread->sent++;
}

/* Closed loop: up to the full number again, once half of them are answered: so requests travel in
 * batches, without waiting for the slowest of a batch. */
static void refill(struct client_thread *thread, struct line *line)
{
	const unsigned most = thread->mix->pipeline;

	if (line->connection.under_way > most / 2)
		return;
	while (line->connection.under_way < most && !all_sent(thread))
		put_next(thread, line, thread->now_ns);
	flush(line);
}

/* --- open loop -------------------------------------------------------------------------------- */

static void advance_due(struct client_thread *thread)
{
	const double mean_ns = 1e9 * thread->nr_threads / thread->phase->rate;
	double gap_ns = mean_ns;

	if (thread->phase->poisson)
		gap_ns *= -log1p(-random_unit(
			random_at(thread->mix->seed ^ GAP_SEED ^ (uint64_t)thread->number << 48,
				  thread->sent)));
	thread->due_ns += gap_ns;
}

/* The next connection in turn that has room; NULL when none has. */
static struct line *free_line(struct client_thread *thread)
{
	for (int i = 0; i < thread->nr_lines; i++) {
		struct line *line = &thread->lines[thread->next_line];

		thread->next_line = (thread->next_line + 1) % thread->nr_lines;
		if (line->connection.under_way < thread->mix->pipeline)
			return line;
	}
	return NULL;
}

static void wait_until(struct client_thread *thread, double left_ns)
{
	const uint64_t us = left_ns > 0 ? (uint64_t)(left_ns / 1e3) : 0;
	const struct timeval delay = {(time_t)(us / 1000000), (suseconds_t)(us % 1000000)};

	event_add(thread->timer, &delay);
}

/* Sends what is due by now. What finds no room stays due and goes out when a reply makes some. */
static void send_due(struct client_thread *thread)
{
	struct line *line;

	while (!all_sent(thread)) {
		const double left_ns = thread->due_ns - (double)(thread->now_ns - thread->begin_ns);

		if (left_ns > 0) {
			wait_until(thread, left_ns);
			break;
		}
		line = free_line(thread);
		if (!line)
			break;
		put_next(thread, line, thread->begin_ns + (uint64_t)thread->due_ns);
		advance_due(thread);
	}
	for (int i = 0; i < thread->nr_lines && !thread->over; i++) {
		line = &thread->lines[i];
		if (line->connection.out_end > line->connection.out_begin)
			flush(line);
	}
}

static void on_timer(evutil_socket_t fd, short what, void *context)
{
	struct client_thread *thread = context;

	(void)fd;
	(void)what;
	thread->now_ns = clock_ns();
	send_due(thread);
	if (all_sent(thread) && thread->done == thread->sent)
		end_loop(thread);
}

/* --- latencies -------------------------------------------------------------------------------- */

static void leave_second(struct client_thread *thread, uint64_t next)
{
	if (series_leave(thread->phase->series, thread->number, thread->second, next,
			 thread->interval) != 0) {
		err_set(&thread->err, ERR_INTERNAL, "out of memory for the series of latencies");
		fail(thread);
	}
	histogram_clear(thread->interval);
	thread->second = next;
}

static void on_completed(void *context, const struct request *request)
{
	struct client_thread *thread = context;
	const uint64_t latency_ns =
		thread->now_ns > request->due_ns ? thread->now_ns - request->due_ns : 0;

	thread->done++;
	if (!thread->phase->series)
		return;
	histogram_record(thread->latencies[request->update], latency_ns, 1);
	histogram_record(thread->interval, latency_ns, 1);
}

/* --- events ----------------------------------------------------------------------------------- */

static void on_readable(evutil_socket_t fd, short what, void *context)
{
	struct line *line = context;
	struct client_thread *thread = line->thread;
	uint64_t second;

	(void)fd;
	(void)what;
	if (connection_receive(&line->connection) != 0) {
		lost(thread);
		return;
	}
	thread->now_ns = thread->heard_ns = clock_ns();
	second = (thread->now_ns - thread->begin_ns) / SECOND_NS;
	if (thread->phase->series && second != thread->second)
		leave_second(thread, second);
	if (connection_digest(&line->connection, &thread->err) != 0) {
		fail(thread);
		return;
	}
	if (thread->phase->rate > 0)
		send_due(thread);
	else
		refill(thread, line);
	if (all_sent(thread) && thread->done == thread->sent)
		end_loop(thread);
}

static void on_writable(evutil_socket_t fd, short what, void *context)
{
	(void)fd;
	(void)what;
	flush(context);
}

static void report(struct client_thread *thread)
{
	const struct client_phase *phase = thread->phase;
	uint64_t all;

	all = atomic_fetch_add(&thread->mix->completed, thread->done - thread->told) +
	      (thread->done - thread->told);
	thread->told = thread->done;
	if (phase->progress && thread->number == 0 && phase->requests > 0)
		phase->progress(phase->context, (double)all / (double)phase->requests);
}

static void on_tick(evutil_socket_t fd, short what, void *context)
{
	struct client_thread *thread = context;
	const uint64_t now_ns = clock_ns();

	(void)fd;
	(void)what;
	report(thread);
	if (atomic_load(&thread->mix->stop)) {
		end_loop(thread);
		return;
	}
	if (thread->sent == thread->done || now_ns - thread->heard_ns < thread->mix->stall_ns)
		return;
	err_set(&thread->err, ERR_RUN, "the server hangs: no reply for %llu s",
		(unsigned long long)(thread->mix->stall_ns / SECOND_NS));
	fail(thread);
}

/* --- a thread --------------------------------------------------------------------------------- */

static int open_line(struct client_thread *thread, const struct client_address *address,
		     struct err *err)
{
	struct line *line = &thread->lines[thread->nr_lines];
	const int fd = client_connect(address, err);

	if (fd < 0)
		return -1;
	line->thread = thread;
	thread->nr_lines++;
	if (connection_open(&line->connection, thread->mix, fd, err) != 0)
		return -1;
	line->connection.counts = &thread->counts;
	line->connection.completed = on_completed;
	line->connection.context = thread;
	line->readable = event_new(thread->base, fd, EV_READ | EV_PERSIST, on_readable, line);
	line->writable = event_new(thread->base, fd, EV_WRITE, on_writable, line);
	if (line->readable && line->writable && event_add(line->readable, NULL) == 0)
		return 0;
	return err_set(err, ERR_INTERNAL, "cannot watch a connection");
}

/* The timer in microseconds instead of epoll's milliseconds. */
static struct event_base *precise_base(void)
{
	struct event_config *config = event_config_new();
	struct event_base *base = NULL;

	if (config && event_config_set_flag(config, EVENT_BASE_FLAG_PRECISE_TIMER |
							    EVENT_BASE_FLAG_NOLOCK) == 0)
		base = event_base_new_with_config(config);
	if (config)
		event_config_free(config);
	return base;
}

static int open_loop(struct client_thread *thread, struct err *err)
{
	const struct timeval often = {0, TICK_NS / 1000};

	thread->base = precise_base();
	if (thread->base) {
		thread->timer = event_new(thread->base, -1, 0, on_timer, thread);
		thread->tick = event_new(thread->base, -1, EV_PERSIST, on_tick, thread);
	}
	thread->latencies[0] = histogram_new(CLIENT_HISTOGRAM_DIGITS);
	thread->latencies[1] = histogram_new(CLIENT_HISTOGRAM_DIGITS);
	thread->interval = histogram_new(SERIES_DIGITS);
	if (!thread->timer || !thread->tick || !thread->latencies[0] || !thread->latencies[1] ||
	    !thread->interval || event_add(thread->tick, &often) != 0)
		return err_set(err, ERR_INTERNAL, "cannot make an event loop");
	return 0;
}

int client_thread_open(struct client_thread **result, struct client_mix *mix,
		       const struct client_address *address, int nr_connections, struct err *err)
{
	struct client_thread *thread =
		calloc(1, sizeof(*thread) + (size_t)nr_connections * sizeof(thread->lines[0]));

	*result = thread;
	if (!thread)
		return err_set(err, ERR_INTERNAL, "out of memory");
	thread->mix = mix;
	if (open_loop(thread, err) != 0)
		return -1;
	for (int i = 0; i < nr_connections; i++) {
		if (open_line(thread, address, err) != 0)
			return -1;
	}
	return 0;
}

static void free_event(struct event *event)
{
	if (event)
		event_free(event);
}

void client_thread_close(struct client_thread *thread)
{
	if (!thread)
		return;
	for (int i = 0; i < thread->nr_lines; i++) {
		free_event(thread->lines[i].readable);
		free_event(thread->lines[i].writable);
		connection_close(&thread->lines[i].connection);
	}
	free_event(thread->timer);
	free_event(thread->tick);
	if (thread->base)
		event_base_free(thread->base);
	free(thread->latencies[0]);
	free(thread->latencies[1]);
	free(thread->interval);
	free(thread);
}

static void begin(struct client_thread *thread, const struct client_phase *phase, int number,
		  int nr_threads)
{
	const uint64_t all = phase->requests, step = (uint64_t)nr_threads;

	thread->phase = phase;
	thread->number = number;
	thread->nr_threads = nr_threads;
	thread->requests = all / step + ((uint64_t)number < all % step);
	thread->sent = thread->done = thread->told = thread->second = 0;
	thread->over = false;
	thread->counts = (struct client_counts){0};
	histogram_clear(thread->latencies[0]);
	histogram_clear(thread->latencies[1]);
	histogram_clear(thread->interval);
	thread->begin_ns = thread->now_ns = thread->heard_ns = clock_ns();
	thread->due_ns = phase->rate > 0 ? 1e9 * number / phase->rate : 0;
}

int client_thread_run(struct client_thread *thread, const struct client_phase *phase, int number,
		      int nr_threads, struct err *err)
{
	begin(thread, phase, number, nr_threads);
	if (phase->rate > 0)
		send_due(thread);
	for (int i = 0; i < thread->nr_lines && phase->rate <= 0 && !thread->over; i++)
		refill(thread, &thread->lines[i]);
	if (thread->sent > 0 || !all_sent(thread)) {
		while (!thread->over && event_base_loop(thread->base, 0) == 0)
			;
	}
	event_del(thread->timer);
	report(thread);
	if (phase->series && thread->err.kind == ERR_NONE)
		leave_second(thread, UINT64_MAX);
	if (thread->err.kind == ERR_NONE)
		return 0;
	*err = thread->err;
	return -1;
}

/* --- results ---------------------------------------------------------------------------------- */

const struct client_counts *client_thread_counts(const struct client_thread *thread)
{
	return &thread->counts;
}

const struct histogram *client_thread_latencies(const struct client_thread *thread, bool updates)
{
	return thread->phase && thread->phase->series ? thread->latencies[updates] : NULL;
}

void client_counts_add(struct client_counts *into, const struct client_counts *from)
{
	into->requests += from->requests;
	into->read_keys += from->read_keys;
	into->updates += from->updates;
	into->hits += from->hits;
	into->misses += from->misses;
	into->errors += from->errors;
	into->wrong += from->wrong;
	into->stale += from->stale;
	into->bytes_sent += from->bytes_sent;
	into->bytes_received += from->bytes_received;
	if (!into->first_problem[0])
		snprintf(into->first_problem, sizeof(into->first_problem), "%s",
			 from->first_problem);
}
