/* SPDX-License-Identifier: MIT */
#ifndef COMMON_VERSION_H
#define COMMON_VERSION_H

extern const char suite_version[]; /* "0.1.0" */
extern const char suite_commit[];  /* abbreviated commit, or "unknown" outside a checkout */

#endif
