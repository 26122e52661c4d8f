/* SPDX-License-Identifier: MIT */
/*
 * buffers.h - what is measured: the small buffer's forms, and its peers.
 */
#ifndef BENCH_BUFFERS_H
#define BENCH_BUFFERS_H

#include "buffer_work.h"
#include "rows.h"

extern struct variants buffers_inside, buffers_exclusive, buffers_limit, buffers_flip;
extern struct variants buffers_fresh; /* pushed to a few times */
extern struct variants buffers_push, buffers_push_n, buffers_writer, buffers_lanes, buffers_drain,
    buffers_many;
extern struct variants buffers_lanes_flip;  /* both */
extern struct variants buffers_single_or_n; /* many at once, and the same one by one */
extern struct variants buffers_calls;       /* each of which is timed */

/* Looks for the peers and adds them; names those that are missing. */
void buffers_find(void);

/* Makes what the peers' buffers need, in the process that is to measure them. */
void buffers_open(void);

/* Times each of n pushes to an empty buffer. To be called in a process of its own. */
void buffers_single(const struct buffer_loops *buffer, size_t n, float *single_ns);

#endif
