/* SPDX-License-Identifier: MIT */
/*
 * The one error style of the suite.
 *
 * A function that can fail returns 0 or -1 and takes a caller-owned `struct err`, which is filled
 * once, at the cause, with a sentence that names the thing, the value and the remedy. Nothing below
 * a main() prints or exits. The kind decides the exit status of the program.
 */
#ifndef COMMON_ERR_H
#define COMMON_ERR_H

/* Values are exit statuses; `harness --help` and docs/COMMANDS.md document them. */
enum err_kind {
	ERR_NONE = 0,
	ERR_INTERNAL = 1, /* the system or the suite failed: out of memory, I/O error */
	ERR_USAGE = 2,    /* what the user wrote cannot be meant */
	ERR_MACHINE = 3,  /* this machine cannot do it */
	ERR_RUN = 4,      /* the run was tried and failed, or was not what was asked (--strict) */
	ERR_INTERRUPTED = 130, /* SIGINT or SIGTERM; everything was put back */
};

struct err {
	enum err_kind kind;
	char text[1024];
};

/*
 * Records an error and returns -1, so that `return err_set(...)` reads well. The first error wins:
 * an err that is set already keeps its text. `err` may be NULL.
 */
int err_set(struct err *err, enum err_kind kind, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* As err_set, with ": " and the text of `errnum` (an errno value) appended. */
int err_set_errno(struct err *err, enum err_kind kind, int errnum, const char *format, ...)
	__attribute__((format(printf, 4, 5)));

/* Puts "context: " in front of the text; returns -1. */
int err_prefix(struct err *err, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Forgets the error, after it has been handled. */
void err_clear(struct err *err);

/* Prints "program: text" to stderr as one line and returns the exit status of the error's kind. */
int err_report(const char *program, const struct err *err);

#endif
