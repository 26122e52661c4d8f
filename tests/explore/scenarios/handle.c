/* SPDX-License-Identifier: MIT */
/*
 * handle.c - P_get beside what becomes of an object: it is freed, and its slot is used again, in
 * other memory where a third thread has trimmed meanwhile. An old handle leads to the object that
 * it was made for, or nowhere; the handle of the slot's next object, which the getter has guessed,
 * to that one, filled, or nowhere. With CLAIM the object is freed by its handle, by both threads:
 * one frees it. With WALK a walk runs beside that: what stays is given once, all else once at most.
 * With GROW the pool's directory is replaced by a longer one, and vf_free asks for it meanwhile.
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
#ifdef GROW
#    define VF_N 1
#else
#    define VF_N 2
#endif
#define VF_DROP(p) drops += (p)->filled
#include <veryfast/pool.h>

static objects *pool;
static struct object *first, *other, *second;
static objects_handle old, stays, next;

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

#if defined(CLAIM) || defined(WALK)
static bool freed_by_changer;
#endif

static void *changer(void *argument)
{
#if defined(CLAIM) || defined(WALK)
    freed_by_changer = objects_free_handle(pool, old);
    if (!freed_by_changer)
        return argument;
#elif !defined(GROW)
    objects_free(pool, first);
#endif
    use_again();
    return argument;
}

static void *trimmer(void *argument)
{
    objects_trim(pool);
    return argument;
}

static void expect(const struct object *found, const struct object *it)
{
    assert(found == NULL || found == it);
}

/* One that is there from the begin to the end, and others that come and go. */
static void walk(void)
{
    int met = 0, gone = 0, came = 0;
    objects_walk walk = objects_walk_begin(pool);
    for (struct object *object; (object = objects_walk_next(&walk)) != NULL;) {
        objects_handle handle = objects_walk_handle(&walk);
        met += handle.bits == stays.bits && object == other;
        gone += handle.bits == old.bits && object == first;
        came += handle.bits == next.bits;
        assert(handle.bits == stays.bits || handle.bits == old.bits || handle.bits == next.bits);
    }
    assert(met == 1 && gone <= 1 && came <= 1);
}

void scenario(void)
{
    pool = objects_new(&(vf_pool_options){.cache_objects = VF_CACHE_NONE});
#ifdef GROW
    for (int i = 0; i < 7; i++)
        push();
    struct object *freed = push();
    next = (objects_handle){UINT64_C(3) << 32 | 8};
#else
    struct object *before = push();
    first = push();
    old = objects_handle_of(pool, first);
    next = (objects_handle){old.bits + (UINT64_C(2) << 32)};
#    ifdef WALK
    other = before;
    stays = objects_handle_of(pool, other);
#    else
    objects_free(pool, before);
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
#if defined(CLAIM)
    bool freed = objects_free_handle(pool, old);
    const struct object *found = NULL, *later = NULL;
#elif defined(WALK)
    walk();
    const struct object *found = NULL, *later = NULL;
#else
    const struct object *found = objects_get(pool, old);
    const struct object *later = objects_get(pool, next);
    assert(later == NULL || later->filled == 1);
#    ifdef GROW
    vf_free(freed);
#    endif
#endif
    pthread_join(a, NULL);
#if !defined(GROW) && !defined(WALK)
    pthread_join(b, NULL);
#endif
    expect(found, first);
    expect(later, second);
#ifdef CLAIM
    assert(freed != freed_by_changer);
    assert(drops == dropped + 1);
#endif
#ifndef GROW
    struct object *left = objects_get(pool, old);
    assert(left == NULL);
#endif
    (void)dropped;
    (void)walk;
    objects_destroy(pool);
    assert(explore_blocks() == 0);
}
