/* SPDX-License-Identifier: MIT */
/* "did you mean": the name nearest to what was typed. */
#ifndef HARNESS_SUGGEST_H
#define HARNESS_SUGGEST_H

/*
 * The nearest of `names` (NULL-ended) by edit distance, or NULL when none is near enough (more than
 * a third of the letters differ).
 */
const char *suggest_nearest(const char *typed, const char *const *names);

#endif
