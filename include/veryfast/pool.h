/*
 * pool.h - template of an object pool.
 *
 *     #define VF_T struct particle
 *     #define VF_N 256
 *     #include <veryfast/pool.h>
 *
 * gives the type pool_particle_256 and the functions pool_particle_256_new(), ..._alloc(), ...
 *
 * A pool hands out objects of one type, one by one, to any thread, takes them back from any
 * thread, and hands them out again. It gets its memory in batches of VF_N objects and gives it
 * back when the pool and all of its objects are gone.
 *
 * There is no include guard: each inclusion makes another instance. The same instance twice in
 * one translation unit is a redefinition, so an instance that several files use belongs in one
 * guarded header of its own.
 *
 * Parameters, all undefined again at the end of this header:
 *
 *   VF_T              element type: complete, neither an array nor qualified. Required
 *   VF_N              objects in a batch: a plain decimal number, or a macro that is one. Required
 *   VF_NAME           name of the type and prefix of its functions. By default pool_<tag>_<N>,
 *                     where the tag is VF_T without struct, union or enum. Required where VF_T is
 *                     not one word (char *, unsigned long) or is bool
 *   VF_DROP(p)        statement that destroys *p, where the library destroys an object: P_free,
 *                     P_free_n, P_cache_free. By default nothing. It may use the pool
 *   VF_ALIGN          least alignment of each object, a power of two. By default that of VF_T
 *   VF_CACHE_ALIGNED  every object on cache lines of its own, so that threads that write to
 *                     neighbours do not slow one another
 *   VF_EPOCH          adds P_free_deferred and P_epoch_barrier, for objects that are read without a
 *                     lock. Needs a library with the epoch backend (Meson option epoch, liburcu),
 *                     whose pkg-config file or Meson dependency then defines VF_HAS_EPOCH
 *   VF_ON_ALLOC(p)    statement run on each object that is handed out, before anything is stored in
 *                     it: for profilers. By default nothing
 *   VF_ON_FREE(p)     the same for each that goes back, behind VF_DROP. P_destroy runs it too.
 *                     Neither may use the pool
 *   VF_DECLARE        only types and extern prototypes, for a header
 *   VF_DEFINE         only the bodies to them, for one .c file.
 *                     By default everything is static inline, which is the fast form
 *   VF_KEEP           keeps VF_T, VF_N and VF_DROP for the next header
 *
 * How it works: a free object is a pointer in this thread's cache for this pool, an array. Alloc
 * takes the last one, free puts one there: no lock, no atomic read-modify-write, no call. A full
 * cache sends objects home: a bit of their own batch says that each is free. An empty one takes the
 * free objects of a batch, by ascending address. The free list never lives in the objects, so an
 * object keeps its contents between free and alloc, unless P_trim drops its page. The parts are
 * drawn in src/pool.h.
 *
 * What one thread allocates in one go lies together, whatever was freed before: by ascending
 * address, in runs of 64 objects at first and up to 4096, each as dense as the free slots are. The
 * thread's own last frees come before them, the last one first.
 *
 * Alloc and free are lock-free, except while memory is obtained from the allocator or given back
 * to it. A call that fails sets errno (ENOMEM, EINVAL) and changes nothing; success leaves errno
 * alone. P_release(NULL) and P_free(pool, NULL) do nothing; any other NULL is misuse. What happens
 * before a free happens before the alloc that reuses the slot; handing an object from one thread
 * to another is the caller's to order. No call is async-signal-safe. After fork() the child's one
 * thread can go on using every pool.
 *
 * Type-stable reads. While a pool keeps its memory, a slot holds an object of the same type or a
 * free one with the contents that it had. So a thread may look at an object that others may have
 * freed meanwhile, or freed and reused, without a lock and without a grace period, if it
 *
 *   1. reads only atomic fields that VF_DROP and whoever reuses the object also write atomically;
 *   2. takes hold of the object in a way that fails on a free one, and that stops it from being
 *      freed: typically it raises a count unless that is 0. The count is 0 in a free object, and
 *      is set, with release, after all other fields of a reused one;
 *   3. then checks that it holds the object that it was looking for (by its key, say), since it may
 *      hold another that came to lie in the slot; if so it lets go and looks anew.
 *
 * Nobody may call P_trim or P_destroy meanwhile, and P_release only if an object stays out: all
 * these give memory back. Where readers cannot keep to this (they read plain
 * fields, or follow links in the object) objects are for P_free_deferred instead.
 *
 * For examples of use see examples/quickstart.c, wordcount.c and swarm.c.
 */
#include <veryfast/detail/name.h>
#include <veryfast/detail/pool_core.h>
#ifdef VF_CHECKED
#    include <veryfast/detail/pool_places.h>
#endif
#include <veryfast/veryfast.h>
#ifdef __cplusplus
#    include <new>
#    include <type_traits>
#endif

#ifdef VF_FLIP
#    error "VF_FLIP is a parameter of smallbuf.h; a pool has nothing to flip"
#    undef VF_FLIP
#endif
#if defined(VF_EPOCH) && !defined(VF_HAS_EPOCH)
#    error "VF_EPOCH needs a veryfast with epochs: build it with liburcu and -Depoch=enabled"
#    undef VF_EPOCH
#endif

#define vf_kind pool_
#include <veryfast/detail/template_begin.h>

#ifdef VF_ALIGN
VF_STATIC_ASSERT((VF_ALIGN) > 0 && ((VF_ALIGN) & ((VF_ALIGN)-1)) == 0,
                 "VF_ALIGN is not a power of two");
#else
#    define VF_ALIGN 1
#endif
#ifdef VF_CACHE_ALIGNED
#    define vf_line VF_CACHE_LINE
#else
#    define vf_line 1
#endif

#ifndef VF_ON_ALLOC
#    define VF_ON_ALLOC(p) ((void)(p))
#endif
#ifdef VF_ON_FREE
#    define vf_drops 1
#else
#    define VF_ON_FREE(p) ((void)(p))
#    ifndef vf_no_drop
#        define vf_drops 1
#    endif
#endif

/* Names of the instance, so that the rest reads as plain C. */
#define vf_self               VF_NAME
#define vf_self_cache         VF_CAT(VF_NAME, _cache)
#define vf_self_new           VF_CAT(VF_NAME, _new)
#define vf_self_release       VF_CAT(VF_NAME, _release)
#define vf_self_alloc         VF_CAT(VF_NAME, _alloc)
#define vf_self_push          VF_CAT(VF_NAME, _push)
#define vf_self_free          VF_CAT(VF_NAME, _free)
#define vf_self_take          VF_CAT(VF_NAME, _take)
#define vf_self_alloc_n       VF_CAT(VF_NAME, _alloc_n)
#define vf_self_free_n        VF_CAT(VF_NAME, _free_n)
#define vf_self_reserve       VF_CAT(VF_NAME, _reserve)
#define vf_self_stats         VF_CAT(VF_NAME, _stats)
#define vf_self_owns          VF_CAT(VF_NAME, _owns)
#define vf_self_each          VF_CAT(VF_NAME, _each)
#define vf_self_trim          VF_CAT(VF_NAME, _trim)
#define vf_self_destroy       VF_CAT(VF_NAME, _destroy)
#define vf_self_free_deferred VF_CAT(VF_NAME, _free_deferred)
#define vf_self_epoch_barrier VF_CAT(VF_NAME, _epoch_barrier)
#define vf_self_cache_new     VF_CAT(VF_NAME, _cache_new)
#define vf_self_cache_alloc   VF_CAT(VF_NAME, _cache_alloc)
#define vf_self_cache_free    VF_CAT(VF_NAME, _cache_free)
#define vf_self_cache_release VF_CAT(VF_NAME, _cache_release)
/* and those that are not for its users */
#define vf_self_visitor VF_CAT(vf_visitor_of_, VF_NAME)
#define vf_self_visit   VF_CAT(vf_visit_of_, VF_NAME)
#define vf_self_drop    VF_CAT(vf_drop_of_, VF_NAME)
#define vf_self_gone    VF_CAT(vf_gone_of_, VF_NAME)
#define vf_self_given   VF_CAT(vf_given_of_, VF_NAME)
#define vf_self_type    VF_CAT(vf_type_of_, VF_NAME)

#if vf_types
/* The pool. Made by P_new, used through pointers only. */
typedef struct vf_self {
    vf_pool_core core;
} vf_self;

/* A cache held by the caller. Made by P_cache_new, used by one thread at a time. */
typedef struct vf_self_cache {
    vf_cache core;
} vf_self_cache;
#endif

#if vf_prototypes
VF_EXTERN_C_BEGIN
vf_self *vf_self_new(const vf_pool_options *options);
void vf_self_release(vf_self *pool);
vf_t *vf_self_alloc(vf_self *pool);
vf_t *vf_self_push(vf_self *pool, vf_t value);
void vf_self_free(vf_self *pool, vf_t *object);
vf_t vf_self_take(vf_self *pool, vf_t *object);
size_t vf_self_alloc_n(vf_self *pool, vf_t *objects[], size_t n);
void vf_self_free_n(vf_self *pool, vf_t *const objects[], size_t n);
bool vf_self_reserve(vf_self *pool, size_t n);
vf_pool_stats vf_self_stats(const vf_self *pool);
bool vf_self_owns(const vf_self *pool, const void *object);
bool vf_self_each(vf_self *pool, void (*visit)(vf_t *object, void *context), void *context);
size_t vf_self_trim(vf_self *pool);
void vf_self_destroy(vf_self *pool);
vf_self_cache *vf_self_cache_new(vf_self *pool);
vf_t *vf_self_cache_alloc(vf_self_cache *cache);
void vf_self_cache_free(vf_self_cache *cache, vf_t *object);
void vf_self_cache_release(vf_self_cache *cache);
#    ifdef VF_EPOCH
bool vf_self_free_deferred(vf_self *pool, vf_t *object);
void vf_self_epoch_barrier(vf_self *pool);
#    endif
VF_EXTERN_C_END
#endif

#if vf_bodies
static const vf_pool_type vf_self_type VF_UNUSED = {
    &vf_interface_1,
    VF_STRING(VF_NAME),
    sizeof(vf_t),
    /* the greatest of the three */
    (VF_ALIGN) > vf_line
        ? ((size_t)(VF_ALIGN) > VF_ALIGNOF(vf_t) ? (size_t)(VF_ALIGN) : VF_ALIGNOF(vf_t))
        : ((size_t)vf_line > VF_ALIGNOF(vf_t) ? (size_t)vf_line : VF_ALIGNOF(vf_t)),
    VF_N,
};

/*
 * The program's statements stand here and nowhere else, so that of the template's names they can
 * meet no other than these. The core drops objects without a type.
 */
static inline VF_UNUSED void vf_self_given(vf_t *vf_object)
{
    VF_ON_ALLOC(vf_object);
}
static inline VF_UNUSED void vf_self_gone(vf_t *vf_object)
{
    VF_ON_FREE(vf_object);
}
static inline VF_UNUSED void vf_self_drop(void *vf_untyped)
{
    vf_t *vf_object = (vf_t *)vf_untyped;
    VF_DROP(vf_object);
    vf_self_gone(vf_object);
}

/*
 * P_alloc: an object, uninitialised; NULL and ENOMEM where memory or the cap is spent. The caller
 * gives it back by P_free or P_take. Any thread.
 */
vf_fn vf_t *vf_self_alloc(vf_self *pool)
{
    vf_t *object = (vf_t *)vf_pool_core_alloc(&pool->core);
    if (VF_LIKELY(object != NULL))
        vf_self_given(object);
    return object;
}

/*
 * P_free: VF_DROP(object), then back to the pool. NULL is ignored. Any thread, after P_release
 * too. Never fails and never needs memory.
 */
vf_fn void vf_self_free(vf_self *pool, vf_t *object)
{
    if (VF_UNLIKELY(object == NULL))
        return;
#    ifdef vf_drops
    if (!vf_pool_core_may_drop(&pool->core, object))
        return;
    vf_self_drop(object);
#    endif
    vf_pool_core_free(&pool->core, object);
}

/*
 * P_push: P_alloc, with value stored (in C++ moved) into the object. NULL and ENOMEM: the value
 * is still the caller's, and not dropped. Any thread.
 */
vf_fn vf_t *vf_self_push(vf_self *pool, vf_t value)
{
    vf_t *object = (vf_t *)vf_pool_core_alloc(&pool->core);
    if (VF_UNLIKELY(object == NULL))
        return NULL;
    vf_self_given(object);
#    ifdef __cplusplus
    return ::new (static_cast<void *>(object)) vf_t(static_cast<vf_t &&>(value));
#    else
    *object = value;
    return object;
#    endif
}

/*
 * P_take: moves the value out of the object, which goes back to the pool without VF_DROP (in C++
 * the object moved from is destroyed). Any thread, after P_release too. Never fails.
 */
vf_fn vf_t vf_self_take(vf_self *pool, vf_t *object)
{
    vf_pool_core_look(&pool->core, object);
#    ifdef __cplusplus
    vf_t value(static_cast<vf_t &&>(*object));
    object->~vf_t();
#    else
    vf_t value = *object;
#    endif
    vf_self_gone(object);
    vf_pool_core_free(&pool->core, object);
    return value;
}

/*
 * P_alloc_n: fills objects[0 .. result - 1] with objects, in no promised order. Fewer than n:
 * ENOMEM, those given are the caller's. Any thread. Costs a call, and less than P_alloc an object.
 */
vf_fn size_t vf_self_alloc_n(vf_self *pool, vf_t *objects[], size_t n)
{
    size_t given = vf_pool_core_alloc_n(&pool->core, objects, n);
    for (size_t i = 0; i < given; i++)
        vf_self_given(objects[i]);
    return given;
}

/*
 * P_free_n: P_free for objects[0 .. n - 1]; every VF_DROP runs before the pool is touched. Any
 * thread, after P_release too. Never fails.
 */
vf_fn void vf_self_free_n(vf_self *pool, vf_t *const objects[], size_t n)
{
#    ifdef vf_drops
    for (size_t i = 0; i < n; i++) {
        if (objects[i] != NULL && vf_pool_core_may_drop(&pool->core, objects[i]))
            vf_self_drop(objects[i]);
    }
#    endif
    vf_pool_core_free_n(&pool->core, objects, n);
}

/*
 * P_reserve: sees to it that n more objects can be had, by one thread if no other allocates,
 * without asking the allocator, also if it is a thread's first alloc. Until then caches do not grow
 * with bursts. False and ENOMEM where there is no memory, or the cap does not allow n more; nothing
 * has changed then. Any thread. Touches no object's memory.
 */
vf_fn bool vf_self_reserve(vf_self *pool, size_t n)
{
    return vf_pool_core_reserve(&pool->core, n);
}

/*
 * P_stats: the pool in numbers. Exact while no other thread is inside a call on the pool,
 * otherwise an estimate with each number of objects within 0 .. capacity. Any thread. Takes no
 * lock; looks at every cache and every batch.
 */
vf_fn vf_pool_stats vf_self_stats(const vf_self *pool)
{
    vf_pool_stats stats;
    vf_pool_core_stats(&pool->core, &stats, sizeof stats);
    return stats;
}

/*
 * P_owns: is it the address of a slot of this pool, whether live or free? Any pointer at all, any
 * thread. Lock-free; costs a look into a hash table and a division.
 */
vf_fn bool vf_self_owns(const vf_self *pool, const void *object)
{
    return vf_pool_core_owns(&pool->core, object);
}

/* The core visits objects without a type. */
struct vf_self_visitor {
    void (*visit)(vf_t *object, void *context);
    void *context;
};
static inline VF_UNUSED void vf_self_visit(void *object, void *visitor)
{
    const struct vf_self_visitor *typed = (const struct vf_self_visitor *)visitor;
    typed->visit((vf_t *)object, typed->context);
}

/*
 * P_each: visit(object, context) for every live object, once, by ascending address. The visitor may
 * free the object that it is given, and make no other call on the pool; nor may any other thread
 * meanwhile. First waits for what is deferred, as P_epoch_barrier does, and all caches give what
 * they have to the depot. False and ENOMEM: no memory to sort the batches by address (16 bytes for
 * each), and none was visited. Costs little more than the objects' own cache misses; a free slot
 * costs a bit.
 */
vf_fn bool vf_self_each(vf_self *pool, void (*visit)(vf_t *object, void *context), void *context)
{
    struct vf_self_visitor visitor = {visit, context};
    return vf_pool_core_each(&pool->core, vf_self_visit, &visitor);
}

/*
 * P_trim: gives back every batch without a live object, and of the other batches each whole page on
 * which no object is live: its addresses stay, and its memory comes back when it is used. How many
 * bytes were given back; of pages, only those that were in memory. Any thread, at any time, beside
 * all other calls; no lock is held that other pools or other threads need.
 *
 * Pages are dropped by the option `purge`, or where the allocator is the C library's, on Linux, by
 * the library; never in a checked build. (Batches of less than two pages go to the C library whole,
 * which may keep them.)
 *
 * What P_reserve has set aside goes back with the rest. So do objects that others keep free for
 * themselves, with these exceptions: of each other thread that has used the pool, one object (it
 * might be about to hand it out), and all that it has where the system has no membarrier; all in
 * caches held by callers; and what other threads are moving this instant. vf_thread_flush, a
 * thread's end and P_cache_release leave nothing behind. A batch with such an object stays until a
 * later trim. A capped pool keeps its memory. Needs no memory itself.
 *
 * Costs a look at a bit for each slot, what the allocator takes, and a few system calls for each
 * batch that has whole free pages.
 */
vf_fn size_t vf_self_trim(vf_self *pool)
{
    return vf_pool_core_trim(&pool->core);
}

#    ifdef VF_EPOCH
/*
 * P_free_deferred: P_free, but only after a grace period: readers that are in a read section may go
 * on reading the object; nobody may find it who enters one later. After that VF_DROP runs on it,
 * on liburcu's thread, and the slot goes back to the pool. Until then the object counts as live.
 * NULL is ignored.
 *
 * False and EAGAIN where max_deferred objects wait already, or there is no memory for the list of
 * those that do: the object is still the caller's, as it was. Never waits for a grace period. Any
 * thread, inside a read section or not, registered with liburcu or not (one that is not must be
 * sure that nobody calls free_all_cpu_call_rcu_data meanwhile), after P_release too.
 *
 * A program that forks, and goes on with such frees in the child, registers call_rcu_before_fork
 * and the two that belong to it (liburcu) by pthread_atfork, after its first P_new.
 *
 * 60 objects of a thread wait for one grace period together. Fewer do when it flushes
 * (vf_thread_flush) or ends, at P_release, P_epoch_barrier, and where an alloc fails. What a call
 * beside P_release defers may be missed there, and goes out at the others.
 */
vf_fn bool vf_self_free_deferred(vf_self *pool, vf_t *object)
{
    if (VF_UNLIKELY(object == NULL))
        return true;
#        ifndef vf_drops
    return vf_pool_core_free_deferred(&pool->core, object, NULL);
#        else
    return vf_pool_core_free_deferred(&pool->core, object, vf_self_drop);
#        endif
}

/*
 * P_epoch_barrier: waits until all objects deferred before it, by any thread, are dropped and free.
 * Any thread, but neither inside a read section nor in VF_DROP; both would wait for ever.
 */
vf_fn void vf_self_epoch_barrier(vf_self *pool)
{
    vf_pool_core_epoch_barrier(&pool->core);
}
#    endif

/*
 * P_destroy: VF_DROP on every live object, and all memory back, the pool's own and that of caches
 * held by callers included: the end of a level. NULL is ignored. No other call on the pool at the
 * same time, nor after it.
 *
 * VF_DROP may free other objects of the pool (a tree's root its children): each is dropped once.
 * It must not take one (P_take), which may have been dropped already. What it allocates there it
 * does not get. First waits for what is deferred, as P_epoch_barrier does. Objects are dropped by
 * address, where there is memory to sort the batches. Never fails. Without VF_DROP it costs what
 * giving back the batches costs.
 */
vf_fn void vf_self_destroy(vf_self *pool)
{
    if (pool != NULL) {
#    ifndef vf_drops
        vf_pool_core_destroy(&pool->core, NULL);
#    else
        vf_pool_core_destroy(&pool->core, vf_self_drop);
#    endif
    }
}

/*
 * P_new: a pool; NULL options: the defaults. NULL and ENOMEM, or EINVAL where the options make no
 * sense (one function of the allocator without the other; a cap or a batch of more than 2^30
 * objects or more bytes than an address can count). Any thread. Costs one allocation and no batch.
 */
vf_fn vf_self *vf_self_new(const vf_pool_options *options)
{
    return (vf_self *)vf_pool_core_new(&vf_self_type, options, sizeof(vf_pool_options));
}

/*
 * P_release: gives up the handle. Objects that are out stay valid; each is still given back by
 * P_free or P_take on this pool, by any thread; the last one releases all memory, the pool's own
 * included. NULL is ignored. Frees (P_free, P_free_n, P_take, P_cache_free, P_cache_release),
 * vf_thread_flush, the start and end of threads and fork may run at the same instant; all other
 * calls on the pool must be over. Alloc after it is misuse (it returns NULL while objects are out).
 *
 * A free that was caught half way by P_release may delay the return of the memory to that
 * thread's next slow call, flush or exit. An open caller-held cache keeps the pool alive.
 */
vf_fn void vf_self_release(vf_self *pool)
{
    if (pool != NULL)
        vf_pool_core_release(&pool->core);
}

/*
 * P_cache_new: a cache held by the caller, for job systems, fibres and hot loops: used by one
 * thread at a time, whichever that is, without a look-up. NULL and ENOMEM. Any thread. On a capped
 * pool it passes every call through.
 */
vf_fn vf_self_cache *vf_self_cache_new(vf_self *pool)
{
    return (vf_self_cache *)vf_pool_core_cache_new(&pool->core);
}

/* P_cache_alloc: as P_alloc. One thread at a time. */
vf_fn vf_t *vf_self_cache_alloc(vf_self_cache *cache)
{
    vf_t *object = (vf_t *)vf_pool_core_cache_alloc(&cache->core);
    if (VF_LIKELY(object != NULL))
        vf_self_given(object);
    return object;
}

/* P_cache_free: as P_free, of any object of the cache's pool. One thread at a time. */
vf_fn void vf_self_cache_free(vf_self_cache *cache, vf_t *object)
{
    if (VF_UNLIKELY(object == NULL))
        return;
#    ifdef vf_drops
    if (!vf_pool_core_cache_may_drop(&cache->core, object))
        return;
    vf_self_drop(object);
#    endif
    vf_pool_core_cache_free(&cache->core, object);
}

/* P_cache_release: ends the cache; its free objects go back to the pool. NULL is ignored. */
vf_fn void vf_self_cache_release(vf_self_cache *cache)
{
    if (cache != NULL)
        vf_pool_core_cache_release(&cache->core);
}
#endif

#undef vf_self
#undef vf_self_cache
#undef vf_self_new
#undef vf_self_release
#undef vf_self_alloc
#undef vf_self_push
#undef vf_self_free
#undef vf_self_take
#undef vf_self_alloc_n
#undef vf_self_free_n
#undef vf_self_reserve
#undef vf_self_stats
#undef vf_self_owns
#undef vf_self_each
#undef vf_self_trim
#undef vf_self_destroy
#undef vf_self_free_deferred
#undef vf_self_epoch_barrier
#undef vf_self_visitor
#undef vf_self_visit
#undef vf_self_drop
#undef vf_self_gone
#undef vf_self_given
#undef vf_self_type
#undef vf_self_cache_new
#undef vf_self_cache_alloc
#undef vf_self_cache_free
#undef vf_self_cache_release
#undef vf_drops
#undef vf_line
#include <veryfast/detail/template_end.h>
