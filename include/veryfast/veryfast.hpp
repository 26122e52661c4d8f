/* SPDX-License-Identifier: MIT */
/*
 * veryfast.hpp - the containers in C++, as owners and ranges. Optional: pool.h and
 * smallbuf.h are made for C++ as they are. Needs C++17, neither exceptions nor RTTI.
 *
 *     #define VF_T       order
 *     #define VF_N       256
 *     #define VF_DROP(p) (p)->~order()
 *     #include <veryfast/pool.h>
 *     VF_CPP_POOL(pool_order_256)                  // so that templates find its functions
 *
 *     auto pool = veryfast::make_pool<pool_order_256>();
 *     auto order = veryfast::make(pool.get(), "tea", 2);  // a unique_ptr, empty if out of memory
 *
 *     #define VF_T order
 *     #define VF_N 6
 *     #include <veryfast/smallbuf.h>
 *     VF_CPP_SMALLBUF(smallbuf_order_6)
 *
 *     for (auto span : veryfast::drain(buffer))    // takes all out; runs of elements
 *         for (order &each : span)
 *             ship(std::move(each));
 *
 * Both macros stand behind their instance, outside of all namespaces, once in a program's header.
 */
#ifndef VF_VERYFAST_HPP
#define VF_VERYFAST_HPP

#include <cstddef>
#include <iterator>
#include <memory>
#include <type_traits>
#include <utility>

#include <veryfast/allocator.hpp>
#include <veryfast/pool.hpp>
#include <veryfast/ranges.hpp>
#include <veryfast/smallbuf.hpp>
#include <veryfast/veryfast.h>

/* Owners, a memory resource and ranges, for instances that VF_CPP_POOL or VF_CPP_SMALLBUF names. */
namespace veryfast
{

/* An instance's functions by its type; VF_CPP_POOL and VF_CPP_SMALLBUF make them. */
template <typename P> struct pool_functions;

/* VF_T of a pool's instance. */
template <typename P> using pool_element = typename pool_functions<P>::element;

namespace detail
{

/* Is the pool one with VF_DECLARE? Then it has no vf_put_back. */
template <typename P, typename = void> inline constexpr bool is_declared = true;
template <typename P>
inline constexpr bool is_declared<
    P, std::void_t<decltype(vf_put_back(std::declval<P *>(), std::declval<pool_element<P> *>()))>> =
    false;

} // namespace detail

/* ---- a pool and its objects ---- */

/* P_release, for the owner of a pool. */
template <typename P> struct release {
    /* What the owner calls. */
    void operator()(P *pool) const noexcept
    {
        pool_functions<P>::release(pool);
    }
};

/* A pool that is released with its owner. Live objects stay valid. */
template <typename P> using unique_pool = std::unique_ptr<P, release<P>>;

/* P_new; empty, and errno says why, where there is no memory or the options make no sense. */
template <typename P> unique_pool<P> make_pool(const vf_pool_options *options = nullptr) noexcept
{
    return unique_pool<P>(pool_functions<P>::make(options));
}

/* P_free, for the owner of an object: VF_DROP, which is to call the destructor if there is one. */
template <typename P> struct free_to {
    P *pool; /* the object's */

    /* What the owner calls. */
    void operator()(pool_element<P> *object) const noexcept
    {
        pool_functions<P>::free(pool, object);
    }
};

/* An object that goes back to its pool with its owner, on whichever thread. */
template <typename P> using unique_object = std::unique_ptr<pool_element<P>, free_to<P>>;

/*
 * An object of the pool made from the arguments, in its place; empty and ENOMEM where there is no
 * memory or the cap is reached. Where the constructor throws, the pool is as it was. (With
 * VF_DECLARE the object is made beside the pool, and then pushed.)
 */
template <typename P, typename... Arguments>
unique_object<P> make(P *pool, Arguments &&...arguments)
{
    using element = pool_element<P>;
    if constexpr (detail::is_declared<P>) {
        element value = detail::made<element>(std::forward<Arguments>(arguments)...);
        return {pool_functions<P>::push(pool, std::move(value)), free_to<P>{pool}};
    } else {
        element *object = pool_functions<P>::alloc(pool);
        if (object != nullptr) {
            vf_unmade<P, element> unmade(pool, object);
            detail::make_at<element>(object, std::forward<Arguments>(arguments)...);
            unmade.made();
        }
        return {object, free_to<P>{pool}};
    }
}

/* P_walk_begin of an instance as a range: for (order &each : veryfast::walk(pool)). */
template <typename P> objects<pool_element<P>> walk(P *pool) noexcept
{
    return objects<pool_element<P>>(reinterpret_cast<vf_pool_core *>(pool), 0, 1);
}

#if __has_include(<memory_resource>)
/*
 * A pool as a memory resource, for the nodes of std::pmr::list, map and the like: what fits into an
 * object of the pool is one, whatever its type. All else is for the upstream resource, where one is
 * given, and counted; otherwise it is std::bad_alloc, as it is where the pool has no more objects.
 * The pool must be without VF_DROP, and outlive the resource.
 *
 *     struct alignas(16) node { unsigned char bytes[64]; };    // VF_T of the pool
 *
 * Any number of threads at once, if upstream can do that too.
 */
template <typename P> class pool_resource : public std::pmr::memory_resource
{
  public:
    /* Both must outlive it. */
    explicit pool_resource(
        P *pool, std::pmr::memory_resource *upstream = std::pmr::null_memory_resource()) noexcept
        : pool_(pool), upstream_(upstream)
    {
    }

    /* How many allocations were not for the pool. Any thread. */
    std::size_t passed_on() const noexcept
    {
        return passed_on_.load(std::memory_order_relaxed);
    }

  private:
    using element = pool_element<P>;
    static_assert(std::is_trivially_destructible_v<element>,
                  "a pool_resource hands out plain memory: VF_T may not have a destructor");
    static_assert(alignof(element) >= alignof(std::max_align_t),
                  "a pool_resource would hand out nothing: VF_T needs alignas(std::max_align_t)");

    static constexpr bool fits(std::size_t size, std::size_t alignment) noexcept
    {
        return size <= sizeof(element) && alignment <= alignof(element);
    }

    void *do_allocate(std::size_t size, std::size_t alignment) override
    {
        if (!fits(size, alignment)) {
            passed_on_.fetch_add(1, std::memory_order_relaxed);
            return upstream_->allocate(size, alignment);
        }
        if (void *object = pool_functions<P>::alloc(pool_))
            return object;
        /* throws instead of this file, which may be compiled without exceptions */
        return std::pmr::null_memory_resource()->allocate(size, alignment);
    }

    void do_deallocate(void *memory, std::size_t size, std::size_t alignment) override
    {
        if (fits(size, alignment))
            pool_functions<P>::free(pool_, static_cast<element *>(memory));
        else
            upstream_->deallocate(memory, size, alignment);
    }

    bool do_is_equal(const std::pmr::memory_resource &other) const noexcept override
    {
        return this == &other;
    }

    P *pool_;
    std::pmr::memory_resource *upstream_;
    std::atomic<std::size_t> passed_on_ = 0;
};
#endif

} // namespace veryfast

/* Has the templates above find the functions of the pool P. */
#define VF_CPP_POOL(P)                                                                             \
    template <> struct veryfast::pool_functions<P> {                                               \
        using element = std::remove_pointer_t<decltype(P##_alloc(nullptr))>;                       \
        static P *make(const vf_pool_options *options) noexcept                                    \
        {                                                                                          \
            return P##_new(options);                                                               \
        }                                                                                          \
        static void release(P *pool) noexcept                                                      \
        {                                                                                          \
            P##_release(pool);                                                                     \
        }                                                                                          \
        static element *alloc(P *pool) noexcept                                                    \
        {                                                                                          \
            return P##_alloc(pool);                                                                \
        }                                                                                          \
        template <typename T> static element *push(P *pool, T &&value)                             \
        {                                                                                          \
            return P##_push(pool, static_cast<T &&>(value));                                       \
        }                                                                                          \
        static void free(P *pool, element *object) noexcept                                        \
        {                                                                                          \
            P##_free(pool, object);                                                                \
        }                                                                                          \
    };

/* The same for the small buffer S. */
#define VF_CPP_SMALLBUF(S)                                                                         \
    template <> struct veryfast::smallbuf_functions<S> {                                           \
        using drain = S##_drain;                                                                   \
        using element = std::remove_pointer_t<decltype(drain::at)>;                                \
        static drain drain_begin(S *buffer) noexcept                                               \
        {                                                                                          \
            return S##_drain_begin(buffer);                                                        \
        }                                                                                          \
        static std::size_t drain_span(drain *from, element **elements) noexcept                    \
        {                                                                                          \
            return S##_drain_span(from, elements);                                                 \
        }                                                                                          \
        static void drain_end(drain *from) noexcept                                                \
        {                                                                                          \
            S##_drain_end(from);                                                                   \
        }                                                                                          \
        static std::size_t drain_split(drain *from, drain parts[], std::size_t n) noexcept         \
        {                                                                                          \
            return S##_drain_split(from, parts, n);                                                \
        }                                                                                          \
        /* templates, since an instance may be without these */                                    \
        template <typename Drain> static bool drain_next(Drain *from, element *value)              \
        {                                                                                          \
            return S##_drain_next(from, value);                                                    \
        }                                                                                          \
        template <typename Drain> static std::size_t drain_refused(const Drain *from) noexcept     \
        {                                                                                          \
            return S##_drain_refused(from);                                                        \
        }                                                                                          \
        template <typename Drain>                                                                  \
        static std::size_t drain_end_trim(Drain *from, std::size_t keep) noexcept                  \
        {                                                                                          \
            return S##_drain_end_trim(from, keep);                                                 \
        }                                                                                          \
    };

#endif
