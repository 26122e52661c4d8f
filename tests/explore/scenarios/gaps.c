/* SPDX-License-Identifier: MIT */
/*
 * gaps.c - two writers are closed at once, neither of which can give back what it has not used:
 * there is a push behind both. What they leave is counted and marked, each slot once.
 */
#include "numbers.h"

static numbers_writer writers[PUSHERS];

static void *close_one(void *argument)
{
    numbers_writer_close(&writers[(long)argument]);
    return NULL;
}

void scenario(void)
{
    prepare();
    for (long who = 0; who < PUSHERS; who++) {
        numbers_writer_open(&writers[who], &buffer);
        accepted[who][0] = numbers_writer_push(&writers[who], number_of(who, 0));
        assert(accepted[who][0]);
    }
    bool behind = numbers_push(&buffer, BEFORE);
    assert(behind);
    run(close_one, close_one);
    const long *span;
    size_t seen = 0;
    for (size_t n; (n = numbers_span(&buffer, seen, &span)) > 0;) {
        seen += n;
    }
    assert(seen == BEFORE + PUSHERS + 1 && numbers_count(&buffer) == seen);
    assert(numbers_refused(&buffer) == 0);
    numbers_destroy(&buffer);
    assert(explore_blocks() == 0);
}
