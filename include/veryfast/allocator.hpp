/* SPDX-License-Identifier: MIT */
/*
 * allocator.hpp - pools behind the containers of the standard library.
 *
 *     std::map<int, order, std::less<int>, veryfast::allocator<std::pair<const int, order>>> book;
 *
 *     veryfast::memory_resource nodes;                    // pools of its own
 *     std::pmr::map<int, order> orders(&nodes);
 *
 * Both are for containers that allocate node by node: list, forward_list, set, map and their
 * unordered and multi kinds, and std::allocate_shared. Needs C++17.
 */
#ifndef VF_ALLOCATOR_HPP
#define VF_ALLOCATOR_HPP

#include <atomic>
#include <cstddef>
#include <memory>
#include <type_traits>
#if __has_include(<memory_resource>)
#    include <memory_resource>
#endif

#include <veryfast/detail/node_pools.hpp>
#include <veryfast/veryfast.h>

namespace veryfast
{

/*
 * An allocator for node containers. Single objects come from pools by their size, one set of pools
 * for each program or shared object: all its containers with nodes of one size use one pool. Such a
 * pool is made when it is first used, and stays to the end of the program: containers may be static
 * or thread-local. Arrays (buckets of a hash table, what a vector holds) and objects of more than
 * 4 KiB come from operator new.
 *
 * All of them are equal: memory may be given back by any, on any thread. An allocation that fails
 * throws std::bad_alloc; a program without exceptions ends there.
 */
template <typename T> class allocator
{
  public:
    using value_type = T;                   /* as the standard library has it */
    using is_always_equal = std::true_type; /* memory may be given back by any */
    /* A container that is moved takes its nodes along. */
    using propagate_on_container_move_assignment = std::true_type;

    constexpr allocator() noexcept = default;
    /* For another type of node. */
    template <typename U> constexpr allocator(const allocator<U> &) noexcept
    {
    }

    /* Room for n objects. */
    [[nodiscard]] VF_CPP_CALL T *allocate(std::size_t n)
    {
        if constexpr (detail::is_for_pools<T>()) {
            if (VF_LIKELY(n == 1)) {
                void *node = nullptr;
                if (vf_pool_core *nodes = detail::pool_of_nodes<T>::get())
                    node = vf_pool_call(alloc, nodes);
                if (VF_UNLIKELY(node == nullptr))
                    detail::throw_bad_alloc();
                return static_cast<T *>(node);
            }
        }
        return std::allocator<T>().allocate(n);
    }

    /* Gives it back. */
    VF_CPP_CALL void deallocate(T *memory, std::size_t n) noexcept
    {
        if constexpr (detail::is_for_pools<T>()) {
            if (VF_LIKELY(n == 1)) {
                vf_free(memory);
                return;
            }
        }
        std::allocator<T>().deallocate(memory, n);
    }

    /* What the pool that nodes of this size come from has: numbers for people. All zero before the
       first. */
    static vf_pool_stats stats() noexcept
    {
        vf_pool_stats stats = {};
        if (vf_pool_core *nodes = detail::pool_of_nodes<T>::known())
            vf_pool_call(stats, nodes, &stats, sizeof stats);
        return stats;
    }

    /* All are equal. */
    template <typename U>
    friend constexpr bool operator==(const allocator &, const allocator<U> &) noexcept
    {
        return true;
    }
    /* None is different. */
    template <typename U>
    friend constexpr bool operator!=(const allocator &, const allocator<U> &) noexcept
    {
        return false;
    }
};

#if __has_include(<memory_resource>) /* libc++ has it since its version 16 */
/*
 * A memory resource with pools of its own, one for each of 28 sizes up to 4 KiB, made when they are
 * first used. What is larger, or aligned to more than 64 bytes, is for the upstream resource, and
 * counted.
 *
 * Any number of threads at once, if upstream can do that too. Its destructor gives all memory of
 * its pools back, whatever is still in use: the end of a level.
 */
class memory_resource : public std::pmr::memory_resource
{
  public:
    /* Upstream must outlive it. The options are each pool's: a cap is one on each size. */
    explicit memory_resource(std::pmr::memory_resource *upstream = std::pmr::new_delete_resource(),
                             const vf_pool_options &options = {}) noexcept
        : upstream_(upstream), options_(options)
    {
    }
    memory_resource(const memory_resource &) = delete;
    memory_resource &operator=(const memory_resource &) = delete;
    ~memory_resource() override
    {
        for (auto &each : pools_)
            if (vf_pool_core *nodes = each.load(std::memory_order_relaxed))
                vf_pool_call(destroy, nodes, nullptr);
    }

    /* How many allocations were for the upstream resource. Any thread. */
    std::size_t passed_on() const noexcept
    {
        return passed_on_.load(std::memory_order_relaxed);
    }

    /* P_trim of each pool; how many bytes were given back. Any thread. */
    std::size_t trim() noexcept
    {
        std::size_t bytes = 0;
        for (auto &each : pools_)
            if (vf_pool_core *nodes = each.load(std::memory_order_acquire))
                bytes += vf_pool_call(trim, nodes);
        return bytes;
    }

    /* All memory that the pools hold, in bytes. Any thread. */
    std::size_t bytes() const noexcept
    {
        std::size_t bytes = 0;
        for (auto &each : pools_) {
            vf_pool_stats stats = {};
            if (vf_pool_core *nodes = each.load(std::memory_order_acquire))
                vf_pool_call(stats, nodes, &stats, sizeof stats);
            bytes += stats.bytes;
        }
        return bytes;
    }

  private:
    VF_CPP_CALL void *do_allocate(std::size_t size, std::size_t alignment) override
    {
        std::size_t number = detail::size_class(size, alignment);
        if (VF_UNLIKELY(number == detail::size_classes)) {
            passed_on_.fetch_add(1, std::memory_order_relaxed);
            return upstream_->allocate(size, alignment);
        }
        std::size_t rounded = detail::class_size(number);
        vf_pool_core *nodes =
            detail::get_pool(pools_[number], rounded, detail::class_alignment(rounded), options_);
        void *memory = nodes != nullptr ? vf_pool_call(alloc, nodes) : nullptr;
        if (VF_UNLIKELY(memory == nullptr))
            detail::throw_bad_alloc();
        return memory;
    }

    VF_CPP_CALL void do_deallocate(void *memory, std::size_t size, std::size_t alignment) override
    {
        std::size_t number = detail::size_class(size, alignment);
        if (VF_UNLIKELY(number == detail::size_classes))
            upstream_->deallocate(memory, size, alignment);
        else
            vf_pool_call(free, pools_[number].load(std::memory_order_relaxed), memory);
    }

    bool do_is_equal(const std::pmr::memory_resource &other) const noexcept override
    {
        return this == &other;
    }

    std::pmr::memory_resource *upstream_;
    vf_pool_options options_;
    std::atomic<std::size_t> passed_on_ = 0;
    std::atomic<vf_pool_core *> pools_[detail::size_classes] = {};
};
#endif

} // namespace veryfast

#endif
