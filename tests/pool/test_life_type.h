/* SPDX-License-Identifier: MIT */
/*
 * test_life_type.h - one test for a pool of any type, stamped out per type like the pool itself:
 * chance allocates and frees, and at times all is walked, trimmed, and asked for; then destroyed.
 *
 * Parameters: TYPE, N and NAME as VF_T, VF_N and VF_NAME; CAP, the pool's max_objects.
 */
static void CAT(NAME, _dropped)(TYPE *object);
#define VF_T       TYPE
#define VF_N       N
#define VF_NAME    NAME
#define VF_DROP(p) CAT(NAME, _dropped)(p)
#include <veryfast/pool.h>

#define CALL(function) CAT(NAME, function)

/* What is live, in no order. */
static struct {
    NAME *pool;
    CAT(NAME, _cache) * cache;
    test_allocator allocator;
    TYPE *live[MOST_LIVE];
    size_t count;
    TYPE *found[MOST_LIVE]; /* visited, or dropped at the end */
    size_t found_count;
    bool ends;
} CALL(_world);

static void CALL(_dropped)(TYPE *object)
{
    if (CALL(_world).ends)
        CALL(_world).found[CALL(_world).found_count++] = object;
}

static void CALL(_visit)(TYPE *object, void *context)
{
    cr_assert(context == &CALL(_world));
    cr_assert(CALL(_world).found_count < CALL(_world).count);
    CALL(_world).found[CALL(_world).found_count++] = object;
}

/* The objects found are the live ones, each once, by address. */
static void CALL(_check_found)(void)
{
    check_equal(CALL(_world).found_count, CALL(_world).count);
    qsort(CALL(_world).live, CALL(_world).count, sizeof(TYPE *), by_address);
#ifdef VF_BYPASS
    if (CALL(_world).ends) /* dropped in any order */
        qsort(CALL(_world).found, CALL(_world).count, sizeof(TYPE *), by_address);
#endif
    for (size_t i = 0; i < CALL(_world).count; i++)
        cr_assert(CALL(_world).found[i] == CALL(_world).live[i]);
    CALL(_world).found_count = 0;
}

static void CALL(_alloc_one)(bool from_cache)
{
    TYPE *object =
        from_cache ? CALL(_cache_alloc)(CALL(_world).cache) : CALL(_alloc)(CALL(_world).pool);
    if ((CAP) != 0 && CALL(_world).count == (CAP))
        cr_assert(object == NULL);
    if (object == NULL)
        return;
    memset(object, 0x5A, sizeof *object);
    CALL(_world).live[CALL(_world).count++] = object;
}

static void CALL(_free_one)(bool to_cache, uint64_t *random)
{
    size_t i = test_random_below(random, CALL(_world).count);
    TYPE *object = CALL(_world).live[i];
    unsigned char bytes[sizeof *object];
    memset(bytes, 0x5A, sizeof bytes);
    cr_assert(memcmp(object, bytes, sizeof bytes) == 0);
    CALL(_world).live[i] = CALL(_world).live[--CALL(_world).count];
    if (to_cache)
        CALL(_cache_free)(CALL(_world).cache, object);
    else
        CALL(_free)(CALL(_world).pool, object);
}

static void CALL(_check_owns)(void)
{
    NAME *pool = CALL(_world).pool;
    TYPE local;
    cr_assert(!CALL(_owns)(pool, NULL) && !CALL(_owns)(pool, &local) && !CALL(_owns)(pool, pool));
    for (size_t i = 0; i < CALL(_world).count; i += 1 + CALL(_world).count / 16) {
        char *object = (char *)CALL(_world).live[i];
        cr_assert(CALL(_owns)(pool, object));
        if (sizeof(TYPE) > 1)
            cr_assert(!CALL(_owns)(pool, object + 1) &&
                      !CALL(_owns)(pool, object + sizeof(TYPE) - 1));
    }
}

static void CALL(_check_trim)(void)
{
    vf_pool_stats before = CALL(_stats)(CALL(_world).pool);
    size_t bytes = CALL(_trim)(CALL(_world).pool);
    vf_pool_stats after = CALL(_stats)(CALL(_world).pool);
    check_equal(bytes, before.bytes - after.bytes);
    check_sums(after, &CALL(_world).allocator);
    check_equal(after.live, CALL(_world).count);
}

static void CALL(_check_all)(void)
{
    CALL(_check_owns)();
    CALL(_check_trim)();
    cr_assert(CALL(_each)(CALL(_world).pool, CALL(_visit), &CALL(_world)));
    CALL(_check_found)();
}

Test(life, NAME)
{
    vf_pool_options options = {.allocator = test_allocator_hook(&CALL(_world).allocator),
                               .max_objects = (CAP)};
    uint64_t random = 1;
    CALL(_world).pool = CALL(_new)(&options);
    CALL(_world).cache = CALL(_cache_new)(CALL(_world).pool);
    cr_assert(CALL(_world).pool != NULL && CALL(_world).cache != NULL);
    for (size_t phase = 0; phase < 12; phase++) {
        size_t likely = phase % 3 == 0 ? 80 : phase % 3 == 1 ? 50 : 20; /* per cent of allocs */
        for (size_t i = 0; i < 1500; i++) {
            bool held = test_random(&random) % 4 == 0;
            bool allocates = test_random(&random) % 100 < likely;
            if (CALL(_world).count == 0 || (allocates && CALL(_world).count < MOST_LIVE))
                CALL(_alloc_one)(held);
            else
                CALL(_free_one)(held, &random);
        }
        CALL(_check_all)();
    }
    CALL(_world).ends = true;
    CALL(_destroy)(CALL(_world).pool);
    CALL(_check_found)();
    check_all_back(&CALL(_world).allocator);
}

#undef CALL
#undef TYPE
#undef N
#undef NAME
#undef CAP
