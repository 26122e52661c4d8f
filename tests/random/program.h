/* SPDX-License-Identifier: MIT */
/*
 * program.h - random programs: bytes that are read as calls on pools and small buffers.
 *
 *     program:  options of the pools and buffers | turn | turn | ...
 *     turn:     hands, length | instructions of a hand | instructions of the next hand | ...
 *     instruction: two bytes: which container and call, and how
 *
 * A hand is a thread, 0 the one that runs the program. The hands of one turn work at the same time,
 * and all have come to rest at its end, where what the containers say of themselves is compared
 * with a plain model: the objects that each hand holds, the elements that were accepted. A turn of
 * one hand is alone: its calls have one possible result each, and those that need exclusive access
 * take part. Any bytes are a program, and the same bytes the same one.
 */
#ifndef TESTS_RANDOM_PROGRAM_H
#define TESTS_RANDOM_PROGRAM_H

#include <errno.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "allocator.h"
#include "threads.h"

#define HANDS 4

#ifdef VF_CHECKED
#    define IS_CHECKED true
#else
#    define IS_CHECKED false
#endif

/* Bytes yet to be read; zeroes behind their end. */
typedef struct program_bytes {
    const uint8_t *at, *end;
} program_bytes;

static inline uint8_t program_byte(program_bytes *bytes)
{
    return bytes->at < bytes->end ? *bytes->at++ : 0;
}

/* An instruction, as the container that is to follow it sees it. */
typedef struct instruction {
    unsigned hand;
    bool alone;
    unsigned place; /* which of the two pools, or of the buffers */
    unsigned what;  /* 0 ... 63 */
    unsigned how;   /* 0 ... 255 */
} instruction;

/* program.c: runs a program; how many instructions it had. */
size_t program_run(const uint8_t *bytes, size_t size);

/* Before a call: errno is something that no call sets. After it: as the contract says. */
static inline size_t call_begin(const test_allocator *memory)
{
    errno = EXDEV;
    return atomic_load(&memory->refused);
}

static inline void call_end(bool success)
{
    CHECK(errno == (success ? EXDEV : ENOMEM));
}

/* The allocator's next call but so many fails, or all do, or none any more. */
static inline void fail_some(test_allocator *memory, unsigned how)
{
    if (how < 192)
        atomic_store(&memory->fail_at, atomic_load(&memory->calls) + 1 + how % 16);
    else
        atomic_store(&memory->refuse, how < 208);
}

static inline void fail_no_more(test_allocator *memory)
{
    atomic_store(&memory->fail_at, 0);
    atomic_store(&memory->refuse, false);
}

/* pools.c */
void pools_begin(program_bytes *bytes);
void pools_turn(unsigned how); /* before a turn in which one of them is released */
void pools_release(void);      /* within it */
void pools_follow(const instruction *it);
void pools_rotate(void); /* each hand gets what the next one has; between turns */
void pools_check(void);  /* at rest */
bool pools_may_fork(void);
void pools_end(void); /* by the only thread that is left */

/* buffers.c */
void buffers_begin(program_bytes *bytes);
void buffers_turn(bool alone); /* before each */
void buffers_follow(const instruction *it);
void buffers_check(void);
void buffers_end(void);

#endif
