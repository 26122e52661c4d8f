/*
 * smallbuf.h - template of a small buffer.
 *
 *     #define VF_T struct message
 *     #define VF_N 6
 *     #include <veryfast/smallbuf.h>
 *
 * gives the type smallbuf_message_6 and the functions smallbuf_message_6_push(), ...
 *
 * A small buffer has room for VF_N elements inside itself, and takes its memory from an allocator
 * beyond that. Any number of threads push at once. Reading needs exclusive access, and elements
 * leave only by draining the whole buffer. It keeps what it grew, and never moves an element.
 *
 * The type is a plain struct of 16 bytes and the elements, and all zero bytes are a valid empty
 * buffer: it can be static, in an array or inside another object. It does not point to itself, so
 * an idle one may be moved with memcpy (in C++ if its elements may).
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
 *                     S_destroy, S_drain_end. By default nothing. Without VF_FLIP it must not push
 *                     to the buffer
 *   VF_CACHE_ALIGNED  the counter on a cache line of its own: for one buffer that is pushed to all
 *                     the time, not for many that are small
 *   VF_FLIP           adds draining while others push: two banks, see detail/smallbuf_flip.h. A
 *                     push is then two atomic operations; no writers, no S_push_slot
 *   VF_EPOCH          with VF_FLIP: the drainer waits for a grace period of its own choice, between
 *                     S_flip_begin and S_flip_finish, in place of S_flip and S_flip_try. A push is
 *                     then one atomic operation. Needs no epoch backend
 *   VF_DECLARE        only types and extern prototypes, for a header
 *   VF_DEFINE         only the bodies to them, for one .c file.
 *                     By default everything is static inline, which is the fast form
 *   VF_KEEP           keeps VF_T, VF_N and VF_DROP for the next header
 *
 * How it works: a push takes its index by one relaxed fetch_add and stores. Nothing says of a
 * single element that it is there: exclusive access, which the caller has by a join, a barrier, a
 * lock or the end of a frame, is what makes elements visible. Behind VF_N are chunks of doubling
 * size. No push waits for another: who needs a chunk allocates and publishes it by compare-and-
 * swap, and who comes late gives his back. The parts are drawn in src/smallbuf.h.
 *
 * Out of memory: each chunk is decided once between two drains, in order: it is there, or it is
 * refused. So what was accepted is a prefix of all pushes, nothing is lost, and a refused push
 * leaves the value with the caller.
 *
 * Order: what one thread pushes is drained in that order, and S_push keeps one order for all. A
 * writer's elements are in order among themselves, from its opening to its closing.
 *
 * A call that fails sets errno to ENOMEM and changes nothing but the number of those refused;
 * success leaves errno alone. NULL is misuse everywhere but as options and where it is said. No
 * call is async-signal-safe.
 *
 * For examples of use see examples/mailbox.c and wordcount.c.
 */
#include <string.h>
#include <veryfast/detail/name.h>
#include <veryfast/detail/smallbuf_core.h>
#include <veryfast/veryfast.h>
#ifdef __cplusplus
#    include <new>
#    include <type_traits>
#endif

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

#define vf_kind smallbuf_
#include <veryfast/detail/template_begin.h>

#ifdef VF_CACHE_ALIGNED
#    define vf_line VF_CACHE_LINE
#else
#    define vf_line 8 /* on every architecture, so that 64-bit operations are lock-free */
#endif

/* Names of the instance, so that the rest reads as plain C. */
#define vf_self                VF_NAME
#define vf_self_bank           VF_CAT(VF_NAME, _bank)
#define vf_self_drain          VF_CAT(VF_NAME, _drain)
#define vf_self_writer         VF_CAT(VF_NAME, _writer)
#define vf_self_init           VF_CAT(VF_NAME, _init)
#define vf_self_push           VF_CAT(VF_NAME, _push)
#define vf_self_push_index     VF_CAT(VF_NAME, _push_index)
#define vf_self_push_slot      VF_CAT(VF_NAME, _push_slot)
#define vf_self_push_n         VF_CAT(VF_NAME, _push_n)
#define vf_self_push_exclusive VF_CAT(VF_NAME, _push_exclusive)
#define vf_self_count          VF_CAT(VF_NAME, _count)
#define vf_self_capacity       VF_CAT(VF_NAME, _capacity)
#define vf_self_refused        VF_CAT(VF_NAME, _refused)
#define vf_self_reserve        VF_CAT(VF_NAME, _reserve)
#define vf_self_span           VF_CAT(VF_NAME, _span)
#define vf_self_drain_begin    VF_CAT(VF_NAME, _drain_begin)
#define vf_self_drain_span     VF_CAT(VF_NAME, _drain_span)
#define vf_self_drain_next     VF_CAT(VF_NAME, _drain_next)
#define vf_self_drain_end      VF_CAT(VF_NAME, _drain_end)
#define vf_self_drop           VF_CAT(vf_drop_of_, VF_NAME)
#define vf_self_drain_refused  VF_CAT(VF_NAME, _drain_refused)
#define vf_self_clear          VF_CAT(VF_NAME, _clear)
#define vf_self_trim           VF_CAT(VF_NAME, _trim)
#define vf_self_destroy        VF_CAT(VF_NAME, _destroy)
#define vf_self_writer_open    VF_CAT(VF_NAME, _writer_open)
#define vf_self_writer_push    VF_CAT(VF_NAME, _writer_push)
#define vf_self_writer_close   VF_CAT(VF_NAME, _writer_close)
#define vf_self_flip           VF_CAT(VF_NAME, _flip)
#define vf_self_flip_try       VF_CAT(VF_NAME, _flip_try)
#define vf_self_flip_begin     VF_CAT(VF_NAME, _flip_begin)
#define vf_self_flip_finish    VF_CAT(VF_NAME, _flip_finish)
/* and those that are not for its users */
#define vf_self_type      VF_CAT(vf_type_of_, VF_NAME)
#define vf_self_bank_of   VF_CAT(vf_bank_of_, VF_NAME)
#define vf_self_expect    VF_CAT(vf_expect_of_, VF_NAME)
#define vf_self_take      VF_CAT(vf_take_of_, VF_NAME)
#define vf_self_done      VF_CAT(vf_done_of_, VF_NAME)
#define vf_self_inside    VF_CAT(vf_inside_of_, VF_NAME)
#define vf_self_find      VF_CAT(vf_find_of_, VF_NAME)
#define vf_self_slots     VF_CAT(vf_slots_of_, VF_NAME)
#define vf_self_store     VF_CAT(vf_store_of_, VF_NAME)
#define vf_self_put       VF_CAT(vf_put_of_, VF_NAME)
#define vf_self_current   VF_CAT(vf_current_of_, VF_NAME)
#define vf_self_set_index VF_CAT(vf_set_index_of_, VF_NAME)
#define vf_self_detach    VF_CAT(vf_detach_of_, VF_NAME)

#if vf_types
/* The elements inside, in C++ as bytes: no element is constructed that was not pushed. */
#    ifdef __cplusplus
#        define vf_inline_slots alignas(vf_t) unsigned char inline_[sizeof(vf_t) * (VF_N)]
VF_STATIC_ASSERT(std::is_nothrow_move_constructible<vf_t>::value,
                 "VF_T may throw when it is moved: declare its move constructor noexcept");
#    else
#        define vf_inline_slots vf_t inline_[VF_N]
#    endif

#    ifdef VF_FLIP
/* One of the two buffers within. */
typedef struct vf_self_bank {
    VF_ALIGNAS(vf_line)
    uint64_t done; /* atomic: pushes that have come to their end; with VF_EPOCH
                      those that S_flip_begin has taken; drainer */
    void *spill;   /* atomic: see detail/smallbuf_core.h */
    vf_inline_slots;
} vf_self_bank;

/* The buffer. */
typedef struct vf_self {
    VF_ALIGNAS(vf_line) uint64_t tail; /* atomic: the bank, and its next index */
    vf_self_bank banks[2];
} vf_self;
#    else
/* The buffer. */
typedef struct vf_self {
    VF_ALIGNAS(vf_line) uint64_t tail; /* atomic: the next index, behind the last one if refused */
#        ifdef VF_CACHE_ALIGNED
    VF_ALIGNAS(vf_line)
#        endif
    void *spill; /* atomic: see detail/smallbuf_core.h */
    vf_inline_slots;
} vf_self;

/* A producer that pushes much; see detail/smallbuf_writer.h. */
typedef struct vf_self_writer {
    vf_self *buffer;
    vf_t *at; /* to stop: what is left of its run */
    vf_t *stop;
    vf_writer core;
} vf_self_writer;
#    endif
#    undef vf_inline_slots

/* What a drain has yet to hand out. Its buffer is empty already. */
typedef struct vf_self_drain {
    vf_t *at; /* to stop: of the span that it is in */
    vf_t *stop;
    vf_drain core;
} vf_self_drain;
#endif

#if vf_prototypes
VF_EXTERN_C_BEGIN
void vf_self_init(vf_self *buffer, const vf_smallbuf_options *options);
bool vf_self_push(vf_self *buffer, vf_t value);
bool vf_self_push_index(vf_self *buffer, vf_t value, size_t *index);
size_t vf_self_push_n(vf_self *buffer, vf_t const *values, size_t n);
bool vf_self_push_exclusive(vf_self *buffer, vf_t value);
size_t vf_self_count(const vf_self *buffer);
size_t vf_self_capacity(const vf_self *buffer);
size_t vf_self_refused(const vf_self *buffer);
bool vf_self_reserve(vf_self *buffer, size_t n);
size_t vf_self_span(const vf_self *buffer, size_t from, vf_t const **elements);
vf_self_drain vf_self_drain_begin(vf_self *buffer);
size_t vf_self_drain_span(vf_self_drain *drain, vf_t **elements);
bool vf_self_drain_next(vf_self_drain *drain, vf_t *value);
void vf_self_drain_end(vf_self_drain *drain);
void vf_self_clear(vf_self *buffer);
size_t vf_self_trim(vf_self *buffer, size_t keep);
void vf_self_destroy(vf_self *buffer);
#    ifdef VF_FLIP
#        ifdef VF_EPOCH
void vf_self_flip_begin(vf_self *buffer);
vf_self_drain vf_self_flip_finish(vf_self *buffer);
#        else
vf_self_drain vf_self_flip(vf_self *buffer);
bool vf_self_flip_try(vf_self *buffer, vf_self_drain *drain);
#        endif
size_t vf_self_drain_refused(const vf_self_drain *drain);
#    else
vf_t *vf_self_push_slot(vf_self *buffer, size_t *index);
void vf_self_writer_open(vf_self_writer *writer, vf_self *buffer);
bool vf_self_writer_push(vf_self_writer *writer, vf_t value);
void vf_self_writer_close(vf_self_writer *writer);
#    endif
VF_EXTERN_C_END
#endif

#if vf_bodies
#    define vf_hidden static inline VF_UNUSED
#    ifndef VF_FLIP
#        undef vf_self_bank
#        define vf_self_bank VF_CAT(vf_buffer_of_, VF_NAME) /* the one there is */
typedef vf_self vf_self_bank;
#    endif

static const vf_smallbuf_type vf_self_type VF_UNUSED = {
    &vf_interface_1,
    VF_N,
    sizeof(vf_t),
    VF_ALIGNOF(vf_t),
    offsetof(vf_self_bank, inline_) - offsetof(vf_self_bank, spill),
#    ifdef VF_FLIP
    false,
#    else
    true,
#    endif
    sizeof(vf_smallbuf_options),
};

/* The bank that a counter's value belongs to, and the index in it. */
vf_hidden vf_self_bank *vf_self_bank_of(vf_self *buffer, uint64_t tail, uint64_t *index)
{
#    ifdef VF_FLIP
    *index = tail & ~VF_BANK_BIT;
    return &buffer->banks[tail >> 63];
#    else
    *index = tail;
    return buffer;
#    endif
}

/* The slots in which a push that begins now is likely to have its own. */
vf_hidden vf_expected vf_self_expect(vf_self *buffer)
{
#    ifdef VF_FLIP
    /* relaxed: if the bank is another one by the time that the push takes its index, that is not
       among those expected; and of this bank, whatever was drained meanwhile, they are still true
     */
    uint64_t tail = vf_load_relaxed(&buffer->tail);
    vf_expected expected = vf_expect(&buffer->banks[tail >> 63].spill);
    expected.first |= tail & VF_BANK_BIT;
    return expected;
#    else
    return vf_expect(&buffer->spill);
#    endif
}

/* Takes n indices; the counter's value, which holds the first of them. */
vf_hidden uint64_t vf_self_take(vf_self *buffer, uint64_t n)
{
#    ifdef VF_FLIP
    /* acquire: pairs with the release by which a flip makes the bank the one to push to: it was
       emptied before */
    return vf_fetch_add_acquire(&buffer->tail, n);
#    else
    /* relaxed: exclusive access is what makes elements visible, and an index is one's own */
    return vf_fetch_add_relaxed(&buffer->tail, n);
#    endif
}

/* Says that n pushes have come to their end, the refused ones too. */
vf_hidden void vf_self_done(vf_self *buffer, uint64_t tail, uint64_t n)
{
#    if defined(VF_FLIP) && !defined(VF_EPOCH)
    /* release: pairs with the acquire of who takes the bank; the elements come before it */
    vf_fetch_add_release(&buffer->banks[tail >> 63].done, n);
#    else
    (void)buffer;
    (void)tail;
    (void)n;
#    endif
}

vf_hidden vf_t *vf_self_inside(const vf_self_bank *bank)
{
    return (vf_t *)(uintptr_t)bank->inline_;
}

/* Finds a slot that is not among those expected, and *run that follow. NULL and ENOMEM: refused. */
vf_hidden vf_t *vf_self_find(vf_self_bank *bank, uint64_t index, uint64_t *run)
{
    if (VF_LIKELY(index < (VF_N))) {
        *run = (VF_N)-index;
        return vf_self_inside(bank) + index;
    }
    uint64_t there; /* not *run itself, lest the caller keep it in memory */
    vf_t *slot = (vf_t *)vf_spill_find(&bank->spill, index, &vf_self_type, &there);
    *run = there;
    return slot;
}

/* The slot that the counter's value stands for, and *run that follow. NULL and ENOMEM: refused. */
vf_hidden vf_t *vf_self_slots(vf_self *buffer, const vf_expected *expected, uint64_t tail,
                              uint64_t *run)
{
    uint64_t at = tail - expected->first;
    if (VF_LIKELY(at < expected->count)) {
        *run = expected->count - at;
        return (vf_t *)expected->slots + at;
    }
    uint64_t index;
    vf_self_bank *bank = vf_self_bank_of(buffer, tail, &index);
    return vf_self_find(bank, index, run);
}

vf_hidden void vf_self_store(vf_t *slot, vf_t *value)
{
#    ifdef __cplusplus
    ::new (static_cast<void *>(slot)) vf_t(static_cast<vf_t &&>(*value));
#    else
    *slot = *value;
#    endif
}

/* All of a push: false and ENOMEM: refused. *index: as S_push_index has it. */
vf_hidden bool vf_self_put(vf_self *buffer, vf_t *value, size_t *index)
{
    vf_expected expected = vf_self_expect(buffer);
    uint64_t tail = vf_self_take(buffer, 1);
    uint64_t run;
    vf_t *slot = vf_self_slots(buffer, &expected, tail, &run);
    if (VF_LIKELY(slot != NULL))
        vf_self_store(slot, value);
    vf_self_done(buffer, tail, 1);
    *index = (size_t)vf_plain_index(tail);
    return slot != NULL;
}

/*
 * S_push: stores (in C++ moves) the value into the buffer. False and ENOMEM: refused, since memory
 * or the cap is spent; the value is still the caller's, and not dropped. Any thread. Lock-free, and
 * one atomic operation; wait-free up to VF_N and wherever no chunk has to be allocated.
 */
vf_fn bool vf_self_push(vf_self *buffer, vf_t value)
{
    size_t index;
    vf_push_begin(buffer);
    bool pushed = vf_self_put(buffer, &value, &index);
    vf_push_end(buffer);
    return pushed;
}

/*
 * S_push_index: as S_push, and *index (if not NULL) becomes the element's place in the order of
 * all pushes since the last drain. 0: this push has made the buffer non-empty, and is never
 * refused. (Where writers are in use, their whole runs count as pushed.)
 */
vf_fn bool vf_self_push_index(vf_self *buffer, vf_t value, size_t *index)
{
    size_t taken;
    vf_push_begin(buffer);
    bool pushed = vf_self_put(buffer, &value, &taken);
    vf_push_end(buffer);
    if (index != NULL)
        *index = taken;
    return pushed;
}

#    ifndef VF_FLIP
/*
 * S_push_slot: as S_push_index, for a value that the caller makes in its place: before anybody else
 * gets access, he has to. NULL and ENOMEM: refused. Any thread.
 */
vf_fn vf_t *vf_self_push_slot(vf_self *buffer, size_t *index)
{
    vf_push_begin(buffer);
    vf_expected expected = vf_self_expect(buffer);
    uint64_t tail = vf_self_take(buffer, 1);
    uint64_t run;
    if (index != NULL)
        *index = (size_t)vf_plain_index(tail);
    vf_t *slot = vf_self_slots(buffer, &expected, tail, &run);
    vf_push_end(buffer);
    return slot;
}
#    endif

/*
 * S_push_n: copies values[0 .. n - 1] into the buffer, next to one another in the order of all
 * pushes. How many were taken: always the first ones; fewer than n: ENOMEM, and the rest counts as
 * refused. Any thread. One atomic operation for all. In C++ a template, lest it stand in the way of
 * elements that cannot be copied.
 */
#    if defined(__cplusplus) && !defined(VF_DEFINE)
template <typename vf_value>
#    else
#        define vf_value vf_t
#    endif
vf_fn size_t vf_self_push_n(vf_self *buffer, vf_value const *values, size_t n)
{
#    ifdef __cplusplus
    VF_STATIC_ASSERT((std::is_same<vf_value, vf_t>::value &&
                      std::is_nothrow_copy_constructible<vf_value>::value),
                     "S_push_n takes elements of type VF_T that can be copied without throwing");
#    endif
    if (n == 0)
        return 0;
    vf_push_begin(buffer);
    vf_expected expected = vf_self_expect(buffer);
    uint64_t tail = vf_self_take(buffer, n);
    size_t copied = 0;
    while (copied < n) {
        uint64_t run;
        vf_t *slots = vf_self_slots(buffer, &expected, tail + copied, &run);
        if (VF_UNLIKELY(slots == NULL))
            break;
        if (run > n - copied)
            run = n - copied;
#    ifdef __cplusplus
        for (size_t i = 0; i < run; i++)
            ::new (static_cast<void *>(slots + i)) vf_value(values[copied + i]);
#    else
        memcpy(slots, values + copied, (size_t)run * sizeof *slots);
#    endif
        copied += (size_t)run;
    }
    vf_self_done(buffer, tail, n);
    vf_push_end(buffer);
    return copied;
}
#    undef vf_value

#    include <veryfast/detail/smallbuf_read.h>
#    ifdef VF_FLIP
#        include <veryfast/detail/smallbuf_flip.h>
#    else
#        include <veryfast/detail/smallbuf_writer.h>
#    endif
#    undef vf_hidden
#endif

#undef vf_line
#undef vf_self
#undef vf_self_bank
#undef vf_self_drain
#undef vf_self_writer
#undef vf_self_init
#undef vf_self_push
#undef vf_self_push_index
#undef vf_self_push_slot
#undef vf_self_push_n
#undef vf_self_push_exclusive
#undef vf_self_count
#undef vf_self_capacity
#undef vf_self_refused
#undef vf_self_reserve
#undef vf_self_span
#undef vf_self_drain_begin
#undef vf_self_drain_span
#undef vf_self_drain_next
#undef vf_self_drain_end
#undef vf_self_drop
#undef vf_self_drain_refused
#undef vf_self_clear
#undef vf_self_trim
#undef vf_self_destroy
#undef vf_self_writer_open
#undef vf_self_writer_push
#undef vf_self_writer_close
#undef vf_self_flip
#undef vf_self_flip_try
#undef vf_self_flip_begin
#undef vf_self_flip_finish
#undef vf_self_type
#undef vf_self_bank_of
#undef vf_self_expect
#undef vf_self_take
#undef vf_self_done
#undef vf_self_inside
#undef vf_self_find
#undef vf_self_slots
#undef vf_self_store
#undef vf_self_put
#undef vf_self_current
#undef vf_self_set_index
#undef vf_self_detach
#include <veryfast/detail/template_end.h>
