/* SPDX-License-Identifier: MIT */
/*
 * smallbuf.h - template of a small buffer.
 *
 *     #define VF_T struct message
 *     #define VF_N 6
 *     #include <veryfast/smallbuf.h>
 *
 * gives the type smallbuf_message_6 and the functions smallbuf_message_6_push(), ...
 * They are declared below, each under its description, in the order of a buffer's life.
 *
 * A small buffer has room for VF_N elements inside itself, and takes its memory from an allocator
 * beyond that. Any number of threads push at once. Reading needs exclusive access, and elements
 * leave only by draining the whole buffer. It keeps what it grew, and never moves an element.
 *
 * The type is a plain struct of 16 bytes and the elements, and all zero bytes are a valid empty
 * buffer: it can be static, in an array or inside another object. It does not point to itself, so
 * an idle one may be moved with memcpy (in C++ if its elements may). In C++ it cannot be copied.
 *
 * There is no include guard: each inclusion makes another instance. The same instance twice in
 * one translation unit is a redefinition, so an instance that several files use belongs in one
 * guarded header of its own.
 *
 * Parameters, all undefined again at the end of this header:
 *
 *   VF_T              element type: complete, neither an array nor qualified. Required
 *   VF_N              elements inside: a plain decimal number, or a macro that is one. Required.
 *                     A good choice makes 16 + VF_N * sizeof(VF_T) whole cache lines
 *   VF_NAME           name of the type and prefix of its functions. By default
 *                     smallbuf_<tag>_<N>, where the tag is VF_T without struct, union or enum.
 *                     Required where VF_T is not one word (char *, unsigned long) or is bool
 *   VF_DROP(p)        statement that destroys *p, where the library destroys an element: S_clear,
 *                     S_destroy, S_drain_end. By default nothing. It must not push to the buffer,
 *                     but for S_clear and S_destroy with VF_FLIP, and drains of a flip
 *   VF_CACHE_ALIGNED  the counter on a cache line of its own: for one buffer that is pushed to all
 *                     the time, not for many that are small
 *   VF_LANES          for a buffer that several threads push much to: each takes runs of slots and
 *                     fills them by itself, as a writer does, but need not open one. See below
 *   VF_FLIP           adds draining while others push, see below. A push is then two atomic
 *                     operations, in a lane one; no writers, no S_push_slot
 *   VF_EPOCH          with VF_FLIP: the drainer waits for a grace period of its own choice, between
 *                     S_flip_begin and S_flip_finish, instead of S_flip, S_flip_try, S_flip_done.
 *                     A push is then one atomic operation. Needs no epoch backend
 *   VF_DECLARE        only types and extern prototypes, for a header
 *   VF_DEFINE         only the bodies to them, for one .c file; see VF_DEFINE_DECLARED in pool.h.
 *                     By default everything is static inline, which is the fast form
 *   VF_KEEP           keeps VF_T, VF_N and VF_DROP for the next header
 *
 * A misspelt parameter (VF_DORP) is a macro like any other: no compiler reports it, it has no
 * effect, and it stays defined.
 *
 * How it works: a push takes its index by one relaxed fetch_add and stores. Nothing says of a
 * single element that it is there: exclusive access, which the caller has by a join, a barrier, a
 * lock or the end of a frame, is what makes elements visible. Behind VF_N are chunks of doubling
 * size. No push waits for another: a thread that needs a chunk allocates one and publishes it by
 * compare-and-swap; a thread that finds another's chunk published gives its own back. The parts are
 * drawn in src/smallbuf/smallbuf.h.
 *
 * Exclusive access means: no other call on the buffer at the same time, and all pushes happen
 * before. "Shared with other readers": several threads may make such calls at once.
 *
 * With VF_LANES the struct is the same, and below VF_N pushes are. Beyond VF_N and four of the
 * shortest runs (2 * VF_CACHE_LINE bytes, that is, 128 as a rule; 8 elements at least), the buffer
 * keeps a lane for each thread that pushes, 64 bytes of its allocator's: a run of slots, so that a
 * push is a store, and one atomic operation comes with each run. Runs grow as those of a writer
 * do, and further, up to 8 KiB, as long as they are no more than a 64th of the buffer. Order and
 * refusals are each thread's own: what one thread pushes is drained in its order, and of that a
 * prefix is accepted; between threads there is no order. Until a drain, no other thread can use
 * the slots that are left of a thread's run: one run for each thread counts for max_elements,
 * S_capacity and S_count_about, and not for S_count, S_refused and S_span; reading ends no run.
 * Where fewer than 64 of the shortest runs are left below the cap, and in what S_reserve has
 * promised, slots are taken one by one, so that a promise is kept to the element. A thread that
 * ends leaves its lane to one that comes later. A push that can have no lane (no memory for it, or
 * the thread is at its end) takes a single slot.
 *
 * VF_LANES with VF_FLIP: a flip ends all runs of the bank that it takes, and waits for pushes in
 * flight in their middle, not for threads that have slots and do not push. A push in a lane is one
 * atomic operation then, on a line of its thread's own. A thread has a lane in each bank, of 128
 * bytes, until S_trim or S_destroy; the length of a run goes by the place in the bank alone, up to
 * a 64th of what is before it and 8 KiB at most, or the shortest run if that is more.
 *
 * With VF_FLIP there are two banks: pushes go to one, and the other is empty or being drained. A
 * flip makes pushes go to the other bank, and takes the elements of the first when the pushes into
 * it are done. Pushes never wait; one that is interrupted in its middle delays the drainer only.
 * VF_DROP, and the code that handles the elements, may push to the buffer: that goes to the other
 * bank. All other calls (S_drain_begin too) still need exclusive access. Each bank has room of
 * its own: max_elements is the cap of one, so that twice as many can be held, half of them in a
 * drain.
 *
 * With VF_EPOCH besides, pushes are not counted. Between S_flip_begin and S_flip_finish the drainer
 * makes sure that each push is over that had begun before: by a grace period of any kind, where
 * pushes are in read sections (synchronize_rcu), or by a barrier to which all threads that push
 * come, as at the end of a frame.
 *
 * Out of memory: each chunk is decided between two drains, in order: it is there, or it is refused
 * from the first push on whose allocation failed. (A push before that one still gets the chunk if
 * its own allocation succeeds at the same time.) So what was accepted is a prefix of all pushes,
 * nothing is lost, and a refused push leaves the value with the caller.
 *
 * Order: what one thread pushes is drained in that order, and S_push keeps one order for all (not
 * with VF_LANES). A writer's elements are in order among themselves, from its opening to its
 * closing. Those of writers with a key (S_writer_open_keyed) have an order that is the same
 * whatever the schedule.
 *
 * A call that fails sets errno to ENOMEM and changes nothing but the number of those refused;
 * success leaves errno alone. NULL is misuse except as options and where a function says that it
 * may be NULL. No call is async-signal-safe.
 *
 * For examples of use see examples/mailbox.c and wordcount.c.
 */
#include <string.h>
#include <veryfast/detail/cplusplus.h>
#include <veryfast/detail/name.h>
#include <veryfast/detail/names.h>
#include <veryfast/detail/smallbuf_core.h>
#include <veryfast/veryfast.h>

#ifdef VF_ALIGN
#    error "VF_ALIGN is a parameter of pool.h; the elements of a small buffer lie close together"
#    undef VF_ALIGN
#endif
#if defined(VF_ON_ALLOC) || defined(VF_ON_FREE)
#    error "VF_ON_ALLOC and VF_ON_FREE are parameters of pool.h; a small buffer hands nothing out"
#    undef VF_ON_ALLOC
#    undef VF_ON_FREE
#endif
#if defined(VF_EPOCH) && !defined(VF_FLIP)
#    error "VF_EPOCH is a parameter of pool.h, or goes with VF_FLIP; there is nothing to wait for"
#    undef VF_EPOCH
#endif
#ifdef VF_HANDLE
#    error "VF_HANDLE is a parameter of pool.h; a small buffer has no handles"
#    undef VF_HANDLE
#endif
#ifdef VF_SHARED
#    error "VF_SHARED is a parameter of pool.h; a small buffer can be static"
#    undef VF_SHARED
#endif

#ifdef VF_LANES
#    include <veryfast/detail/smallbuf_lane_flip.h>
#endif

#define vf_kind smallbuf_
#include <veryfast/detail/template_begin.h>

#ifdef VF_CACHE_ALIGNED
#    define vf_line VF_CACHE_LINE
#else
#    define vf_line 8 /* on every architecture, so that 64-bit operations are lock-free */
#endif

/*
 * The instance. S_push stands for smallbuf_message_6_push here and in the descriptions, and in the
 * code vf_self_push becomes that (detail/names.h); vf_t is VF_T, and vf_fn static inline, or
 * extern. The bodies are in detail/smallbuf_body.h and the files that it includes.
 */
#if vf_declarations
/* The elements inside, in C++ as bytes: no element is constructed that was not pushed. */
#    ifdef __cplusplus
#        define vf_inline_slots vf_room<sizeof(vf_t) * vf_n, alignof(vf_t)> inline_
VF_STATIC_ASSERT(!std::is_move_constructible<vf_t>::value ||
                     std::is_nothrow_move_constructible<vf_t>::value,
                 "VF_T may throw when it is moved: declare its move constructor noexcept");
#    else
#        define vf_inline_slots vf_t inline_[vf_n]
#    endif

#    ifdef VF_FLIP
/* One of the two buffers within. */
typedef struct vf_self_bank {
    VF_ALIGNAS(vf_line)
    uint64_t done; /* atomic: pushes that have come to their end, or, of the bank that a flip has
                      taken, how many there were and how many are in flight (src/smallbuf/flip.c).
                      With VF_EPOCH: how many S_flip_begin has taken, the drainer's own */
    void *spill;   /* atomic: see detail/smallbuf_core.h */
    vf_inline_slots;
} vf_self_bank;

/* The buffer. */
typedef struct vf_self_name {
    VF_ALIGNAS(vf_line) uint64_t tail; /* atomic: the bank, and its next index */
    vf_self_bank banks[2];
} vf_self_name;
typedef vf_self_name vf_self;
#    else
/* The buffer. */
typedef struct vf_self_name {
    VF_ALIGNAS(vf_line) uint64_t tail; /* atomic: the next index, behind the last one if refused */
#        ifdef VF_CACHE_ALIGNED
    VF_ALIGNAS(vf_line)
#        endif
    void *spill; /* atomic: see detail/smallbuf_core.h */
    vf_inline_slots;
} vf_self_name;
typedef vf_self_name vf_self;

/* A producer that pushes much. Made by S_writer_open, used by one thread at a time. In C++ its
   destructor closes it. */
typedef struct vf_self_writer {
#        ifdef __cplusplus
    vf_self_writer() = default;
    vf_self_writer(const vf_self_writer &) = delete;
    vf_self_writer &operator=(const vf_self_writer &) = delete;
#            ifdef vf_members
    ~vf_self_writer()
    {
        if (buffer != nullptr)
            vf_self_writer_close(this);
    }
#            else
    inline ~vf_self_writer();
#            endif
    vf_self *buffer = nullptr;
#        else
    vf_self *buffer;
#        endif
    vf_t *at; /* to stop: what is left of its run */
    vf_t *stop;
    vf_writer core;
} vf_self_writer;
#    endif
#    undef vf_inline_slots

/* A drain: what it has yet to hand out. The buffer is empty already. */
typedef struct vf_self_drain {
    vf_t *at; /* to stop: of the span that it is in */
    vf_t *stop;
    vf_drain core;
#    ifdef VF_FLIP
    vf_drain behind; /* of a second bank, which comes behind; its spill is NULL: there is none */
    void **first;    /* the word spill of the bank that it began with */
#    endif
    bool over; /* a checked build's: of the bank that it is in nothing is left */
} vf_self_drain;
#endif

/* Members of a class are not declared before: see smallbuf.hpp. */
#if vf_declarations && !defined(vf_members)
/*
 * Gives the buffer its allocator, cap and first chunk; NULL: the defaults. Optional: all zero bytes
 * are a buffer with the defaults. Only for an empty buffer that has not spilled (or was trimmed to
 * 0, or destroyed). The options are kept by reference: they may serve many buffers, and must
 * outlive them. Never fails.
 *
 * Exclusive access. Costs a few stores; the first chunk comes with the first push that needs it.
 */
vf_fn void vf_self_init(vf_self *buffer, const vf_smallbuf_options *options);

/*
 * Makes sure that the next n pushes, by any number of threads, can neither fail nor allocate (a
 * writer may leave one run unused: count that too; with VF_LANES these pushes take single slots).
 * If pushes were refused, those that follow are accepted again. False and ENOMEM: memory or the cap
 * does not allow n more elements; nothing has changed. With VF_FLIP each bank gets room for n, but
 * for one that a flip has begun to take.
 *
 * Exclusive access. Costs what obtaining the chunks costs.
 */
vf_fn bool vf_self_reserve(vf_self *buffer, size_t n);

/*
 * Stores the value into the buffer. False and ENOMEM: refused, since there is no memory or the cap
 * is reached; the value is still the caller's, and not dropped.
 *
 * In C++ the inline form of this and of all other pushes takes VF_T &&, and moves only if the push
 * is not refused. Of an lvalue they make a copy, before anything else.
 *
 * Any thread. Lock-free; wait-free up to VF_N and wherever no chunk has to be allocated. Costs one
 * atomic operation (with VF_FLIP, without VF_EPOCH: two; with VF_LANES one for a run of slots, as
 * S_writer_push, and with VF_FLIP too another for each push, on a line of the thread's own).
 */
vf_generic vf_fn bool vf_self_push(vf_self *buffer, vf_moved value);

/*
 * S_push, and *index (if not NULL) becomes the element's position in the order of all pushes since
 * the last drain. 0: this push has made the buffer non-empty, and is never refused. (Where writers
 * are in use, or with VF_LANES, whole runs count as pushed.)
 *
 * Any thread. Costs as much as S_push.
 */
vf_generic vf_fn bool vf_self_push_index(vf_self *buffer, vf_moved value, size_t *index);

#    ifndef VF_FLIP
/*
 * S_push_index for a value that the caller makes where it is to be: the result is the slot, which
 * the caller must fill before any thread gets exclusive access. NULL and ENOMEM: refused. Not with
 * VF_FLIP.
 *
 * Any thread. Costs as much as S_push.
 */
vf_fn vf_t *vf_self_push_slot(vf_self *buffer, size_t *index);
#    endif

/*
 * Copies values[0 .. n - 1] into the buffer, next to one another in the order of all pushes (with
 * VF_LANES: of the thread's). The result is how many were taken, always the first ones; fewer than
 * n: ENOMEM, and the rest counts as refused. In C++ an element's copy must not throw.
 *
 * Any thread. Costs the atomic operations of one S_push, and the copy.
 */
vf_generic vf_fn size_t vf_self_push_n(vf_self *buffer, vf_value const *values, size_t n);

/*
 * S_push_n, and *index (if not NULL) becomes the position of the first of them in the order of
 * all pushes, as with S_push_index: 0 where this push has made the buffer non-empty. With n = 0 it
 * stays as it is.
 *
 * Any thread. Costs as much as S_push_n.
 */
vf_generic vf_fn size_t vf_self_push_n_index(vf_self *buffer, vf_value const *values, size_t n,
                                             size_t *index);

/*
 * About how many elements are in the buffer (with VF_FLIP: in the bank that pushes go to): counts
 * pushes that have begun, and those that were refused because there was no memory; never more than
 * the cap.
 *
 * Any thread, beside pushes, flips and their drains. Costs a few loads.
 */
vf_fn size_t vf_self_count_about(const vf_self *buffer);

#    ifndef VF_FLIP
/*
 * Makes a writer of *writer, for a thread that pushes much: it takes runs of slots, and so has
 * cache lines of its own to fill. Takes nothing yet; never fails. Not with VF_FLIP.
 *
 * The writer must be closed before exclusive access begins, and the buffer must not be moved
 * meanwhile: otherwise a drain hands out slots that the writer has not filled yet, whatever is in
 * them. Slots that a writer leaves unused count for S_reserve and max_elements, and not for S_count
 * and S_refused.
 *
 * Any thread; from here on the writer is for one thread at a time. Costs a few stores.
 */
vf_fn void vf_self_writer_open(vf_self_writer *writer, vf_self *buffer);

/*
 * S_writer_open for a drain in the same order whatever the schedule: of lockstep games, replays,
 * and tests. S_drain_begin sorts, and then comes all that was pushed without a key, and behind it
 * what was pushed by writers with one, by ascending key. What one writer pushed is in its order. So
 * is what several of the same key pushed one after the other; between two that are open at once
 * there is no order. S_span reads all of it in the order of the slots, as ever. Takes nothing yet;
 * never fails. Not with VF_FLIP.
 *
 * A job opens such a writer, pushes little or much, and closes it. What it leaves of a run is for
 * the next one, of the same thread if there is one, so many jobs leave little unused. The N slots
 * inside are not for these writers: the first push of one, in each fill, leaves those unused that
 * are free. They count for max_elements and S_reserve; with a max_elements of N or less each push
 * by such a writer is refused. No push by one has the index 0.
 *
 * Each run is in a list, 32 bytes of the allocator's for a run, which the buffer keeps for the next
 * fill as it does its chunks. S_reserve makes no promise for the list: where that has no memory the
 * push is refused, and so is each that needs a run until the next drain or S_reserve. A writer that
 * was refused is so until it is closed. S_refused does not count what is refused before the buffer
 * has a chunk.
 *
 * Any thread; from here on the writer is for one thread at a time. Costs a few stores; a run, an
 * atomic operation or two more than with S_writer_open, and it may be of 8 KiB sooner; a drain,
 * some 20 to 60 nanoseconds for each run, but two where it lies right behind that with the key
 * before it: what a thread pushes by ascending keys comes in long spans. Jobs of hundreds of
 * elements are drained nearly as fast as without a key; short ones in any order cost more than
 * their elements.
 */
vf_fn void vf_self_writer_open_keyed(vf_self_writer *writer, vf_self *buffer, uint64_t key);

/*
 * S_push through the writer. False and ENOMEM: refused, the value is still the caller's.
 *
 * One thread at a time. Costs one atomic operation for a run of slots, from VF_N on: at first
 * 2 * VF_CACHE_LINE bytes (128 as a rule; 8 elements at least), later 8 times as much, rounded up
 * to a power of two of elements, but never more than 8 KiB or one element; a store for each
 * element.
 */
vf_generic vf_fn bool vf_self_writer_push(vf_self_writer *writer, vf_moved value);

/*
 * S_writer_push, and *index (if not NULL) becomes the number of the element's slot: 0 where this
 * push has made the buffer non-empty, as with S_push_index. A later one is its position, if whole
 * runs count as pushed.
 *
 * One thread at a time. Costs as much as S_writer_push.
 */
vf_generic vf_fn bool vf_self_writer_push_index(vf_self_writer *writer, vf_moved value,
                                                size_t *index);

/*
 * Gives back what the writer has not used. The writer may be closed again, which does nothing, or
 * opened again, on any buffer. Never fails. In C++ the writer's destructor does the same, so that
 * one is closed if an exception is thrown while it is open.
 *
 * One thread at a time. Costs at most one atomic operation.
 */
vf_fn void vf_self_writer_close(vf_self_writer *writer);
#        ifdef __cplusplus
inline vf_self_writer::~vf_self_writer()
{
    if (buffer != nullptr)
        vf_self_writer_close(this);
}
#        endif
#    else
/*
 * Sends the pushes that begin from now on to the other bank. Where a flip has begun already whose
 * elements were not taken yet: nothing. Never fails. With VF_FLIP.
 *
 * Until S_flip_done or S_flip_finish has given the drain there may be pushes, S_wake and
 * S_count_about; with exclusive access S_drain_begin, S_clear and S_destroy take what it has begun
 * to take, and all other calls are about the bank that pushes go to.
 *
 * One drainer at a time, from here to the end of the drain, beside any number of pushes. Costs two
 * atomic operations, with VF_EPOCH one.
 */
vf_fn void vf_self_flip_begin(vf_self *buffer);

#        ifndef VF_EPOCH
/*
 * Takes what S_flip_begin has begun to take. False: a push into it is still in flight, and nothing
 * was taken; ask again later. No push that begins later delays it. The drain is as that of
 * S_drain_begin. With VF_FLIP.
 *
 * The drainer of S_flip_begin, beside any number of pushes. Costs a few instructions (with VF_LANES
 * an atomic operation for each lane), and never waits.
 */
vf_fn bool vf_self_flip_done(vf_self *buffer, vf_self_drain *drain);

/*
 * Takes all elements, and waits for the pushes that are in flight: S_flip_begin, and S_flip_done
 * until it is true. Pushes may go on, into the other bank. Never fails. With VF_FLIP.
 *
 * One drainer at a time, from here to the end of the drain, beside any number of pushes. Costs two
 * atomic operations (with VF_LANES one more for each lane) and the wait.
 */
vf_fn vf_self_drain vf_self_flip(vf_self *buffer);

/*
 * S_flip where it would not have to wait. False: a push is in flight, and nothing was taken. Where
 * pushes never pause this may fail for long; S_flip_begin and S_flip_done do not. With VF_LANES
 * this is those two: where it is false a flip has begun. With VF_FLIP.
 *
 * As S_flip. Costs one atomic operation (with VF_LANES as those two), and never waits.
 */
vf_fn bool vf_self_flip_try(vf_self *buffer, vf_self_drain *drain);
#        else
/*
 * Takes what was pushed before S_flip_begin, once each push that had begun by then is over: the
 * drainer has made sure of that by a grace period. The drain is as that of S_drain_begin; pushes
 * may go on. Never fails. With VF_FLIP and VF_EPOCH.
 *
 * The drainer of S_flip_begin. Costs the same for any number of elements.
 */
vf_fn vf_self_drain vf_self_flip_finish(vf_self *buffer);
#        endif

/*
 * Sleeps until there is something in the buffer, at once if there is, and for timeout_ns at most
 * (< 0: for ever). True: there is something, if only a push in flight, or S_wake has come; false:
 * the time is over. Keeps errno, and is no cancellation point. With VF_FLIP.
 *
 * One thread at a time, while it has no drain, beside any number of pushes; another thread may be
 * the drainer meanwhile. Costs a system call where there is nothing; the first push after that
 * makes another, which wakes the sleeper, and no other push does.
 */
vf_fn bool vf_self_wait(vf_self *buffer, int64_t timeout_ns);

/*
 * Ends the present S_wait, or the next one, which then is true: for a thread that is to look at
 * something else. What comes before this call happens before the end of the wait. Several calls
 * before one wait end only that. Never fails. With VF_FLIP.
 *
 * Any thread. Costs an atomic operation, and a system call if a thread sleeps. Until it has ended a
 * wait, pushes are slower by some nanoseconds.
 */
vf_fn void vf_self_wake(vf_self *buffer);

/*
 * For the child of a fork, whose other threads are gone, and with them their pushes in flight. A
 * bank with such a push is given up: its elements are lost (no VF_DROP), and its memory is kept.
 * Everything else stays, and from here on the child may use the buffer. With VF_EPOCH it is
 * not known whether a push was in flight, and what is in the buffer is given up. With VF_FLIP.
 *
 * The child's only thread, before it uses the buffer. A drain that it has from before goes on.
 * Costs a few instructions.
 */
vf_fn void vf_self_fork_child(vf_self *buffer);
#    endif

/*
 * S_push for a thread that has exclusive access. False and ENOMEM: refused.
 *
 * Exclusive access. No atomic operation: costs as much as storing into an array and counting. (With
 * VF_LANES, beyond VF_N: as S_push.)
 */
vf_generic vf_fn bool vf_self_push_exclusive(vf_self *buffer, vf_moved value);

/*
 * How many elements are in the buffer.
 *
 * Exclusive access, or shared with other readers. Costs the same for any number of elements.
 */
vf_fn size_t vf_self_count(const vf_self *buffer);

/*
 * For how many elements there is room without the allocator, those that are there included.
 *
 * Exclusive access, or shared with other readers. Costs a few instructions.
 */
vf_fn size_t vf_self_capacity(const vf_self *buffer);

/*
 * How many elements were refused since the last drain.
 *
 * Exclusive access, or shared with other readers. Costs a few instructions.
 */
vf_fn size_t vf_self_refused(const vf_self *buffer);

/*
 * Reads without removing. *elements becomes the address of the element with the number `from`, and
 * the result is how many lie there in a row; 0: there is none of that number.
 *
 *     for (size_t i = 0, n; (n = S_span(&buffer, i, &elements)) > 0; i += n)
 *
 * Exclusive access, or shared with other readers. Costs nothing measurable for an element; where
 * writers have left gaps, a look at each of their first runs, and a walk from the beginning unless
 * this call goes on where the last one, of any thread, has ended.
 */
vf_fn size_t vf_self_span(const vf_self *buffer, size_t from, vf_t const **elements);

/*
 * Takes all elements. The buffer is empty from here on, whatever happens next. What was refused may
 * be tried again. Never fails.
 *
 *     smallbuf_message_6_drain drain = smallbuf_message_6_drain_begin(&buffer);
 *     struct message *messages;
 *     for (size_t n; (n = smallbuf_message_6_drain_span(&drain, &messages)) > 0;)
 *         handle(messages, n);
 *     smallbuf_message_6_drain_end(&drain);
 *
 * A drain may be abandoned: what it has not handed out is lost (no VF_DROP). It is over then, and
 * so is each drain with the next push: the elements that are pushed lie where it has yet to look,
 * so it must not be used again. (Code that pushes to the buffer while it handles the elements needs
 * VF_FLIP, and a flip.)
 *
 * Exclusive access, to the end of the drain. Costs the same for any number of elements, but for
 * those of writers with a key.
 */
vf_fn vf_self_drain vf_self_drain_begin(vf_self *buffer);

/*
 * The next run of elements that lie in a row: *elements becomes its address, and the result is how
 * many there are, 0 at the end. They are the caller's: no VF_DROP will run on them. Their memory is
 * valid until S_drain_end. Never fails.
 *
 * The thread that drains. Costs a few instructions, for a whole run.
 */
vf_fn size_t vf_self_drain_span(vf_self_drain *drain, vf_t **elements);

/*
 * Moves the next element to *value (in C++ by assignment); false at the end. May be mixed with
 * S_drain_span.
 *
 * The thread that drains. Costs a copy.
 */
vf_generic vf_fn bool vf_self_drain_next(vf_self_drain *drain, vf_exactly *value);

#    ifdef VF_FLIP
/*
 * How many elements were refused by the bank that the drain has taken. With VF_FLIP.
 *
 * The thread that drains. Costs a load.
 */
vf_fn size_t vf_self_drain_refused(const vf_self_drain *drain);
#    endif

/*
 * Ends the drain: runs VF_DROP on what it has not handed out. Never fails.
 *
 * The thread that drains. Costs nothing without VF_DROP.
 */
vf_fn void vf_self_drain_end(vf_self_drain *drain);

/*
 * Divides what the drain has yet to hand out among n threads: parts[0], ... become drains of about
 * as many slots each, in this order, and together they have each element once. The result is how
 * many there are: n, or as many as there are elements, or fewer where writers have left gaps; none
 * is empty. n may be more than there are threads, which then take one part after the other, and a
 * part may be split again. Nothing is left in the drain itself (but if n is 0), which is none of
 * the parts. Never fails.
 *
 *     smallbuf_message_6_drain drain = smallbuf_message_6_drain_begin(&buffer);
 *     smallbuf_message_6_drain parts[WORKERS];
 *     size_t n = smallbuf_message_6_drain_split(&drain, parts, WORKERS);
 *     run_workers(n, parts);      each uses its own as any drain, and ends it
 *
 * Each part is ended by S_drain_end, or abandoned, as a drain is; exclusive access, and with
 * VF_FLIP the time of the one drainer, lasts until that has been done to the last of them, and it
 * happens before what comes then. VF_DROP runs in the thread that ends a part, beside others. The
 * drain itself needs no end; with VF_FLIP S_drain_end_trim is for it, when all parts have ended,
 * and not for them, and S_drain_refused tells the same of each.
 *
 * The thread that drains; from here on each part is for one thread at a time. Costs some
 * instructions for each part.
 */
vf_fn size_t vf_self_drain_split(vf_self_drain *drain, vf_self_drain parts[], size_t n);

#    ifdef VF_FLIP
/*
 * S_drain_end, and gives memory of the drained bank back but for its first chunk, its lanes and
 * `keep` elements; how many bytes. For a buffer that has seen a burst, and whose producers never
 * stop: S_trim needs exclusive access. Never fails. With VF_FLIP.
 *
 * The thread that drains, beside any number of pushes. Costs what S_drain_end does, and what the
 * allocator takes for each chunk.
 */
vf_fn size_t vf_self_drain_end_trim(vf_self_drain *drain, size_t keep);
#    endif

/*
 * Runs VF_DROP on all elements, and the buffer is empty. It keeps its memory. What VF_DROP pushes
 * meanwhile, which it may with VF_FLIP, is dropped too, until there is nothing. Never fails.
 *
 * Exclusive access. Costs what S_drain_end does.
 */
vf_fn void vf_self_clear(vf_self *buffer);

/*
 * Gives memory back, but keeps room for `keep` elements, and for those that are there. The result
 * is how many bytes were given back. Never fails.
 *
 * Exclusive access. Costs what the allocator takes for each chunk.
 */
vf_fn size_t vf_self_trim(vf_self *buffer, size_t keep);

/*
 * S_clear, and all memory back. The buffer is empty again, and still has its options. Never fails.
 *
 * Exclusive access. Costs what S_clear does, and what the allocator takes for each chunk.
 */
vf_fn void vf_self_destroy(vf_self *buffer);
#endif
#if vf_bodies
#    include <veryfast/detail/smallbuf_body.h>
#endif

#undef vf_line
#include <veryfast/detail/template_end.h>
