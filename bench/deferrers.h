/* SPDX-License-Identifier: MIT */
/*
 * deferrers.h - what is measured: frees that wait for readers.
 */
#ifndef BENCH_DEFERRERS_H
#define BENCH_DEFERRERS_H

#include "rows.h"

extern struct variants deferrers;        /* beside others that wait */
extern struct variants deferrers_or_not; /* beside a free that does not */

/* Looks for the peers and adds them; without liburcu there is nothing to compare. */
void deferrers_find(void);

/* Makes the pools, in the process that is to measure them. */
void deferrers_open(void);

#endif
