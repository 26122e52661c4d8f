/* SPDX-License-Identifier: MIT */
/*
 * buffer_type.h - a small buffer's functions in a table. Parameters: NAME, and what smallbuf.h has,
 * for elements of struct element.
 */
#define CALL(function) VF_CAT(NAME, function)
#define VF_T           struct element
#define VF_N           5
#define VF_NAME        NAME
#define VF_DROP(p)     hand_out(p)
#ifdef VF_FLIP
#    define FLIPS
#endif
#if defined(VF_FLIP) && defined(VF_EPOCH)
#    define WAITS
#endif
#ifdef VF_LANES
#    define HAS_LANES true
#else
#    define HAS_LANES false
#endif
#include <veryfast/smallbuf.h>

static void CALL(_any_init)(void *buffer, const vf_smallbuf_options *options)
{
    CALL(_init)(buffer, options);
}
static bool CALL(_any_push)(void *buffer, struct element element)
{
    return CALL(_push)(buffer, element);
}
static bool CALL(_any_push_index)(void *buffer, struct element element, size_t *index)
{
    return CALL(_push_index)(buffer, element, index);
}
static size_t CALL(_any_push_n)(void *buffer, const struct element *elements, size_t n)
{
    return CALL(_push_n)(buffer, elements, n);
}
static size_t CALL(_any_push_n_index)(void *buffer, const struct element *elements, size_t n,
                                      size_t *index)
{
    return CALL(_push_n_index)(buffer, elements, n, index);
}
static bool CALL(_any_push_exclusive)(void *buffer, struct element element)
{
    return CALL(_push_exclusive)(buffer, element);
}
static size_t CALL(_any_count)(const void *buffer)
{
    return CALL(_count)(buffer);
}
static size_t CALL(_any_count_about)(const void *buffer)
{
    return CALL(_count_about)(buffer);
}
static size_t CALL(_any_capacity)(const void *buffer)
{
    return CALL(_capacity)(buffer);
}
static size_t CALL(_any_refused)(const void *buffer)
{
    return CALL(_refused)(buffer);
}
static bool CALL(_any_reserve)(void *buffer, size_t n)
{
    return CALL(_reserve)(buffer, n);
}
static size_t CALL(_any_span)(const void *buffer, size_t from, const struct element **elements)
{
    return CALL(_span)(buffer, from, elements);
}
static void CALL(_any_clear)(void *buffer)
{
    CALL(_clear)(buffer);
}
static size_t CALL(_any_trim)(void *buffer, size_t keep)
{
    return CALL(_trim)(buffer, keep);
}
static void CALL(_any_destroy)(void *buffer)
{
    CALL(_destroy)(buffer);
}

/* By spans, one by one, or both; to its end, or not: then VF_DROP has the rest, or nobody. */
static void CALL(_consume_whole)(CALL(_drain) * drain, unsigned how)
{
    size_t most = how % 4 < 2 ? SIZE_MAX : how / 8;
    size_t n = 0;
    struct element *span, element;
    for (unsigned turn = how / 4; n < most; turn += how / 8 % 2) {
        if (turn % 2 == 0) {
            size_t found = CALL(_drain_span)(drain, &span);
            for (size_t i = 0; i < found; i++)
                hand_out(&span[i]);
            if (found == 0)
                break;
            n += found;
        } else if (CALL(_drain_next)(drain, &element)) {
            hand_out(&element);
            n++;
        } else {
            break;
        }
    }
    if (how % 4 != 3)
        CALL(_drain_end)(drain);
}

/* The same as a whole or in parts, in order. */
static void CALL(_consume)(CALL(_drain) * drain, unsigned how)
{
    CALL(_drain) parts[9];
    if (how / 16 % 2 == 0) {
        CALL(_consume_whole)(drain, how);
    } else {
        size_t made = CALL(_drain_split)(drain, parts, 1 + how % 9);
        for (size_t i = 0; i < made; i++)
            CALL(_consume_whole)(&parts[i], how);
    }
#ifdef FLIPS
    if (how % 4 == 2)
        CALL(_drain_end_trim)(drain, how);
#endif
}
static void CALL(_any_drain)(void *buffer, unsigned how)
{
#ifdef FLIPS
    if (how / 32 % 2 != 0)
        CALL(_flip_begin)(buffer); /* it takes what a flip has begun to take, too */
#endif
    CALL(_drain) drain = CALL(_drain_begin)(buffer);
    CALL(_consume)(&drain, how);
}

#ifdef WAITS
static void CALL(_any_flip_begin)(void *buffer)
{
    CALL(_flip_begin)(buffer);
}
static bool CALL(_any_flip)(void *buffer, unsigned how, size_t *refused)
{
    CALL(_drain) drain = CALL(_flip_finish)(buffer);
    *refused = CALL(_drain_refused)(&drain);
    CALL(_consume)(&drain, how);
    return true;
}
#elif defined(FLIPS)
static bool CALL(_any_flip)(void *buffer, unsigned how, size_t *refused)
{
    CALL(_drain) drain;
    if (how % 16 < 4) {
        drain = CALL(_flip)(buffer);
    } else if (how % 16 < 8) {
        if (!CALL(_flip_try)(buffer, &drain))
            return false;
    } else {
        CALL(_flip_begin)(buffer);
        while (!CALL(_flip_done)(buffer, &drain))
            sched_yield();
    }
    *refused = CALL(_drain_refused)(&drain);
    CALL(_consume)(&drain, how);
    return true;
}
#endif
#ifdef FLIPS
static bool CALL(_any_wait)(void *buffer, int64_t timeout_ns)
{
    return CALL(_wait)(buffer, timeout_ns);
}
static void CALL(_any_wake)(void *buffer)
{
    CALL(_wake)(buffer);
}
static void CALL(_any_fork_child)(void *buffer)
{
    CALL(_fork_child)(buffer);
}
#else
static struct element *CALL(_any_push_slot)(void *buffer, size_t *index)
{
    return CALL(_push_slot)(buffer, index);
}
static void CALL(_any_writer_open)(union any_writer *writer, void *buffer)
{
    VF_STATIC_ASSERT(sizeof(CALL(_writer)) <= sizeof *writer, "a writer needs more room");
    CALL(_writer_open)((void *)writer, buffer);
}
static void CALL(_any_writer_open_keyed)(union any_writer *writer, void *buffer, uint64_t key)
{
    CALL(_writer_open_keyed)((void *)writer, buffer, key);
}
static bool CALL(_any_writer_push)(union any_writer *writer, struct element element)
{
    return CALL(_writer_push)((void *)writer, element);
}
static bool CALL(_any_writer_push_index)(union any_writer *writer, struct element element,
                                         size_t *index)
{
    return CALL(_writer_push_index)((void *)writer, element, index);
}
static void CALL(_any_writer_close)(union any_writer *writer)
{
    CALL(_writer_close)((void *)writer);
}
#endif

static const buffer_type CALL(_type) = {
    .size = sizeof(NAME),
    .lanes = HAS_LANES,
    .init = CALL(_any_init),
    .push = CALL(_any_push),
    .push_index = CALL(_any_push_index),
    .push_n = CALL(_any_push_n),
    .push_n_index = CALL(_any_push_n_index),
    .push_exclusive = CALL(_any_push_exclusive),
    .count = CALL(_any_count),
    .count_about = CALL(_any_count_about),
    .capacity = CALL(_any_capacity),
    .refused = CALL(_any_refused),
    .reserve = CALL(_any_reserve),
    .span = CALL(_any_span),
    .clear = CALL(_any_clear),
    .trim = CALL(_any_trim),
    .destroy = CALL(_any_destroy),
    .drain = CALL(_any_drain),
#ifdef FLIPS
    .flip = CALL(_any_flip),
    .wait = CALL(_any_wait),
    .wake = CALL(_any_wake),
    .fork_child = CALL(_any_fork_child),
#else
    .push_slot = CALL(_any_push_slot),
    .writer_open = CALL(_any_writer_open),
    .writer_open_keyed = CALL(_any_writer_open_keyed),
    .writer_push = CALL(_any_writer_push),
    .writer_push_index = CALL(_any_writer_push_index),
    .writer_close = CALL(_any_writer_close),
#endif
#ifdef WAITS
    .flip_begin = CALL(_any_flip_begin),
#endif
};

#undef CALL
#undef NAME
#undef FLIPS
#undef WAITS
#undef HAS_LANES
