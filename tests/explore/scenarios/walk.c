/* SPDX-License-Identifier: MIT */
/*
 * walk.c - two threads read a small buffer in which a writer has left a gap. Nobody writes to it,
 * but each leaves a hint where the next element is; whatever they find there, both must come upon
 * each element in its order.
 */
#include "numbers.h"

static void *reader(void *argument)
{
    size_t count = numbers_count(&buffer);
    for (size_t i = 0; i < count;) {
        const long *some;
        size_t n = numbers_span(&buffer, i, &some);
        assert(n > 0);
        for (size_t k = 0; k < n; k++) {
            assert(some[k] == (long)i++);
        }
    }
    return argument;
}

void scenario(void)
{
    prepare();
    numbers_writer it;
    numbers_writer_open(&it, &buffer);
    long next = BEFORE;
    numbers_writer_push(&it, next++);
    numbers_writer_push(&it, next++);
    numbers_writer second;
    numbers_writer_open(&second, &buffer);
    numbers_writer_push(&second, next++);
    numbers_writer_close(&it);
    numbers_writer_close(&second);
    run(reader, reader);
    numbers_destroy(&buffer);
    assert(explore_blocks() == 0);
}
