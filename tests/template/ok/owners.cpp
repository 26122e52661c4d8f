/* SPDX-License-Identifier: MIT */
// owners.cpp - veryfast.hpp: owners of pools and objects, a memory resource, drains by range.
// With exceptions it also tries what throws.
#undef NDEBUG
#include <veryfast/veryfast.hpp>

#include <cassert>
#include <cerrno>
#include <list>
#include <memory>
#include <new>
#include <string>
#include <utility>

// An element that can only be moved, and counts.
struct order {
    order(std::string what, int many) : name(new std::string(std::move(what))), pieces(many)
    {
#ifdef __cpp_exceptions
        if (many < 0)
            throw 1;
#endif
        alive++;
    }
    order(order &&other) noexcept : name(std::move(other.name)), pieces(other.pieces)
    {
        alive++;
    }
    order &operator=(order &&) = default;
    ~order()
    {
        alive--;
    }

    static int alive, dropped;
    std::unique_ptr<std::string> name;
    int pieces;
};
int order::alive, order::dropped;

#define VF_T       order
#define VF_N       8
#define VF_DROP(p) (p)->~order()
#include <veryfast/pool.h>
VF_CPP_POOL(pool_order_8)

#define VF_T       order
#define VF_N       4
#define VF_DROP(p) (order::dropped++, (p)->~order())
#include <veryfast/smallbuf.h>
VF_CPP_SMALLBUF(smallbuf_order_4)

#define VF_T    order
#define VF_N    4
#define VF_NAME orders_flipped
#define VF_FLIP
#define VF_DROP(p) (p)->~order()
#include <veryfast/smallbuf.h>
VF_CPP_SMALLBUF(orders_flipped)

struct point {
    int x, y;
};
#define VF_T point
#define VF_N 16
#include <veryfast/pool.h>
VF_CPP_POOL(pool_point_16)

struct alignas(16) node {
    unsigned char bytes[64];
};
#define VF_T node
#define VF_N 32
#include <veryfast/pool.h>
VF_CPP_POOL(pool_node_32)

static int allocations; // that are not given back yet

static void *allocate(void *, size_t size, size_t alignment)
{
    allocations++;
    return ::operator new(size, std::align_val_t(alignment), std::nothrow);
}

static void deallocate(void *, void *memory, size_t, size_t alignment)
{
    allocations--;
    ::operator delete(memory, std::align_val_t(alignment));
}

static void owners_give_back()
{
    vf_pool_options options = {};
    options.allocator.alloc = allocate;
    options.allocator.dealloc = deallocate;
    options.max_objects = 2;
    auto pool = veryfast::make_pool<pool_order_8>(&options);
    assert(pool != nullptr);
    {
        auto tea = veryfast::make(pool.get(), "tea", 2);
        veryfast::unique_object<pool_order_8> salt = veryfast::make(pool.get(), "salt", 1);
        assert(*tea->name == "tea" && salt->pieces == 1 && order::alive == 2);
        assert(veryfast::make(pool.get(), "too much", 1) == nullptr && errno == ENOMEM);
        assert(order::alive == 2);
        auto moved = std::move(tea);
        assert(tea == nullptr && *moved->name == "tea");
        assert(pool_order_8_stats(pool.get()).live == 2);
    }
    assert(order::alive == 0 && pool_order_8_stats(pool.get()).live == 0);
#ifdef __cpp_exceptions
    try {
        veryfast::make(pool.get(), "thrown", -1);
        assert(false);
    } catch (int) {
        assert(pool_order_8_stats(pool.get()).live == 0);
    }
#endif
    auto last = veryfast::make(pool.get(), "outlives the handle", 1);
    pool.reset();
    assert(*last->name == "outlives the handle" && allocations > 0);
    last.reset();
    assert(allocations == 0); // the pool has gone with it

    options.max_objects = static_cast<size_t>(-1);
    assert(veryfast::make_pool<pool_order_8>(&options) == nullptr && errno == EINVAL);

    auto points = veryfast::make_pool<pool_point_16>();
    assert(veryfast::make(points.get(), 1, 2)->y == 2); // an aggregate
}

static void nodes_come_from_the_pool()
{
    vf_pool_options options = {};
    options.max_objects = 100;
    auto pool = veryfast::make_pool<pool_node_32>(&options);
    veryfast::pool_resource<pool_node_32> resource(pool.get());
    assert(resource == resource);
    assert(resource != veryfast::pool_resource<pool_node_32>(pool.get()));
    {
        std::pmr::list<int> numbers(&resource);
        for (int i = 0; i < 100; i++)
            numbers.push_back(i);
        assert(pool_node_32_owns(pool.get(), &numbers.front()) == false); // within a node
        assert(pool_node_32_stats(pool.get()).live == 100 && numbers.back() == 99);
#ifdef __cpp_exceptions
        try {
            numbers.push_back(100);
            assert(false);
        } catch (const std::bad_alloc &) {
        }
#endif
        numbers.pop_back();
        assert(pool_node_32_stats(pool.get()).live == 99);
        veryfast::pool_resource<pool_node_32> passes(pool.get(), std::pmr::new_delete_resource());
        void *large = passes.allocate(65), *straight = passes.allocate(64, 32);
        assert(pool_node_32_stats(pool.get()).live == 99 && passes.passed_on() == 2);
        passes.deallocate(large, 65);
        passes.deallocate(straight, 64, 32);
#ifdef __cpp_exceptions
        try {
            (void)resource.allocate(65); // no silent way to malloc
            assert(false);
        } catch (const std::bad_alloc &) {
        }
#endif
    }
    assert(pool_node_32_stats(pool.get()).live == 0);
}

static void drains_are_ranges()
{
    smallbuf_order_4 buffer = {};
    for (int i = 0; i < 100; i++)
        assert(smallbuf_order_4_push(&buffer, order("piece", i)));
    assert(order::alive == 100);
    int next = 0, runs = 0;
    for (auto run : veryfast::drain(buffer)) {
        assert(run.size() > 0 && run.data() == &*run.begin());
        runs++;
        for (order &each : run)
            assert(each.pieces == next++);
    }
    assert(next == 100 && runs > 1 && order::alive == 0 && order::dropped == 0);

    // left in the first run: those of the run are destroyed, the others dropped
    for (int i = 0; i < 20; i++)
        assert(smallbuf_order_4_push(&buffer, order("piece", i)));
    order kept("none", 0);
    for (auto run : veryfast::drain(buffer)) {
        assert(run.size() == 4);
        kept = std::move(run.elements[2]);
        break;
    }
    assert(kept.pieces == 2 && *kept.name == "piece" && order::alive == 1 && order::dropped == 16);

    for (auto run : veryfast::drain(buffer))
        assert(run.size() == 0);
    {
        veryfast::drain none(buffer); // begun, and never walked
        assert(none.next().size() == 0 && none.begin() == none.end());
    }
    smallbuf_order_4_destroy(&buffer);
}

static void flips_are_drains()
{
    orders_flipped buffer = {};
    for (int i = 0; i < 6; i++)
        assert(orders_flipped_push(&buffer, order("flipped", i)));
    veryfast::drain<orders_flipped> flipped(orders_flipped_flip(&buffer));
    int next = 0;
    for (auto run : flipped)
        for (order &each : run)
            assert(each.pieces == next++);
    assert(next == 6 && order::alive == 0);

    for (int i = 0; i < 50; i++)
        assert(orders_flipped_push(&buffer, order("burst", i)));
    veryfast::drain<orders_flipped> burst(orders_flipped_flip(&buffer));
    order one("none", 0);
    assert(burst.next(one) && one.pieces == 0 && burst.refused() == 0);
    assert(burst.end_trim(0) > 0 && order::alive == 1);
    orders_flipped_destroy(&buffer);
}

int main()
{
    owners_give_back();
    nodes_come_from_the_pool();
    drains_are_ranges();
    flips_are_drains();
    assert(order::alive == 0);
}
