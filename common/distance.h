/* SPDX-License-Identifier: MIT */
#ifndef COMMON_DISTANCE_H
#define COMMON_DISTANCE_H

/*
 * Levenshtein's distance of two names, case ignored: how many letters must be inserted, deleted or
 * replaced. DISTANCE_FAR when either is longer than DISTANCE_LENGTH_MAX. For "did you mean".
 */
#define DISTANCE_LENGTH_MAX 127
#define DISTANCE_FAR        1000u

unsigned distance_between(const char *a, const char *b);

#endif
