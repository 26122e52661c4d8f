/* SPDX-License-Identifier: MIT */
/*
 * test_smallbuf_lanes_flip.c - VF_LANES with VF_FLIP: runs that a flip ends, in whose middle a push
 * may be.
 */
#define TURNS_FLIP
#include "test_common.h"
#include "turns.h"

#include <sched.h>

#define OWN WORKERS /* this thread's stream */

/* Takes the bank in one of the ways that there are. */
static void flip(size_t how)
{
    lanes_drain drain;
    if (how % 4 == 0) {
        drain = lanes_drain_begin(&buffer);
    } else if (how % 4 == 1) {
        drain = lanes_flip(&buffer);
    } else if (how % 4 == 2) {
        cr_assert(lanes_flip_try(&buffer, &drain));
    } else {
        lanes_flip_begin(&buffer);
        cr_assert(lanes_flip_done(&buffer, &drain));
    }
    check_equal(lanes_drain_refused(&drain), refused);
    take_all(&drain, how / 4 % 2 != 0);
    if (how / 8 % 4 == 3)
        lanes_drain_end_trim(&drain, how);
}

Test(smallbuf_lanes_flip, all_in_any_order, .init = setup, .fini = teardown)
{
    all_in_any_order(flip);
}

/* ---- a flip that is begun ---- */

/* What was pushed of each stream when it began is in its drain, and nothing else. */
static void take_begun(const struct stream before[])
{
    lanes_drain drain;
    struct word *words;
    cr_assert(lanes_flip_done(&buffer, &drain));
    begin_seeing();
    for (size_t n; (n = lanes_drain_span(&drain, &words)) > 0;)
        see(words, n);
    for (size_t who = 0; who < STREAMS; who++) {
        streams[who].drained += streams[who].seen;
        check_equal(streams[who].drained, before[who].pushed);
    }
}

/* Its threads go on in the other bank, and come back to it when that is taken. */
Test(smallbuf_lanes_flip, one_that_is_begun_has_what_was_there, .init = setup, .fini = teardown)
{
    uint64_t seed = test_setting("VF_SEED", 5);
    struct stream before[STREAMS];
    begin_turns(5);
    for (size_t round = 0; round < 60; round++) {
        for (size_t i = 0; i < 10; i++)
            turn(test_random_below(&seed, 5), i % 5, test_random_below(&seed, 100));
        if (round % 3 == 0)
            check_spans(); /* which marks what is left of the runs */
        memcpy(before, streams, sizeof before);
        count = refused = 0;
        lanes_flip_begin(&buffer);
        for (size_t i = 0; i < 10; i++)
            turn(test_random_below(&seed, 5), i % 5, test_random_below(&seed, 100));
        check();
        take_begun(before);
        check_spans();
        if (round % 7 == 6)
            flip(round);
    }
    flip(0);
    end_turns(5);
}

/* ---- a push in flight ---- */

/* Slots beyond N that are taken one by one: 4 of the shortest runs, of two cache lines each. */
#define SINGLE (4 * 2 * VF_CACHE_LINE / sizeof(struct word))

/* This thread's lane, which may be behind others of the same head. */
static vf_flip_lane *own_lane(void *const *spill)
{
    vf_lane **heads = (vf_lane **)(void *)((char *)*spill - VF_SPILLED);
    vf_lane *lane = heads[vf_thread_lane() % VF_LANE_HEADS];
    while (lane != NULL && lane->thread != vf_thread_lane())
        lane = lane->next;
    return (vf_flip_lane *)lane;
}

/* Half a push by this thread, in its lane: the slot. */
static struct word *begin_push(vf_flip_lane **lane, uint64_t *left)
{
    lanes_bank *bank = &buffer.banks[buffer.tail >> 63];
    *lane = own_lane(&bank->spill);
    cr_assert(*lane != NULL);
    check_equal(vf_claim_slots(*lane, 1, left), 1);
    return (struct word *)(void *)(*lane)->lane.stop - *left;
}

static void end_push(struct word *slot, vf_flip_lane *lane, uint64_t left)
{
    *slot = next_of(OWN, 0);
    vf_store_release(&lane->filled, left - 1);
    note(OWN, 1, 1);
}

static void push_own(size_t n)
{
    for (; n > 0; n--)
        note(OWN, lanes_push(&buffer, next_of(OWN, 0)), 1);
}

/* The flip waits for that, and not for threads that have slots and do nothing. */
Test(smallbuf_lanes_flip, a_push_in_flight_is_waited_for, .init = setup, .fini = teardown)
{
    struct stream before[STREAMS];
    vf_flip_lane *lane;
    uint64_t left;
    lanes_drain drain;
    begin_turns(5);
    for (size_t round = 0; round < 10; round++) {
        for (size_t who = 0; who < 5; who++)
            turn(who, 0, 70);
        push_own(100 + round);
        struct word *slot = begin_push(&lane, &left);
        for (size_t i = 0; i < 3; i++)
            cr_assert(!lanes_flip_try(&buffer, &drain) && !lanes_flip_done(&buffer, &drain));
        end_push(slot, lane, left);
        memcpy(before, streams, sizeof before);
        count = refused = 0;
        push_own(200); /* into the other bank, where it has another lane */
        turn(round % 5, 4, 200);
        take_begun(before);
        flip(round);
    }
    end_turns(5);
}

/* ---- S_wait ---- */

Test(smallbuf_lanes_flip, a_wait_ends_by_what_is_there, .init = setup, .fini = teardown)
{
    for (size_t round = 0; round < 4; round++) {
        cr_assert(!lanes_wait(&buffer, 0));
        push_own(round % 2 != 0 ? 1 : 500);
        cr_assert(lanes_wait(&buffer, -1));
        lanes_wake(&buffer);
        push_own(500); /* while the wake is pending */
        flip(round);
        cr_assert(lanes_wait(&buffer, -1));
    }
}

/* ---- S_fork_child ---- */

/* Nothing is lost where no push was in flight, and a bank is given up where one was. */
Test(smallbuf_lanes_flip, a_forks_child_gives_up_a_push_in_flight, .init = setup, .fini = teardown)
{
    vf_flip_lane *lane;
    uint64_t left;
    begin_turns(5);
    for (size_t round = 0; round < 40; round++) {
        for (size_t who = 0; who < 5; who++)
            turn(who, 0, 30 + round);
        push_own(SINGLE + 36);
        if (round % 4 < 2)
            check_spans();
        lanes_fork_child(&buffer);
        check();
        check_spans();
        if (round % 2 == 0) {
            (void)begin_push(&lane, &left);
            if (round % 3 == 0)
                lanes_flip_begin(&buffer);
            lanes_fork_child(&buffer);
            for (size_t who = 0; who < STREAMS; who++)
                streams[who].pushed = streams[who].drained;
            count = refused = 0;
        }
        check();
        check_spans();
        if (round % 5 == 4)
            flip(round);
    }
    flip(1);
    end_turns(5);
}

/* ---- at once ---- */

#define THREADS     8
#define GENERATIONS 10

static atomic_size_t running, edges;
static uint32_t each;
static bool in_order; /* each stream is one thread's */
static bool seen[THREADS][GENERATIONS * 1000];

/* One by one, and some together; what is refused is tried again, when the bank was drained. */
static void push_some(uint32_t who, uint32_t n)
{
    struct word words[40];
    for (uint32_t done = 0; done < n;) {
        size_t index = 1;
        uint32_t more = done % 64 == 0 ? 1 + done / 64 % 40 : 1;
        more = more < n - done ? more : n - done;
        for (uint32_t i = 0; i < more; i++)
            words[i] = (struct word){who, streams[who].pushed + i};
        uint32_t accepted = more > 1 ? (uint32_t)lanes_push_n_index(&buffer, words, more, &index)
                                     : lanes_push_index(&buffer, words[0], &index);
        edges += index == 0;
        streams[who].pushed += accepted;
        done += accepted;
        if (accepted < more || done % 512 == 0)
            sched_yield();
    }
}

static void *push_on(void *argument)
{
    push_some((uint32_t)(uintptr_t)argument, each);
    running--;
    return NULL;
}

/* Each thread pushes a little, and the next one goes on with its lanes. */
static void *push_in_turn(void *argument)
{
    for (size_t i = 0; i < GENERATIONS; i++) {
        pthread_t thread;
        running++;
        CHECK(pthread_create(&thread, NULL, push_on, argument) == 0);
        CHECK(pthread_join(thread, NULL) == 0);
    }
    running--;
    return NULL;
}

/* Drains beside them until they have ended, in whatever ways there are. */
static size_t drain_beside(size_t *fills)
{
    size_t all = 0;
    for (size_t round = 0, last = 0; last < 3; round++) {
        lanes_drain drain, parts[4];
        last += atomic_load(&running) == 0;
        if (round % 3 == 0) {
            drain = lanes_flip(&buffer);
        } else {
            while (!lanes_flip_try(&buffer, &drain))
                sched_yield();
        }
        size_t made = lanes_drain_split(&drain, parts, 1 + round % 4), n = 0;
        struct word word;
        for (size_t i = 0; i < made; i++) {
            for (; lanes_drain_next(&parts[i], &word); n++) {
                CHECK(word.who < THREADS && !seen[word.who][word.when]);
                CHECK(!in_order || word.when == streams[word.who].drained);
                seen[word.who][word.when] = true;
                streams[word.who].drained++;
            }
            lanes_drain_end(&parts[i]);
        }
        if (round % 4 == 3)
            lanes_drain_end_trim(&drain, 0);
        all += n;
        *fills += n + lanes_drain_refused(&drain) > 0;
        sched_yield();
    }
    return all;
}

static void push_beside_flips(void *(*body)(void *), uint32_t n, size_t pushed)
{
    pthread_t threads[THREADS];
    size_t fills = 0;
    each = n;
    in_order = body == push_on;
    memset(seen, 0, sizeof seen);
    edges = 0;
    running = THREADS;
    for (size_t i = 0; i < THREADS; i++)
        cr_assert(pthread_create(&threads[i], NULL, body, (void *)i) == 0);
    check_equal(drain_beside(&fills), pushed);
    for (size_t i = 0; i < THREADS; i++)
        cr_assert(pthread_join(threads[i], NULL) == 0);
    check_equal(atomic_load(&edges), fills);
    for (size_t i = 0; i < THREADS; i++)
        check_equal(streams[i].drained, streams[i].pushed);
    check();
}

/* Each element comes out once, those of each thread in order, and one push of a fill was first. */
Test(smallbuf_lanes_flip, at_once, .init = setup, .fini = teardown)
{
    push_beside_flips(push_on, GENERATIONS * 1000, (size_t)THREADS * GENERATIONS * 1000);
}

Test(smallbuf_lanes_flip, at_once_below_a_cap, .init = setup, .fini = teardown)
{
    options.max_elements = 2000; /* of which fewer than 1024 are taken one by one */
    push_beside_flips(push_on, GENERATIONS * 1000, (size_t)THREADS * GENERATIONS * 1000);
}

Test(smallbuf_lanes_flip, threads_come_and_go, .init = setup, .fini = teardown)
{
    push_beside_flips(push_in_turn, 50, (size_t)THREADS * GENERATIONS * 50);
}
