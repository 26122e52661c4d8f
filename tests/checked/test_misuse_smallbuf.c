/* SPDX-License-Identifier: MIT */
/*
 * test_misuse_smallbuf.c - a small buffer that somebody takes to himself while others push.
 */
#include <pthread.h>

#include "misuse.h"

#define VF_T int
#define VF_N 4
#include <veryfast/smallbuf.h>

#define VF_T    int
#define VF_N    4
#define VF_NAME flipped
#define VF_FLIP
#include <veryfast/smallbuf.h>

#define VF_T    int
#define VF_N    4
#define VF_NAME graceful
#define VF_FLIP
#define VF_EPOCH
#include <veryfast/smallbuf.h>

static smallbuf_int_4 buffer;
static void (*meanwhile)(void);

/* Called by a push that needs memory, and so in its middle. */
static void *alloc_meanwhile(void *context, size_t size, size_t alignment)
{
    (void)context;
    if (meanwhile != NULL)
        meanwhile();
    return misuse_alloc(size, alignment);
}

static const vf_smallbuf_options options = {.allocator = {alloc_meanwhile, misuse_dealloc, NULL}};

static void setup(void)
{
    meanwhile = NULL;
    buffer = (smallbuf_int_4){0};
    smallbuf_int_4_init(&buffer, &options);
}

static void teardown(void)
{
    smallbuf_int_4_destroy(&buffer);
}

SCENE(drains)
{
    smallbuf_int_4_drain drain = smallbuf_int_4_drain_begin(&buffer);
    smallbuf_int_4_drain_end(&drain);
}

SCENE(clears)
{
    smallbuf_int_4_clear(&buffer);
}

SCENE(trims)
{
    (void)smallbuf_int_4_trim(&buffer, 0);
}

SCENE(destroys)
{
    smallbuf_int_4_destroy(&buffer);
}

SCENE(reserves)
{
    (void)smallbuf_int_4_reserve(&buffer, 1);
}

SCENE(pushes_alone)
{
    (void)smallbuf_int_4_push_exclusive(&buffer, 1);
}

SCENE(counts)
{
    (void)smallbuf_int_4_count(&buffer);
}

SCENE(asks_capacity)
{
    (void)smallbuf_int_4_capacity(&buffer);
}

SCENE(asks_refused)
{
    (void)smallbuf_int_4_refused(&buffer);
}

SCENE(reads)
{
    const int *elements;
    (void)smallbuf_int_4_span(&buffer, 0, &elements);
}

#define CALL(scene, name)                                                                          \
    {                                                                                              \
        scene, ": " name " while ", " at " #scene "+0x"                                            \
    }

/* All that need the buffer to themselves. */
static const struct {
    void (*scene)(void);
    const char *says, *place;
} calls[] = {
    CALL(drains, "S_drain_begin"),   CALL(clears, "S_clear"),
    CALL(trims, "S_trim"),           CALL(destroys, "S_destroy"),
    CALL(reserves, "S_reserve"),     CALL(pushes_alone, "S_push_exclusive"),
    CALL(counts, "S_count"),         CALL(asks_capacity, "S_capacity"),
    CALL(asks_refused, "S_refused"), CALL(reads, "S_span"),
};
#define CALLS (sizeof calls / sizeof *calls)

SCENE(pushes)
{
    for (int i = 0; i < 5; i++)
        (void)smallbuf_int_4_push(&buffer, i);
}

SCENE(pushes_with_index)
{
    for (int i = 0; i < 5; i++)
        (void)smallbuf_int_4_push_index(&buffer, i, NULL);
}

SCENE(pushes_slots)
{
    for (int i = 0; i < 5; i++)
        (void)smallbuf_int_4_push_slot(&buffer, NULL);
}

SCENE(pushes_many)
{
    (void)smallbuf_int_4_push_n(&buffer, (int[]){1, 2, 3, 4, 5, 6}, 6);
}

Test(misuse_smallbuf, every_call_while_a_push_is_in_flight, .init = setup, .fini = teardown)
{
    for (size_t i = 0; i < CALLS; i++) {
        meanwhile = calls[i].scene;
        misuse_check(pushes, "smallbuf_int_4", calls[i].says, calls[i].place);
        misuse_check(pushes, "smallbuf_int_4", "while a push is in flight at ",
                     ", begun at pushes+0x");
    }
}

Test(misuse_smallbuf, while_a_push_of_every_kind_is_in_flight, .init = setup, .fini = teardown)
{
    meanwhile = drains;
    misuse_check(pushes_with_index, "smallbuf_int_4", " at drains+0x",
                 ", begun at pushes_with_index+0x");
    misuse_check(pushes_slots, "smallbuf_int_4", " at drains+0x", ", begun at pushes_slots+0x");
    misuse_check(pushes_many, "smallbuf_int_4", " at drains+0x", ", begun at pushes_many+0x");
}

static int inside[2]; /* a pipe: a push is in its middle */

static void stay(void)
{
    (void)!write(inside[1], "", 1);
    for (;;)
        pause();
}

static void *push_there(void *none)
{
    (void)none;
    pushes();
    return NULL;
}

SCENE(drains_beside_a_push)
{
    char byte;
    pthread_t thread;
    if (pipe(inside) != 0 || pthread_create(&thread, NULL, push_there, NULL) != 0 ||
        read(inside[0], &byte, 1) != 1)
        _exit(1);
    drains();
}

Test(misuse_smallbuf, while_another_thread_is_in_a_push, .init = setup, .fini = teardown)
{
    meanwhile = stay;
    misuse_check(drains_beside_a_push, "smallbuf_int_4", " while a push is in flight at drains+0x",
                 ", begun at pushes+0x");
}

static smallbuf_int_4_writer writer, second;

SCENE(opens_with_a_key)
{
    smallbuf_int_4_writer_open_keyed(&writer, &buffer, 7);
}

SCENE(opens_twice_and_closes_once)
{
    opens_with_a_key();
    if (!smallbuf_int_4_writer_push(&writer, 1))
        _exit(1);
    smallbuf_int_4_writer_close(&writer);
    opens_with_a_key();
    drains();
}

Test(misuse_smallbuf, while_a_writer_with_a_key_is_open, .init = setup, .fini = teardown)
{
    opens_with_a_key();
    for (size_t i = 0; i < CALLS; i++) {
        misuse_check(calls[i].scene, "smallbuf_int_4", calls[i].says, calls[i].place);
        misuse_check(calls[i].scene, "smallbuf_int_4", " while writer 0x", " is open at ");
        misuse_check(calls[i].scene, "smallbuf_int_4", " is open at ",
                     ", opened at opens_with_a_key+0x");
    }
    cr_assert(smallbuf_int_4_writer_push(&writer, 1)); /* in a run, and in the list */
    check_stops(clears, "smallbuf_int_4", ": S_clear while writer 0x");
    smallbuf_int_4_writer_close(&writer);
    smallbuf_int_4_writer_close(&writer);
    cr_assert(check_passes(drains)[0] == '\0');
    smallbuf_int_4_writer_open_keyed(&writer, &buffer, 7);
    smallbuf_int_4_writer_open(&second, &buffer);
    smallbuf_int_4_writer_close(&writer);
    check_stops(drains, "smallbuf_int_4", ": S_drain_begin while writer 0x");
    smallbuf_int_4_writer_close(&second);
    cr_assert(check_passes(drains)[0] == '\0');
    misuse_check(opens_twice_and_closes_once, "smallbuf_int_4", ": S_drain_begin while writer 0x",
                 ", opened at opens_with_a_key+0x");
}

Test(misuse_smallbuf, while_a_writer_is_open, .init = setup, .fini = teardown)
{
    smallbuf_int_4_writer_open(&writer, &buffer);
    for (size_t i = 0; i < CALLS; i++) {
        misuse_check(calls[i].scene, "smallbuf_int_4", calls[i].says, calls[i].place);
        misuse_check(calls[i].scene, "smallbuf_int_4", " while writer 0x", " is open at ");
    }
    cr_assert(smallbuf_int_4_writer_push(&writer, 1));
    check_stops(clears, "smallbuf_int_4", ": S_clear while writer 0x");
    smallbuf_int_4_writer_close(&writer);
    smallbuf_int_4_writer_close(&writer);
    cr_assert(check_passes(drains)[0] == '\0');
    smallbuf_int_4_writer_open(&writer, &buffer);
    smallbuf_int_4_writer_open(&second, &buffer);
    smallbuf_int_4_writer_close(&writer);
    check_stops(drains, "smallbuf_int_4", ": S_drain_begin while writer 0x");
    smallbuf_int_4_writer_close(&second);
    cr_assert(check_passes(drains)[0] == '\0');
}

SCENE(drains_between)
{
    pushes();
    drains();
    pushes_many();
    trims();
}

Test(misuse_smallbuf, by_turns, .init = setup, .fini = teardown)
{
    cr_assert(check_passes(drains_between)[0] == '\0');
}

/* ---- flips ---- */

static flipped flips;
static graceful graces;

SCENE(drains_what_flips)
{
    (void)flipped_drain_begin(&flips);
}

SCENE(flips_meanwhile)
{
    flipped_drain drain;
    if (flipped_flip_try(&flips, &drain))
        _exit(1);
}

SCENE(pushes_to_what_flips)
{
    for (int i = 0; i < 5; i++)
        (void)flipped_push(&flips, i);
}

SCENE(ends_the_grace_period)
{
    (void)graceful_flip_finish(&graces);
}

SCENE(begins_and_ends_the_grace_period)
{
    graceful_flip_begin(&graces);
    ends_the_grace_period();
}

SCENE(pushes_in_a_grace_period)
{
    for (int i = 0; i < 5; i++)
        (void)graceful_push(&graces, i);
}

SCENE(begins_before_it_pushes)
{
    graceful_flip_begin(&graces);
    pushes_in_a_grace_period();
}

Test(misuse_smallbuf, flips)
{
    flipped_init(&flips, &options);
    graceful_init(&graces, &options);
    meanwhile = drains_what_flips;
    misuse_check(pushes_to_what_flips, "flipped", ": S_drain_begin while a push is in flight",
                 ", begun at pushes_to_what_flips+0x");
    meanwhile = flips_meanwhile;
    cr_assert(check_passes(pushes_to_what_flips)[0] == '\0');
    meanwhile = begins_and_ends_the_grace_period;
    misuse_check(pushes_in_a_grace_period, "graceful", ": S_flip_finish while a push is in flight",
                 ", begun at pushes_in_a_grace_period+0x");
    meanwhile = ends_the_grace_period;
    cr_assert(check_passes(begins_before_it_pushes)[0] == '\0');
}

/* ---- many ---- */

/* Among so many, some share a place in the table of what is in use. */
Test(misuse_smallbuf, each_of_many_has_its_own_writer)
{
    enum { MANY = 1000 };
    static smallbuf_int_4 buffers[MANY];
    static smallbuf_int_4_writer writers[MANY];
    for (size_t i = 0; i < MANY; i += 2)
        smallbuf_int_4_writer_open(&writers[i], &buffers[i]);
    for (size_t i = 1; i < MANY; i += 2)
        smallbuf_int_4_clear(&buffers[i]); /* is not stopped */
    for (size_t i = 0; i < MANY; i += 2) {
        smallbuf_int_4_writer_close(&writers[i]);
        smallbuf_int_4_destroy(&buffers[i]);
    }
}
