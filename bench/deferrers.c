/* SPDX-License-Identifier: MIT */
/*
 * deferrers.c - see deferrers.h. Workers are no readers, and a thread that waits for readers finds
 * none; so the figures are what the waiting costs the threads that free.
 */
#include "deferrers.h"

#include "allocator_work.h"

#include <stdio.h>
#include <stdlib.h>

struct variants deferrers, deferrers_or_not;

#ifdef VF_HAS_EPOCH

#    include <urcu/urcu-memb.h>

#    define VF_T    struct object
#    define VF_N    4096
#    define VF_NAME kept
#    define VF_EPOCH
#    include <veryfast/pool.h>

static kept *pool;

/* At the bound there is nothing to do but to wait: liburcu's thread cannot keep up. */
static inline void free_deferred(struct object *object)
{
    while (!kept_free_deferred(pool, object))
        sched_yield();
}

#    define LOOPS deferred
#    define LOOPS_USE
#    define LOOPS_ALLOC   kept_alloc(pool)
#    define LOOPS_FREE(p) free_deferred(p)
#    include "allocator_loops.h"

#    define LOOPS at_once
#    define LOOPS_USE
#    define LOOPS_ALLOC   kept_alloc(pool)
#    define LOOPS_FREE(p) kept_free(pool, p)
#    include "allocator_loops.h"

/* The same object, with room for what liburcu needs of each. */
struct queued {
    struct object object; /* first: a pointer to the one is a pointer to the other */
    struct rcu_head head;
};

static void free_queued(struct rcu_head *head)
{
    free((char *)head - offsetof(struct queued, head));
}

static inline void call_for(struct object *object)
{
    urcu_memb_call_rcu(&((struct queued *)(void *)object)->head, free_queued);
}

#    define LOOPS call_rcu
#    define LOOPS_USE
#    define LOOPS_ALLOC   malloc(sizeof(struct queued))
#    define LOOPS_FREE(p) call_for(p)
#    include "allocator_loops.h"

#    if HAVE_CK
#        include <ck_epoch.h>

/* Concurrency Kit's: each thread polls for itself. */
static ck_epoch_t epoch;
static ck_epoch_record_t records[WORKERS_MOST];

struct polled {
    struct object object;
    ck_epoch_entry_t entry;
};

static void free_polled(ck_epoch_entry_t *entry)
{
    free((char *)entry - offsetof(struct polled, entry));
}

static inline void call_and_poll(ck_epoch_record_t *record, struct object *object)
{
    ck_epoch_call(record, &((struct polled *)(void *)object)->entry, free_polled);
    if (record->n_pending >= 64)
        ck_epoch_poll(record);
}

#        define LOOPS polled
#        define LOOPS_USE
#        define LOOPS_ALLOC   malloc(sizeof(struct polled))
#        define LOOPS_FREE(p) call_and_poll(&records[worker], p)
#        include "allocator_loops.h"
#    endif

void deferrers_find(void)
{
    variant_add_loops(&deferrers, "deferred", OURS, &deferred_loops);
    variant_add_loops(&deferrers, "call_rcu", PEER, &call_rcu_loops);
#    if HAVE_CK
    variant_add_loops(&deferrers, "ck_epoch", PEER, &polled_loops);
#    endif
    variant_add_loops(&deferrers_or_not, "deferred", OURS, &deferred_loops);
    variant_add_loops(&deferrers_or_not, "at once", PEER, &at_once_loops);
}

void deferrers_open(void)
{
    pool = made(kept_new(NULL));
#    if HAVE_CK
    ck_epoch_init(&epoch);
    for (size_t i = 0; i < WORKERS_MOST; i++)
        ck_epoch_register(&epoch, &records[i], NULL);
#    endif
}

#else

void deferrers_find(void)
{
    if (!SANITIZED)
        fprintf(stderr, "missing: the epoch backend (Debian: liburcu-dev)\n");
}

void deferrers_open(void)
{
}

#endif
