/* SPDX-License-Identifier: MIT */
/*
 * hygiene.c - what VF_DROP, VF_ON_ALLOC and VF_ON_FREE say of the program's variables is of the
 * program's variables, whatever they are called.
 */
#include <stdio.h>

/* Names that the templates have, had or might have. (index is the C library's own in C++.) */
#ifdef __cplusplus
#    define NAMES_OF_C(use)
#else
#    define NAMES_OF_C(use) use(index)
#endif
#define NAMES(use)                                                                                 \
    use(n) use(i) use(j) use(k) use(p) use(pool) use(pools) use(object) use(objects) use(self)     \
        use(cache) use(slot) use(slots) use(core) use(value) use(values) use(count) use(size)      \
            use(next) use(buffer) use(drain) use(drop) use(dropped) use(element) use(elements)     \
                use(at) use(stop) use(span) use(run) use(tail) use(bank) use(banks) use(spill)     \
                    use(writer) use(core_) use(visit) use(visitor) use(typed) use(untyped)         \
                        use(context) use(options) use(stats) use(given) use(result) use(found)     \
                            use(more) use(expected) use(pushed) use(copied) use(taken) use(first)  \
                                use(last) use(top) use(bottom) use(limit) use(table) use(word)     \
                                    use(window) use(begin) use(end) use(data) use(ptr) use(item)   \
                                        use(node) use(type) use(batch) use(done) NAMES_OF_C(use)

#define DECLARE(name) static long name;
#define RAISE(name)   name++,
#define ADD(name)     +name
#define ONE(name)     +1
NAMES(DECLARE)
#define RAISE_ALL(p) (NAMES(RAISE)(p)->number++)

struct thing {
    long number;
};

#define VF_T           struct thing
#define VF_N           4
#define VF_NAME        things
#define VF_DROP(p)     RAISE_ALL(p)
#define VF_ON_ALLOC(p) RAISE_ALL(p)
#define VF_ON_FREE(p)  RAISE_ALL(p)
#define VF_CACHE_ALIGNED
#ifdef VF_HAS_EPOCH
#    define VF_EPOCH
#endif
#include <veryfast/pool.h>

#define VF_T       struct thing
#define VF_N       2
#define VF_NAME    kept
#define VF_DROP(p) RAISE_ALL(p)
#define VF_CACHE_ALIGNED
#include <veryfast/smallbuf.h>

#define VF_T       struct thing
#define VF_N       2
#define VF_NAME    laned
#define VF_DROP(p) RAISE_ALL(p)
#define VF_LANES
#include <veryfast/smallbuf.h>

#define VF_T       struct thing
#define VF_N       2
#define VF_NAME    flipped
#define VF_DROP(p) RAISE_ALL(p)
#define VF_FLIP
#include <veryfast/smallbuf.h>

#define VF_T       struct thing
#define VF_N       2
#define VF_NAME    graceful
#define VF_DROP(p) RAISE_ALL(p)
#define VF_FLIP
#define VF_EPOCH
#include <veryfast/smallbuf.h>

/* Has each of the names been raised so many times since the last look? */
static int raised(const char *what, long times)
{
    static long before;
    long sum = 0 NAMES(ADD), names = 0 NAMES(ONE), rise = sum - before;
    before = sum;
    if (rise == names * times)
        return 1;
    fprintf(stderr, "%s: %ld names were raised by %ld in all, not %ld times each\n", what, names,
            rise, times);
    return 0;
}

static int check_pool(void)
{
    struct thing *thing[8], one = {0};
    things *all = things_new(NULL);
    int good = things_alloc_n(all, thing, 4) == 4 && raised("P_alloc_n", 4);
    thing[4] = things_alloc(all);
    good &= raised("P_alloc", 1);
    thing[5] = things_push(all, one);
    good &= raised("P_push", 1);
    things_free(all, thing[0]);
    good &= raised("P_free", 2);
    things_free_n(all, thing + 1, 3);
    good &= raised("P_free_n", 6);
    (void)things_take(all, thing[4]);
    good &= raised("P_take", 1);
    things_cache *held = things_cache_new(all);
    thing[6] = things_cache_alloc(held);
    good &= raised("P_cache_alloc", 1);
    things_cache_free(held, thing[6]);
    good &= raised("P_cache_free", 2);
    things_cache_release(held);
    long left = 1;
#ifdef VF_HAS_EPOCH
    good &= things_free_deferred(all, thing[5]);
    things_epoch_barrier(all);
    good &= raised("P_free_deferred", 2);
    left = 0;
#endif
    things_destroy(all);
    return good & raised("P_destroy", 2 * left);
}

static int check_buffers(void)
{
    static kept all;
    static flipped both;
    static graceful waiting;
    struct thing one = {0};
    for (int pushes = 0; pushes < 5; pushes++) {
        (void)kept_push(&all, one);
        (void)flipped_push(&both, one);
        (void)graceful_push(&waiting, one);
    }
    kept_clear(&all);
    int good = raised("S_clear", 5);
    flipped_drain rest = flipped_flip(&both);
    flipped_drain_end(&rest);
    good &= raised("S_drain_end", 5);
    graceful_destroy(&waiting);
    good &= raised("S_destroy", 5);
    kept_destroy(&all);
    flipped_destroy(&both);
    return good & raised("S_destroy of nothing", 0);
}

int main(void)
{
    int good = check_pool();
    return !(check_buffers() & good);
}
