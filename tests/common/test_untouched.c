/* SPDX-License-Identifier: MIT */
/*
 * test_untouched.c - the library never looks at what is in an object, nor writes to it: every call
 * works on objects in memory that nobody may read or write. (A checked build does both.)
 */
#include <pthread.h>
#include <sys/mman.h>

#include "test_common.h"

/* A page is no larger on any machine. */
#define PAGE 65536

typedef struct page {
    char bytes[PAGE];
} page;

#define VF_T     page
#define VF_N     16
#define VF_ALIGN PAGE
#include <veryfast/pool.h>

#define MOST 700

static page *objects[MOST];
static test_allocator allocator;

/* What holds objects begins with them: its whole pages are closed to all. */
static void *closed_alloc(void *context, size_t size, size_t alignment)
{
    vf_allocator real = test_allocator_hook(context);
    if (alignment != PAGE)
        return real.alloc(real.context, size, alignment);
    if (allocator.refuse)
        return NULL;
    char *memory =
        mmap(NULL, size + PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    cr_assert(memory != MAP_FAILED);
    memory += (0 - (uintptr_t)memory) % PAGE;
    cr_assert(mprotect(memory, size / PAGE * PAGE, PROT_NONE) == 0);
    return memory;
}

static void closed_dealloc(void *context, void *memory, size_t size, size_t alignment)
{
    vf_allocator real = test_allocator_hook(context);
    if (alignment != PAGE)
        real.dealloc(real.context, memory, size, alignment);
    else
        munmap(memory, size); /* what was skipped for alignment is left to the end of the test */
}

static void alloc_all(pool_page_16 *pool)
{
    for (size_t i = 0; i < MOST / 2; i++)
        cr_assert((objects[i] = pool_page_16_alloc(pool)) != NULL);
    check_equal(pool_page_16_alloc_n(pool, objects + MOST / 2, MOST / 2), MOST / 2);
}

static void free_all(pool_page_16 *pool)
{
    pool_page_16_free_n(pool, objects, MOST / 2);
    for (size_t i = MOST / 2; i < MOST; i++)
        pool_page_16_free(pool, objects[i]);
}

static void *work(void *pool)
{
    alloc_all(pool);
    free_all(pool);
    return NULL;
}

static void visit(page *object, void *count)
{
    (void)object;
    ++*(size_t *)count;
}

/* All that a program can do to a pool whose objects it does not look at. */
static void live_through(const vf_pool_options *options)
{
    pool_page_16 *pool = pool_page_16_new(options);
    cr_assert(pool != NULL);
    cr_assert(pool_page_16_reserve(pool, MOST / 3));
    alloc_all(pool);
    allocator.refuse = true; /* a free needs no memory */
    free_all(pool);
    vf_thread_flush();
    allocator.refuse = false;
    for (int turn = 0; turn < 5; turn++)
        work(pool);
    pthread_t other;
    cr_assert(pthread_create(&other, NULL, work, pool) == 0 && pthread_join(other, NULL) == 0);

    pool_page_16_cache *cache = pool_page_16_cache_new(pool);
    for (size_t i = 0; i < MOST; i++)
        cr_assert((objects[i] = pool_page_16_cache_alloc(cache)) != NULL);
    for (size_t i = 0; i < MOST; i++)
        pool_page_16_cache_free(cache, objects[i]);
    pool_page_16_cache_release(cache);

    alloc_all(pool);
    cr_assert(pool_page_16_owns(pool, objects[0]));
    size_t count = 0;
    cr_assert(pool_page_16_each(pool, visit, &count));
    check_equal(count, MOST);
    pool_page_16_trim(pool);
    free_all(pool);
    vf_thread_flush();
    pool_page_16_trim(pool);
    alloc_all(pool);
    pool_page_16_release(pool);
    free_all(pool);
    check_all_back(&allocator);
}

Test(untouched, objects_of_a_pool)
{
    static const vf_pool_options kinds[] = {{.max_objects = 0},
                                            {.cache_objects = 1},
                                            {.cache_objects = VF_CACHE_NONE},
                                            {.max_objects = MOST}};
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        vf_pool_options options = kinds[i];
        options.allocator = (vf_allocator){closed_alloc, closed_dealloc, &allocator};
        live_through(&options);
    }
}

Test(untouched, objects_of_a_pool_that_is_destroyed)
{
    vf_pool_options options = {.allocator = {closed_alloc, closed_dealloc, &allocator}};
    pool_page_16 *pool = pool_page_16_new(&options);
    alloc_all(pool);
    pool_page_16_free_n(pool, objects, MOST / 2);
    pool_page_16_destroy(pool);
    check_all_back(&allocator);
}
