/* SPDX-License-Identifier: MIT */
/*
 * object.hpp - what the headers for C++ share: objects made in their place, names of types.
 */
#ifndef VF_DETAIL_OBJECT_HPP
#define VF_DETAIL_OBJECT_HPP

#if !defined(__cplusplus) || __cplusplus < 201703L
#    error "veryfast.hpp needs C++17"
#endif

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdlib>
#include <new>
#include <string_view>
#include <type_traits>
#include <utility>

#include <veryfast/detail/cplusplus.h>
#include <veryfast/detail/pool_core.h>

/* A member function that tells a checked build the place that it was called from. */
#ifdef VF_CHECKED
#    define VF_CPP_CALL VF_NOINLINE
#else
#    define VF_CPP_CALL
#endif

/* The slot of a pool whose object was not made: see vf_unmade. */
inline void vf_put_back(vf_pool_core *pool, void *slot) noexcept
{
    vf_pool_call(free, pool, slot);
}

namespace veryfast::detail
{

/* For calls that report by an exception. Without exceptions the program ends. */
[[noreturn]] inline void throw_bad_alloc()
{
#ifdef __cpp_exceptions
    throw std::bad_alloc();
#else
    std::abort();
#endif
}

/* Arguments are converted where the caller gives them, and that is its own affair. */
VF_CONVERSIONS_BEGIN

/* Made from the arguments, be it an aggregate. */
template <typename T, typename... Arguments> T *make_at(void *slot, Arguments &&...arguments)
{
    if constexpr (std::is_constructible_v<T, Arguments &&...>)
        return ::new (slot) T(std::forward<Arguments>(arguments)...);
    else
        return ::new (slot) T{std::forward<Arguments>(arguments)...};
}

template <typename T, typename... Arguments> T made(Arguments &&...arguments)
{
    if constexpr (std::is_constructible_v<T, Arguments &&...>)
        return T(std::forward<Arguments>(arguments)...);
    else
        return T{std::forward<Arguments>(arguments)...};
}

VF_CONVERSIONS_END

template <typename T, typename... Arguments> constexpr bool is_made_without_throwing() noexcept
{
    if constexpr (std::is_constructible_v<T, Arguments &&...>)
        return std::is_nothrow_constructible_v<T, Arguments &&...>;
    else
        return noexcept(T{std::declval<Arguments &&>()...});
}

/* The slot is an alloc's, or NULL; where the constructor throws, it goes back. */
template <typename T, typename... Arguments>
T *make_in(vf_pool_core *pool, void *slot, Arguments &&...arguments)
{
    if (VF_UNLIKELY(slot == nullptr))
        return nullptr;
    vf_unmade<vf_pool_core, void> unmade(pool, slot);
    T *object = make_at<T>(slot, std::forward<Arguments>(arguments)...);
    unmade.made();
    return object;
}

/* Slots of an alloc_n in which objects are being made. Where a constructor throws, all go back. */
template <typename T> class making
{
  public:
    making(vf_pool_core *pool, T **objects, std::size_t n) noexcept
        : pool_(pool), objects_(objects), n_(n)
    {
    }
    making(const making &) = delete;
    making &operator=(const making &) = delete;
    ~making()
    {
        if (made_ == n_)
            return;
        for (std::size_t i = 0; i < made_; i++)
            objects_[i]->~T();
        vf_pool_call(free_n, pool_, objects_, n_);
    }
    template <typename... Arguments> void make_all(const Arguments &...arguments)
    {
        for (; made_ < n_; made_++)
            make_at<T>(objects_[made_], arguments...);
    }

  private:
    vf_pool_core *pool_;
    T **objects_;
    std::size_t n_;
    std::size_t made_ = 0;
};

/* Ends a walk by address, also where a visitor throws. */
class each_end
{
  public:
    explicit each_end(const vf_walk *begun) noexcept : begun_(begun)
    {
    }
    each_end(const each_end &) = delete;
    each_end &operator=(const each_end &) = delete;
    ~each_end()
    {
        vf_pool_call(each_end, begun_);
    }

  private:
    const vf_walk *begun_;
};

/* VF_DROP of a T, as the core wants it. */
template <typename T> void drop(void *object) noexcept
{
    static_cast<T *>(object)->~T();
}

/* NULL where a destructor does nothing. */
template <typename T> constexpr auto drop_of() noexcept -> void (*)(void *)
{
    if constexpr (std::is_trivially_destructible_v<T>)
        return nullptr;
    else
        return drop<T>;
}

/* Has the name of T in it: "... [T = order]", "... [with T = order]". */
template <typename T> constexpr std::string_view signature() noexcept
{
    const std::string_view text = __PRETTY_FUNCTION__;
    const std::size_t begin = text.find("T = ") + 4;
    const std::size_t end = std::min(text.find(';', begin), text.rfind(']'));
    return text.substr(begin, end - begin);
}

/*
 * The name of a pool, for reports: "veryfast::pool<order, 64>". A checked build takes two pools of
 * one name for the same; types without linkage may share theirs, so the size is added to it.
 */
template <typename P, typename T> constexpr auto name_of() noexcept
{
    constexpr std::string_view text = signature<P>();
    constexpr bool has_linkage = text.find("anonymous") == text.npos && text.find(')') == text.npos;
    std::array<char, text.size() + 24> name = {};
    std::size_t at = 0;
    for (char each : text)
        name[at++] = each;
    if (!has_linkage) {
        name[at++] = '/';
        std::size_t power = 1;
        while (sizeof(T) / power >= 10)
            power *= 10;
        for (; power != 0; power /= 10)
            name[at++] = static_cast<char>('0' + sizeof(T) / power % 10);
    }
    return name;
}

} // namespace veryfast::detail

#endif
