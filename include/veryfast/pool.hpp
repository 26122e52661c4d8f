/* SPDX-License-Identifier: MIT */
/*
 * pool.hpp - the pool as a class template: no macro, no instance to be named.
 *
 *     veryfast::pool<order> orders;                   // batches of about 64 KiB
 *     order *tea = orders.emplace("tea", 2);          // nullptr where there is no memory
 *     orders.destroy(tea);
 *     auto salt = orders.make("salt", 1);             // a unique_ptr of 8 bytes
 *
 * It is the pool of pool.h, over the same core: what is said there of threads, memory and costs
 * holds here too, and emplace and destroy are the machine code of P_push and P_free.
 *
 * Needs C++17, neither exceptions nor RTTI. Objects are made in their place and never moved: T may
 * be neither movable nor copyable. A constructor that throws leaves nothing behind.
 */
#ifndef VF_POOL_HPP
#define VF_POOL_HPP

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <stdexcept>
#include <type_traits>
#include <utility>

#include <veryfast/detail/object.hpp>
#include <veryfast/detail/pool_free.h>
#include <veryfast/ranges.hpp>
#include <veryfast/veryfast.h>

namespace veryfast
{

/*
 * Gives an object back to whichever pool it is of: the pool is found by the object's address, so
 * that an owner is as large as a pointer.
 */
template <typename T> struct to_its_pool {
    /* Destroys the object. Any thread, after pool::release too. */
    VF_CPP_CALL void operator()(T *object) const noexcept
    {
        vf_free(object);
    }
};

/* pool<T, N, handles>: its objects have handles. */
inline constexpr bool handles = true;

/*
 * A pool of objects of one type. N: objects in a batch; 0: as many as take about 64 KiB. T may be
 * incomplete until a member function is used. Handles: as VF_HANDLE in pool.h.
 *
 * A pool can be moved, not copied. Any thread may call what pool.h has for any thread; moving and
 * destroying it is for one thread, while no other uses it.
 */
template <typename T, std::size_t N = 0, bool Handles = false> class pool
{
  public:
    using value_type = T; /* of its objects */
    /* An owner of an object: 8 bytes. It must not outlive the pool's destructor, but may outlive
       release. */
    using unique_ptr = std::unique_ptr<T, to_its_pool<T>>;

    /*
     * P_new. Throws std::bad_alloc where there is no memory, and std::invalid_argument where the
     * options make no sense; a program without exceptions ends there, see std::nothrow_t.
     */
    pool(const vf_pool_options &options = {}) : pool(options, std::nothrow)
    {
        if (core_ == nullptr)
            fail();
    }

    /* P_new, which never throws: the pool is empty, and errno says why, where it cannot be made. */
    VF_CPP_CALL pool(const vf_pool_options &options, std::nothrow_t) noexcept
    {
        constexpr auto name = detail::name_of<pool, T>();
        const vf_pool_type type = {&vf_interface_1, name.data(),          sizeof(T), alignof(T),
                                   batch_objects(), detail::drop_of<T>(), Handles};
        core_ = vf_pool_call(new, &type, &options, sizeof options);
    }

    /* The other one is empty from here on. Objects stay where they are. */
    pool(pool &&other) noexcept : core_(std::exchange(other.core_, nullptr))
    {
    }
    /* The same; what this one had is destroyed. */
    pool &operator=(pool &&other) noexcept
    {
        pool(std::move(other)).swap(*this);
        return *this;
    }

    /* P_destroy: every live object is destroyed, and all memory given back. */
    VF_CPP_CALL ~pool()
    {
        if (core_ != nullptr)
            vf_pool_call(destroy, core_, detail::drop_of<T>());
    }

    /* Is there a pool? Not after it was moved from, released, or could not be made. */
    explicit operator bool() const noexcept
    {
        return core_ != nullptr;
    }

    /* Each has the other's objects. */
    void swap(pool &other) noexcept
    {
        std::swap(core_, other.core_);
    }
    /* a.swap(b). */
    friend void swap(pool &a, pool &b) noexcept
    {
        a.swap(b);
    }

    /*
     * P_release: gives the pool up, which is then empty. Live objects stay valid; each is
     * given back by its unique_ptr, by to_its_pool or by vf_free, and the last one releases all
     * memory.
     */
    VF_CPP_CALL void release() noexcept
    {
        if (core_ != nullptr)
            vf_pool_call(release, std::exchange(core_, nullptr));
    }

    /*
     * An object made of the arguments, in its place; nullptr and ENOMEM where there is no memory or
     * the cap is reached. Where the constructor throws, the pool is as it was. As P_push.
     */
    template <typename... Arguments>
    VF_CPP_CALL T *emplace(Arguments &&...arguments) noexcept(
        detail::is_made_without_throwing<T, Arguments...>())
    {
        void *slot = vf_pool_call(alloc, core_);
        return detail::make_in<T>(core_, slot, std::forward<Arguments>(arguments)...);
    }

    /* emplace, and the object has an owner; empty where emplace gives nullptr. */
    template <typename... Arguments> VF_CPP_CALL unique_ptr make(Arguments &&...arguments)
    {
        void *slot = vf_pool_call(alloc, core_);
        return unique_ptr(detail::make_in<T>(core_, slot, std::forward<Arguments>(arguments)...));
    }

    /*
     * P_alloc_n: n objects, each made of the same arguments, in objects[0 .. result - 1]. Fewer
     * than n: ENOMEM, and those are the caller's. Where a constructor throws, the pool is as it
     * was, and the array holds nothing.
     */
    template <typename... Arguments>
    VF_CPP_CALL std::size_t emplace_n(T *objects[], std::size_t n, const Arguments &...arguments)
    {
        std::size_t given = vf_pool_call(alloc_n, core_, objects, n);
        detail::making<T>(core_, objects, given).make_all(arguments...);
        return given;
    }

    /* Destroys the object, which goes back to the pool: P_free. nullptr is ignored. */
    VF_CPP_CALL void destroy(T *object) noexcept
    {
        vf_pool_core *core = core_; /* which the destructor leaves alone */
        if (VF_UNLIKELY(object == nullptr))
            return;
        if constexpr (!std::is_trivially_destructible_v<T>) {
            if (!vf_pool_call(may_drop, core, object))
                return;
        }
        bool goes_on = end(core, object);
        object->~T();
        put_back(core, object, goes_on);
    }

    /* P_free_n: destroys objects[0 .. n - 1], those that are nullptr ignored; all destructors run
       before the pool is touched. */
    VF_CPP_CALL void destroy_n(T *const objects[], std::size_t n) noexcept
    {
        vf_pool_core *core = core_;
        bool all_go_on = true;
        if constexpr (Handles || !std::is_trivially_destructible_v<T>) {
            for (std::size_t i = 0; i < n; i++) {
                T *object = objects[i];
                if (object == nullptr || !vf_pool_call(may_drop, core, object))
                    continue;
                all_go_on &= end(core, object);
                object->~T();
            }
        }
        if (VF_LIKELY(all_go_on))
            vf_pool_call(free_n, core, objects, n);
        else
            vf_pool_call(free_n_last, core, objects, n);
    }

    /* Moves the value out of the object, which goes back to the pool: P_take. Where the move
       throws, nothing has changed. */
    VF_CPP_CALL T take(T *object)
    {
        vf_pool_call(look, core_, object);
        T value(std::move(*object));
        bool goes_on = end(core_, object);
        object->~T();
        put_back(core_, object, goes_on);
        return value;
    }

    /* ---- with handles ---- */

    /* P_handle_of: publishes a live object, which is filled by now. */
    VF_CPP_CALL handle<T> handle_of(const T *object) noexcept
    {
        static_assert(Handles, "handles are for pool<T, N, veryfast::handles>");
        return {vf_pool_call(publish, core_, object, batch_objects(), sizeof(T))};
    }

    /* P_get: nullptr where that object is gone. Any thread, beside any call. */
    VF_CPP_CALL T *get(handle<T> of) const noexcept
    {
        static_assert(Handles, "handles are for pool<T, N, veryfast::handles>");
        const vf_pool_core *core = core_;
        return static_cast<T *>(vf_pool_call(get, core, of.bits, batch_objects(), sizeof(T)));
    }

    /* P_free_handle: destroys the object if it is still there; of several callers one gets true. */
    VF_CPP_CALL bool destroy(handle<T> of) noexcept
    {
        static_assert(Handles, "handles are for pool<T, N, veryfast::handles>");
        bool goes_on;
        auto object = static_cast<T *>(vf_pool_call(claim_handle, core_, of.bits, &goes_on));
        if (object == nullptr || !vf_pool_call(may_drop, core_, object))
            return false;
        object->~T();
        put_back(core_, object, goes_on);
        return true;
    }

    /* P_reserve: n more objects without asking the allocator. False and ENOMEM. */
    VF_CPP_CALL bool reserve(std::size_t n) noexcept
    {
        return vf_pool_call(reserve, core_, n);
    }

    /* P_trim: gives back what holds no live object; how many bytes. */
    VF_CPP_CALL std::size_t trim() noexcept
    {
        return vf_pool_call(trim, core_);
    }

    /* P_stats. */
    VF_CPP_CALL vf_pool_stats stats() const noexcept
    {
        vf_pool_stats stats;
        vf_pool_call(stats, core_, &stats, sizeof stats);
        return stats;
    }

    /* P_owns: is this the address of a slot of this pool? Any pointer at all will do. */
    VF_CPP_CALL bool owns(const void *object) const noexcept
    {
        return vf_pool_call(owns, core_, object);
    }

    /*
     * P_each: calls visit(object) for every live object, a T &, by ascending address. It may
     * destroy the object. False and ENOMEM, and no object was visited. Where visit throws, that was
     * the last call, and the exception goes on. No other thread may be inside a call on the pool.
     */
    template <typename Visit> VF_CPP_CALL bool each(Visit &&visit)
    {
        vf_walk begun;
        if (!vf_pool_call(each_begin, core_, &begun))
            return false;
        const detail::each_end end(&begun);
        vf_walk walk = begun; /* which the core does not know, so that it can be in registers */
        while (void *object = vf_pool_call(each_next, &walk))
            visit(*static_cast<T *>(object));
        return true;
    }

    /*
     * All live objects, or one of so many parts of them, as a range: P_walk_begin, P_walk_part. No
     * other thread may be inside a call on the pool but other parts of the walk; nothing is made
     * meanwhile, and only the object that the walk is at is destroyed.
     *
     *     for (order &each : orders.walk())
     *
     * With handles it may go on beside all other calls, and gives what is published.
     */
    objects<T, Handles> walk() noexcept
    {
        return objects<T, Handles>(core_, 0, 1);
    }
    /* 0 <= part < parts; all parts are begun before an object is destroyed in any. */
    objects<T, Handles> walk(std::size_t part, std::size_t parts) noexcept
    {
        return objects<T, Handles>(core_, part, parts);
    }

#ifdef VF_HAS_EPOCH
    /* P_free_deferred: destroys the object after a grace period. False and EAGAIN. */
    VF_CPP_CALL bool destroy_deferred(T *object) noexcept
    {
        return object == nullptr ||
               vf_pool_call(free_deferred, core_, object, detail::drop_of<T>());
    }
    /* P_free_handle_deferred: the same of the handle's object, if it is still there. False: it is
       gone; or, with EAGAIN, it is as it was. */
    VF_CPP_CALL bool destroy_deferred(handle<T> of) noexcept
    {
        static_assert(Handles, "handles are for pool<T, N, veryfast::handles>");
        return vf_pool_call(free_handle_deferred, core_, of.bits, detail::drop_of<T>());
    }

    /* P_epoch_barrier. */
    VF_CPP_CALL void epoch_barrier() noexcept
    {
        vf_pool_call(epoch_barrier, core_);
    }
#endif

    class cache;

  private:
    static constexpr std::size_t batch_objects() noexcept
    {
        return N != 0 ? N : sizeof(T) < VF_BATCH_BYTES ? VF_BATCH_BYTES / sizeof(T) : 1;
    }

    /* No handle leads any more to an object that is about to be freed. False: its slot has had its
       last generation. */
    static VF_INLINED bool end(vf_pool_core *core, const T *object) noexcept
    {
        if constexpr (Handles)
            return vf_pool_call(unpublish, core, object, batch_objects(), sizeof(T));
        else
            return true;
    }
    static VF_INLINED void put_back(vf_pool_core *core, T *object, bool goes_on) noexcept
    {
        if (!Handles || VF_LIKELY(goes_on))
            vf_pool_call(free, core, object);
        else
            vf_pool_call(free_last, core, object);
    }

    [[noreturn]] static void fail()
    {
#ifdef __cpp_exceptions
        if (errno == EINVAL)
            throw std::invalid_argument("veryfast::pool: the options make no sense");
#endif
        detail::throw_bad_alloc();
    }

    vf_pool_core *core_;
};

/*
 * A cache that is held by its owner, for job systems, fibres and hot loops: P_cache. It saves the
 * look-up of the thread's own. One thread at a time; may outlive the pool's release, not its
 * destructor.
 */
template <typename T, std::size_t N, bool Handles> class pool<T, N, Handles>::cache
{
  public:
    /* P_cache_new. Throws std::bad_alloc where there is no memory. */
    explicit cache(pool &of) : cache_(vf_pool_call(cache_new, of.core_)), core_(of.core_)
    {
        if (cache_ == nullptr)
            detail::throw_bad_alloc();
    }
    /* The other one is empty from here on. */
    cache(cache &&other) noexcept : cache_(std::exchange(other.cache_, nullptr)), core_(other.core_)
    {
    }
    /* Each has the other's. */
    cache &operator=(cache &&other) noexcept
    {
        std::swap(cache_, other.cache_);
        std::swap(core_, other.core_);
        return *this;
    }
    /* P_cache_release: its free objects go back to the pool. */
    VF_CPP_CALL ~cache()
    {
        if (cache_ != nullptr)
            vf_pool_call(cache_release, cache_);
    }

    /* pool::emplace, from the cache. */
    template <typename... Arguments>
    VF_CPP_CALL T *emplace(Arguments &&...arguments) noexcept(
        detail::is_made_without_throwing<T, Arguments...>())
    {
        void *slot = vf_pool_call(cache_alloc, cache_);
        return detail::make_in<T>(core_, slot, std::forward<Arguments>(arguments)...);
    }

    /* pool::destroy, into the cache. */
    VF_CPP_CALL void destroy(T *object) noexcept
    {
        if (VF_UNLIKELY(object == nullptr))
            return;
        if constexpr (!std::is_trivially_destructible_v<T>) {
            if (!vf_pool_call(cache_may_drop, cache_, object))
                return;
        }
        bool goes_on = true;
        if constexpr (Handles)
            goes_on = vf_pool_call(cache_unpublish, cache_, object, batch_objects(), sizeof(T));
        object->~T();
        if (VF_LIKELY(goes_on))
            vf_pool_call(cache_free, cache_, object);
        else
            vf_pool_call(cache_free_last, cache_, object);
    }

  private:
    vf_cache *cache_;
    vf_pool_core *core_;
};

/* pool::walk. */
template <typename T, std::size_t N, bool Handles>
objects<T, Handles> walk(pool<T, N, Handles> &of) noexcept
{
    return of.walk();
}

} // namespace veryfast

#endif
