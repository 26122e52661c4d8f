/* SPDX-License-Identifier: MIT */
/*
 * allocator_peers.c - what the pool is compared with, see allocators.h.
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

/* Of those that take any size; in loops that only free it is of no use. */
#define USE_SIZE                                                                                   \
    size_t size = ((const struct work *)context)->size;                                            \
    (void)size;

#define LOOPS         c_library
#define LOOPS_USE     USE_SIZE
#define LOOPS_ALLOC   malloc(size)
#define LOOPS_FREE(p) free(p)
#include "allocator_loops.h"

static void trim_malloc(void)
{
    malloc_trim(0);
}

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

#define LOOPS              mimalloc
#define LOOPS_USE          USE_SIZE
#define LOOPS_ALLOC        mimalloc.alloc(size)
#define LOOPS_FREE(p)      mimalloc.free(p)
#define LOOPS_TEXT(n)      mimalloc.alloc(n)
#define LOOPS_TEXT_FREE(p) mimalloc.free(p)
#include "allocator_loops.h"

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
        peer_add("mimalloc", &mimalloc_loops, ANY_SIZE, collect_mimalloc);
    else
        fprintf(stderr, "missing: mimalloc (Debian: libmimalloc2.0)\n");
}

#if HAVE_JEMALLOC
void *peer_je_malloc(size_t size);
void peer_je_free(void *memory);
void peer_je_sdallocx(void *memory, size_t size, int flags);
int peer_je_mallctl(const char *name, void *old, size_t *old_size, void *new, size_t new_size);

static void purge_jemalloc(void)
{
    peer_je_mallctl("thread.tcache.flush", NULL, NULL, NULL, 0);
    peer_je_mallctl("arena.4096.purge", NULL, NULL, NULL, 0); /* 4096: of all */
}

#    define LOOPS              jemalloc
#    define LOOPS_USE          USE_SIZE
#    define LOOPS_ALLOC        peer_je_malloc(size)
#    define LOOPS_FREE(p)      peer_je_sdallocx(p, size, 0)
#    define LOOPS_TEXT(n)      peer_je_malloc(n)
#    define LOOPS_TEXT_FREE(p) peer_je_free(p)
#    include "allocator_loops.h"
#endif

#if HAVE_TCMALLOC
void *peer_tc_tc_malloc(size_t size);
void peer_tc_tc_free(void *memory);
void peer_tc_tc_free_sized(void *memory, size_t size);
void peer_tc_MallocExtension_MarkThreadIdle(void);
void peer_tc_MallocExtension_ReleaseFreeMemory(void);

static void release_tcmalloc(void)
{
    peer_tc_MallocExtension_MarkThreadIdle();
    peer_tc_MallocExtension_ReleaseFreeMemory();
}

#    define LOOPS              tcmalloc
#    define LOOPS_USE          USE_SIZE
#    define LOOPS_ALLOC        peer_tc_tc_malloc(size)
#    define LOOPS_FREE(p)      peer_tc_tc_free_sized(p, size)
#    define LOOPS_TEXT(n)      peer_tc_tc_malloc(n)
#    define LOOPS_TEXT_FREE(p) peer_tc_tc_free(p)
#    include "allocator_loops.h"
#endif

/* oneTBB's. The library that replaces malloc by it is another. */
#if HAVE_TBBMALLOC
#    include <tbb/scalable_allocator.h>

static void clean_scalable(void)
{
    scalable_allocation_command(TBBMALLOC_CLEAN_ALL_BUFFERS, NULL);
}

#    define LOOPS              scalable
#    define LOOPS_USE          USE_SIZE
#    define LOOPS_ALLOC        scalable_malloc(size)
#    define LOOPS_FREE(p)      scalable_free(p)
#    define LOOPS_TEXT(n)      scalable_malloc(n)
#    define LOOPS_TEXT_FREE(p) scalable_free(p)
#    include "allocator_loops.h"
#endif

#if HAVE_GLIB
#    include <glib.h>

#    define LOOPS         gslice
#    define LOOPS_USE     USE_SIZE
#    define LOOPS_ALLOC   g_slice_alloc(size)
#    define LOOPS_FREE(p) g_slice_free1(size, p)
#    include "allocator_loops.h"
#endif

/* Concurrency Kit's lock-free stack as a list of free objects, whose memory is never given back. */
#if HAVE_CK
#    include <ck_stack.h>

static ck_stack_t stack = CK_STACK_INITIALIZER;

static inline void *stack_alloc(void)
{
    ck_stack_entry_t *entry = ck_stack_pop_mpmc(&stack);
    return entry != NULL ? entry : malloc(sizeof(struct object));
}

#    define LOOPS ck_stack
#    define LOOPS_USE
#    define LOOPS_ALLOC   stack_alloc()
#    define LOOPS_FREE(p) ck_stack_push_mpmc(&stack, (ck_stack_entry_t *)(void *)(p))
#    include "allocator_loops.h"
#endif

/* What one writes first: a free list and a mutex. */
struct node {
    struct node *next;
};

static struct {
    pthread_mutex_t lock;
    struct node *first;
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

/* The same without the mutex, for a thread's own objects: no pool can do better. */
static _Thread_local struct node *own_nodes;

static inline void *own_alloc(void)
{
    struct node *node = own_nodes;
    if (node == NULL)
        return malloc(sizeof(struct object));
    own_nodes = node->next;
    return node;
}

static inline void own_free(void *memory)
{
    struct node *node = memory;
    node->next = own_nodes;
    own_nodes = node;
}

#define LOOPS own
#define LOOPS_USE
#define LOOPS_ALLOC   own_alloc()
#define LOOPS_FREE(p) own_free(p)
#include "allocator_loops.h"

/* What the loops take by themselves: few enough objects for the nearest cache. */
static struct object near_objects[256];

#define LOOPS         no_pool
#define LOOPS_USE     unsigned char taken = 0;
#define LOOPS_ALLOC   &near_objects[taken++]
#define LOOPS_FREE(p) ((void)(p), (void)taken)
#include "allocator_loops.h"

const struct loops *const list_peer = &list_loops;
const struct loops *const no_pool_peer = &no_pool_loops;

static void find_replacements(void)
{
    find_mimalloc();
#if HAVE_JEMALLOC
    peer_add("jemalloc", &jemalloc_loops, ANY_SIZE, purge_jemalloc);
#else
    fprintf(stderr, "missing: jemalloc (Debian: libjemalloc-dev)\n");
#endif
#if HAVE_TCMALLOC
    peer_add("tcmalloc", &tcmalloc_loops, ANY_SIZE, release_tcmalloc);
#else
    fprintf(stderr, "missing: tcmalloc (Debian: libgoogle-perftools-dev)\n");
#endif
#if HAVE_TBBMALLOC
    peer_add("tbbmalloc", &scalable_loops, ANY_SIZE, clean_scalable);
#else
    fprintf(stderr, "missing: oneTBB's scalable_malloc (Debian: libtbb-dev)\n");
#endif
}

static void find_pools(void)
{
#if HAVE_GLIB
    peer_add("GSlice", &gslice_loops, ANY_SIZE, NULL);
#else
    fprintf(stderr, "missing: GLib's GSlice (Debian: libglib2.0-dev)\n");
#endif
#if HAVE_CK
    peer_add("ck_stack", &ck_stack_loops, 0, NULL);
#else
    fprintf(stderr, "missing: Concurrency Kit's stack (Debian: libck-dev)\n");
#endif
#if HAVE_DPDK
    mempool_find();
#else
    fprintf(stderr, "missing: DPDK's rte_mempool (Debian: libdpdk-dev)\n");
#endif
#if HAVE_BOOST
    peer_add("boost free", &boost_freelist_loops, 0, NULL);
    peer_add("boost pool", &boost_pool_loops, 0, NULL);
#else
    fprintf(stderr, "missing: boost::lockfree and boost::pool (Debian: libboost-dev)\n");
#endif
}

void peers_find(void)
{
    peer_add("malloc", &c_library_loops, ANY_SIZE, trim_malloc);
    if (SANITIZED) {
        fprintf(stderr, "left out of a sanitized build: all other allocators\n");
    } else {
        find_replacements();
        find_pools();
    }
    peer_add("mutex+list", &list_loops, 0, NULL);
    peer_add("own list", &own_loops, LIMIT, NULL);
    peer_add("no pool", &no_pool_loops, LIMIT, NULL);
}
