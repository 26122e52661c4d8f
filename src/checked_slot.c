/*
 * checked_slot.c - headers, fences and fills of the objects of a checked build.
 */
#include <string.h>

#include "pool.h"
#include "sanitize.h"

#define FENCE_FILL 0xFE
#define ALLOC_FILL 0xA5 /* odd, not zero, and no address of a user's process */
#define FREE_FILL  0xDD

bool vf_keep_contents;

vf_header *vf_header_of(const vf_pool *pool, const void *object)
{
    char *slot = (char *)(uintptr_t)object;
    return (vf_header *)(void *)(slot + vf_checked_header_offset(pool->checked.object_size));
}

void *vf_object_of(const vf_pool *pool, const vf_header *header)
{
    return (char *)(uintptr_t)header - vf_checked_header_offset(pool->checked.object_size);
}

static uintptr_t check_of(const vf_pool *pool, const void *object)
{
    return ((uintptr_t)object ^ (uintptr_t)pool * 3) | 1;
}

bool vf_header_is_whole(const vf_pool *pool, const void *object)
{
    return vf_header_of(pool, object)->check == check_of(pool, object);
}

/* The fences before and behind the header, each with its length. */
static unsigned char *fence(const vf_pool *pool, const void *object, bool behind, size_t *length)
{
    size_t offset = vf_checked_header_offset(pool->checked.object_size);
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

/* Stops, and tells where the object came from and went. */
_Noreturn void vf_slot_misuse(const vf_pool *pool, const void *object, const void *place,
                              const char *what)
{
    const vf_header *header = vf_header_of(pool, object);
    char allocated[VF_PLACE_SIZE], freed[VF_PLACE_SIZE] = "";
    vf_place_print(header->allocated, allocated, sizeof allocated);
    if (header->freed != NULL) {
        memcpy(freed, ", freed at ", sizeof ", freed at ");
        vf_place_print(header->freed, freed + strlen(freed), sizeof freed - strlen(freed));
    }
    vf_misuse(pool->name, pool, place, "%s %p@, allocated at %s%s", what, object, allocated, freed);
}

/* Which pool but this one has the address? A name, or NULL. */
static const char *other_owner(const vf_pool *pool, const void *object)
{
    const char *name = NULL;
    vf_threads_enter(); /* no pool ends meanwhile */
    for (vf_pool *other = vf_pools; other != NULL && name == NULL; other = other->next) {
        vf_region region;
        if (other == pool || pthread_mutex_trylock(&other->growth_lock) != 0)
            continue;
        if (vf_slot_find(other, object, &region) || region.slots != 0 ||
            vf_bypass_has(other, object))
            name = other->name;
        pthread_mutex_unlock(&other->growth_lock);
    }
    vf_threads_leave();
    return name;
}

/* The region is where it lies in this pool, if anywhere. */
_Noreturn void vf_slot_stranger(vf_pool *pool, const void *object, const vf_region *region,
                                const void *place)
{
    if (region->slots != 0) {
        size_t offset = (uintptr_t)object - (uintptr_t)region->base;
        vf_misuse(pool->name, pool, place, "interior pointer %p, %zu bytes into %p,", object,
                  offset % pool->stride,
                  (void *)(region->base + offset / pool->stride * pool->stride));
    }
    const char *name = other_owner(pool, object);
    if (name != NULL)
        vf_misuse(pool->name, pool, place, "pointer %p of another pool, %s,", object, name);
    if (pool->checked.blocks.bypass)
        vf_misuse(pool->name, pool, place, "double free of %p, or pointer of no pool,", object);
    vf_misuse(pool->name, pool, place, "pointer %p of no pool", object);
}

static void look_at_fences(const vf_pool *pool, const void *object, const void *place)
{
    if (damage(pool, object, false) != NULL)
        vf_slot_misuse(pool, object, place, "write past the end of");
    if (damage(pool, object, true) != NULL)
        vf_slot_misuse(pool, object, place, "write far past the end of");
}

/* Never handed out: all behind the object is as vf_memory_alloc has made it. */
VF_UNWATCHED static bool is_fresh(const vf_pool *pool, const void *object)
{
    const char *slot = object;
    size_t i = pool->checked.object_size;
    vf_watch_off();
    while (i < pool->stride && slot[i] == 0)
        i++;
    vf_watch_on();
    return i == pool->stride;
}

/* The header of an object that the program has and may use; stops otherwise. */
vf_header *vf_slot_look(vf_pool *pool, const void *object, const void *place)
{
    vf_region region;
    if (!vf_slot_find(pool, object, &region))
        vf_slot_stranger(pool, object, &region, place);
    vf_header *header = vf_header_of(pool, object);
    if (is_fresh(pool, object))
        vf_misuse(pool->name, pool, place, "pointer %p to what was never handed out", object);
    if (!vf_header_is_whole(pool, object))
        vf_misuse(pool->name, pool, place, "write past the end of %p, found when freed", object);
    /* relaxed: whoever was handed the object has seen that it is live */
    uint32_t state = vf_load_relaxed(&header->state);
    if (state != VF_LIVE && state != VF_DROPPING)
        vf_slot_misuse(pool, object, place,
                       state == VF_DEFERRED ? "free of deferred object" : "double free of");
    look_at_fences(pool, object, place);
    return header;
}

/* A slot from the core becomes an object. */
void vf_slot_hand_out(vf_pool *pool, void *object, const void *place)
{
    vf_header *header = vf_header_of(pool, object);
    if (vf_header_is_whole(pool, object))
        vf_slot_verify_freed(pool, header, place);
    memset(header, 0, sizeof *header);
    header->check = check_of(pool, object);
    header->allocated = place;
    for (int behind = 0; behind < 2; behind++) {
        size_t length;
        unsigned char *bytes = fence(pool, object, behind != 0, &length);
        vf_sanitize_show(bytes, length);
        memset(bytes, FENCE_FILL, length);
        vf_sanitize_hide(bytes, length);
    }
    vf_sanitize_show(object, pool->checked.object_size);
    if (!vf_load_relaxed(&vf_keep_contents)) {
        memset(object, ALLOC_FILL, pool->checked.object_size);
        vf_sanitize_unset(object, pool->checked.object_size);
    }
    vf_store_relaxed(&header->state, VF_LIVE);
}

/* The object is nobody's any more, and its state says so already. */
void vf_slot_take_back(vf_pool *pool, void *object, const void *place)
{
    vf_header *header = vf_header_of(pool, object);
    bool keep = vf_load_relaxed(&vf_keep_contents);
    header->freed = place;
    if (!keep)
        memset(object, FREE_FILL, pool->checked.object_size);
    header->sum = sum_of(pool, object);
    if (!keep)
        vf_sanitize_hide(object, pool->checked.object_size);
}

/* Back to the allocator, with all the slots in it. */
void vf_checked_gone(void *memory, size_t size)
{
    vf_sanitize_show(memory, size);
}

/* Of a header that is whole: has anybody written to the freed object? */
void vf_slot_verify_freed(const vf_pool *pool, const vf_header *header, const void *place)
{
    const void *object = vf_object_of(pool, header);
    if (vf_load_relaxed(&header->state) == VF_FREED && header->sum != sum_of(pool, object))
        vf_slot_misuse(pool, object, place, "write to freed object");
}

/* VF_DROP has run on them, on liburcu's thread. */
bool vf_checked_deferral(vf_pool *pool, void *const *objects, size_t n)
{
    if (pool->checked.blocks.bypass) {
        vf_bypass_deferral(pool, objects, n);
        return false;
    }
    for (size_t i = 0; i < n; i++) {
        vf_header *header = vf_header_of(pool, objects[i]);
        vf_store_relaxed(&header->state, VF_FREED);
        vf_slot_take_back(pool, objects[i], header->freed);
    }
    return true;
}
