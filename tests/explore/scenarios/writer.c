/* SPDX-License-Identifier: MIT */
/*
 * writer.c - a writer and a push, or two writers (BOTH), on one small buffer. A writer takes a run
 * of slots, and gives back or marks what it has not used: the drain must skip just that, and no
 * slot may be in two runs. BEFORE puts the end of the first chunk into the runs.
 */
#include "numbers.h"

static void *writer(void *argument)
{
    long who = (long)argument;
    numbers_writer it;
    numbers_writer_open(&it, &buffer);
    for (long i = 0; i < PUSHES; i++) {
        accepted[who][i] = numbers_writer_push(&it, number_of(who, i));
    }
    numbers_writer_close(&it);
    return NULL;
}

#ifdef BOTH
#    define other writer
#else
static void *other(void *argument)
{
    long who = (long)argument;
    for (long i = 0; i < PUSHES; i++) {
        accepted[who][i] = numbers_push(&buffer, number_of(who, i));
    }
    return NULL;
}
#endif

void scenario(void)
{
    prepare();
    run(writer, other);
    size_t count = numbers_count(&buffer);
    size_t refused = numbers_refused(&buffer);
    numbers_drain drain = numbers_drain_begin(&buffer);
    size_t n = take_all(&drain);
    assert(n == count && count == BEFORE + check_prefixes());
    assert(refused == (size_t)BEFORE + PUSHERS * PUSHES - count);
    numbers_destroy(&buffer);
    assert(explore_blocks() == 0);
}
