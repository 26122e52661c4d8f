/* SPDX-License-Identifier: MIT */
/*
 * test_smallbuf_lanes.c - pushes with VF_LANES: by threads that take turns, and at once.
 */
#include "test_common.h"
#include "turns.h"

#define VF_T    struct word
#define VF_N    4
#define VF_NAME plain
#include <veryfast/smallbuf.h>

/* Slots of the longest run in a small buffer: 8 times two cache lines. */
#define RUN (8 * 2 * VF_CACHE_LINE / sizeof(struct word))

Test(smallbuf_lanes, is_no_larger, .init = setup, .fini = teardown)
{
    check_equal(sizeof(lanes), sizeof(plain));
}

static void drain_somehow(size_t how)
{
    drain_all(how % 2 != 0);
}

Test(smallbuf_lanes, all_in_any_order, .init = setup, .fini = teardown)
{
    all_in_any_order(drain_somehow);
}

Test(smallbuf_lanes, none_in_a_quiet_buffer, .init = setup, .fini = teardown)
{
    for (size_t i = 0; i < 4; i++)
        note(0, lanes_push(&buffer, next_of(0, 0)), 1);
    check_equal(atomic_load(&allocator.calls), 0);
    for (size_t i = 0; i < 16; i++)
        note(0, lanes_push(&buffer, next_of(0, 0)), 1);
    check_equal(atomic_load(&allocator.calls), 1); /* the first chunk, and no lane */
    for (size_t i = 0; i < 1000; i++)
        note(0, lanes_push(&buffer, next_of(0, 0)), 1);
    drain_all(true);
    size_t calls = allocator.calls;
    for (size_t i = 0; i < 1020; i++)
        note(0, lanes_push(&buffer, next_of(0, 0)), 1);
    check_equal(atomic_load(&allocator.calls), calls);
    drain_all(true);
    cr_assert(lanes_trim(&buffer, 0) > 0);
    check_equal(atomic_load(&allocator.bytes), 0);
}

/* Of few elements many slots are no gap. */
Test(smallbuf_lanes, leave_little, .init = setup, .fini = teardown)
{
    begin_turns(2);
    turn(0, 0, 3000);
    turn(1, 0, 1);
    for (size_t i = 0; i < 100; i++) { /* reading ends no run */
        turn(0, 0, 1);
        turn(1, 0, 1);
        check();
        check_spans();
    }
    cr_assert(lanes_count_about(&buffer) <= count + 2 * RUN);
    drain_all(true);
    end_turns(2);
}

/* Each has its run to the end before it is refused. */
Test(smallbuf_lanes, have_all_below_the_cap, .init = setup, .fini = teardown)
{
    options.max_elements = 5000;
    begin_turns(5);
    for (size_t i = 0; i < 1100; i++) {
        for (size_t who = 0; who < 5; who++)
            turn(who, 3, 1);
    }
    check_equal(lanes_count(&buffer), 5000);
    check_equal(lanes_refused(&buffer), 500);
    drain_all(false);
    end_turns(5);
}

/* Beside runs that are begun, and behind a drain. */
Test(smallbuf_lanes, keep_what_was_promised, .init = setup, .fini = teardown)
{
    begin_turns(6);
    for (size_t round = 0; round < 3; round++) {
        turn(0, 0, 700 * round);
        turn(1, 0, 1);
        cr_assert(lanes_reserve(&buffer, 1000));
        if (round == 2)
            drain_all(true);
        size_t calls = allocator.calls;
        allocator.refuse = true;
        for (size_t i = 0; i < 250; i++) {
            for (size_t who = 2; who < 6; who++)
                turn(who, i % 4, 1);
        }
        check_equal(atomic_load(&allocator.calls), calls);
        check_equal(lanes_refused(&buffer), 0);
        allocator.refuse = false;
        check_spans();
        drain_all(true);
        lanes_trim(&buffer, 0);
    }
    end_turns(6);
}

/* No memory for a lane: single slots. */
Test(smallbuf_lanes, can_be_done_without, .init = setup, .fini = teardown)
{
    options.first_chunk = 4096;
    begin_turns(2);
    turn(0, 0, 5);
    allocator.refuse = true;
    turn(0, 0, 500);
    turn(1, 0, 500);
    turn(1, 4, 250);
    check();
    check_equal(lanes_count_about(&buffer), 1255);
    allocator.refuse = false;
    turn(1, 0, 500);
    check_spans();
    drain_all(true);
    end_turns(2);
}

/* Threads that come and go, one after the other, have one lane. */
static void *push_one(void *argument)
{
    note(0, push_somehow(0, 0), 1);
    return argument;
}

Test(smallbuf_lanes, go_to_the_next_thread, .init = setup, .fini = teardown)
{
    for (size_t i = 0; i < 1000; i++) {
        pthread_t thread;
        cr_assert(pthread_create(&thread, NULL, push_one, NULL) == 0);
        pthread_join(thread, NULL);
    }
    check();
    check_spans();
    cr_assert(lanes_count_about(&buffer) <= 1000 + RUN);
    drain_all(true);
    cr_assert(allocator.blocks <= 8);
}

/* At once: each element comes out once, those of each thread in order, and one was the first. */
static atomic_size_t first;

static void *push_at_once(void *argument)
{
    uint32_t who = (uint32_t)(uintptr_t)argument;
    for (uint32_t i = 0; i < 5000; i++) {
        size_t index;
        CHECK(lanes_push_index(&buffer, (struct word){who, streams[who].drained + i}, &index));
        if (index == 0)
            first++;
    }
    return NULL;
}

Test(smallbuf_lanes, at_once, .init = setup, .fini = teardown)
{
    void *who[8];
    for (size_t i = 0; i < 8; i++)
        who[i] = (void *)i;
    for (size_t round = 0; round < 4; round++) {
        first = 0;
        test_run_threads(8, push_at_once, who);
        check_equal(atomic_load(&first), 1);
        for (uint32_t i = 0; i < 8; i++)
            note(i, 5000, 5000);
        check();
        check_spans();
        drain_all(round % 2 != 0);
    }
}
