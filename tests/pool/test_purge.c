/* SPDX-License-Identifier: MIT */
/*
 * test_purge.c - what P_trim does within a batch that has live objects: whole pages of free slots
 * are dropped, by the hook or by the system, and nothing else is touched.
 */
#include <stdio.h>
#ifdef __GLIBC__
#    include <malloc.h>
#endif
#ifdef __linux__
#    include <unistd.h>
#endif

#include "support/threads.h"
#include "test_common.h"

#ifndef PAGE
#    define PAGE 4096 /* bytes of a page; support/large_pages.c has others */
#endif

typedef struct node {
    unsigned char bytes[48 * (PAGE / 4096)];
} node;

#define VF_T    node
#define VF_N    4096 /* 48 pages */
#define VF_NAME nodes
#include <veryfast/pool.h>

#define BATCHES 8
#define MANY    (BATCHES * 4096)

static size_t page_size(void)
{
#ifdef __linux__
    return (size_t)sysconf(_SC_PAGESIZE);
#else
    return 4096;
#endif
}

static nodes *pool;
static node *objects[MANY];
static bool is_live[MANY];

static int by_place(const void *a, const void *b)
{
    uintptr_t x = (uintptr_t) * (node *const *)a;
    uintptr_t y = (uintptr_t) * (node *const *)b;
    return (x > y) - (x < y);
}

/* All of them live, sorted by address, with contents of their own. */
static void fill(void)
{
    check_equal(nodes_alloc_n(pool, objects, MANY), MANY);
    qsort(objects, MANY, sizeof *objects, by_place);
    for (size_t i = 0; i < MANY; i++) {
        memset(objects[i], (int)(i % 251), sizeof(node));
        is_live[i] = true;
    }
}

static void give(size_t i)
{
    nodes_free(pool, objects[i]);
    is_live[i] = false;
}

static void check_contents(void)
{
    for (size_t i = 0; i < MANY; i++) {
        for (size_t k = 0; is_live[i] && k < sizeof(node); k++)
            cr_assert(objects[i]->bytes[k] == i % 251, "object %zu", i);
    }
}

/* Frees all but each k-th. */
static void free_but_each(size_t k)
{
    for (size_t i = 0; i < MANY; i++) {
        if (i % k != 0)
            give(i);
    }
}

/* What is free can be had again, holds what is written to it, and is no live object's. */
static void use_all_again(void)
{
    for (size_t i = 0; i < MANY; i++) {
        if (is_live[i])
            continue;
        node *again = nodes_alloc(pool);
        cr_assert(again != NULL);
        memset(again, 0x11, sizeof *again);
    }
    check_equal(nodes_stats(pool).batches, BATCHES);
    check_contents();
}

/* ---- a hook ---- */

static test_allocator allocator;
static struct {
    size_t calls, bytes;
    bool beside_live; /* a live object lay in it */
} purged;

/* Is a byte of a live object between these? By bisection. */
static bool meets_live(uintptr_t begin, uintptr_t end)
{
    size_t low = 0, high = MANY;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if ((uintptr_t)objects[middle] + sizeof(node) <= begin)
            low = middle + 1;
        else
            high = middle;
    }
    for (; low < MANY && (uintptr_t)objects[low] < end; low++) {
        if (is_live[low])
            return true;
    }
    return false;
}

static void note_purge(void *context, void *memory, size_t size)
{
    cr_assert(context == &allocator);
    cr_assert((uintptr_t)memory % page_size() == 0 && size > 0 && size % page_size() == 0);
    cr_assert(!meets_live((uintptr_t)memory, (uintptr_t)memory + size), "a live object is in it");
    purged.calls++;
    purged.bytes += size;
    memset(memory, 0xEE, size);
    errno = EXDEV; /* which the library keeps to itself */
}

static void open_hooked(bool purges)
{
    allocator = (test_allocator){0};
    purged.calls = purged.bytes = 0;
    vf_pool_options options = {.allocator = test_allocator_hook(&allocator)};
    if (purges)
        options.purge = note_purge;
    pool = nodes_new(&options);
    cr_assert(pool != NULL);
}

static void close_hooked(void)
{
    nodes_destroy(pool);
    check_all_back(&allocator);
}

Test(purge, is_asked_to_drop_whole_pages_of_free_slots)
{
    open_hooked(true);
    fill();
    free_but_each(512); /* 24,576 bytes apart */
    size_t before = nodes_stats(pool).bytes;
    errno = 0;
    size_t bytes = nodes_trim(pool);
    cr_assert(errno == 0);
    check_equal(bytes, purged.bytes);
    check_equal(purged.calls, MANY / 512);        /* one between each two */
    check_equal(nodes_stats(pool).bytes, before); /* the addresses are kept */
    /* of each run all but the part of a page at both ends */
    cr_assert(bytes >= MANY / 512 * (511 * sizeof(node) - 2 * page_size() + 2));
    check_contents();
    use_all_again();
    close_hooked();
}

/* Whatever slots are free, by chance: none of a live object's bytes is dropped. */
Test(purge, never_meets_a_live_object)
{
    uint64_t random = 1;
    for (size_t turn = 0; turn < 12; turn++) {
        open_hooked(true);
        fill();
        for (size_t i = 0; i < MANY;) {
            size_t run = 1 + test_random_below(&random, turn % 2 == 0 ? 1200 : 5);
            bool free_it = test_random_below(&random, 3) != 0;
            for (; run > 0 && i < MANY; run--, i++) {
                if (free_it)
                    give(i);
            }
        }
        cr_assert(nodes_trim(pool) >= purged.bytes); /* whole batches go as well */
        cr_assert(purged.calls > 0 || turn % 2 == 1);
        check_contents();
        close_hooked();
    }
}

Test(purge, without_whole_pages_drops_nothing)
{
    open_hooked(true);
    fill();
    free_but_each(64); /* 3072 bytes apart */
    check_equal(nodes_trim(pool), 0);
    check_equal(purged.calls, 0);
    check_contents();
    close_hooked();
}

/* ---- slots that are whole pages: what is free is what is dropped ---- */

#define BLOCK 65536 /* bytes: at least a page */

typedef struct block {
    unsigned char bytes[BLOCK];
} block;

#define VF_T     block
#define VF_N     130
#define VF_NAME  blocks
#define VF_ALIGN BLOCK
#include <veryfast/pool.h>

static void count_purge(void *context, void *memory, size_t size)
{
    (void)context;
    (void)memory;
    purged.bytes += size;
}

Test(purge, drops_each_free_slot_and_no_other)
{
    uint64_t random = 1;
    for (size_t turn = 0; turn < 20; turn++) {
        allocator = (test_allocator){0};
        purged.bytes = 0;
        vf_pool_options options = {.allocator = test_allocator_hook(&allocator),
                                   .purge = count_purge};
        blocks *few = blocks_new(&options);
        cr_assert(few != NULL);
        block *all[130];
        check_equal(blocks_alloc_n(few, all, 130), 130);
        size_t kept = test_random_below(&random, 130), freed = 0;
        for (size_t i = 0; i < 130; i++) {
            if (i != kept && (turn == 0 || test_random_below(&random, turn) == 0)) {
                blocks_free(few, all[i]);
                freed++;
            }
        }
        check_equal(blocks_trim(few), freed * BLOCK);
        check_equal(purged.bytes, freed * BLOCK);
        blocks_destroy(few);
        check_all_back(&allocator);
    }
}

Test(purge, without_a_hook_nothing_is_dropped)
{
    open_hooked(false);
    fill();
    free_but_each(512);
    unsigned char before[48];
    memcpy(before, objects[1], sizeof before);
    check_equal(nodes_trim(pool), 0);
    check_contents();
    for (size_t i = 0; i < MANY; i++) {
        for (size_t k = 0; k < sizeof(node); k++)
            cr_assert(objects[i]->bytes[k] == i % 251, "free object %zu was touched", i);
    }
    close_hooked();
}

/* A hook alone, beside the C library's memory. */
static void drop_nothing(void *context, void *memory, size_t size)
{
    cr_assert(context == NULL && (uintptr_t)memory % page_size() == 0);
    purged.bytes += size;
}

Test(purge, is_the_callers_beside_the_c_librarys_allocator)
{
    vf_pool_options options = {.purge = drop_nothing};
    purged.bytes = 0;
    pool = nodes_new(&options);
    cr_assert(pool != NULL);
    fill();
    free_but_each(512);
    size_t bytes = nodes_trim(pool);
    cr_assert(bytes > 0 && bytes == purged.bytes);
    for (size_t i = 0; i < MANY; i++)
        cr_assert(objects[i]->bytes[47] == i % 251);
    nodes_destroy(pool);
}

/* ---- the system's ---- */

#ifdef __linux__

/* A sanitizer keeps memory of its own, and tells nobody how much. */
#    if defined(__SANITIZE_THREAD__) || defined(__SANITIZE_ADDRESS__)
#        define SANITIZED
#    elif defined(__has_feature)
#        if __has_feature(thread_sanitizer) || __has_feature(address_sanitizer)
#            define SANITIZED
#        endif
#    endif

/* Bytes of memory that the process has; 0 where that cannot be said. */
static size_t resident_bytes(void)
{
    unsigned long size = 0, resident = 0;
#    ifndef SANITIZED
    FILE *file = fopen("/proc/self/statm", "r");
    if (file == NULL)
        return 0;
    if (fscanf(file, "%lu %lu", &size, &resident) != 2)
        resident = 0;
    fclose(file);
#    endif
    (void)size;
    return resident * page_size();
}

/* What MALLOC_PERTURB_ has free() do: write to all that goes back, and so to pages that were
   dropped. */
static void do_not_fill_what_is_freed(void)
{
#    ifdef __GLIBC__
    mallopt(M_PERTURB, 0);
#    endif
}

/* The process has as much less as the trim has given back, or nearly so. */
static void check_shrunk(size_t before, size_t bytes)
{
    size_t after = resident_bytes();
    if (before != 0)
        cr_assert(before > after && before - after > bytes / 4 * 3,
                  "%zu bytes were given back, and the process has %zu less", bytes, before - after);
}

Test(purge, gives_pages_between_live_objects_back_to_the_system)
{
    pool = nodes_new(NULL);
    cr_assert(pool != NULL);
    fill();
    free_but_each(1024);
    size_t before = resident_bytes();
    size_t bytes = nodes_trim(pool);
    check_shrunk(before, bytes);
    cr_assert(bytes > MANY / 2 * sizeof(node));
    check_equal(nodes_trim(pool), 0); /* there is no more */
    check_contents();
    use_all_again();
    cr_assert(nodes_trim(pool) == 0);
    nodes_destroy(pool);
}

/* Batches of 64 KiB, which the C library keeps for itself when they are freed. */
#    define VF_T    node
#    define VF_N    1365
#    define VF_NAME small_batches
#    include <veryfast/pool.h>

Test(purge, gives_batches_back_to_the_system_that_the_c_library_would_keep)
{
    do_not_fill_what_is_freed();
    small_batches *small = small_batches_new(NULL);
    cr_assert(small != NULL);
    check_equal(small_batches_alloc_n(small, objects, MANY), MANY);
    for (size_t i = 0; i < MANY; i++)
        memset(objects[i], 1, sizeof(node));
    small_batches_free_n(small, objects, MANY);
    size_t before = resident_bytes();
    size_t bytes = small_batches_trim(small);
    check_shrunk(before, bytes);
    cr_assert(bytes >= MANY * sizeof(node));
    check_equal(small_batches_stats(small).batches, 0);
    check_equal(small_batches_trim(small), 0);
    small_batches_destroy(small);
}
#endif
