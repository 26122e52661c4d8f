/*
 * checked.h - the checked build: what lies behind an object, and who looks at it.
 *
 *     slot:   object | fence, 16 bytes at least | header | fence
 *             ^ the address that the program has, and the core
 *
 * The core under it is the ordinary one, with a longer stride. Between the template and the core:
 *
 *   checked_pool.c   the calls
 *   checked_slot.c   headers, fences and fills of the objects
 *   checked_list.c   the pools there are, the names of instances, the quarantines
 *   checked_line.c   the report, and the stop
 *   checked_push.c   pushes and writers of small buffers
 *
 * Words: fence, bytes of which nobody may write one; place, the address behind a call.
 */
#ifndef VF_SRC_CHECKED_H
#define VF_SRC_CHECKED_H

#include <string.h>

#include <veryfast/checked.h>
#include <veryfast/detail/pool_core.h>

#define VF_FENCE 16

/* What an object is. The first is that of memory which the allocator has just given. */
enum vf_state {
    VF_FRESH,
    VF_LIVE,
    VF_DROPPING, /* about to be freed, and VF_DROP at work */
    VF_DEFERRED,
    VF_FREED /* in the quarantine, or free */
};

typedef struct vf_header {
    uintptr_t check;               /* says that this is a header, of this slot and pool */
    uint32_t state;                /* atomic */
    const void *allocated, *freed; /* places */
    struct vf_header *next;        /* in the quarantine; the lock */
    uint64_t sum;                  /* of what a freed object holds */
} vf_header;

/* Of a pool, what is checked. */
typedef struct vf_checked {
    size_t object_size;           /* constant */
    bool released;                /* the lock */
    struct vf_pool *next, **link; /* in the list of all pools; the lock */
    vf_header *first, *last;      /* the quarantine; the lock */
    size_t quarantined;           /* objects in it; the lock */
    const void *released_at;      /* place; the lock */
} vf_checked;

/* Bytes and alignment of a slot. */
static inline size_t vf_checked_alignment(size_t alignment)
{
    return alignment > _Alignof(vf_header) ? alignment : _Alignof(vf_header);
}

static inline size_t vf_checked_header_offset(size_t object_size)
{
    size_t unit = _Alignof(vf_header);
    return (object_size + VF_FENCE + unit - 1) / unit * unit;
}

static inline size_t vf_checked_size(size_t object_size)
{
    return vf_checked_header_offset(object_size) + sizeof(vf_header) + VF_FENCE;
}

/* Memory that the allocator has just given: a header of zero bytes was never written. */
static inline void vf_checked_fresh(void *memory, size_t size)
{
    memset(memory, 0, size);
}

/* checked_slot.c: the memory goes back */
void vf_checked_gone(void *memory, size_t size);

struct vf_pool;

/* checked_line.c: no lock is held */
_Noreturn void vf_misuse(const char *pool_name, const void *pool, const void *place,
                         const char *sentence, ...) __attribute__((format(printf, 4, 5)));
void vf_place_print(const void *place, char *text, size_t size);

/* checked_slot.c */
vf_header *vf_header_of(const struct vf_pool *pool, const void *object);
void *vf_object_of(const struct vf_pool *pool, const vf_header *header);
bool vf_header_is_whole(const struct vf_pool *pool, const void *object);
vf_header *vf_slot_look(struct vf_pool *pool, const void *object, const void *place);
void vf_slot_hand_out(struct vf_pool *pool, void *object, const void *place);
void vf_slot_take_back(struct vf_pool *pool, void *object, const void *place);
void vf_slot_verify_freed(const struct vf_pool *pool, const vf_header *header, const void *place);
_Noreturn void vf_slot_misuse(const struct vf_pool *pool, const void *object, const void *place,
                              const char *what);

/* checked_list.c */
void vf_checked_begin(void);
void vf_checked_add(struct vf_pool *pool, const vf_pool_type *type, const void *place);
void vf_checked_forget(struct vf_pool *pool);
struct vf_pool *vf_checked_pool(const vf_pool_core *core, bool released_too, const char *what,
                                const void *place);
struct vf_pool *vf_checked_pool_of(const vf_cache *fast, const char *what, const void *place);
vf_header *vf_quarantine_exchange(struct vf_pool *pool, vf_header *header, size_t most_bytes);
vf_header *vf_quarantine_get(struct vf_pool *pool);
size_t vf_quarantine_count(struct vf_pool *pool);
void vf_checked_close(struct vf_pool *pool, const void *place);

/* checked_push.c: for a fork */
void vf_checked_push_lock(void);
void vf_checked_push_unlock(void);

/* The options of checked.h. */
extern bool vf_keep_contents; /* atomic */
extern FILE *vf_leaks_out;    /* atomic */

/* Called by epoch.c: the grace period of these is over. */
void vf_checked_deferral(struct vf_pool *pool, void *const *objects, size_t n);

#endif
