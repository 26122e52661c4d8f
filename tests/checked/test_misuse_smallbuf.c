/*
 * test_misuse_smallbuf.c - a small buffer that somebody takes to himself while others push.
 */
#include "misuse.h"

#define VF_T int
#define VF_N 4
#include <veryfast/smallbuf.h>

static smallbuf_int_4 buffer;
static void (*meanwhile)(void);

/* Called by a push that needs memory, and so in its middle. */
static void *alloc_meanwhile(void *context, size_t size, size_t alignment)
{
    (void)context;
    if (meanwhile != NULL)
        meanwhile();
    return aligned_alloc(alignment, (size + alignment - 1) / alignment * alignment);
}

static void dealloc(void *context, void *memory, size_t size, size_t alignment)
{
    (void)context;
    (void)size;
    (void)alignment;
    free(memory);
}

static const vf_smallbuf_options options = {.allocator = {alloc_meanwhile, dealloc, NULL}};

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

SCENE(pushes)
{
    for (int i = 0; i < 5; i++)
        (void)smallbuf_int_4_push(&buffer, i);
}

SCENE(pushes_many)
{
    (void)smallbuf_int_4_push_n(&buffer, (int[]){1, 2, 3, 4, 5, 6}, 6);
}

Test(misuse_smallbuf, while_a_push_is_in_flight, .init = setup, .fini = teardown)
{
    meanwhile = drains;
    misuse_check(pushes, "smallbuf_int_4", ": S_drain_begin while a push is in flight",
                 ", begun at pushes+0x");
    misuse_check(pushes, "smallbuf_int_4", " at drains+0x", ", begun at pushes+0x");
    misuse_check(pushes_many, "smallbuf_int_4", " at drains+0x", ", begun at pushes_many+0x");
    meanwhile = trims;
    misuse_check(pushes, "smallbuf_int_4", ": S_trim while a push is in flight", " at trims+0x");
}

static smallbuf_int_4_writer writer;

Test(misuse_smallbuf, while_a_writer_is_open, .init = setup, .fini = teardown)
{
    smallbuf_int_4_writer_open(&writer, &buffer);
    check_stops(drains, "smallbuf_int_4", ": S_drain_begin while writer 0x");
    cr_assert(smallbuf_int_4_writer_push(&writer, 1));
    check_stops(clears, "smallbuf_int_4", ": S_clear while writer 0x");
    check_stops(destroys, "smallbuf_int_4", ": S_destroy while writer 0x");
    check_stops(reserves, "smallbuf_int_4", ": S_reserve while writer 0x");
    smallbuf_int_4_writer_close(&writer);
    smallbuf_int_4_writer_close(&writer);
    cr_assert(check_passes(drains)[0] == '\0');
    smallbuf_int_4_writer_open(&writer, &buffer);
    check_stops(drains, "smallbuf_int_4", ": S_drain_begin while writer 0x");
    smallbuf_int_4_writer_close(&writer);
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
