/* SPDX-License-Identifier: MIT */
/*
 * What the host has for an emulated machine: QEMU, a kernel, the model's plugin, the profiles.
 */
#ifndef EMULATOR_HOST_H
#define EMULATOR_HOST_H

#include "common/err.h"
#include "common/paths.h"
#include "emulator/profile.h"

struct host {
	char qemu[PATHS_MAX], qemu_version[128];
	char kernel[PATHS_MAX];
	char plugin[PATHS_MAX]; /* empty: without the model */
	char profile[PATHS_MAX];
};

struct host_wish {
	const char *profile; /* name or path */
	const char *kernel;  /* NULL: the one in precompiled/ */
	int without_model;
};

/* Loads the profile and finds the rest; ERR_MACHINE names what is missing and how to get it. */
int host_find(struct host *host, struct profile *profile, const struct host_wish *wish,
	      struct err *err);

#endif
