/* SPDX-License-Identifier: MIT */
// test_containers.cpp - node containers of every kind on veryfast's allocators do the same as on
// the standard one, under random operations, also where each allocation fails in turn.
#undef NDEBUG
#include <cassert>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <forward_list>
#include <list>
#include <map>
#include <memory>
#include <memory_resource>
#include <new>
#include <set>
#include <string>
#include <thread>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <vector>
#include <veryfast/veryfast.hpp>

// Fails the fail_at-th allocation of each kind from now on, counted down; 0: none.
static long fail_at;

static bool fails()
{
    return fail_at > 0 && --fail_at == 0;
}

static void *allocate(void *, std::size_t size, std::size_t alignment)
{
    return fails() ? nullptr : ::operator new(size, std::align_val_t(alignment), std::nothrow);
}

static void deallocate(void *, void *memory, std::size_t, std::size_t alignment)
{
    ::operator delete(memory, std::align_val_t(alignment));
}

// An upstream that fails too.
class failing_resource : public std::pmr::memory_resource
{
    void *do_allocate(std::size_t size, std::size_t alignment) override
    {
        if (fails())
            throw std::bad_alloc();
        return std::pmr::new_delete_resource()->allocate(size, alignment);
    }
    void do_deallocate(void *memory, std::size_t size, std::size_t alignment) override
    {
        std::pmr::new_delete_resource()->deallocate(memory, size, alignment);
    }
    bool do_is_equal(const std::pmr::memory_resource &other) const noexcept override
    {
        return this == &other;
    }
};

// veryfast::allocator, of which each allocation may fail as if memory were out.
template <typename T> struct failing_allocator : veryfast::allocator<T> {
    failing_allocator() = default;
    template <typename U> failing_allocator(const failing_allocator<U> &) noexcept
    {
    }
    template <typename U> struct rebind {
        using other = failing_allocator<U>;
    };
    T *allocate(std::size_t n)
    {
        if (fails())
            throw std::bad_alloc();
        return veryfast::allocator<T>::allocate(n);
    }
};

static std::uint64_t seed = 1;

static unsigned random_below(unsigned n)
{
    seed = seed * 6364136223846793005u + 1442695040888963407u;
    return static_cast<unsigned>(seed >> 33) % n;
}

// ---- one spelling for what the containers call differently ----

template <typename V> V value_of(unsigned key)
{
    if constexpr (std::is_constructible_v<V, int, std::string>)
        return V(static_cast<int>(key), std::string(key % 40, 'v'));
    else
        return static_cast<V>(key);
}

template <typename C, typename = void> constexpr bool is_associative = false;
template <typename C> constexpr bool is_associative<C, std::void_t<typename C::key_type>> = true;
template <typename C, typename = void> constexpr bool is_forward_list = false;
template <typename C>
constexpr bool is_forward_list<C, std::void_t<decltype(std::declval<C>().before_begin())>> = true;

template <typename C> void insert(C &c, unsigned key)
{
    auto value = value_of<typename C::value_type>(key);
    if constexpr (is_associative<C>)
        c.insert(std::move(value));
    else
        c.push_front(std::move(value));
}

template <typename C> void erase(C &c, unsigned key)
{
    if constexpr (is_associative<C>)
        c.erase(static_cast<typename C::key_type>(key));
    else if (c.begin() != c.end())
        c.pop_front();
}

// One of the operations, on c or its companion.
template <typename C> void operate(C &c, C &other, unsigned what, unsigned key)
{
    switch (what) {
    case 0:
        c.clear();
        break;
    case 1: {
        C copy(c, c.get_allocator());
        c.swap(copy);
        break;
    }
    case 2:
        c.swap(other);
        break;
    case 3:
        if (std::distance(c.begin(), c.end()) < 100)
            c = other;
        break;
    case 4:
        if constexpr (is_associative<C>) {
            c.merge(other);
        } else if constexpr (is_forward_list<C>) {
            c.splice_after(c.before_begin(), other);
        } else {
            c.splice(c.begin(), other);
        }
        break;
    case 5:
        if constexpr (is_associative<C>) {
            auto node = c.extract(static_cast<typename C::key_type>(key));
            if (node)
                other.insert(std::move(node));
        } else {
            c.remove(value_of<typename C::value_type>(key));
        }
        break;
    case 6:
    case 7:
    case 8:
    case 9:
        erase(c, key);
        break;
    default:
        insert(c, key);
    }
}

template <typename A, typename B> bool are_same(const A &a, const B &b)
{
    if constexpr (is_associative<A>) {
        if (a.size() != b.size())
            return false;
        for (auto &each : b) {
            const auto &key = [&]() -> const auto &
            {
                if constexpr (std::is_same_v<typename B::key_type, typename B::value_type>)
                    return each;
                else
                    return each.first;
            }
            ();
            if (a.count(key) != b.count(key))
                return false;
        }
        return true;
    } else {
        return std::equal(a.begin(), a.end(), b.begin(), b.end());
    }
}

// The same operations on both; where one of ours fails it has changed nothing, and is tried again.
template <typename Ours, typename Standard> void run(Ours &ours, Ours &ours_too, long every)
{
    Standard theirs, theirs_too;
    for (int i = 0; i < 400; i++) {
        unsigned what = random_below(26), key = random_below(60);
        // a node that is extracted is lost where its new container cannot grow, with any allocator
        fail_at = what == 4 || what == 5 ? 0 : every;
        try {
            operate(ours, ours_too, what, key);
        } catch (const std::bad_alloc &) {
            fail_at = 0;
            if (what >= 6) // of the others, some promise less
                assert(are_same(ours, theirs));
            if (what == 3)
                ours.clear();
            operate(ours, ours_too, what, key);
        }
        fail_at = 0;
        operate(theirs, theirs_too, what, key);
        assert(are_same(ours, theirs) && are_same(ours_too, theirs_too));
    }
}

template <template <typename> class A, typename T> using list = std::list<T, A<T>>;
template <template <typename> class A, typename T> using forward_list = std::forward_list<T, A<T>>;
template <template <typename> class A, typename T> using set = std::set<T, std::less<T>, A<T>>;
template <template <typename> class A, typename T>
using multiset = std::multiset<T, std::less<T>, A<T>>;
template <template <typename> class A, typename T>
using unordered_set = std::unordered_set<T, std::hash<T>, std::equal_to<T>, A<T>>;
template <template <typename> class A, typename T>
using unordered_multiset = std::unordered_multiset<T, std::hash<T>, std::equal_to<T>, A<T>>;
template <template <typename> class A, typename T>
using map = std::map<T, std::string, std::less<T>, A<std::pair<const T, std::string>>>;
template <template <typename> class A, typename T>
using multimap = std::multimap<T, std::string, std::less<T>, A<std::pair<const T, std::string>>>;
template <template <typename> class A, typename T>
using unordered_map = std::unordered_map<T, std::string, std::hash<T>, std::equal_to<T>,
                                         A<std::pair<const T, std::string>>>;
template <template <typename> class A, typename T>
using unordered_multimap = std::unordered_multimap<T, std::string, std::hash<T>, std::equal_to<T>,
                                                   A<std::pair<const T, std::string>>>;

template <typename T> using pmr_allocator = std::pmr::polymorphic_allocator<T>;

template <template <template <typename> class, typename> class Container> void try_all()
{
    using standard = Container<std::allocator, int>;
    {
        Container<veryfast::allocator, int> first, second;
        run<decltype(first), standard>(first, second, 0);
    }
    for (long every = 1; every <= 12; every++) {
        Container<failing_allocator, int> first, second;
        run<decltype(first), standard>(first, second, every);
    }
    for (long every = 1; every <= 12; every++) {
        failing_resource upstream;
        vf_pool_options options = {};
        options.allocator.alloc = allocate;
        options.allocator.dealloc = deallocate;
        veryfast::memory_resource nodes(&upstream, options);
        {
            Container<pmr_allocator, int> first(&nodes), second(&nodes);
            run<decltype(first), standard>(first, second, every);
        }
        assert(nodes.bytes() > 0);
        nodes.trim();
    }
}

// ---- the resource itself ----

static void every_size_has_its_pool()
{
    failing_resource upstream;
    veryfast::memory_resource nodes(&upstream);
    assert(nodes.bytes() == 0 && nodes.is_equal(nodes));
    std::size_t upstreams = 0;
    for (std::size_t alignment = 1; alignment <= 256; alignment *= 2) {
        for (std::size_t size = 0; size <= 5000; size += 1 + size / 16) {
            void *first = nodes.allocate(size, alignment);
            void *second = nodes.allocate(size, alignment);
            assert(reinterpret_cast<std::uintptr_t>(first) % alignment == 0);
            assert(reinterpret_cast<std::uintptr_t>(second) % alignment == 0);
            for (std::size_t i = 0; i < size; i++)
                static_cast<char *>(first)[i] = static_cast<char *>(second)[i] = 'x';
            upstreams += size > 4096 || alignment > 64 ? 2 : 0;
            assert(nodes.passed_on() == upstreams);
            nodes.deallocate(first, size, alignment);
            nodes.deallocate(second, size, alignment);
        }
    }
    static_assert(veryfast::detail::size_class(4096, 64) == veryfast::detail::size_classes - 1, "");
    for (std::size_t size = 1; size <= 4096; size++) {
        std::size_t number = veryfast::detail::size_class(size, 1);
        assert(veryfast::detail::class_size(number) >= size);
        assert(number == 0 || veryfast::detail::class_size(number - 1) < size);
    }
    vf_pool_options cap = {};
    cap.max_objects = 2;
    veryfast::memory_resource capped(&upstream, cap);
    std::pmr::list<int> two({1, 2}, &capped);
    try {
        two.push_back(3);
        assert(false);
    } catch (const std::bad_alloc &) {
        assert(two.size() == 2);
    }
}

// ---- the allocator itself ----

struct alignas(128) wide {
    explicit wide(int n) : number(n)
    {
    }
    int number;
};

static void allocators_are_one()
{
    veryfast::allocator<int> ints;
    veryfast::allocator<wide> wides(ints);
    assert(ints == wides && !(ints != wides));
    static_assert(std::allocator_traits<veryfast::allocator<int>>::is_always_equal::value, "");
    auto shared = std::allocate_shared<wide>(wides, 7);
    assert(shared->number == 7);
    assert(reinterpret_cast<std::uintptr_t>(shared.get()) % 128 == 0);
    std::thread([&] { shared.reset(); }).join();

    std::vector<int, veryfast::allocator<int>> array(100000, 7); // from operator new
    array.push_back(8);
    assert(array.front() + array.back() == 15);
    std::vector<int, veryfast::allocator<int>> single(1);
    assert(single[0] == 0);

    using node = std::pair<const long, long>;
    std::map<long, long, std::less<long>, veryfast::allocator<node>> first, second;
    for (long i = 0; i < 1000; i++)
        first[i] = i;
    second = std::move(first);
    assert(second.size() == 1000 && second[999] == 999);

    // lives longer than main, and is given back by a destructor after it
    static std::list<std::string, veryfast::allocator<std::string>> late;
    late.emplace_back("static");

    veryfast::allocator<wide>::value_type *object = wides.allocate(1);
    assert(veryfast::allocator<wide>::stats().live == 1);
    wides.deallocate(object, 1);
    assert(veryfast::allocator<wide>::stats().live == 0);
}

int main()
{
    allocators_are_one();
    every_size_has_its_pool();
    try_all<list>();
    try_all<forward_list>();
    try_all<set>();
    try_all<multiset>();
    try_all<unordered_set>();
    try_all<unordered_multiset>();
    try_all<map>();
    try_all<multimap>();
    try_all<unordered_map>();
    try_all<unordered_multimap>();
}
