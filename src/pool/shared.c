/* SPDX-License-Identifier: MIT */
/*
 * shared.c - see shared.h. The threads' lock guards the list, so that an allocator hook that is
 * called under it may ask for a shared pool; and the child of a fork finds the list whole.
 */
#include "shared.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Kept for ever, and reachable from here for tools that look for leaks. */
typedef struct shared {
    struct shared *next;
    vf_pool *pool; /* has the name */
    size_t object_size, alignment, batch_objects;
    bool handles;
} shared;

static shared *all_shared;

static bool is_of(const shared *it, const vf_pool_type *type)
{
    return strcmp(it->pool->name, type->name) == 0 && it->object_size == type->object_size &&
           it->alignment == type->alignment && it->batch_objects == type->batch_objects &&
           it->handles == type->handles;
}

/* NULL: out of memory. */
static shared *add_shared(const vf_pool_type *type, vf_shared_make *maker, const void *caller)
{
    assert(vf_lock_held());
    shared *made = malloc(sizeof *made);
    vf_pool_core *core = made != NULL ? maker(type, caller) : NULL;
    if (core == NULL) {
        free(made);
        return NULL;
    }
    *made = (shared){.next = all_shared,
                     .pool = vf_pool_whole(core),
                     .object_size = type->object_size,
                     .alignment = type->alignment,
                     .batch_objects = type->batch_objects,
                     .handles = type->handles};
    made->pool->shared = true;
    all_shared = made;
    return made;
}

vf_pool_core *vf_shared_get(const vf_pool_type *type, vf_shared_make *maker, const void *caller)
{
    int saved = errno;
    vf_lock_acquire();
    shared *found = all_shared;
    while (found != NULL && !is_of(found, type))
        found = found->next;
    if (found == NULL)
        found = add_shared(type, maker, caller);
    vf_lock_release();
    errno = found != NULL ? saved : ENOMEM;
    return found != NULL ? &found->pool->core : NULL;
}

static vf_pool_core *make_ordinary(const vf_pool_type *type, const void *caller)
{
    (void)caller;
    return vf_pool_core_new(type, NULL, 0);
}

vf_pool_core *vf_pool_core_shared(const vf_pool_type *type)
{
    return vf_shared_get(type, make_ordinary, NULL);
}
