/* SPDX-License-Identifier: MIT */
/*
 * ranges.hpp - what walks and drains are in C++: ranges, for range-for and <ranges>.
 */
#ifndef VF_RANGES_HPP
#define VF_RANGES_HPP

#include <cstddef>
#include <cstdint>
#include <iterator>
#include <memory>
#include <type_traits>
#include <utility>
#if defined(__has_include) && __cplusplus >= 202002L
#    if __has_include(<ranges>)
#        include <ranges>
#    endif
#endif

#include <veryfast/detail/object.hpp>

namespace veryfast
{

/* ---- a pool's live objects ---- */

namespace detail
{
#ifdef __cpp_lib_ranges
using view_base = std::ranges::view_base;
#else
struct view_base {
};
#endif
} // namespace detail

/* An object that is found again, as P_handle of pool.h: plain data. bits 0: none. */
template <typename T> struct handle {
    std::uint64_t bits; /* to be stored, sent and compared */

    /* Of the same object? */
    friend constexpr bool operator==(handle a, handle b) noexcept
    {
        return a.bits == b.bits;
    }
    /* Of others? */
    friend constexpr bool operator!=(handle a, handle b) noexcept
    {
        return a.bits != b.bits;
    }
};

/*
 * All live objects of a pool, or one part of them, as a range that is walked once: P_walk_begin and
 * P_walk_part. The object that the iterator is at may be destroyed. In C++20 it is a view.
 */
template <typename T, bool Handles = false> class objects : public detail::view_base
{
  public:
    /* What walk does; 0 <= part < parts. */
    VF_CPP_CALL objects(vf_pool_core *pool, std::size_t part, std::size_t parts) noexcept
    {
        vf_walk
            walk; /* whose address goes out, so that a loop over the range has it in registers */
        vf_pool_call(walk_begin, pool, &walk, part, parts);
        walk_ = walk;
    }

    /* An input iterator. */
    class iterator
    {
      public:
        using iterator_category = std::input_iterator_tag;
        using value_type = T;
        using difference_type = std::ptrdiff_t;
        using pointer = T *;
        using reference = T &;

        iterator() = default;
        VF_CPP_CALL explicit iterator(vf_walk *walk) noexcept : walk_(walk), at_(next(walk))
        {
        }
        T &operator*() const noexcept
        {
            return *at_;
        }
        T *operator->() const noexcept
        {
            return at_;
        }
        /* P_walk_handle: of the object that it is at, as it was when it was found. */
        veryfast::handle<T> handle() const noexcept
        {
            static_assert(Handles, "handles are for pool<T, N, veryfast::handles>");
            return {walk_->given};
        }
        VF_CPP_CALL iterator &operator++() noexcept
        {
            at_ = next(walk_);
            return *this;
        }
        void operator++(int) noexcept
        {
            ++*this;
        }
        friend bool operator==(const iterator &a, const iterator &b) noexcept
        {
            return a.at_ == b.at_;
        }
        friend bool operator!=(const iterator &a, const iterator &b) noexcept
        {
            return a.at_ != b.at_;
        }

      private:
        static VF_INLINED T *next(vf_walk *walk) noexcept
        {
            if constexpr (Handles)
                return static_cast<T *>(vf_pool_call(walk_next_published, walk));
            else
                return static_cast<T *>(vf_pool_call(walk_next, walk));
        }

        vf_walk *walk_ = nullptr;
        T *at_ = nullptr; /* nullptr: at the end */
    };

    /* The first object; once. */
    iterator begin() noexcept
    {
        return iterator(&walk_);
    }
    /* No object. */
    iterator end() const noexcept
    {
        return iterator();
    }

  private:
    vf_walk walk_;
};

/* ---- a small buffer's drain ---- */

/* A small buffer's functions by its type: small_buffer has them, VF_CPP_SMALLBUF makes them. */
template <typename S> struct smallbuf_functions;

/* The type of a small buffer's elements. */
template <typename S> using smallbuf_element = typename smallbuf_functions<S>::element;

/* Elements that lie in a row. */
template <typename T> struct run {
    T *elements;       /* the first */
    std::size_t count; /* 0: none, at the end */

    /* The first, for range-for. */
    T *begin() const noexcept
    {
        return elements;
    }
    /* Behind the last. */
    T *end() const noexcept
    {
        return elements + count;
    }
    /* As of a std::span. */
    T *data() const noexcept
    {
        return elements;
    }
    /* As of a std::span. */
    std::size_t size() const noexcept
    {
        return count;
    }
};

/*
 * Takes all elements out of a small buffer, and is a range of runs, to be walked once. Needs
 * exclusive access as long as it lives, as S_drain_begin to S_drain_end do.
 *
 * A run's elements are there until the next one is asked for, and are then destroyed by their
 * destructors, not by VF_DROP: move out what is to be kept. What the walk has not come to, VF_DROP
 * has at the end.
 */
template <typename S> class drain
{
    using functions = smallbuf_functions<S>;

  public:
    using element = smallbuf_element<S>; /* VF_T */

    /* Takes all that is there: the buffer is empty from here on. */
    explicit drain(S &buffer) noexcept : drain_(functions::drain_begin(&buffer))
    {
    }
    /* One that has begun: what S_flip returns, say. */
    explicit drain(const typename functions::drain &begun) noexcept : drain_(begun)
    {
    }
    /* The other one hands out nothing from here on; no iterator of it may be used. */
    drain(drain &&other) noexcept
        : drain_(other.drain_), run_(std::exchange(other.run_, {nullptr, 0})),
          over_(std::exchange(other.over_, true))
    {
    }
    /* Each has what the other had. */
    drain &operator=(drain &&other) noexcept
    {
        std::swap(drain_, other.drain_);
        std::swap(run_, other.run_);
        std::swap(over_, other.over_);
        return *this;
    }
    /* VF_DROP for what is left. */
    ~drain()
    {
        destroy();
        if (!over_)
            functions::drain_end(&drain_);
    }

    /* The next run, empty at the end. */
    run<element> next() noexcept
    {
        destroy();
        run_.count = over_ ? 0 : functions::drain_span(&drain_, &run_.elements);
        return run_;
    }

    /* S_drain_next: moves the next element to value, by assignment; false at the end. May be mixed
       with runs. */
    bool next(element &value) noexcept(std::is_nothrow_move_assignable_v<element>)
    {
        destroy();
        return !over_ && functions::drain_next(&drain_, &value);
    }

    /* What split makes: to be made a drain by the thread that takes it. */
    using part = typename functions::drain;

    /*
     * S_drain_split: divides what is left among n threads; how many parts there are. Each is a
     * drain(parts[i]) of some thread's, and this one, which has nothing left, outlives them.
     */
    std::size_t split(part parts[], std::size_t n) noexcept
    {
        destroy();
        return over_ ? 0 : functions::drain_split(&drain_, parts, n);
    }

    /* S_drain_refused: how many were refused by the bank that it has taken. With flip. */
    std::size_t refused() const noexcept
    {
        return functions::drain_refused(&drain_);
    }

    /* S_drain_end_trim: ends the drain now, and gives memory back, but for the first chunk and room
       for so many elements; how many bytes. With flip. */
    std::size_t end_trim(std::size_t keep) noexcept
    {
        destroy();
        return std::exchange(over_, true) ? 0 : functions::drain_end_trim(&drain_, keep);
    }

    /* An input iterator over the runs. */
    class iterator
    {
      public:
        using iterator_category = std::input_iterator_tag;
        using value_type = run<element>;
        using difference_type = std::ptrdiff_t;
        using pointer = const value_type *;
        using reference = const value_type &;

        iterator() = default;
        explicit iterator(drain *of) noexcept : drain_(of)
        {
            step();
        }
        reference operator*() const noexcept
        {
            return drain_->run_;
        }
        pointer operator->() const noexcept
        {
            return &drain_->run_;
        }
        iterator &operator++() noexcept
        {
            step();
            return *this;
        }
        void operator++(int) noexcept
        {
            step();
        }
        friend bool operator==(const iterator &a, const iterator &b) noexcept
        {
            return a.drain_ == b.drain_;
        }
        friend bool operator!=(const iterator &a, const iterator &b) noexcept
        {
            return a.drain_ != b.drain_;
        }

      private:
        void step() noexcept
        {
            if (drain_->next().count == 0)
                drain_ = nullptr;
        }

        drain *drain_ = nullptr; /* NULL: at the end */
    };

    /* The first run; once. */
    iterator begin() noexcept
    {
        return iterator(this);
    }
    /* No run. */
    iterator end() noexcept
    {
        return iterator();
    }

  private:
    void destroy() noexcept
    {
        std::destroy_n(run_.elements, run_.count);
        run_.count = 0;
    }

    typename functions::drain drain_;
    run<element> run_ = {nullptr, 0};
    bool over_ = false; /* moved from, or ended by end_trim */
};

} // namespace veryfast

#endif
