/* SPDX-License-Identifier: MIT */
// move_only.cpp - elements of C++: moved in by push, moved out by take, destroyed by VF_DROP.
#undef NDEBUG
#include <cassert>
#include <cstddef>
#include <memory>
#include <string>
#include <utility>

static int alive;

struct only_moved {
    explicit only_moved(int n) : number(new int(n))
    {
        alive++;
    }
    only_moved(only_moved &&other) noexcept : number(other.number)
    {
        other.number = nullptr;
        alive++;
    }
    only_moved &operator=(only_moved &&) = delete;
    only_moved(const only_moved &) = delete;
    only_moved &operator=(const only_moved &) = delete;
    ~only_moved()
    {
        delete number;
        alive--;
    }

    int *number;
};

#define VF_T       only_moved
#define VF_N       64
#define VF_DROP(p) (p)->~only_moved()
#include <veryfast/pool.h>

namespace shapes
{
struct circle {
    std::string name;
};
} // namespace shapes

#define VF_T       shapes::circle
#define VF_N       10
#define VF_NAME    circles
#define VF_DROP(p) (p)->~circle()
#include <veryfast/pool.h>

// A class with an operator new of its own, which is not for us.
struct allocates_itself {
    static void *operator new(std::size_t size);
    static void operator delete(void *memory);
    int number;
};

#define VF_T allocates_itself
#define VF_N 10
#include <veryfast/pool.h>

typedef std::unique_ptr<int> owned;

#define VF_T       owned
#define VF_N       10
#define VF_DROP(p) (p)->~owned()
#include <veryfast/pool.h>

int main()
{
    pool_only_moved_64 *pool = pool_only_moved_64_new(nullptr);
    {
        only_moved *first = pool_only_moved_64_push(pool, only_moved(1));
        only_moved *second = pool_only_moved_64_push(pool, only_moved(2));
        assert(alive == 2);
        only_moved taken = pool_only_moved_64_take(pool, first);
        assert(*taken.number == 1 && alive == 2);
        pool_only_moved_64_free(pool, second);
        assert(alive == 1);
        only_moved *third = pool_only_moved_64_push(pool, std::move(taken));
        assert(taken.number == nullptr && *third->number == 1);
        pool_only_moved_64_free_n(pool, &third, 1);
        pool_only_moved_64_cache *cache = pool_only_moved_64_cache_new(pool);
        only_moved *slot = pool_only_moved_64_cache_alloc(cache); // not constructed, so not ours
        new (slot) only_moved(4);
        pool_only_moved_64_cache_free(cache, slot);
        pool_only_moved_64_cache_release(cache);
    }
    assert(alive == 0);
    pool_only_moved_64_release(pool);

    circles *round = circles_new(nullptr);
    shapes::circle *unit =
        circles_push(round, shapes::circle{"a name too long to be stored inside"});
    assert(circles_take(round, unit).name.size() > 30);
    circles_release(round);

    pool_allocates_itself_10 *others = pool_allocates_itself_10_new(nullptr);
    allocates_itself six = {6};
    pool_allocates_itself_10_free(others, pool_allocates_itself_10_push(others, six));
    pool_allocates_itself_10_release(others);

    pool_owned_10 *owners = pool_owned_10_new(nullptr);
    owned *five = pool_owned_10_push(owners, owned(new int(5)));
    assert(**five == 5);
    pool_owned_10_free(owners, five);
    pool_owned_10_release(owners);
}
