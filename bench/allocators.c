/*
 * allocators.c - see allocators.h.
 *
 * All allocators are in one process, and none replaces malloc. Each is called the quickest way
 * that it documents: with the size at free, where that is known to help.
 */
#include "allocators.h"

#include <dlfcn.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

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
} mimalloc;

#define LOOPS mimalloc
#define LOOPS_USE
#define LOOPS_ALLOC   mimalloc.alloc(sizeof(struct object))
#define LOOPS_FREE(p) mimalloc.free(p)
#include "allocator_loops.h"

#if HAVE_JEMALLOC
void *peer_je_malloc(size_t size);
void peer_je_sdallocx(void *memory, size_t size, int flags);
#    define LOOPS jemalloc
#    define LOOPS_USE
#    define LOOPS_ALLOC   peer_je_malloc(sizeof(struct object))
#    define LOOPS_FREE(p) peer_je_sdallocx(p, sizeof(struct object), 0)
#    include "allocator_loops.h"
#endif

#if HAVE_TCMALLOC
void *peer_tc_tc_malloc(size_t size);
void peer_tc_tc_free_sized(void *memory, size_t size);
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

/* What the loops take by themselves: few enough objects for the nearest cache. */
static struct object near_objects[256];

#define LOOPS         no_pool
#define LOOPS_USE     unsigned char taken = 0;
#define LOOPS_ALLOC   &near_objects[taken++]
#define LOOPS_FREE(p) ((void)(p), (void)taken)
#include "allocator_loops.h"

struct variants variants_of_pool = {1, {{"veryfast", OURS, &veryfast_loops, 0, NULL}}};
struct variants variants_of_n = {
    3,
    {{"N=4096", OURS, &veryfast_loops, 0, NULL},
     {"N=256", OURS, &veryfast_256_loops, 0, NULL},
     {"N=64", OURS, &veryfast_64_loops, 0, NULL}},
};
struct variants variants_of_ring = {1, {{"veryfast", OURS, &veryfast_loops, 0, NULL}}};
const struct variants variants_of_threads = {
    2,
    {{"2 threads", OURS, &veryfast_loops, 2, NULL}, {"1 thread", PEER, &veryfast_loops, 1, NULL}},
};
const struct variants variants_of_held = {
    3,
    {{"held", OURS, &held_loops, 0, NULL},
     {"thread's", PEER, &veryfast_loops, 0, NULL},
     {"no pool", ASIDE, &no_pool_loops, 0, NULL}},
};
const struct variants variants_of_bulk = {
    3,
    {{"bulk", OURS, &bulk_loops, 0, NULL},
     {"single", PEER, &veryfast_loops, 0, NULL},
     {"no pool", ASIDE, &no_pool_loops, 0, NULL}},
};
const struct variants variants_of_cap = {
    2,
    {{"capped", OURS, &capped_loops, 0, NULL}, {"mutex+list", PEER, &list_loops, 0, NULL}},
};

static void add(struct variants *variants, const char *name, enum kind kind,
                const struct loops *loops)
{
    variants->all[variants->n++] = (struct variant){.name = name, .kind = kind, .loops = loops};
}

static void add_peer(const char *name, const struct loops *loops)
{
    add(&variants_of_pool, name, PEER, loops);
    add(&variants_of_n, name, PEER, loops);
    add(&variants_of_ring, name, PEER, loops);
}

static void find_mimalloc(void)
{
    void *library = dlopen("libmimalloc.so.2", RTLD_NOW | RTLD_LOCAL);
    if (library != NULL) {
        /* POSIX's way to make a function of what dlsym returns */
        *(void **)&mimalloc.alloc = dlsym(library, "mi_malloc_small");
        *(void **)&mimalloc.free = dlsym(library, "mi_free");
    }
    if (mimalloc.alloc != NULL && mimalloc.free != NULL)
        add_peer("mimalloc", &mimalloc_loops);
    else
        printf("missing: mimalloc (Debian: libmimalloc2.0)\n");
}

void allocators_find(void)
{
    add(&variants_of_ring, "bare ring", ASIDE, &bare_loops);
    add_peer("malloc", &c_library_loops);
    if (SANITIZED) {
        printf("left out of a sanitized build: mimalloc, jemalloc, tcmalloc\n");
        return;
    }
    find_mimalloc();
#if HAVE_JEMALLOC
    add_peer("jemalloc", &jemalloc_loops);
#else
    printf("missing: jemalloc (Debian: libjemalloc-dev)\n");
#endif
#if HAVE_TCMALLOC
    add_peer("tcmalloc", &tcmalloc_loops);
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
    pool_capped = made(pool_object_4096_new(&cap));
    for (size_t i = 0; i < WORKERS_MOST; i++)
        caches[i] = made(pool_object_4096_cache_new(pool_4096));
}
