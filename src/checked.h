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
 *   checked_list.c   the pools there are, the quarantines
 *   checked_name.c   the names of instances
 *   checked_leaks.c  the list of what is out
 *   checked_line.c   the report, and the stop
 *   checked_symbol.c the source lines of places
 *   checked_push.c   pushes and writers of small buffers
 *   checked_bypass.c pools made with VF_BYPASS, which have none of this
 *
 * Words: fence, bytes of which nobody may write one; place, the address behind a call.
 */
#ifndef VF_SRC_CHECKED_H
#define VF_SRC_CHECKED_H

#include <string.h>

#include <veryfast/checked.h>
#include <veryfast/detail/pool_core.h>

#define VF_FENCE      16
#define VF_PLACE_SIZE 384 /* of a place as text */

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

/* An object of a pool that was made with VF_BYPASS; see checked_bypass.c. */
typedef struct vf_block {
    uintptr_t key; /* its address, inverted; 0: none */
    const void *allocated;
    uint32_t state;
} vf_block;

/* All of them; the growth lock. */
typedef struct vf_blocks {
    bool bypass;           /* constant */
    bool ending;           /* P_destroy is dropping them */
    size_t cap, alignment; /* constant */
    size_t count, peak;
    size_t room; /* places in the table, a power of two or 0 */
    vf_block *table;
} vf_blocks;

/* Of a pool, what is checked. */
typedef struct vf_checked {
    size_t object_size;           /* constant */
    bool released;                /* the lock */
    struct vf_pool *next, **link; /* in the list of all pools; the lock */
    vf_header *first, *last;      /* the quarantine; the lock */
    size_t quarantined;           /* objects in it; the lock */
    size_t taken;                 /* objects that were ever taken from it; the lock */
    const void *released_at;      /* place; the lock */
    vf_blocks blocks;
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
struct vf_region;

/* checked_line.c: no lock is held */
_Noreturn void vf_misuse(const char *pool_name, const void *pool, const void *place,
                         const char *sentence, ...) __attribute__((format(printf, 4, 5)));
void vf_place_print(const void *place, char *text, size_t size);
/* Before vf_misuse where this thread may be in the middle of malloc: no source line is looked for,
   and no other handler runs. */
void vf_misuse_in_handler(void);
void vf_place_print_with(const void *place, const char *line, char *text, size_t size);

/* checked_leaks.c */
void vf_leaks_print(struct vf_pool *pool);

/* checked_symbol.c: the place and its source line, or an empty string */
#define VF_SOURCES_MOST 64
typedef struct vf_source {
    const void *place;
    char line[256];
} vf_source;
void vf_sources_find(vf_source *sources, size_t n); /* VF_SOURCES_MOST at most */

/* checked_slot.c */
vf_header *vf_header_of(const struct vf_pool *pool, const void *object);
void *vf_object_of(const struct vf_pool *pool, const vf_header *header);
bool vf_header_is_whole(const struct vf_pool *pool, const void *object);
vf_header *vf_slot_look(struct vf_pool *pool, const void *object, const void *place);
void vf_slot_hand_out(struct vf_pool *pool, void *object, const void *place);
void vf_slot_take_back(struct vf_pool *pool, void *object, const void *place);
_Noreturn void vf_slot_stranger(struct vf_pool *pool, const void *object,
                                const struct vf_region *region, const void *place);
void vf_slot_verify_freed(const struct vf_pool *pool, const vf_header *header, const void *place);
_Noreturn void vf_slot_misuse(const struct vf_pool *pool, const void *object, const void *place,
                              const char *what);

/* checked_list.c */
void vf_checked_begin(void);
void vf_checked_add(struct vf_pool *pool, const vf_pool_type *type);
void vf_checked_forget(struct vf_pool *pool);
struct vf_pool *vf_checked_pool(const vf_pool_core *core, bool released_too, const char *what,
                                const void *place);
struct vf_pool *vf_checked_pool_of(const vf_cache *fast, const char *what, const void *place);
vf_header *vf_quarantine_exchange(struct vf_pool *pool, vf_header *header, size_t most_bytes);
vf_header *vf_quarantine_get(struct vf_pool *pool);
void vf_quarantine_move(struct vf_pool *pool);
size_t vf_quarantine_taken(struct vf_pool *pool);
size_t vf_quarantine_count(struct vf_pool *pool);
void vf_checked_close(struct vf_pool *pool, const void *place);

/* What an instance's name stands for. */
typedef struct vf_parameters {
    size_t size, alignment, number, buffer_size;
    bool is_buffer;
} vf_parameters;

/* checked_name.c: stops where the name stands for others; the owner and the address are those of
   the pool or buffer. And for a fork */
void vf_checked_name(const char *name, const vf_parameters *parameters, const char *owner,
                     const void *address, const void *place);
void vf_checked_name_lock(void);
void vf_checked_name_unlock(void);

/* checked_push.c: for a fork */
void vf_checked_push_lock(void);
void vf_checked_push_unlock(void);

/* An option of checked.h. */
extern bool vf_keep_contents; /* atomic */

/* checked_bypass.c: the calls of pools with blocks.bypass. The growth lock: for vf_bypass_has */
void vf_bypass_end(struct vf_pool *pool);
bool vf_bypass_has(const struct vf_pool *pool, const void *object);
void *vf_bypass_alloc(struct vf_pool *pool, const void *place);
void vf_bypass_look(struct vf_pool *pool, const void *object, const void *place);
bool vf_bypass_may_drop(struct vf_pool *pool, const void *object, const void *place);
void vf_bypass_free(struct vf_pool *pool, void *object, const void *place);
void vf_bypass_destroy(struct vf_pool *pool, void (*drop)(void *object));
bool vf_bypass_each(struct vf_pool *pool, void (*visit)(void *object, void *context),
                    void *context);
bool vf_bypass_reserve(struct vf_pool *pool, size_t n);
vf_pool_stats vf_bypass_stats(struct vf_pool *pool);
bool vf_bypass_owns(struct vf_pool *pool, const void *object);
struct leaks;
void vf_bypass_each_leak(struct vf_pool *pool, struct leaks *list,
                         void (*visit)(struct leaks *list, struct vf_pool *pool, const void *object,
                                       const void *place));
bool vf_bypass_free_deferred(struct vf_pool *pool, void *object, void (*drop)(void *object),
                             const void *place);
void vf_bypass_deferral(struct vf_pool *pool, void *const *objects, size_t n);

/* Called by deferral.c: the grace period of these is over. False: they were malloc's, and are
   freed; otherwise the core has them next. */
bool vf_checked_deferral(struct vf_pool *pool, void *const *objects, size_t n);

#endif
