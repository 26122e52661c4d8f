/* SPDX-License-Identifier: MIT */
/*
 * test_failing_smallbuf_type.h - the table of test_failing_smallbuf.c for one kind of buffer.
 * Parameters: NAME, and VF_CACHE_ALIGNED, VF_LANES, VF_FLIP and VF_EPOCH as smallbuf.h has them.
 */
#define CALL(function) VF_CAT(NAME, function)
#define VF_T           int
#define VF_N           INSIDE
#define VF_NAME        NAME
#define VF_DROP(p)     drop(p)
#if defined(VF_FLIP) && defined(VF_EPOCH)
#    define WAITS
#elif defined(VF_FLIP)
#    define FLIPS
#else
#    define WRITES
#endif
#ifdef VF_LANES
#    define APART true
#else
#    define APART false
#endif
#include <veryfast/smallbuf.h>

static NAME CALL(_buffer);

/* ---- what all need ---- */

static size_t CALL(_room)(void)
{
    return CALL(_capacity)(&CALL(_buffer));
}

static void CALL(_begin)(void)
{
    memset(&CALL(_buffer), 0, sizeof CALL(_buffer));
    CALL(_init)(&CALL(_buffer), &options);
}

/* What is in it is what was accepted; what was not is counted. */
static void CALL(_check)(void)
{
    const int *ints;
    size_t seen = 0, next[2] = {0, 0};
    check_equal(CALL(_count)(&CALL(_buffer)), model.count);
    check_equal(CALL(_refused)(&CALL(_buffer)), model.refused);
    for (size_t n; (n = CALL(_span)(&CALL(_buffer), seen, &ints)) > 0; seen += n) {
        for (size_t i = 0; i < n; i++)
            see(ints[i], next);
    }
    check_equal(seen, model.count);
}

/* ---- calls that may fail ---- */

static void CALL(_call_push)(void)
{
    note(CALL(_push)(&CALL(_buffer), next()), 1);
}

static void CALL(_call_push_index)(void)
{
    size_t index = SIZE_MAX;
    note(CALL(_push_index)(&CALL(_buffer), next(), &index), 1);
    cr_assert(index == (failed() ? model.count + model.refused - 1 : model.count - 1));
}

static void CALL(_call_push_n)(void)
{
    int values[MANY];
    for (int i = 0; i < MANY; i++)
        values[i] = next() + i;
    note(CALL(_push_n)(&CALL(_buffer), values, MANY), MANY);
}

static void CALL(_call_push_n_index)(void)
{
    int values[MANY];
    size_t index = SIZE_MAX, count = model.count, refused = model.refused;
    for (int i = 0; i < MANY; i++)
        values[i] = next() + i;
    note(CALL(_push_n_index)(&CALL(_buffer), values, MANY, &index), MANY);
    cr_assert(index == count || index == count + refused);
}

static void CALL(_call_push_exclusive)(void)
{
    note(CALL(_push_exclusive)(&CALL(_buffer), next()), 1);
}

static void CALL(_call_reserve)(void)
{
    size_t room = CALL(_room)();
    bool reserved = CALL(_reserve)(&CALL(_buffer), MANY);
    note(0, reserved ? 0 : 1);
    model.refused -= !reserved; /* nothing was */
    cr_assert(reserved || CALL(_room)() == room);
    bool before = atomic_exchange(&allocator.refuse, true);
    for (int i = 0; reserved && i < MANY; i++)
        note(CALL(_push)(&CALL(_buffer), next()), 1);
    atomic_store(&allocator.refuse, before);
}

#ifdef WRITES
static void CALL(_call_push_slot)(void)
{
    int *slot = CALL(_push_slot)(&CALL(_buffer), NULL);
    if (slot != NULL)
        *slot = next();
    note(slot != NULL, 1);
}

static void CALL(_note_written)(bool written)
{
    cr_assert(model.count + 1 < sizeof model.written / sizeof *model.written);
    model.written[model.count] = written && APART;
    note(written, 1);
}

static void CALL(_call_writer)(void)
{
    CALL(_writer) writer;
    CALL(_writer_open)(&writer, &CALL(_buffer));
    for (int i = 0; i < MANY && !failed(); i++)
        CALL(_note_written)(CALL(_writer_push)(&writer, next()));
    CALL(_writer_close)(&writer);
}

static void CALL(_call_writer_index)(void)
{
    CALL(_writer) writer;
    CALL(_writer_open)(&writer, &CALL(_buffer));
    for (int i = 0; i < MANY && !failed(); i++) {
        size_t index = SIZE_MAX;
        CALL(_note_written)(CALL(_writer_push_index)(&writer, next(), &index));
        cr_assert((index == 0) == (model.count + model.refused == 1));
    }
    CALL(_writer_close)(&writer);
}

/* What is refused before there is a chunk does not count. */
static void CALL(_call_writer_keyed)(void)
{
    CALL(_writer) writer;
    CALL(_writer_open_keyed)(&writer, &CALL(_buffer), 7);
    for (int i = 0; i < MANY && !failed(); i++) {
        bool pushed = CALL(_writer_push)(&writer, next());
        cr_assert(model.count + 1 < sizeof model.written / sizeof *model.written);
        model.written[model.count] = pushed;
        note(pushed, 1);
    }
    CALL(_writer_close)(&writer);
    model.refused -= failed() && CALL(_room)() <= INSIDE;
}
#endif

/* ---- calls that cannot ---- */

static void CALL(_call_count_about)(void)
{
    cr_assert(CALL(_count_about)(&CALL(_buffer)) >= model.count);
}

static void CALL(_take)(CALL(_drain) * drain)
{
    int value, *ints;
    if (CALL(_drain_next)(drain, &value))
        drop(&value);
    size_t n = CALL(_drain_span)(drain, &ints);
    for (size_t i = 0; i < n; i++)
        drop(&ints[i]);
    CALL(_drain_end)(drain);
    emptied();
}

static void CALL(_call_drain)(void)
{
    CALL(_drain) drain = CALL(_drain_begin)(&CALL(_buffer));
    CALL(_take)(&drain);
}

/* A split drain has nothing left, and its parts have all, in order. */
static void CALL(_call_drain_split)(void)
{
    CALL(_drain) parts[MANY];
    CALL(_drain) drain = CALL(_drain_begin)(&CALL(_buffer));
    size_t made = CALL(_drain_split)(&drain, parts, MANY);
    cr_assert(made <= MANY && (made > 0) == (model.count > 0));
    CALL(_drain_end)(&drain);
    check_equal(model.drops, 0);
    for (size_t i = 0; i < made; i++)
        CALL(_drain_end)(&parts[i]);
    emptied();
}

static void CALL(_call_clear)(void)
{
    CALL(_clear)(&CALL(_buffer));
    emptied();
}

static void CALL(_call_trim)(void)
{
    size_t before = allocator.bytes;
    check_equal(CALL(_trim)(&CALL(_buffer), MANY), before - allocator.bytes);
}

static void CALL(_call_destroy)(void)
{
    CALL(_destroy)(&CALL(_buffer));
    emptied();
    check_all_back(&allocator);
}

static void CALL(_call_init)(void)
{
    CALL(_call_destroy)();
    CALL(_init)(&CALL(_buffer), &options);
}

#ifndef WRITES
static void CALL(_call_wait)(void)
{
    CALL(_wake)(&CALL(_buffer));
    cr_assert(CALL(_wait)(&CALL(_buffer), -1));
    cr_assert(CALL(_wait)(&CALL(_buffer), 0) == (model.count + model.refused > 0));
}

/* All that was in it is in two banks; only the first chunks stay. */
static void CALL(_call_drain_end_trim)(void)
{
    int value;
    CALL(_flip_begin)(&CALL(_buffer));
    CALL(_drain) drain = CALL(_drain_begin)(&CALL(_buffer));
    while (CALL(_drain_next)(&drain, &value))
        drop(&value);
    size_t before = allocator.bytes;
    check_equal(CALL(_drain_end_trim)(&drain, 0), before - allocator.bytes);
    emptied();
}
#endif

#ifdef FLIPS
static void CALL(_call_fork_child)(void)
{
    CALL(_fork_child)(&CALL(_buffer)); /* nothing is in flight */
}

static void CALL(_call_flip_begin_and_done)(void)
{
    CALL(_drain) drain;
    cr_assert(!CALL(_flip_done)(&CALL(_buffer), &drain)); /* none has begun */
    CALL(_flip_begin)(&CALL(_buffer));
    CALL(_flip_begin)(&CALL(_buffer));
    cr_assert(CALL(_flip_done)(&CALL(_buffer), &drain));
    check_equal(CALL(_drain_refused)(&drain), model.refused);
    CALL(_take)(&drain);
}

static void CALL(_call_flip)(void)
{
    CALL(_drain) drain = CALL(_flip)(&CALL(_buffer));
    check_equal(CALL(_drain_refused)(&drain), model.refused);
    CALL(_take)(&drain);
}

static void CALL(_call_flip_try)(void)
{
    CALL(_drain) drain;
    cr_assert(CALL(_flip_try)(&CALL(_buffer), &drain));
    check_equal(CALL(_drain_refused)(&drain), model.refused);
    CALL(_take)(&drain);
}
#elif defined(WAITS)
/* Nobody knows whether a push was in flight. */
static void CALL(_call_fork_child)(void)
{
    CALL(_fork_child)(&CALL(_buffer));
    model.drops = model.count;
    emptied();
}

static void CALL(_call_flip_begin_and_finish)(void)
{
    CALL(_flip_begin)(&CALL(_buffer));
    CALL(_drain) drain = CALL(_flip_finish)(&CALL(_buffer));
    check_equal(CALL(_drain_refused)(&drain), model.refused);
    CALL(_take)(&drain);
}
#endif

static const struct entry CALL(_entries)[] = {
    {"push", CALL(_call_push), true},
    {"push_index", CALL(_call_push_index), true},
    {"push_n", CALL(_call_push_n), true},
    {"push_n_index", CALL(_call_push_n_index), true},
    {"push_exclusive", CALL(_call_push_exclusive), true},
    {"reserve", CALL(_call_reserve), true},
#ifdef WRITES
    {"push_slot", CALL(_call_push_slot), true},
    {"writer_open, writer_push, writer_close", CALL(_call_writer), true},
    {"writer_push_index", CALL(_call_writer_index), true},
    {"writer_open_keyed", CALL(_call_writer_keyed), true},
#else
    {"wait, wake", CALL(_call_wait), false},
    {"drain_end_trim", CALL(_call_drain_end_trim), false},
    {"fork_child", CALL(_call_fork_child), false},
#endif
    {"count_about", CALL(_call_count_about), false},
    {"drain_begin, drain_next, drain_span, drain_end", CALL(_call_drain), false},
    {"drain_split", CALL(_call_drain_split), false},
    {"clear", CALL(_call_clear), false},
    {"trim", CALL(_call_trim), false},
    {"destroy", CALL(_call_destroy), false},
    {"init", CALL(_call_init), false},
#ifdef FLIPS
    {"flip_begin, flip_done", CALL(_call_flip_begin_and_done), false},
    {"flip, drain_refused", CALL(_call_flip), false},
    {"flip_try, drain_refused", CALL(_call_flip_try), false},
#elif defined(WAITS)
    {"flip_begin, flip_finish, drain_refused", CALL(_call_flip_begin_and_finish), false},
#endif
    {NULL, NULL, false},
};

static const struct kind CALL(_kind) = {
    CALL(_begin),      CALL(_check),        CALL(_room),         CALL(_call_push),
    CALL(_call_clear), CALL(_call_reserve), CALL(_call_destroy), CALL(_entries),
};

#undef CALL
#undef NAME
#undef WAITS
#undef FLIPS
#undef WRITES
#undef APART
