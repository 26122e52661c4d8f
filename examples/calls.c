/* SPDX-License-Identifier: MIT */
/*
 * A use of each call that no other example has, in a line or two: the reference shows them.
 *
 *     cc calls.c $(pkg-config --cflags --libs veryfast) -o calls && ./calls
 *
 * Ends with 1, and names the call, if one does not do what it is for.
 */
#include <stdio.h>
#include <stdlib.h>

#include <veryfast/checked.h>
#include <veryfast/sized.h>

struct order {
    int customer, pieces;
};

#ifdef VF_HAS_EPOCH /* the library has the epoch backend */
#    define VF_EPOCH
#endif
#define VF_T    struct order
#define VF_N    256
#define VF_NAME orders
#define VF_HANDLE
#define VF_SHARED
#include <veryfast/pool.h>

#define VF_T    struct order
#define VF_N    6
#define VF_NAME inbox
#include <veryfast/smallbuf.h>

#define VF_T    struct order
#define VF_N    6
#define VF_NAME news
#define VF_FLIP
#include <veryfast/smallbuf.h>

#define VF_T    struct order
#define VF_N    6
#define VF_NAME frames
#define VF_FLIP
#define VF_EPOCH
#include <veryfast/smallbuf.h>

static void expect(bool right, const char *call)
{
    if (right)
        return;
    fprintf(stderr, "%s\n", call);
    exit(1);
}

/* ---- pool.h ---- */

static void use_pool(void)
{
    orders *pool = orders_shared();
    expect(pool != NULL && pool == orders_shared(), "P_shared");
    struct order *tea = orders_push(pool, (struct order){.customer = 1, .pieces = 2});
    expect(tea != NULL, "P_push");
    expect(orders_owns(pool, tea) && !orders_owns(pool, &pool), "P_owns");
    orders_handle handle = orders_handle_of(pool, tea);
#ifdef VF_HAS_EPOCH
    if (!orders_free_handle_deferred(pool, handle))
        perror("it is gone already, or too many wait");
    orders_epoch_barrier(pool);
#else
    orders_free_handle(pool, handle);
#endif
    expect(orders_get(pool, handle) == NULL, "P_free_handle");
}

static void use_vf_free(void)
{
    struct order *tea = orders_alloc(orders_shared());
    vf_free(tea);      /* whichever pool it is of */
    vf_thread_flush(); /* this thread is about to sleep */
    expect(orders_stats(orders_shared()).cached == 0, "vf_thread_flush");
    if (vf_version() < VF_VERSION_NUMBER)
        puts("the library is older than the headers");
}

/* ---- smallbuf.h ---- */

static void use_buffer(void)
{
    inbox box = {0};
    struct order both[2] = {{.customer = 1}, {.customer = 2}};
    size_t first;
    size_t taken = inbox_push_n_index(&box, both, 2, &first);
    expect(taken == 2 && first == 0, "S_push_n_index"); /* 0: they have made it non-empty */
    taken = inbox_push_n(&box, both, 2);
    expect(taken == 2, "S_push_n");
    if (!inbox_push_exclusive(&box, both[0]))
        perror("out of memory");
    printf("about %zu orders\n", inbox_count_about(&box));
    size_t refused = inbox_refused(&box);
    expect(refused == 0 && inbox_count(&box) == 5, "S_count");
    inbox_destroy(&box);
}

static void use_writer(void)
{
    inbox box = {0};
    inbox_writer writer;
    inbox_writer_open(&writer, &box);
    size_t index;
    bool pushed = inbox_writer_push_index(&writer, (struct order){.pieces = 2}, &index);
    expect(pushed && index == 0, "S_writer_push_index"); /* 0: it has made it non-empty */
    inbox_writer_close(&writer);
    inbox_writer_open_keyed(&writer, &box, 7); /* drained by key, behind what has none */
    expect(inbox_writer_push(&writer, (struct order){.pieces = 2}), "S_writer_open_keyed");
    inbox_writer_close(&writer);
    inbox_destroy(&box);
}

static void use_flips(void)
{
    news buffer = {0};
    expect(news_push(&buffer, (struct order){.pieces = 2}), "S_push");
    news_drain drain;
    if (news_flip_try(&buffer, &drain)) { /* no push is in flight */
        size_t refused = news_drain_refused(&drain);
        struct order order;
        expect(news_drain_next(&drain, &order) && order.pieces == 2 && refused == 0, "S_flip_try");
        news_drain_end(&drain);
    }
    news_fork_child(&buffer); /* in the child of a fork */
    news_destroy(&buffer);
}

static void use_flip_with_a_grace_period(void)
{
    frames buffer = {0};
    expect(frames_push(&buffer, (struct order){.pieces = 2}), "S_push");
    frames_flip_begin(&buffer);
    /* here the drainer waits until each push that had begun before is over */
    frames_drain drain = frames_flip_finish(&buffer);
    struct order order;
    expect(frames_drain_next(&drain, &order) && order.pieces == 2, "S_flip_finish");
    frames_drain_end(&drain);
    frames_destroy(&buffer);
}

/* ---- sized.h ---- */

static void count(void *object, void *context)
{
    (void)object;
    ++*(size_t *)context;
}

static void use_walks(vf_sized_pool *pool, size_t live)
{
    size_t visited = 0, walked = 0;
    if (!vf_sized_pool_each(pool, count, &visited))
        perror("out of memory");
    vf_sized_walk walk = vf_sized_walk_begin(pool);
    for (void *node; (node = vf_sized_walk_next(&walk)) != NULL;)
        walked += vf_sized_pool_owns(pool, node);
    vf_sized_walk_end(&walk);
    vf_sized_walk part = vf_sized_walk_part(pool, 0, 2); /* the first of two */
    vf_sized_walk_end(&part);
    expect(visited == live && walked == live, "vf_sized_pool_each");
}

static void use_sized_cache(vf_sized_pool *pool)
{
    vf_sized_cache *cache = vf_sized_cache_new(pool);
    expect(cache != NULL, "vf_sized_cache_new");
    void *node = vf_sized_cache_alloc(cache);
    vf_sized_cache_free(cache, node);
    vf_sized_cache_release(cache);
}

static void use_sized_pool(void)
{
    vf_sized_pool *pool = vf_sized_pool_new(40, 8, 0, NULL); /* 0: batches of 64 KiB */
    expect(pool != NULL && vf_sized_pool_reserve(pool, 100), "vf_sized_pool_reserve");
    void *nodes[10];
    size_t given = vf_sized_alloc_n(pool, nodes, 10);
    expect(given == 10, "vf_sized_alloc_n");
    use_walks(pool, given);
    use_sized_cache(pool);
#ifdef VF_HAS_EPOCH
    if (!vf_sized_free_deferred(pool, nodes[--given]))
        vf_sized_free(pool, nodes[given]); /* no reader can have it */
    vf_sized_pool_epoch_barrier(pool);
#endif
    vf_sized_free_n(pool, nodes, given);
    vf_pool_stats stats = vf_sized_pool_stats(pool);
    expect(stats.live == 0 && vf_sized_pool_trim(pool) > 0, "vf_sized_pool_trim");
    vf_sized_pool_release(pool);

    vf_sized_pool *level = vf_sized_pool_new(40, 8, 0, NULL);
    expect(level != NULL && vf_sized_alloc(level) != NULL, "vf_sized_alloc");
    vf_sized_pool_destroy(level); /* with all that lives */
}

/* ---- checked.h ---- */

static void show(const char *report, void *context)
{
    fprintf(context, "%s\n", report);
}

int main(void)
{
    vf_checked_on_misuse(show, stdout);
    vf_checked_list_leaks(stderr);
    vf_checked_keep_contents(true);     /* for type-stable reads */
    vf_checked_quarantine(1024 * 1024); /* bytes in each pool */
    use_pool();
    use_vf_free();
    use_buffer();
    use_writer();
    use_flips();
    use_flip_with_a_grace_period();
    use_sized_pool();
}
