/*
 * test_stray_type.h - one test of frees with no memory for bookkeeping, for objects of TYPE.
 */
#define VF_T    TYPE
#define VF_N    300 /* several words of bits, and not a multiple of 64 */
#define VF_NAME NAME
#include <veryfast/pool.h>

#define CALL(function) VF_CAT(NAME, function)
#define COUNT          6000

static TYPE *CALL(_objects)[COUNT];

/* Object i holds a number of its own, so that a write by the pool to a live one is seen. */
static void CALL(_mark)(size_t from, size_t to)
{
    for (size_t i = from; i < to; i++)
        memset(CALL(_objects)[i], (int)(i % 251), sizeof(TYPE));
}

static void CALL(_check_marks)(size_t from, size_t to)
{
    for (size_t i = from; i < to; i++) {
        const unsigned char *bytes = (const unsigned char *)CALL(_objects)[i];
        for (size_t j = 0; j < sizeof(TYPE); j++)
            cr_assert(bytes[j] == i % 251, "object %zu was written to", i);
    }
}

static void CALL(_shuffle)(uint64_t *random)
{
    for (size_t i = COUNT - 1; i > 0; i--) {
        size_t j = test_random_below(random, i + 1);
        TYPE *other = CALL(_objects)[i];
        CALL(_objects)[i] = CALL(_objects)[j];
        CALL(_objects)[j] = other;
    }
}

/* Frees the first n in many ways and gets as many again, all with the allocator refusing. */
static void CALL(_turn)(NAME *own, size_t n, bool flush)
{
    for (size_t i = 0; i < n; i++)
        CALL(_free)(own, CALL(_objects)[i]);
    if (flush)
        vf_thread_flush();
    CALL(_check_marks)(0, COUNT); /* the free ones too: they may be looked at, type-stable */
    vf_pool_stats stats = CALL(_stats)(own);
    check_sums(stats, &allocator);
    check_equal(stats.live, COUNT - n);
    for (size_t i = 0; i < n; i++) {
        CALL(_objects)[i] = CALL(_alloc)(own);
        cr_assert(CALL(_objects)[i] != NULL, "%zu of %zu were had again", i, n);
    }
    check_refused(ENOMEM, CALL(_alloc)(own) == NULL);
    CALL(_check_marks)(n, COUNT);
    CALL(_mark)(0, n);
    CALL(_check_marks)(0, COUNT); /* also: no two are the same memory */
}

static void CALL(_with_caches)(size_t cache_objects)
{
    uint64_t random = 1;
    allocator = (test_allocator){0};
    vf_pool_options options = {.allocator = test_allocator_hook(&allocator),
                               .cache_objects = cache_objects};
    NAME *own = CALL(_new)(&options);
    cr_assert(own != NULL);
    check_equal(CALL(_alloc_n)(own, CALL(_objects), COUNT), COUNT);
    allocator.refuse = true;
    for (size_t n = COUNT; n > 0; n /= 3) {
        CALL(_shuffle)(&random);
        CALL(_mark)(0, COUNT);
        CALL(_turn)(own, n, false);
        CALL(_turn)(own, n, true);
    }
    CALL(_free_n)(own, CALL(_objects), COUNT);
    allocator.refuse = false;
    check_equal(CALL(_alloc_n)(own, CALL(_objects), COUNT), COUNT); /* strays are magazines again */
    vf_pool_stats stats = CALL(_stats)(own);
    check_equal(stats.capacity, COUNT);
    CALL(_free_n)(own, CALL(_objects), COUNT);
    CALL(_release)(own);
    check_all_back(&allocator);
}

Test(strays, NAME)
{
    CALL(_with_caches)(0);
    CALL(_with_caches)(5);
    CALL(_with_caches)(VF_CACHE_NONE);
}

#undef CALL
#undef COUNT
#undef TYPE
#undef NAME
