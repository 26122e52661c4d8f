/* SPDX-License-Identifier: MIT */
/*
 * smallbuf.hpp - the small buffer as a class template: no macro, no instance to be named.
 *
 *     veryfast::small_buffer<order, 6> inbox;     // room for 6 inside
 *     inbox.push(std::move(one));                 // any thread; false: refused, and still ours
 *     for (auto run : inbox.drain())              // takes all out; runs of elements
 *         for (order &each : run)
 *             ship(std::move(each));
 *
 * It is the buffer of smallbuf.h, made of the same source: what is said there of threads, order,
 * memory and costs holds here too. Needs C++17, neither exceptions nor RTTI.
 *
 * T is complete. It must not throw when it is moved; if it can be neither moved nor copied, its
 * constructor must not throw.
 */
#ifndef VF_SMALLBUF_HPP
#define VF_SMALLBUF_HPP

#include <cstddef>
#include <cstdint>
#include <optional>
#include <type_traits>
#include <utility>

#include <veryfast/detail/smallbuf_members.hpp>
#include <veryfast/ranges.hpp>
#include <veryfast/veryfast.h>

namespace veryfast
{

/* small_buffer<T, N, flip>: it can be drained while others push, by flip and try_flip (VF_FLIP). */
inline constexpr int flip = 1;

/* small_buffer<T, N, lanes>: beyond N each thread's pushes take runs of slots by themselves, as a
   writer does; order and refusals are each thread's own (VF_LANES). Both: flip | lanes. */
inline constexpr int lanes = 2;

/*
 * A small buffer. N: elements inside; Kind: 0, flip, lanes, or flip | lanes. Its destructor
 * destroys all elements and gives all memory back; it can be neither copied nor moved. A static one
 * is initialised before the program begins.
 */
template <typename T, std::size_t N, int Kind = 0> class small_buffer
{
    static_assert((Kind & ~(veryfast::flip | veryfast::lanes)) == 0,
                  "the third parameter of a small_buffer is veryfast::flip or veryfast::lanes");

    using in = detail::buffer_members<T, N, Kind>;
    static constexpr bool flips = (Kind & veryfast::flip) != 0;

  public:
    using value_type = T;                             /* of its elements */
    using drain_type = veryfast::drain<small_buffer>; /* what drain gives */

    /* Empty, with the default options. */
    constexpr small_buffer() noexcept = default;
    /* Empty, with options, which are kept by reference. */
    explicit small_buffer(const vf_smallbuf_options &options) noexcept
    {
        in::self_init(&buffer_, &options);
    }
    explicit small_buffer(const vf_smallbuf_options &&) = delete;
    small_buffer(const small_buffer &) = delete;
    small_buffer &operator=(const small_buffer &) = delete;
    ~small_buffer()
    {
        in::self_destroy(&buffer_);
    }

    /* S_push. Any thread. False and ENOMEM: refused, and the value is as it was. */
    VF_INLINED bool push(T &&value) noexcept
    {
        return in::self_push(&buffer_, static_cast<T &&>(value));
    }
    /* The same of a copy, which is made before anything else, and may throw. */
    VF_INLINED bool push(const T &value)
    {
        return in::self_push(&buffer_, value);
    }

    /* S_push_index: push, and *index becomes the position among all pushes since the last drain; 0:
       this one has made the buffer non-empty. */
    VF_INLINED bool push_index(T &&value, std::size_t *index) noexcept
    {
        return in::self_push_index(&buffer_, static_cast<T &&>(value), index);
    }
    /* The same of a copy. */
    VF_INLINED bool push_index(const T &value, std::size_t *index)
    {
        return in::self_push_index(&buffer_, value, index);
    }

    /*
     * push of an element made from the arguments: in its place, where the constructor cannot throw
     * (and without flip); otherwise beside the buffer, and then moved in.
     */
    template <typename... Arguments> VF_INLINED bool emplace(Arguments &&...arguments)
    {
        return emplace_index(nullptr, std::forward<Arguments>(arguments)...);
    }

    /* emplace, with the index of push_index; as S_push_slot. */
    template <typename... Arguments>
    VF_INLINED bool emplace_index(std::size_t *index, Arguments &&...arguments)
    {
        constexpr bool in_place = !flips && detail::is_made_without_throwing<T, Arguments...>();
        static_assert(in_place || std::is_move_constructible_v<T>,
                      "T cannot be moved: here its constructor must not throw, nor is it for flip");
        if constexpr (in_place) {
            void *slot = in::self_push_slot(&buffer_, index);
            if (slot == nullptr)
                return false;
            detail::make_at<T>(slot, std::forward<Arguments>(arguments)...);
            return true;
        } else {
            return push_index(detail::made<T>(std::forward<Arguments>(arguments)...), index);
        }
    }

    /* S_push_n: copies of n values, which must not throw. How many were taken: the first ones. */
    VF_INLINED std::size_t push_n(const T *values, std::size_t n) noexcept
    {
        return in::self_push_n(&buffer_, values, n);
    }

    /* S_push_n_index: push_n, and *index becomes the position of the first of them, as in
     * push_index.
     */
    VF_INLINED std::size_t push_n_index(const T *values, std::size_t n, std::size_t *index) noexcept
    {
        return in::self_push_n_index(&buffer_, values, n, index);
    }

    /* S_count_about: about how many elements there are. Any thread, beside pushes and flips. */
    VF_INLINED std::size_t count_about() const noexcept
    {
        return in::self_count_about(&buffer_);
    }

    /* ---- exclusive access from here on ---- */

    /* S_push_exclusive: push without an atomic operation. */
    VF_INLINED bool push_exclusive(T &&value) noexcept
    {
        return in::self_push_exclusive(&buffer_, static_cast<T &&>(value));
    }
    /* The same of a copy. */
    VF_INLINED bool push_exclusive(const T &value)
    {
        return in::self_push_exclusive(&buffer_, value);
    }

    /* S_count: how many elements there are. */
    VF_INLINED std::size_t count() const noexcept
    {
        return in::self_count(&buffer_);
    }
    /* S_capacity: for how many there is room without the allocator. */
    VF_INLINED std::size_t capacity() const noexcept
    {
        return in::self_capacity(&buffer_);
    }
    /* S_refused: how many were refused since the last drain. */
    VF_INLINED std::size_t refused() const noexcept
    {
        return in::self_refused(&buffer_);
    }
    /* S_reserve: the next n pushes can neither fail nor allocate. False and ENOMEM. */
    VF_INLINED bool reserve(std::size_t n) noexcept
    {
        return in::self_reserve(&buffer_, n);
    }
    /* S_span: the run of elements that begins with the one of that number; empty at the end. Reads
       without removing. */
    VF_INLINED run<const T> span(std::size_t from) const noexcept
    {
        run<const T> found = {nullptr, 0};
        found.count = in::self_span(&buffer_, from, &found.elements);
        return found;
    }
    /* S_clear: destroys all elements, keeps the memory. */
    VF_INLINED void clear() noexcept
    {
        in::self_clear(&buffer_);
    }
    /* S_trim: gives memory back, but keeps room for so many; how many bytes. */
    VF_INLINED std::size_t trim(std::size_t keep) noexcept
    {
        return in::self_trim(&buffer_, keep);
    }

    /* Takes all elements out, as a range of runs; the buffer is empty from here on. Exclusive
       access as long as the result lives. */
    VF_INLINED drain_type drain() noexcept
    {
        return drain_type(*this);
    }

    /* ---- with flip ---- */

    /* S_flip_begin: pushes that begin from now on go to the other bank, and flip_done gives those
       of this one. */
    VF_INLINED void flip_begin() noexcept
    {
        static_assert(flips, "flip_begin is for small_buffer<T, N, veryfast::flip>");
        in::self_flip_begin(&buffer_);
    }
    /* S_flip_done: what flip_begin has begun to take, or nothing while a push into it is still in
       flight: ask again later. Never waits. */
    VF_INLINED std::optional<drain_type> flip_done() noexcept
    {
        static_assert(flips, "flip_done is for small_buffer<T, N, veryfast::flip>");
        typename in::self_drain begun;
        if (in::self_flip_done(&buffer_, &begun))
            return std::optional<drain_type>(std::in_place, begun);
        return std::nullopt;
    }
    /* S_flip: takes all elements while others push, and waits for pushes in flight. One drainer at
       a time. */
    VF_INLINED drain_type flip() noexcept
    {
        static_assert(flips, "flip is for small_buffer<T, N, veryfast::flip>");
        return drain_type(in::self_flip(&buffer_));
    }
    /* S_flip_try: the same, or nothing where it would have to wait; with lanes it has begun then.
     */
    VF_INLINED std::optional<drain_type> try_flip() noexcept
    {
        static_assert(flips, "try_flip is for small_buffer<T, N, veryfast::flip>");
        typename in::self_drain begun;
        if (in::self_flip_try(&buffer_, &begun))
            return std::optional<drain_type>(std::in_place, begun);
        return std::nullopt;
    }

    /* S_wait: sleeps until there is something, or wake is called: true; at most so many
       nanoseconds, < 0: for ever. One waiter at a time. */
    VF_INLINED bool wait(std::int64_t timeout_ns = -1) noexcept
    {
        static_assert(flips, "wait is for small_buffer<T, N, veryfast::flip>");
        return in::self_wait(&buffer_, timeout_ns);
    }
    /* S_wake: ends the present or the next wait. Any thread. */
    VF_INLINED void wake() noexcept
    {
        static_assert(flips, "wake is for small_buffer<T, N, veryfast::flip>");
        in::self_wake(&buffer_);
    }
    /* S_fork_child: for the child of a fork, whose other threads are gone; a bank with a push of
       theirs in flight is given up. */
    VF_INLINED void fork_child() noexcept
    {
        static_assert(flips, "fork_child is for small_buffer<T, N, veryfast::flip>");
        in::self_fork_child(&buffer_);
    }

    class writer;

  private:
    friend struct smallbuf_functions<small_buffer>;

    typename in::self buffer_ = {};
};

/*
 * A producer that pushes much: it takes runs of slots, and so has cache lines of its own to fill.
 * Not with flip. One thread at a time; closed by its destructor, before exclusive access begins.
 */
template <typename T, std::size_t N, int Kind> class small_buffer<T, N, Kind>::writer
{
    static_assert(!flips, "a writer is for a small_buffer without flip");

  public:
    /* S_writer_open: takes nothing yet, never fails. */
    VF_INLINED explicit writer(small_buffer &of) noexcept
    {
        in::self_writer_open(&writer_, &of.buffer_);
    }
    /* S_writer_open_keyed: what it pushes is drained by ascending key, behind what has none. */
    VF_INLINED writer(small_buffer &of, std::uint64_t key) noexcept
    {
        in::self_writer_open_keyed(&writer_, &of.buffer_, key);
    }
    /* push, through the writer. */
    VF_INLINED bool push(T &&value) noexcept
    {
        return in::self_writer_push(&writer_, static_cast<T &&>(value));
    }
    /* The same of a copy, which is made before anything else, and may throw. */
    VF_INLINED bool push(const T &value)
    {
        return in::self_writer_push(&writer_, value);
    }
    /* S_writer_push_index: push, and *index becomes the number of the element's slot; 0: this one
       has made the buffer non-empty. */
    VF_INLINED bool push_index(T &&value, std::size_t *index) noexcept
    {
        return in::self_writer_push_index(&writer_, static_cast<T &&>(value), index);
    }
    /* The same of a copy. */
    VF_INLINED bool push_index(const T &value, std::size_t *index)
    {
        return in::self_writer_push_index(&writer_, value, index);
    }
    /* push of an element made from the arguments, beside the buffer. */
    template <typename... Arguments> VF_INLINED bool emplace(Arguments &&...arguments)
    {
        return push(detail::made<T>(std::forward<Arguments>(arguments)...));
    }
    /* S_writer_close: gives back what it has not used; the writer may be used again. */
    VF_INLINED void close() noexcept
    {
        in::self_writer_close(&writer_);
    }

  private:
    typename in::self_writer writer_;
};

/* How a drain calls the buffer. */
template <typename T, std::size_t N, int Kind> struct smallbuf_functions<small_buffer<T, N, Kind>> {
    using in = detail::buffer_members<T, N, Kind>; /* the buffer's instance */
    using drain = typename in::self_drain;         /* its drain */
    using element = T;                             /* VF_T */
    /* S_drain_begin. */
    VF_INLINED static drain drain_begin(small_buffer<T, N, Kind> *buffer) noexcept
    {
        return in::self_drain_begin(&buffer->buffer_);
    }
    /* S_drain_span. */
    VF_INLINED static std::size_t drain_span(drain *from, T **elements) noexcept
    {
        return in::self_drain_span(from, elements);
    }
    /* S_drain_end. */
    VF_INLINED static void drain_end(drain *from) noexcept
    {
        in::self_drain_end(from);
    }
    /* S_drain_next. */
    VF_INLINED static bool drain_next(drain *from, T *value)
    {
        return in::self_drain_next(from, value);
    }
    /* S_drain_split. */
    VF_INLINED static std::size_t drain_split(drain *from, drain parts[], std::size_t n) noexcept
    {
        return in::self_drain_split(from, parts, n);
    }
    /* S_drain_refused. */
    VF_INLINED static std::size_t drain_refused(const drain *from) noexcept
    {
        static_assert((Kind & flip) != 0,
                      "a drain's refused is for small_buffer<T, N, veryfast::flip>");
        return in::self_drain_refused(from);
    }
    /* S_drain_end_trim. */
    VF_INLINED static std::size_t drain_end_trim(drain *from, std::size_t keep) noexcept
    {
        static_assert((Kind & flip) != 0,
                      "a drain's end_trim is for small_buffer<T, N, veryfast::flip>");
        return in::self_drain_end_trim(from, keep);
    }
};

} // namespace veryfast

#endif
