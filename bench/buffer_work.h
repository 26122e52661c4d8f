/* SPDX-License-Identifier: MIT */
/*
 * buffer_work.h - what the timed loops of buffers work on. Read by C and C++.
 */
#ifndef BENCH_BUFFER_WORK_H
#define BENCH_BUFFER_WORK_H

#include "harness.h"

#define FILL      100000 /* elements of a fill, by all threads together */
#define INSIDE    1000   /* elements of a round that stays inside the buffer */
#define FEW_PUSH  8      /* pushes to a fresh buffer */
#define PUSH_N    64     /* elements pushed by one call */
#define MAILBOXES 100000

/* Read-only to the workers, but for the sum. */
struct buffer_work {
    size_t rounds;
    size_t each;      /* elements that a worker pushes */
    uint64_t sum;     /* of what was drained */
    float *single_ns; /* what each push took */
};

/* The loops of one buffer; the context of each is a struct buffer_work. One that a buffer has no
   row for may be NULL. */
typedef void buffer_body(void *context, unsigned worker);
struct buffer_loops {
    buffer_body *make, *fill, *drain, *inside, *fresh, *make_many, *send, *receive, *single;
};

/* The i-th element that a worker pushes. The compiler may not foresee it. */
static inline uint64_t element(unsigned worker, size_t i)
{
    uint64_t value = ((uint64_t)worker << 32) + i;
    __asm__ volatile("" : "+r"(value));
    return value;
}

/* What is there may be read, and be changed, by who knows whom. */
static inline void escape(void *what)
{
    __asm__ volatile("" : : "r"(what) : "memory");
}

#ifdef __cplusplus
extern "C" {
#endif
/* The peers that are in C++ only. */
extern const struct buffer_loops tbb_vector_loops, tbb_queue_loops, moodycamel_loops,
    moodycamel_token_loops, moodycamel_bulk_loops;
#ifdef __cplusplus
}
#endif

#endif
