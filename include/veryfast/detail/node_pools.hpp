/* SPDX-License-Identifier: MIT */
/*
 * node_pools.hpp - pools of plain memory by size, for allocator.hpp.
 */
#ifndef VF_DETAIL_NODE_POOLS_HPP
#define VF_DETAIL_NODE_POOLS_HPP

#include <atomic>
#include <cstddef>
#include <cstdio>

#include <veryfast/detail/object.hpp>
#include <veryfast/detail/pool_free.h>

namespace veryfast::detail
{

/* Behind that a pool gains nothing. */
inline constexpr std::size_t largest_node = 4096;

/* ---- made at first use ---- */

/* A pool of objects of that size; nullptr: out of memory. */
inline vf_pool_core *new_pool(std::size_t size, std::size_t alignment,
                              const vf_pool_options &options) noexcept
{
    char name[64];
    std::snprintf(name, sizeof name, "nodes of %zu bytes, aligned to %zu", size, alignment);
    const vf_pool_type type = {&vf_interface_1,       name,    size, alignment,
                               VF_BATCH_BYTES / size, nullptr, false};
    return vf_pool_call(new, &type, &options, sizeof options);
}

/* The pool, which is made if it is not there. Any thread; of two that make it, one gives up. */
inline vf_pool_core *get_pool(std::atomic<vf_pool_core *> &where, std::size_t size,
                              std::size_t alignment, const vf_pool_options &options) noexcept
{
    /* acquire: pairs with the release below: the pool was made before */
    vf_pool_core *there = where.load(std::memory_order_acquire);
    if (VF_LIKELY(there != nullptr))
        return there;
    vf_pool_core *made = new_pool(size, alignment, options);
    if (made == nullptr)
        return nullptr;
    if (where.compare_exchange_strong(there, made, std::memory_order_acq_rel,
                                      std::memory_order_acquire))
        return made;
    vf_pool_call(release, made);
    return there;
}

/* ---- the program's, by the size of a type ---- */

/*
 * Hidden: a plug-in may have another copy of the library in it, and may be unloaded. So each shared
 * object has pools of its own; what is given back finds the right one by its address. They stay to
 * the end of the program.
 */
template <std::size_t size, std::size_t alignment> struct VF_HIDDEN program_pool {
    static inline std::atomic<vf_pool_core *> pool = nullptr;
};

template <typename T> constexpr bool is_for_pools() noexcept
{
    return sizeof(T) <= largest_node && alignof(T) <= largest_node;
}

/* The pool that nodes of type T come from. */
template <typename T> struct pool_of_nodes {
    static constexpr std::size_t alignment =
        alignof(T) < sizeof(void *) ? sizeof(void *) : alignof(T);
    static constexpr std::size_t size = (sizeof(T) + alignment - 1) / alignment * alignment;

    static vf_pool_core *get() noexcept
    {
        return get_pool(program_pool<size, alignment>::pool, size, alignment, {});
    }
    static vf_pool_core *known() noexcept
    {
        return program_pool<size, alignment>::pool.load(std::memory_order_acquire);
    }
};

/* ---- sizes at run time ---- */

/* By steps of 16 up to 128, then four for each doubling: 16, 32, ... 128, 160, 192, 224, 256, 320
   ... 4096. */
inline constexpr std::size_t size_classes = 28;

constexpr std::size_t class_size(std::size_t number) noexcept
{
    return number < 8 ? 16 * (number + 1) : (number % 4 + 5) << (number / 4 + 3);
}

/* A multiple of it is each size in the class, up to a cache line. */
constexpr std::size_t class_alignment(std::size_t size) noexcept
{
    std::size_t alignment = size & (~size + 1);
    return alignment < 64 ? alignment : 64;
}

/* The least class for it; size_classes: there is none. */
constexpr std::size_t size_class(std::size_t size, std::size_t alignment) noexcept
{
    std::size_t number = 0;
    if (size > largest_node || alignment > 64)
        return size_classes;
    if (size <= 128) {
        number = size == 0 ? 0 : (size - 1) / 16;
    } else {
        std::size_t doubling = 0; /* size is in (64 << doubling, 128 << doubling] */
        while (size > std::size_t{128} << doubling)
            doubling++;
        std::size_t step = std::size_t{16} << doubling;
        number = 4 * (doubling + 1) + (size - (std::size_t{64} << doubling) - 1) / step;
    }
    while (class_alignment(class_size(number)) < alignment)
        number++;
    return number;
}

} // namespace veryfast::detail

#endif
