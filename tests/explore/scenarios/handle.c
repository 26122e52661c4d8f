/* SPDX-License-Identifier: MIT */
/*
 * handle.c - P_get beside what becomes of an object: it is freed, and its slot is used again, in
 * other memory where a third thread has trimmed meanwhile. The handle of the slot's next object,
 * which the getter has guessed and which is not freed, leads to that one, filled, or nowhere; an
 * old one leads nowhere in the end. With CLAIM the object is freed by its handle, by both threads:
 * one frees it. With WALK a walk runs beside that: what stays is given once, all else once at most.
 * With TRIM the thread that frees trims as well, so that the next object lies elsewhere. With GROW
 * the pool's directory is replaced by a longer one, and vf_free asks for it meanwhile, or P_stats
 * with STATS.
 */
#include <assert.h>
#include <pthread.h>

#include "explore.h"

static int drops; /* not atomic: two at once are a race */

struct object {
    int filled;
};
#define VF_T    struct object
#define VF_NAME objects
#define VF_HANDLE
#if defined(GROW) || defined(TRIM)
#    define VF_N 1
#else
#    define VF_N 2
#endif
#define VF_DROP(p) drops += (p)->filled
#include <veryfast/pool.h>

#ifdef GROW
enum { BEFORE = 8 }; /* the directory is full */
#else
enum { BEFORE = 2 };
#endif

static objects *pool;
static struct object *before[BEFORE], *second;
static objects_handle old, stays, next; /* what there is not is the handle of none */

static struct object *push(void)
{
    struct object *object = objects_push(pool, (struct object){1});
    assert(object != NULL);
    return object;
}

/* The slot's next object, or the first one of a new batch; the slot before it is used too. */
static void use_again(void)
{
#if !defined(GROW) && !defined(WALK)
    push();
#endif
    second = push();
    (void)objects_handle_of(pool, second);
}

static bool freed_by_changer;

static void *changer(void *argument)
{
#if defined(GROW)
    freed_by_changer = false;
#elif defined(CLAIM) || defined(WALK)
    freed_by_changer = objects_free_handle(pool, old);
    if (!freed_by_changer)
        return argument;
#else
    objects_free(pool, before[1]);
#endif
#ifdef TRIM
    objects_trim(pool);
#endif
    use_again();
    return argument;
}

static void *trimmer(void *argument)
{
    objects_trim(pool);
    return argument;
}

/* What is there from the begin to the end, and others that come and go: of those nothing but the
   next one is to be looked at. */
static void walk(void)
{
    int met = 0, others = 0;
    objects_walk walk = objects_walk_begin(pool);
    for (struct object *object; (object = objects_walk_next(&walk)) != NULL;) {
        objects_handle handle = objects_walk_handle(&walk);
        assert(handle.bits == stays.bits || handle.bits == old.bits || handle.bits == next.bits);
        bool is_old = handle.bits == old.bits;
        met += object == before[0];
        others += object != before[0];
        assert(object == before[0] || is_old || (object == second && object->filled == 1));
    }
    assert(met == (stays.bits != 0) && others <= 2);
}

static void get(void)
{
    const struct object *volatile found = objects_get(pool, old); /* any address, or NULL */
    (void)found;
    const struct object *later = objects_get(pool, next);
    assert(later == NULL || later->filled == 1);
    assert(later == NULL || later == second); /* written before the object was published */
}

/* What this thread does beside the others; has it freed the object? */
static bool act(void)
{
#if defined(CLAIM)
    (void)get;
    return objects_free_handle(pool, old);
#elif defined(WALK)
    walk();
    (void)get;
#elif defined(STATS)
    vf_pool_stats stats = objects_stats(pool);
    assert(stats.retired == 0 && stats.live <= stats.capacity);
    (void)get;
#else
    get();
#    ifdef GROW
    vf_free(before[1]);
#    endif
#endif
    (void)walk;
    return false;
}

void scenario(void)
{
    pool = objects_new(&(vf_pool_options){.cache_objects = VF_CACHE_NONE});
    for (int i = 0; i < BEFORE; i++)
        before[i] = push();
#ifdef GROW
    next.bits = vf_handle_bits(VF_GENERATION_FIRST, BEFORE);
#else
    old = objects_handle_of(pool, before[1]);
    next.bits = old.bits + 1;
#    ifdef WALK
    stays = objects_handle_of(pool, before[0]);
#    else
    objects_free(pool, before[0]);
#    endif
#endif
    int dropped = drops;
    pthread_t a, b;
    pthread_create(&a, NULL, changer, NULL);
#if !defined(GROW) && !defined(WALK)
    pthread_create(&b, NULL, trimmer, NULL);
#else
    (void)trimmer;
    (void)b;
#endif
    bool freed = act();
    pthread_join(a, NULL);
#if !defined(GROW) && !defined(WALK)
    pthread_join(b, NULL);
#endif
#ifdef CLAIM
    assert(freed != freed_by_changer);
    assert(drops == dropped + 1);
#endif
    (void)freed_by_changer;
    (void)freed;
    (void)dropped;
    struct object *left = objects_get(pool, old);
    assert(left == NULL);
    objects_destroy(pool);
    assert(explore_blocks() == 0);
}
