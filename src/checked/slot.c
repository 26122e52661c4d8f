/* SPDX-License-Identifier: MIT */
/*
 * slot.c - see slot.h.
 */
#include "slot.h"

#include <string.h>

#include "../common/sanitize.h"
#include "caller.h"
#include "misuse.h"

#define FENCE_FILL 0xFE
#define ALLOC_FILL 0xA5 /* odd, not zero, and no address of a user's process */
#define FREE_FILL  0xDD

bool vf_slot_keep_contents;

vf_header *vf_slot_header(const vf_pool *pool, const void *object)
{
    char *slot = (char *)(uintptr_t)object;
    return (vf_header *)(void *)(slot + vf_checks_header_offset(pool->checked.object_size));
}

void *vf_slot_object(const vf_pool *pool, const vf_header *header)
{
    return (char *)(uintptr_t)header - vf_checks_header_offset(pool->checked.object_size);
}

static uintptr_t check_of(const vf_pool *pool, const void *object)
{
    return ((uintptr_t)object ^ (uintptr_t)pool * 3) | 1;
}

bool vf_slot_has_header(const vf_pool *pool, const void *object)
{
    return vf_slot_header(pool, object)->check == check_of(pool, object);
}

/* The fences before and behind the header, each with its length. */
static unsigned char *fence(const vf_pool *pool, const void *object, bool behind, size_t *length)
{
    size_t offset = vf_checks_header_offset(pool->checked.object_size);
    unsigned char *slot = (unsigned char *)(uintptr_t)object;
    *length = behind ? VF_FENCE : offset - pool->checked.object_size;
    return slot + (behind ? offset + sizeof(vf_header) : pool->checked.object_size);
}

/* The first byte of the fence that is not as it was, or NULL. */
VF_UNWATCHED static const void *damage(const vf_pool *pool, const void *object, bool behind)
{
    size_t length;
    const unsigned char *bytes = fence(pool, object, behind, &length);
    size_t i = 0;
    vf_watch_off();
    while (i < length && bytes[i] == FENCE_FILL)
        i++;
    vf_watch_on();
    return i < length ? bytes + i : NULL;
}

/* FNV-1a; of all that the object holds. */
VF_UNWATCHED static uint64_t sum_of(const vf_pool *pool, const void *object)
{
    const unsigned char *bytes = object;
    uint64_t sum = UINT64_C(14695981039346656037);
    vf_watch_off();
    for (size_t i = 0; i < pool->checked.object_size; i++)
        sum = (sum ^ bytes[i]) * UINT64_C(1099511628211);
    vf_watch_on();
    return sum;
}

_Noreturn void vf_slot_misuse(const vf_pool *pool, const void *object, const void *caller,
                              const char *what)
{
    const vf_header *header = vf_slot_header(pool, object);
    char allocated[VF_CALLER_SIZE], freed[VF_CALLER_SIZE] = "";
    vf_caller_print(header->allocated, allocated, sizeof allocated);
    if (header->freed != NULL) {
        memcpy(freed, ", freed at ", sizeof ", freed at ");
        vf_caller_print(header->freed, freed + strlen(freed), sizeof freed - strlen(freed));
    }
    vf_misuse(pool->name, pool, caller, "%s %p@, allocated at %s%s", what, object, allocated,
              freed);
}

void vf_slot_look_at_fences(const vf_pool *pool, const void *object, const void *caller)
{
    if (damage(pool, object, false) != NULL)
        vf_slot_misuse(pool, object, caller, "write past the end of");
    if (damage(pool, object, true) != NULL)
        vf_slot_misuse(pool, object, caller, "write far past the end of");
}

/* Never handed out: all behind the object is as vf_memory_alloc has made it. */
VF_UNWATCHED bool vf_slot_is_fresh(const vf_pool *pool, const void *object)
{
    const char *slot = object;
    size_t i = pool->checked.object_size;
    vf_watch_off();
    while (i < vf_pool_shape(pool)->stride && slot[i] == 0)
        i++;
    vf_watch_on();
    return i == vf_pool_shape(pool)->stride;
}

void vf_slot_hand_out(vf_pool *pool, void *object, const void *caller)
{
    vf_header *header = vf_slot_header(pool, object);
    if (vf_slot_has_header(pool, object))
        vf_slot_verify_freed(pool, header, caller);
    memset(header, 0, sizeof *header);
    header->check = check_of(pool, object);
    header->allocated = caller;
    for (int behind = 0; behind < 2; behind++) {
        size_t length;
        unsigned char *bytes = fence(pool, object, behind != 0, &length);
        vf_sanitize_show(bytes, length);
        memset(bytes, FENCE_FILL, length);
        vf_sanitize_hide(bytes, length);
    }
    vf_sanitize_show(object, pool->checked.object_size);
    if (!vf_load_relaxed(&vf_slot_keep_contents)) {
        memset(object, ALLOC_FILL, pool->checked.object_size);
        vf_sanitize_unset(object, pool->checked.object_size);
    }
    vf_store_relaxed(&header->state, VF_LIVE);
}

void vf_slot_take_back(vf_pool *pool, void *object, const void *caller)
{
    vf_header *header = vf_slot_header(pool, object);
    bool keep = vf_load_relaxed(&vf_slot_keep_contents);
    header->freed = caller;
    if (!keep)
        memset(object, FREE_FILL, pool->checked.object_size);
    header->sum = sum_of(pool, object);
    if (!keep)
        vf_sanitize_hide(object, pool->checked.object_size);
}

/* Back to the allocator, with all the slots in it. */
void vf_checks_gone(void *memory, size_t size)
{
    vf_sanitize_show(memory, size);
}

void vf_slot_verify_freed(const vf_pool *pool, const vf_header *header, const void *caller)
{
    const void *object = vf_slot_object(pool, header);
    if (vf_load_relaxed(&header->state) == VF_FREED && header->sum != sum_of(pool, object))
        vf_slot_misuse(pool, object, caller, "write to freed object");
}
