/* SPDX-License-Identifier: MIT */
/*
 * keyed.c - two writers with keys, or one and a push (PUSH), on one small buffer. The drain must
 * have what was pushed by key, behind what has none, and no slot may be in two runs. Their keys
 * share a rest: FIRST leaves one to both, and AGAIN has each writer closed between its pushes, and
 * opened again. CAP: a writer that is refused leaves what the other then gives back. NO_CHUNK: the
 * first one is refused, and that does not count. READ: two readers meet the rests that the writers
 * have left.
 */
#include "numbers.h"

#define KEY_OF(who) ((uint64_t)(PUSHERS - (who)) * VF_KEYED_RESTS)

#include "smallbuf/smallbuf.h"

static void *writer(void *argument)
{
    long who = (long)argument;
    numbers_writer it;
    numbers_writer_open_keyed(&it, &buffer, KEY_OF(who));
    for (long i = 0; i < PUSHES; i++) {
        accepted[who][i] = numbers_writer_push(&it, number_of(who, i));
#ifdef AGAIN
        numbers_writer_close(&it);
        numbers_writer_open_keyed(&it, &buffer, KEY_OF(who));
#endif
    }
    numbers_writer_close(&it);
    return NULL;
}

#ifdef PUSH
static void *other(void *argument)
{
    long who = (long)argument;
    for (long i = 0; i < PUSHES; i++) {
        accepted[who][i] = numbers_push(&buffer, number_of(who, i));
    }
    return NULL;
}
#    define KEYED 1
#else
#    define other writer
#    define KEYED PUSHERS
#endif

/* Of what is drained, how far that without a key, and which writer. */
static void check_order(long number)
{
    static long place;
    long who = (number - 100) / 10;
    long here = number < 100 || who >= KEYED ? 0 : PUSHERS - who;
    assert(here >= place);
    place = here;
}

static void *reader(void *argument)
{
    const long *read;
    size_t seen = 0;
    for (size_t n; (n = numbers_span(&buffer, seen, &read)) > 0; seen += n) {
        for (size_t i = 0; i < n; i++) {
            assert(read[i] < 100 + PUSHERS * 10);
        }
    }
    assert(seen == numbers_count(&buffer));
    return argument;
}

void scenario(void)
{
    size_t before = BEFORE;
    prepare();
#ifdef FIRST
    numbers_writer first;
    numbers_writer_open_keyed(&first, &buffer, 0);
    bool pushed = numbers_writer_push(&first, 0) && numbers_push(&buffer, 1);
    assert(pushed);
    numbers_writer_close(&first);
    before += 2;
#endif
#ifdef READ
    writer((void *)0);
    writer((void *)1);
    run(reader, reader);
#else
    run(writer, other);
#endif
    reader(NULL);
    size_t count = numbers_count(&buffer);
    size_t refused = numbers_refused(&buffer);
    numbers_drain drain = numbers_drain_begin(&buffer);
    long number;
    size_t n = 0;
    for (; numbers_drain_next(&drain, &number); n++) {
        if (number >= 100) {
            check_order(number);
            note_drained(number);
        }
    }
    numbers_drain_end(&drain);
    assert(n == count && count == before + check_prefixes());
#ifdef NO_CHUNK
    assert(refused <= before + PUSHERS * PUSHES - count);
#else
    assert(refused == before + PUSHERS * PUSHES - count);
#endif
    numbers_destroy(&buffer);
    assert(explore_blocks() == 0);
}
