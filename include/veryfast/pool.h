/* SPDX-License-Identifier: MIT */
/*
 * pool.h - template of an object pool.
 *
 *     #define VF_T struct particle
 *     #define VF_N 256
 *     #include <veryfast/pool.h>
 *
 * gives the type pool_particle_256 and the functions pool_particle_256_new(), ..._alloc(), ...
 * They are declared below, each under its description, in the order of a pool's life.
 *
 * A pool hands out objects of one type, one by one, to any thread, takes them back from any
 * thread, and hands them out again. It gets its memory in batches of VF_N objects and gives it
 * back when the pool and all of its objects are gone.
 *
 * In C++ the first inclusion is outside of all namespaces; a later one may be inside.
 *
 * There is no include guard: each inclusion makes another instance. The same instance twice in
 * one translation unit is a redefinition, so an instance that several files use belongs in one
 * guarded header of its own.
 *
 * Parameters, all undefined again at the end of this header:
 *
 *   VF_T              element type: complete, neither an array nor qualified. Required
 *   VF_N              objects in a batch: a plain decimal number, or a macro that is one; with
 *                     VF_NAME any constant expression. Required
 *   VF_NAME           name of the type and prefix of its functions. By default pool_<tag>_<N>,
 *                     where the tag is VF_T without struct, union or enum. Required where VF_T is
 *                     not one word (char *, unsigned long) or is bool
 *   VF_DROP(p)        statement that destroys *p, where the library destroys an object: P_free,
 *                     P_free_n, P_cache_free, P_free_deferred, P_destroy. By default nothing. It
 *                     may use the pool
 *   VF_ALIGN          least alignment of each object, a power of two. By default that of VF_T
 *   VF_CACHE_ALIGNED  every object on cache lines of its own, so that threads that write to
 *                     neighbours do not slow one another
 *   VF_EPOCH          adds P_free_deferred and P_epoch_barrier, for objects that are read without a
 *                     lock. Needs a library with the epoch backend (Meson option epoch, liburcu),
 *                     whose pkg-config file or Meson dependency then defines VF_HAS_EPOCH
 *   VF_HANDLE         adds handles, by which an object is found again, and which lead nowhere once
 *                     it is gone; and walks beside all other calls: P_handle_of, P_get,
 *                     P_free_handle, P_walk_handle. Costs 4 bytes a slot, which stay after a trim
 *   VF_SHARED         adds P_shared: one pool for the whole program, made at its first use
 *   VF_ON_ALLOC(p)    statement run on each object that is handed out, before anything is stored in
 *                     it: for profilers. By default nothing
 *   VF_ON_FREE(p)     the same for each object that goes back, after VF_DROP. P_destroy runs it
 *                     too. Neither of the two may use the pool
 *   VF_DECLARE        only types and extern prototypes, for a header
 *   VF_DEFINE         only the bodies to them, for one .c file; see VF_DEFINE_DECLARED.
 *                     By default everything is static inline, which is the fast form
 *   VF_KEEP           keeps VF_T, VF_N and VF_DROP for the next header
 *
 * Two more stay defined. One is for the .c file that defines what its headers declare, so that no
 * parameter is written twice (docs/surroundings.md):
 *
 *   VF_DEFINE_DECLARED  every instance with VF_DECLARE that this file sees has its bodies here, too
 *
 * The other is the same in a whole program, the library's own sources included, which the linker
 * checks:
 *
 *   VF_THREAD_INDEX   an expression: the calling thread's number, 0 to 4095, instead of the
 *                     library's own thread-local variable and of its hook at a thread's end: for
 *                     consoles, plug-ins that are reloaded, fibres. One thread at a time has a
 *                     number; the program orders its hand-over to another, which goes on with what
 *                     is cached under it. vf_thread_flush gives that back. See docs/embedding.md
 *
 * A misspelt parameter (VF_DORP) is a macro like any other: no compiler reports it, it has no
 * effect, and it stays defined.
 *
 * How it works: a free object is a pointer in an array, the calling thread's cache for this pool.
 * Alloc takes the last pointer, free adds one: no lock, no atomic read-modify-write, no call. A
 * full cache sends objects home: a bit of their own batch says that each is free. An empty cache
 * takes the free objects of a batch, by ascending address. The free list never lives in the
 * objects, so an object keeps its contents between free and alloc, unless P_trim drops its page.
 * The parts are drawn in src/pool/pool.h.
 *
 * What one thread allocates in one go lies together, whatever was freed before: by ascending
 * address, in runs of 64 objects at first and up to 4096, each as dense as the free slots are. The
 * thread's own last frees come before them, the last one first.
 *
 * Alloc and free are lock-free, except while memory is obtained from the allocator or given back
 * to it. A call that fails sets errno (ENOMEM, EINVAL) and changes nothing; success leaves errno
 * alone. NULL is misuse except where a function says that it ignores it. What happens before a
 * free happens before the alloc that reuses the slot; handing an object from one thread to another
 * is the caller's to order. No call is async-signal-safe. After fork() the child's one thread can
 * go on using every pool. A fibre that may go on with another thread holds a cache (P_cache_new),
 * or calls extern bodies: an inline call may use what the compiler knows of the thread before.
 *
 * Type-stable reads. While a pool keeps its memory, a slot holds an object of the same type or a
 * free one with the contents that it had. So a thread may look at an object that others may have
 * freed meanwhile, or freed and reused, without a lock and without a grace period, if it
 *
 *   1. reads only atomic fields, to which VF_DROP and the code that reuses the object write
 *      atomically as well;
 *   2. takes hold of the object in a way that fails on a free one, and that stops it from being
 *      freed: typically it raises a count unless that is 0. The count is 0 in a free object, and
 *      is set, with release, after all other fields of a reused one;
 *   3. then checks that it holds the object that it was looking for (by its key, say), since the
 *      slot may hold another one by now; if so it lets go and looks again.
 *
 * Meanwhile no thread may call P_trim or P_destroy, and P_release only if an object stays live:
 * all these give memory back. Where readers cannot keep to this (they read plain fields, or follow
 * links in the object) objects are for P_free_deferred instead.
 *
 * For examples of use see examples/quickstart.c, wordcount.c and swarm.c.
 */
#include <veryfast/detail/cplusplus.h>
#include <veryfast/detail/name.h>
#include <veryfast/detail/names.h>
#include <veryfast/detail/pool_core.h>
#include <veryfast/detail/pool_free.h>
#include <veryfast/veryfast.h>

#ifdef VF_LANES
#    error "VF_LANES is a parameter of smallbuf.h; the threads of a pool have caches"
#    undef VF_LANES
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
#endif

/*
 * The instance. P_alloc stands for pool_particle_256_alloc here and in the descriptions, and in
 * the code vf_self_alloc becomes that (detail/names.h); vf_t is VF_T, and vf_fn static inline, or
 * extern. The bodies are in detail/pool_body.h.
 */
#if vf_declarations
/* The pool. Made by P_new, used through pointers only: an incomplete type. */
typedef struct vf_self_name vf_self_name;
typedef vf_self_name vf_self;

/* A cache held by the caller. Made by P_cache_new, used by one thread at a time, through pointers
   only. */
typedef struct vf_self_cache vf_self_cache;

/* A walk over a pool's live objects. Made by P_walk_begin and P_walk_part, used by one thread at a
   time. */
typedef struct vf_self_walk {
    vf_walk core;
} vf_self_walk;

#    ifdef VF_HANDLE
/*
 * What leads to an object while it is there, and to nothing afterwards. Plain data: may be stored,
 * sent and compared. All zero: none.
 */
typedef struct vf_self_handle {
    uint64_t bits; /* the slot's number, and in the lower 31 its generation */
} vf_self_handle;
#    endif

/*
 * Makes a pool. NULL options: the defaults. NULL and ENOMEM; NULL and EINVAL where the options make
 * no sense (one function of the allocator without the other; a cap or a batch of more than 2^30
 * objects or of more bytes than an address can count).
 *
 * Any thread. Costs one allocation; the first batch comes with the first alloc. In a process that
 * has 16,383 pools already (4095 where a pointer has 32 bits) threads have no caches of one more,
 * as with VF_CACHE_NONE.
 */
vf_fn vf_self *vf_self_new(const vf_pool_options *options);

#    ifdef VF_SHARED
/*
 * The program's one pool of this instance, made with the default options when it is first asked
 * for: the same for all files, and for all programs and libraries in the process that use this copy
 * of the library, whose instances have this name, size, alignment and VF_N. It is never released,
 * and P_release and P_destroy of it are misuse. NULL and ENOMEM: a later call tries again.
 *
 * Any thread. Costs a load and a look whether it is there; the first call of each file a lock.
 */
vf_fn vf_self *vf_self_shared(void);
#    endif

/*
 * Makes sure that n more objects are available without asking the allocator, to one thread if no
 * other allocates, also if it is that thread's first alloc. Until they are handed out, caches do
 * not grow with bursts. False and ENOMEM where there is no memory, or the cap does not allow n more
 * objects; nothing has changed then.
 *
 * Any thread. Costs what obtaining the batches costs; touches no object's memory.
 */
vf_fn bool vf_self_reserve(vf_self *pool, size_t n);

/*
 * Hands out an object, uninitialised. The caller gives it back by P_free or P_take. NULL and ENOMEM
 * where there is no memory, or the cap is reached.
 *
 * Any thread. Costs a few instructions, without an atomic read-modify-write; a call where the
 * thread's cache is empty.
 */
vf_fn vf_t *vf_self_alloc(vf_self *pool);

/*
 * P_alloc, with value stored into the object. NULL and ENOMEM: the value is still the caller's, and
 * not dropped.
 *
 * In C++ the inline form takes VF_T && and moves only if there is an object; of an lvalue it makes
 * a copy, before the object is taken. Where the constructor throws, the object goes back to the
 * pool and the exception to the caller.
 *
 * Any thread. Costs as much as P_alloc, and the store.
 */
vf_generic vf_fn vf_t *vf_self_push(vf_self *pool, vf_moved value);

/*
 * Fills objects[0 .. result - 1] with objects, in no promised order. The result is how many; fewer
 * than n: ENOMEM, and those given are the caller's.
 *
 * Any thread. Costs a call, and less for an object than P_alloc does.
 */
vf_fn size_t vf_self_alloc_n(vf_self *pool, vf_t *objects[], size_t n);

/*
 * Runs VF_DROP on the object, which then goes back to the pool. NULL is ignored. Never fails and
 * never needs memory.
 *
 * Any thread, after P_release too. Costs a few instructions; a call where the thread's cache is
 * full.
 */
vf_fn void vf_self_free(vf_self *pool, vf_t *object);

/*
 * Moves the value out of the object, which goes back to the pool without VF_DROP (in C++ the object
 * that was moved from is destroyed; where the move throws, nothing has changed). Never fails.
 *
 * Any thread, after P_release too. Costs as much as P_free, and the copy.
 */
vf_generic vf_fn vf_value vf_self_take(vf_self *pool, vf_t *object);

/*
 * P_free for objects[0 .. n - 1], those that are NULL ignored; every VF_DROP runs before the pool
 * is touched. Never fails.
 *
 * Any thread, after P_release too. Costs a call, and less for an object than P_free does.
 */
vf_fn void vf_self_free_n(vf_self *pool, vf_t *const objects[], size_t n);

/*
 * Makes a cache that the caller holds, for job systems, fibres and hot loops. NULL and ENOMEM. On a
 * capped pool the cache passes every call through.
 *
 * Any thread. Costs an allocation.
 */
vf_fn vf_self_cache *vf_self_cache_new(vf_self *pool);

/*
 * P_alloc from the cache and its pool.
 *
 * One thread at a time, whichever that is. Costs less than P_alloc: there is no look-up of the
 * calling thread's own cache.
 */
vf_fn vf_t *vf_self_cache_alloc(vf_self_cache *cache);

/*
 * P_free, through the cache, of any object of the cache's pool. NULL is ignored.
 *
 * One thread at a time, after P_release too. Costs less than P_free.
 */
vf_fn void vf_self_cache_free(vf_self_cache *cache, vf_t *object);

/*
 * Ends the cache; its free objects go back to the pool. NULL is ignored. Never fails.
 *
 * One thread at a time, after P_release too: an open cache keeps the pool's memory. Costs a visit
 * to each batch of which the cache has objects.
 */
vf_fn void vf_self_cache_release(vf_self_cache *cache);

#    ifdef VF_EPOCH
/*
 * P_free, but only after a grace period: readers that are inside a read section may go on reading
 * the object, and a reader that enters one later must have no way to find it. Then VF_DROP runs on
 * it, on liburcu's thread, and the slot goes back to the pool. Until then the object counts as
 * live. NULL is ignored.
 *
 * False and EAGAIN where max_deferred objects wait already, or there is no memory for the list of
 * those that do: the object is still the caller's, as it was. Never waits for a grace period.
 *
 * Any thread, inside a read section or not, registered with liburcu or not, after P_release too. (A
 * thread that is not registered must be sure that no other calls free_all_cpu_call_rcu_data
 * meanwhile.) A program that forks, and goes on with such frees in the child, registers
 * call_rcu_before_fork and the two functions that belong to it (liburcu) by pthread_atfork, after
 * its first P_new.
 *
 * Costs little more than storing a pointer: 60 objects of a thread wait for one grace period
 * together. A list that is not yet full is passed on when its thread calls vf_thread_flush or ends,
 * at P_release and P_epoch_barrier, and when an alloc fails. An object that a thread defers while
 * another one is inside P_release may be missed by it, and is then passed on by one of the other
 * events.
 */
vf_fn bool vf_self_free_deferred(vf_self *pool, vf_t *object);

/*
 * Waits until all objects that any thread has deferred before are dropped and free. Never fails.
 *
 * Any thread, but neither inside a read section nor in VF_DROP: there it would wait for ever. Costs
 * a grace period, if any object waits.
 */
vf_fn void vf_self_epoch_barrier(vf_self *pool);
#    endif

#    ifdef VF_HANDLE
/*
 * Publishes a live object, and gives its handle: from here on P_get finds the object, and walks
 * give it. So the object is to be filled by now; a thread that gets it sees what was written
 * to it before. Again: the same handle. Never fails.
 *
 * Any thread that has the object: no thread may free it meanwhile. Costs some ten instructions,
 * where the object is of the same batch as the one that the thread published before; a call
 * otherwise.
 */
vf_fn vf_self_handle vf_self_handle_of(vf_self *pool, const vf_t *object);

/*
 * The handle's object. NULL: it is gone, or the handle never was one of this pool's (made up, say).
 * What is gone does not come back: not when its slot is used again, nor when P_trim has given back
 * its memory, nor after that.
 *
 * An object is gone when its free begins (P_free, P_take, P_free_n, P_cache_free, P_free_deferred,
 * vf_free, P_destroy), before VF_DROP. A free by another thread at the same time may come first or
 * not: it is for the caller to keep the object alive during and after this call: it owns the
 * object, or nothing is freed in this phase of the program, or with VF_EPOCH it is in a read
 * section, to the end of which the pointer stays valid. Otherwise a result that is not NULL says
 * that the object was there when the call looked, and no more than that: it may be gone by now, and
 * its batch with it, so that the address is to be used for nothing.
 *
 * Any thread, beside all calls but P_release and P_destroy. Lock-free; costs some twenty
 * instructions without an atomic read-modify-write, however many threads do it.
 */
vf_fn vf_t *vf_self_get(const vf_self *pool, vf_self_handle handle);

/*
 * P_free of the handle's object, if it is still there. False: it is not, and nothing was done. Of
 * several callers with the same handle one gets true, and VF_DROP runs once. P_free of the object
 * at the same time is misuse.
 *
 * Any thread, beside all calls but P_release and P_destroy. Costs as much as P_get and P_free
 * together, and an atomic instruction.
 */
vf_fn bool vf_self_free_handle(vf_self *pool, vf_self_handle handle);

#        ifdef VF_EPOCH
/*
 * P_free_deferred of the handle's object, if it is still there: the handle leads nowhere from here
 * on; a pointer that a reader got before stays valid to the end of its read section. False: it is
 * not there; or else, with EAGAIN, as P_free_deferred, and then it is as it was.
 *
 * Any thread, as P_free_deferred. Costs as much as P_get and P_free_deferred together, and an
 * atomic instruction.
 */
vf_fn bool vf_self_free_handle_deferred(vf_self *pool, vf_self_handle handle);
#        endif

/*
 * The handle of the object that the walk has given last, as it was then: whether the object is
 * still there P_get tells.
 *
 * The thread that walks. Costs a load.
 */
vf_fn vf_self_handle vf_self_walk_handle(const vf_self_walk *walk);
#    endif

/*
 * The pool in numbers. Exact while no other thread is inside a call on the pool, otherwise an
 * estimate with each number of objects within 0 .. capacity. Never fails.
 *
 * Any thread. Takes no lock; looks at every cache and every batch.
 */
vf_fn vf_pool_stats vf_self_stats(const vf_self *pool);

/*
 * Is this the address of a slot of this pool, whether live or free? The pointer may be any.
 *
 * Any thread. Lock-free; costs a look into a hash table and a division.
 */
vf_fn bool vf_self_owns(const vf_self *pool, const void *object);

/*
 * Calls visit(object, context) for every live object, once, by ascending address. The visitor may
 * free the object that it is given, and may make no other call on the pool. First waits for what is
 * deferred, as P_epoch_barrier does; and all caches give what they have to the depot. False and
 * ENOMEM: there is no memory to sort the batches by address (16 bytes for each), and no object was
 * visited. In C++ a visitor that throws is the last one to be called, and its exception goes on.
 *
 * No other thread may be inside a call on the pool. Costs little more than the objects' own cache
 * misses; a free slot costs a look at a bit.
 */
vf_fn bool vf_self_each(vf_self *pool, void (*visit)(vf_t *object, void *context), void *context);

/*
 * Begins a walk over all live objects, for P_walk_next, in the order of their slots' numbers: batch
 * by batch, as the batches were made. Never fails, and needs no memory; a walk that is not carried
 * on holds nothing. First waits for what is deferred, as P_epoch_barrier does, and all caches give
 * what they have to the depot.
 *
 * From the begin to the end no other thread may be inside a call on the pool, but for the other
 * parts of the walk; nothing is allocated, and only the object that was given last is freed (or
 * taken, or deferred). Walks may be nested.
 *
 * With VF_HANDLE the walk is of the published objects, and none of this is asked for: it may go on
 * beside all calls but P_release and P_destroy, and does not wait for anything. An object that is
 * there from the begin to the end is given once; one that comes or goes meanwhile, once at most. It
 * may be gone by the time it is looked at: see P_get for what keeps it.
 *
 * Costs a visit to each cache; with VF_HANDLE nothing.
 */
vf_fn vf_self_walk vf_self_walk_begin(vf_self *pool);

/*
 * P_walk_begin for one of so many parts, 0 <= part < parts: together the parts give all objects,
 * each in one of them, so that as many threads can walk at once. A part has runs of slots, of 4 KiB
 * at first and of up to 64 KiB, in turn with the other parts. Without VF_HANDLE all parts are begun
 * before an object is freed in any; with it each may be begun at any time.
 *
 * Any thread; from here on the part is for one thread at a time. Costs as much as P_walk_begin.
 */
vf_fn vf_self_walk vf_self_walk_part(vf_self *pool, size_t part, size_t parts);

/*
 * The next object; NULL: that was the last. The object may be freed, or left.
 *
 * The thread that walks. Costs a few instructions, and a call for each 512 slots or more; with
 * VF_HANDLE for each 64.
 */
vf_fn vf_t *vf_self_walk_next(vf_self_walk *walk);

/*
 * Ends the walk, be it early: P_walk_next gives nothing more.
 *
 * The thread that walks. Costs nothing.
 */
vf_fn void vf_self_walk_end(vf_self_walk *walk);

/*
 * Gives back every batch without a live object, and of the other batches each whole page on which
 * no object is live: its addresses stay, and its memory comes back when it is used. The result is
 * how many bytes were given back; of pages, only those that were in memory. Needs no memory and
 * never fails.
 *
 * Pages are dropped by the option `purge`, or where the allocator is the C library's, on Linux, by
 * the library; never in a checked build. (Batches of less than two pages go to the C library whole,
 * which may keep them.)
 *
 * What P_reserve has set aside goes back with the rest. So do the free objects in the caches of
 * other threads, with these exceptions: of each thread that has used the pool, one object (which it
 * might be about to hand out), and its whole cache where the system has no membarrier; all in
 * caches held by callers; and what other threads are moving at this instant. vf_thread_flush, a
 * thread's end and P_cache_release leave nothing behind. A batch with such an object stays until a
 * later trim. A capped pool keeps its memory.
 *
 * Any thread, at any time, while others make all other calls; no lock is held that other pools or
 * other threads need. Costs a look at a bit for each slot, what the allocator takes, and a few
 * system calls for each batch that has whole free pages.
 */
vf_fn size_t vf_self_trim(vf_self *pool);

/*
 * Gives up the handle. Live objects stay valid; each is still given back by P_free or P_take on
 * this pool, by any thread; the last one releases all memory, the pool's own included. NULL is
 * ignored. Never fails.
 *
 * Any thread. Frees (P_free, P_free_n, P_take, P_cache_free, P_cache_release), vf_thread_flush, the
 * start and end of threads and fork may run at the same instant; all other calls on the pool must
 * be over. Alloc after it is misuse (it returns NULL while objects are live).
 *
 * A thread that P_release interrupts in the middle of a free may delay the return of the memory to
 * its next slow call, flush or exit. An open cache that a caller holds keeps the pool alive.
 *
 * Costs a visit to each cache, and where nothing is live, what giving back the batches costs.
 */
vf_fn void vf_self_release(vf_self *pool);

/*
 * Runs VF_DROP on every live object and gives all memory back, the pool's own and that of caches
 * held by callers included: the end of a level. NULL is ignored. Never fails.
 *
 * VF_DROP may free other objects of the pool (a tree's root its children): each is dropped once. It
 * must not take one (P_take), which may have been dropped already, and an alloc in it fails. First
 * waits for what is deferred, as P_epoch_barrier does. Objects are dropped by ascending address,
 * where there is memory to sort the batches.
 *
 * No other call on the pool at the same time, nor after it. Without VF_DROP it costs what giving
 * back the batches costs.
 */
vf_fn void vf_self_destroy(vf_self *pool);
#endif

#if vf_bodies
#    include <veryfast/detail/pool_body.h>
#endif
#include <veryfast/detail/template_end.h>
