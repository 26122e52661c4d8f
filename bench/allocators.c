/*
 * allocators.c - see allocators.h.
 *
 * All allocators are in one process, and none replaces malloc. Each is called the quickest way
 * that it documents: with the size at free, where that is known to help.
 */
#include "allocators.h"

#include <dlfcn.h>
#include <malloc.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#define ARRAY_OBJECTS 1000000

#define VF_T struct object
#define VF_N 4096
#include <veryfast/pool.h>
#define VF_T struct object
#define VF_N 256
#include <veryfast/pool.h>
#define VF_T struct object
#define VF_N 64
#include <veryfast/pool.h>

static pool_object_4096 *pool_4096, *pool_capped;
static pool_object_256 *pool_256;
static pool_object_64 *pool_64;
static pool_object_4096_cache *caches[WORKERS_MOST];

#define LOOPS         veryfast
#define LOOPS_USE     pool_object_4096 *pool = pool_4096;
#define LOOPS_ALLOC   pool_object_4096_alloc(pool)
#define LOOPS_FREE(p) pool_object_4096_free(pool, p)
#include "allocator_loops.h"

#define LOOPS         veryfast_256
#define LOOPS_USE     pool_object_256 *pool = pool_256;
#define LOOPS_ALLOC   pool_object_256_alloc(pool)
#define LOOPS_FREE(p) pool_object_256_free(pool, p)
#include "allocator_loops.h"

#define LOOPS         veryfast_64
#define LOOPS_USE     pool_object_64 *pool = pool_64;
#define LOOPS_ALLOC   pool_object_64_alloc(pool)
#define LOOPS_FREE(p) pool_object_64_free(pool, p)
#include "allocator_loops.h"

#define LOOPS         held
#define LOOPS_USE     pool_object_4096_cache *cache = caches[worker];
#define LOOPS_ALLOC   pool_object_4096_cache_alloc(cache)
#define LOOPS_FREE(p) pool_object_4096_cache_free(cache, p)
#include "allocator_loops.h"

#define LOOPS         capped
#define LOOPS_USE     pool_object_4096 *pool = pool_capped;
#define LOOPS_ALLOC   pool_object_4096_alloc(pool)
#define LOOPS_FREE(p) pool_object_4096_free(pool, p)
#include "allocator_loops.h"

/* A burst by one call, and the end of it by another. */
static void bulk_burst(void *context, unsigned worker)
{
    struct work *work = context;
    struct object **objects = work->slots[worker];
    size_t burst = work->burst;
    for (size_t rounds = work->rounds; rounds > 0; rounds--) {
        pool_object_4096_alloc_n(pool_4096, objects, burst);
        for (size_t i = 0; i < burst; i++)
            written(objects[i], i);
        pool_object_4096_free_n(pool_4096, objects, burst);
    }
}

static const struct loops bulk_loops = {.burst = bulk_burst};

static void trim_4096(void)
{
    pool_object_4096_trim(pool_4096);
    malloc_trim(0); /* the pool's memory is malloc's, who keeps it */
}

static void trim_64(void)
{
    pool_object_64_trim(pool_64);
    malloc_trim(0);
}

/* All objects at once. */
static void destroy_end(void *context, unsigned worker)
{
    struct work *work = context;
    (void)worker;
    double begin = clock_ns(CLOCK_THREAD_CPUTIME_ID);
    pool_object_4096_destroy(pool_4096);
    work->life.end_ns = clock_ns(CLOCK_THREAD_CPUTIME_ID) - begin;
}

/* One by one, and then the memory as well. */
static void release_end(void *context, unsigned worker)
{
    struct work *work = context;
    veryfast_end(context, worker);
    for (size_t i = 0; i < WORKERS_MOST; i++)
        pool_object_4096_cache_release(caches[i]); /* they would keep the pool alive */
    double begin = clock_ns(CLOCK_THREAD_CPUTIME_ID);
    pool_object_4096_release(pool_4096);
    work->life.end_ns += clock_ns(CLOCK_THREAD_CPUTIME_ID) - begin;
}

static const struct loops destroy_loops = {.age = veryfast_age, .end = destroy_end};
static const struct loops release_loops = {.age = veryfast_age, .end = release_end};

#define LOOPS c_library
#define LOOPS_USE
#define LOOPS_ALLOC   malloc(sizeof(struct object))
#define LOOPS_FREE(p) free(p)
#include "allocator_loops.h"

/* Debian has mimalloc as a shared library only. Linked with the program it would replace malloc,
   so it is loaded apart; to call through a pointer is what calling a shared library is. */
static struct {
    void *(*alloc)(size_t size);
    void (*free)(void *memory);
    void (*collect)(bool force);
} mimalloc;

static void collect_mimalloc(void)
{
    mimalloc.collect(true);
}

#define LOOPS mimalloc
#define LOOPS_USE
#define LOOPS_ALLOC   mimalloc.alloc(sizeof(struct object))
#define LOOPS_FREE(p) mimalloc.free(p)
#include "allocator_loops.h"

static void trim_malloc(void)
{
    malloc_trim(0);
}

#if HAVE_JEMALLOC
void *peer_je_malloc(size_t size);
void peer_je_sdallocx(void *memory, size_t size, int flags);
int peer_je_mallctl(const char *name, void *old, size_t *old_size, void *new, size_t new_size);

static void purge_jemalloc(void)
{
    peer_je_mallctl("thread.tcache.flush", NULL, NULL, NULL, 0);
    peer_je_mallctl("arena.4096.purge", NULL, NULL, NULL, 0); /* 4096: of all */
}

#    define LOOPS jemalloc
#    define LOOPS_USE
#    define LOOPS_ALLOC   peer_je_malloc(sizeof(struct object))
#    define LOOPS_FREE(p) peer_je_sdallocx(p, sizeof(struct object), 0)
#    include "allocator_loops.h"
#endif

#if HAVE_TCMALLOC
void *peer_tc_tc_malloc(size_t size);
void peer_tc_tc_free_sized(void *memory, size_t size);
void peer_tc_MallocExtension_MarkThreadIdle(void);
void peer_tc_MallocExtension_ReleaseFreeMemory(void);

static void release_tcmalloc(void)
{
    peer_tc_MallocExtension_MarkThreadIdle();
    peer_tc_MallocExtension_ReleaseFreeMemory();
}

#    define LOOPS tcmalloc
#    define LOOPS_USE
#    define LOOPS_ALLOC   peer_tc_tc_malloc(sizeof(struct object))
#    define LOOPS_FREE(p) peer_tc_tc_free_sized(p, sizeof(struct object))
#    include "allocator_loops.h"
#endif

/* What one writes first: a free list and a mutex. */
static struct {
    pthread_mutex_t lock;
    struct node {
        struct node *next;
    } * first;
} list = {.lock = PTHREAD_MUTEX_INITIALIZER};

static inline void *list_alloc(void)
{
    pthread_mutex_lock(&list.lock);
    struct node *node = list.first;
    if (node != NULL)
        list.first = node->next;
    pthread_mutex_unlock(&list.lock);
    return node != NULL ? node : malloc(sizeof(struct object));
}

static inline void list_free(void *memory)
{
    struct node *node = memory;
    pthread_mutex_lock(&list.lock);
    node->next = list.first;
    list.first = node;
    pthread_mutex_unlock(&list.lock);
}

#define LOOPS list
#define LOOPS_USE
#define LOOPS_ALLOC   list_alloc()
#define LOOPS_FREE(p) list_free(p)
#include "allocator_loops.h"

/* What a hand-over costs that allocates nothing: more objects than can be on the way, in turn. */
static struct object bare_objects[2 * (RING_SLOTS + ARRAYS * ARRAY)];

#define LOOPS         bare
#define LOOPS_USE     size_t taken = 0;
#define LOOPS_ALLOC   &bare_objects[taken++ % (sizeof bare_objects / sizeof *bare_objects)]
#define LOOPS_FREE(p) ((void)(p), (void)taken)
#include "allocator_loops.h"

/* What a walk takes through objects that lie side by side. */
static struct object *side_by_side;

#define LOOPS         array
#define LOOPS_USE     size_t taken = 0;
#define LOOPS_ALLOC   &side_by_side[taken++ % ARRAY_OBJECTS]
#define LOOPS_FREE(p) ((void)(p), (void)taken)
#include "allocator_loops.h"

/* What the loops take by themselves: few enough objects for the nearest cache. */
static struct object near_objects[256];

#define LOOPS         no_pool
#define LOOPS_USE     unsigned char taken = 0;
#define LOOPS_ALLOC   &near_objects[taken++]
#define LOOPS_FREE(p) ((void)(p), (void)taken)
#include "allocator_loops.h"

struct variants variants_of_pool = {1,
                                    {{.name = "veryfast", .kind = OURS, .loops = &veryfast_loops}}};
struct variants variants_of_n = {
    3,
    {{.name = "N=4096", .kind = OURS, .loops = &veryfast_loops},
     {.name = "N=256", .kind = OURS, .loops = &veryfast_256_loops},
     {.name = "N=64", .kind = OURS, .loops = &veryfast_64_loops}},
};
struct variants variants_of_ring = {1,
                                    {{.name = "veryfast", .kind = OURS, .loops = &veryfast_loops}}};
const struct variants variants_of_threads = {
    2,
    {{.name = "2 threads", .kind = OURS, .loops = &veryfast_loops, .threads = 2},
     {.name = "1 thread", .kind = PEER, .loops = &veryfast_loops, .threads = 1}},
};
const struct variants variants_of_held = {
    3,
    {{.name = "held", .kind = OURS, .loops = &held_loops},
     {.name = "thread's", .kind = PEER, .loops = &veryfast_loops},
     {.name = "no pool", .kind = ASIDE, .loops = &no_pool_loops}},
};
const struct variants variants_of_bulk = {
    3,
    {{.name = "bulk", .kind = OURS, .loops = &bulk_loops},
     {.name = "single", .kind = PEER, .loops = &veryfast_loops},
     {.name = "no pool", .kind = ASIDE, .loops = &no_pool_loops}},
};
const struct variants variants_of_cap = {
    2,
    {{.name = "capped", .kind = OURS, .loops = &capped_loops},
     {.name = "mutex+list", .kind = PEER, .loops = &list_loops}},
};

struct variants variants_of_walk = {
    3,
    {{.name = "trimmed", .kind = OURS, .loops = &veryfast_loops, .give_back = trim_4096},
     {.name = "pool", .kind = PEER, .loops = &veryfast_loops},
     {.name = "array", .kind = ASIDE, .loops = &array_loops}},
};
struct variants variants_of_end = {
    3,
    {{.name = "destroy", .kind = OURS, .loops = &destroy_loops},
     {.name = "+ release", .kind = PEER, .loops = &release_loops},
     {.name = "free", .kind = ASIDE, .loops = &veryfast_loops}},
};
struct variants variants_of_memory = {
    2,
    {{.name = "N=4096", .kind = OURS, .loops = &veryfast_loops, .give_back = trim_4096},
     {.name = "N=64", .kind = OURS, .loops = &veryfast_64_loops, .give_back = trim_64}},
};

static void add(struct variants *variants, const char *name, enum kind kind,
                const struct loops *loops)
{
    variants->all[variants->n++] = (struct variant){.name = name, .kind = kind, .loops = loops};
}

static void add_peer(const char *name, const struct loops *loops, void (*give_back)(void))
{
    add(&variants_of_pool, name, PEER, loops);
    add(&variants_of_n, name, PEER, loops);
    add(&variants_of_ring, name, PEER, loops);
    add(&variants_of_walk, name, PEER, loops);
    add(&variants_of_end, name, ASIDE, loops); /* they keep the memory */
    add(&variants_of_memory, name, PEER, loops);
    variants_of_memory.all[variants_of_memory.n - 1].give_back = give_back;
}

static void find_mimalloc(void)
{
    void *library = dlopen("libmimalloc.so.2", RTLD_NOW | RTLD_LOCAL);
    if (library != NULL) {
        /* POSIX's way to make a function of what dlsym returns */
        *(void **)&mimalloc.alloc = dlsym(library, "mi_malloc_small");
        *(void **)&mimalloc.free = dlsym(library, "mi_free");
        *(void **)&mimalloc.collect = dlsym(library, "mi_collect");
    }
    if (mimalloc.alloc != NULL && mimalloc.free != NULL && mimalloc.collect != NULL)
        add_peer("mimalloc", &mimalloc_loops, collect_mimalloc);
    else
        printf("missing: mimalloc (Debian: libmimalloc2.0)\n");
}

void allocators_find(void)
{
    add(&variants_of_ring, "bare ring", ASIDE, &bare_loops);
    add_peer("malloc", &c_library_loops, trim_malloc);
    if (SANITIZED) {
        printf("left out of a sanitized build: mimalloc, jemalloc, tcmalloc\n");
        return;
    }
    find_mimalloc();
#if HAVE_JEMALLOC
    add_peer("jemalloc", &jemalloc_loops, purge_jemalloc);
#else
    printf("missing: jemalloc (Debian: libjemalloc-dev)\n");
#endif
#if HAVE_TCMALLOC
    add_peer("tcmalloc", &tcmalloc_loops, release_tcmalloc);
#else
    printf("missing: tcmalloc (Debian: libgoogle-perftools-dev)\n");
#endif
}

static void *made(void *what)
{
    if (what == NULL) {
        perror("veryfast");
        exit(1);
    }
    return what;
}

void allocators_open(void)
{
    vf_pool_options cap = {.max_objects = 65536};
    pool_4096 = made(pool_object_4096_new(NULL));
    pool_256 = made(pool_object_256_new(NULL));
    pool_64 = made(pool_object_64_new(NULL));
    side_by_side = made(calloc(ARRAY_OBJECTS, sizeof *side_by_side));
    pool_capped = made(pool_object_4096_new(&cap));
    for (size_t i = 0; i < WORKERS_MOST; i++)
        caches[i] = made(pool_object_4096_cache_new(pool_4096));
}
