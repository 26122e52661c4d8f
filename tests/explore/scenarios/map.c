/* SPDX-License-Identifier: MIT */
/*
 * map.c - a thread looks for the pool of a live object, while another enters and removes the
 * batches of other pools on the same page. The object is of a batch that ends in the page, with
 * BEGINS of one that begins there, with SMALL of one that does both. What the other enters begins
 * there (or ends, with BEGINS), and with CROWDS it begins and ends there, while a third pool has
 * what begins (or ends) there, so that the page is shared before. With LONGER it is at an
 * address for which the map grows at its root (and with CROWDS the page is shared nevertheless).
 * With COVERS it is in the memory of another object of
 * the batch, which has the whole page. With TRIM the map gives back its memory each time, with
 * ENTERS while the object's batch is being entered.
 */
#include <assert.h>
#include <pthread.h>

#include "explore.h"
#include "pool/map.h"

#define LINE ((size_t)VF_CACHE_LINE)
#define PAGE ((size_t)1 << VF_PAGE_LOG2)

#ifdef TRIM /* what the map has of these addresses are whole pages, which can be dropped */
static char *const page = (char *)(((uintptr_t)5 << 32) + ((uintptr_t)1 << 28));
#else
static char *const page = (char *)((uintptr_t)5 << 32);
#endif
/* Pools lie at multiples of two lines. */
static struct {
    _Alignas(2 * VF_CACHE_LINE) vf_pool_core core;
} pools[3] = {{{.column = 100}}, {{.column = 200}}, {{.column = 300}}};
static const vf_pool_core *const mine = &pools[0].core, *const other = &pools[1].core,
                                 *const third = &pools[2].core;

typedef struct memory {
    char *begin;
    size_t size;
} memory;

#if defined(COVERS)
#    define OBJECT (page + 3 * LINE)
#    define BATCH  ((memory){page, PAGE})
#elif defined(SMALL)
#    define OBJECT (page + 20 * LINE)
#    define BATCH  ((memory){OBJECT, 3 * LINE})
#elif defined(BEGINS)
#    define OBJECT (page + 60 * LINE)
#    define BATCH  ((memory){page + 50 * LINE, 20 * LINE})
#else
#    define OBJECT (page + 3 * LINE)
#    define BATCH  ((memory){page - 10 * LINE, 20 * LINE})
#endif

#if defined(LONGER)
#    define BESIDE ((memory){(char *)((uintptr_t)1 << 47), PAGE})
#elif defined(CROWDS) || defined(COVERS)
#    define BESIDE ((memory){page + 30 * LINE, 3 * LINE})
#elif defined(BEGINS)
#    define BESIDE ((memory){page, 8 * LINE})
#else
#    define BESIDE ((memory){page + 40 * LINE, PAGE})
#endif

#if !defined(CROWDS)
#    define THIRD ((memory){page + 4 * PAGE, LINE})
#elif defined(BEGINS)
#    define THIRD ((memory){page, 8 * LINE})
#else
#    define THIRD ((memory){page + 50 * LINE, PAGE})
#endif

/* As vf_free does; and at the owner, whether that must be looked at or not. */
static void look(void)
{
    const vf_leaf *leaf = vf_map_leaf_of(OBJECT);
    size_t number = vf_map_page((uintptr_t)OBJECT);
    uint32_t column = vf_map_column(leaf, number);
    assert(column == 0 || column == mine->column);
    uintptr_t owner = vf_map_owner(leaf, number);
    const void *found = owner == VF_PAGE_SHARED ? vf_map_shared(OBJECT) : (const void *)owner;
    assert(found == mine);
}

/* Twice: who looks may know of the first time only. */
static void *change(void *argument)
{
    for (int i = 0; i < 2; i++) {
        bool entered = vf_map_enter(other, BESIDE.begin, BESIDE.size);
        assert(entered);
        vf_map_remove(other, BESIDE.begin, BESIDE.size);
#ifdef TRIM
        vf_map_trim(BESIDE.begin, BESIDE.size);
#endif
    }
    return argument;
}

void scenario(void)
{
    pthread_t changer;
#ifdef ENTERS
    pthread_create(&changer, NULL, change, NULL);
#endif
    bool entered =
        vf_map_enter(mine, BATCH.begin, BATCH.size) && vf_map_enter(third, THIRD.begin, THIRD.size);
    assert(entered);
#ifndef ENTERS
    pthread_create(&changer, NULL, change, NULL);
#endif
    look();
    look();
    pthread_join(changer, NULL);
    look();
    vf_map_remove(mine, BATCH.begin, BATCH.size);
    vf_map_remove(third, THIRD.begin, THIRD.size);
    assert(vf_map_find(OBJECT) == NULL);
}
