/* SPDX-License-Identifier: MIT */
/*
 * allocators_cpp.cpp - the pool's peers that are in C++ only, see allocator_work.h.
 */
#include "allocator_work.h"

#if HAVE_BOOST
#    include <boost/lockfree/detail/freelist.hpp>
#    include <boost/pool/pool.hpp>

#    include <memory>
#    include <mutex>

/* The list of free nodes of boost::lockfree's containers. */
static boost::lockfree::detail::freelist_stack<object> freelist{std::allocator<object>()};

#    define LOOPS boost_freelist
#    define LOOPS_USE
#    define LOOPS_ALLOC   (freelist.construct<true, false>())
#    define LOOPS_FREE(p) freelist.destruct<true>(p)
#    include "allocator_loops.h"

/* boost::pool with a mutex, as boost::singleton_pool has it. */
static boost::pool<> pool(sizeof(object));
static std::mutex pool_mutex;

static inline void *pool_alloc()
{
    std::lock_guard<std::mutex> lock(pool_mutex);
    return pool.malloc();
}

static inline void pool_free(void *memory)
{
    std::lock_guard<std::mutex> lock(pool_mutex);
    pool.free(memory);
}

#    define LOOPS boost_pool
#    define LOOPS_USE
#    define LOOPS_ALLOC   pool_alloc()
#    define LOOPS_FREE(p) pool_free(p)
#    include "allocator_loops.h"
#endif
