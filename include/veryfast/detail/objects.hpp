/* SPDX-License-Identifier: MIT */
/*
 * objects.hpp - the live objects of a pool as a range, for pool.hpp and instances.hpp.
 */
#ifndef VF_DETAIL_OBJECTS_HPP
#define VF_DETAIL_OBJECTS_HPP

#include <cstddef>
#include <iterator>
#if defined(__has_include) && __cplusplus >= 202002L
#    if __has_include(<ranges>)
#        include <ranges>
#    endif
#endif

#include <veryfast/detail/object.hpp>

namespace veryfast
{

namespace detail
{
#ifdef __cpp_lib_ranges
using view_base = std::ranges::view_base;
#else
struct view_base {
};
#endif
} // namespace detail

/*
 * All live objects of a pool, or one part of them, as a range that is walked once: P_walk_begin and
 * P_walk_part. The object that the iterator is at may be destroyed. In C++20 it is a view.
 */
template <typename T> class objects : public detail::view_base
{
  public:
    VF_CPP_CALL objects(vf_pool_core *pool, std::size_t part, std::size_t parts) noexcept
    {
        vf_pool_call(walk_begin, pool, &walk_, part, parts);
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
        VF_CPP_CALL explicit iterator(vf_walk *walk) noexcept
            : walk_(walk), at_(static_cast<T *>(vf_pool_call(walk_next, walk)))
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
        VF_CPP_CALL iterator &operator++() noexcept
        {
            at_ = static_cast<T *>(vf_pool_call(walk_next, walk_));
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

} // namespace veryfast

#endif
