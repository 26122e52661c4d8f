/* SPDX-License-Identifier: MIT */
// pools.cpp - veryfast::pool: no macros, objects that never move, owners of 8 bytes, walks.
#undef NDEBUG
#include <atomic>
#include <cassert>
#include <cerrno>
#include <cstdint>
#include <mutex>
#include <string>
#include <thread>
#include <type_traits>
#include <utility>
#include <vector>
#include <veryfast/veryfast.hpp>

// Can be neither moved nor copied, and counts.
struct session {
    explicit session(int of) : user(of)
    {
#ifdef __cpp_exceptions
        if (of < 0)
            throw of;
#endif
        alive++;
    }
    ~session()
    {
        alive--;
    }
    static std::atomic<int> alive;
    std::mutex lock;
    std::atomic<int> holders{1};
    int user;
};
std::atomic<int> session::alive;

static void objects_are_made_in_their_place()
{
    veryfast::pool<session, 64> sessions;
    session *first = sessions.emplace(1);
    assert(first->user == 1 && first->holders == 1 && sessions.owns(first));
    auto second = sessions.make(2);
    static_assert(sizeof second == sizeof(void *), "");
    assert(second->user == 2 && session::alive == 2 && sessions.stats().live == 2);
    assert(sessions.stats().batch_objects == 64);
    sessions.destroy(nullptr);
    sessions.destroy(first);
    second.reset();
    assert(session::alive == 0 && sessions.stats().live == 0);
#ifdef __cpp_exceptions
    for (int i = 0; i < 3; i++) {
        try {
            if (i == 0)
                sessions.emplace(-1);
            else if (i == 1)
                sessions.make(-1);
            else
                decltype(sessions)::cache(sessions).emplace(-1);
            assert(false);
        } catch (int) {
            assert(session::alive == 0 && sessions.stats().live == 0);
        }
    }
#endif
    assert(sessions.reserve(1000) && sessions.stats().capacity >= 1000);
    assert(sessions.trim() > 0 && sessions.stats().capacity < 1000);
    for (int i = 0; i < 100; i++)
        sessions.emplace(i);
    assert(session::alive == 100);
    // and the pool's destructor destroys them
}

static void caps_and_options()
{
    vf_pool_options options = {};
    options.max_objects = 2;
    veryfast::pool<std::string> names(options);
    auto tea = names.make("tea");
    auto salt = names.make(3, 's');
    errno = 0;
    assert(names.emplace("too much") == nullptr && errno == ENOMEM);
    assert(names.make("too much") == nullptr && *tea == "tea" && *salt == "sss");
    std::string *taken = names.emplace(names.take(tea.release()));
    assert(*taken == "tea");
    names.destroy(taken);

    options.max_objects = static_cast<std::size_t>(-1);
    veryfast::pool<int> none(options, std::nothrow);
    assert(!none && errno == EINVAL);
#ifdef __cpp_exceptions
    try {
        veryfast::pool<int> wrong(options);
        assert(false);
    } catch (const std::invalid_argument &) {
    }
#endif
}

static void pools_move_and_are_released()
{
    veryfast::pool<session> first;
    static_assert(!std::is_copy_constructible<veryfast::pool<session>>::value, "");
    static_assert(std::is_nothrow_move_constructible<veryfast::pool<session>>::value, "");
    auto owner = first.make(1);
    veryfast::pool<session> second = std::move(first);
    assert(!first && second.owns(owner.get()));
    first = std::move(second);
    assert(first && !second && first.stats().live == 1);
    swap(first, second);
    assert(second);
    second.release();
    assert(!second && owner->user == 1);
    std::thread([&] { owner.reset(); }).join(); // and the memory goes with it
    assert(session::alive == 0);
    second.release(); // of none
}

struct node; // incomplete where the pool is a member
struct tree {
    veryfast::pool<node> nodes;
    node *root = nullptr;
};
struct node {
    int key;
    node *left, *right;
};

class secret // whose type only it can name
{
    struct entry {
        int number;
    };
    veryfast::pool<entry> entries;

  public:
    int number()
    {
        return entries.make(42)->number;
    }
};

struct alignas(256) wide {
    unsigned char byte;
};
struct large {
    char bytes[200000];
};
namespace
{
struct own {
    char bytes[3];
};
} // namespace

static void types_of_all_kinds()
{
    tree of;
    of.root = of.nodes.emplace(node{7, nullptr, nullptr});
    of.root->left = of.nodes.emplace(3, nullptr, nullptr); // an aggregate
    assert(of.root->left->key == 3 && of.nodes.stats().live == 2);
    assert(of.nodes.stats().batch_objects == 65536 / sizeof(node));
    assert(secret().number() == 42);
    veryfast::pool<wide> wides;
    assert(reinterpret_cast<std::uintptr_t>(wides.emplace()) % 256 == 0);
    assert(reinterpret_cast<std::uintptr_t>(wides.emplace()) % 256 == 0);
    veryfast::pool<large> larges;
    assert(larges.emplace() != nullptr && larges.stats().batch_objects == 1);
    veryfast::pool<own> owns;
    veryfast::pool<char> chars;
    assert(owns.emplace() != nullptr && *chars.emplace('x') == 'x');
    assert(*veryfast::pool<int *>().make(nullptr) == nullptr);
}

static void bulk()
{
    veryfast::pool<session, 64> sessions;
    session *all[300];
    assert(sessions.emplace_n(all, 300, 7) == 300 && session::alive == 300);
    assert(all[0]->user == 7 && all[299]->user == 7 && sessions.stats().live == 300);
    all[1]->user = 8;
    int objects = 0, sum = 0;
    session *last = nullptr;
    assert(sessions.each([&](session &each) {
        assert(last < &each); // by address
        last = &each;
        objects++;
        sum += each.user;
    }));
    assert(objects == 300 && sum == 2101);
    sessions.destroy(all[5]);
    all[5] = nullptr;
    sessions.destroy_n(all, 100);
    assert(session::alive == 200 && sessions.stats().live == 200);
    assert(sessions.each([&](session &each) { sessions.destroy(&each); }));
    assert(session::alive == 0 && sessions.stats().live == 0);
#ifdef __cpp_exceptions
    int visits = 0;
    try {
        assert(sessions.emplace_n(all, 10, 1) == 10);
        sessions.each([&](session &) { throw ++visits; });
        assert(false);
    } catch (int) {
        assert(visits == 1 && session::alive == 10);
    }
    sessions.destroy_n(all, 10);
    struct third { // throws when it is made for the third time
        explicit third(int *count) : made(count)
        {
            if (++*made == 3)
                throw 3;
        }
        ~third()
        {
            --*made;
        }
        int *made;
    };
    int made = 0;
    veryfast::pool<third> thirds;
    third *some[5];
    try {
        thirds.emplace_n(some, 5, &made);
        assert(false);
    } catch (int) {
        assert(made == 1 && thirds.stats().live == 0); // the one that was never made
    }
#endif
    vf_pool_options options = {};
    options.max_objects = 3;
    veryfast::pool<std::string> names(options);
    std::string *few[5];
    errno = 0;
    assert(names.emplace_n(few, 5, 40, 'x') == 3 && errno == ENOMEM);
    assert(*few[2] == std::string(40, 'x'));
    names.destroy_n(few, 3);
    assert(names.stats().live == 0);
}

static void caches_are_held()
{
    veryfast::pool<session> sessions;
    veryfast::pool<session>::cache cache(sessions);
    session *first = cache.emplace(1);
    auto moved = std::move(cache);
    session *second = moved.emplace(2);
    assert(first->user + second->user == 3 && sessions.stats().live == 2);
    moved.destroy(first);
    sessions.destroy(second);
    assert(sessions.stats().live == 0 && session::alive == 0);
}

static void live_objects_are_a_range()
{
    veryfast::pool<session, 100> sessions;
    std::vector<session *> all;
    for (int i = 0; i < 1000; i++)
        all.push_back(sessions.emplace(i));
    for (int i = 0; i < 1000; i += 3)
        sessions.destroy(all[static_cast<std::size_t>(i)]);
    int sum = 0, objects = 0;
    for (session &each : sessions.walk()) {
        sum += each.user;
        objects++;
    }
    assert(objects == 666 && sum == 999 * 1000 / 2 - 3 * 333 * 334 / 2);
    int parts = 0;
    for (std::size_t part = 0; part < 7; part++) {
        for (session &each : sessions.walk(part, 7)) {
            (void)each;
            parts++;
        }
    }
    assert(parts == 666);
    for (session &each : veryfast::walk(sessions)) {
        if (each.user % 2 == 0)
            sessions.destroy(&each);
    }
#if defined(__cpp_lib_ranges) && (!defined(__clang__) || __clang_major__ >= 16)
    static_assert(std::ranges::input_range<veryfast::objects<session>>);
    static_assert(std::ranges::view<veryfast::objects<session>>);
    auto odd_users = sessions.walk() |
                     std::views::transform([](session &each) { return each.user; }) |
                     std::views::filter([](int user) { return user < 100; });
    int few = 0;
    for (int user : odd_users)
        few += user % 2;
    assert(few == 33);
#endif
    assert(sessions.stats().live == 333);
}

static void handles_find_objects_again()
{
    veryfast::pool<session, 50, veryfast::handles> sessions;
    std::vector<veryfast::handle<session>> all;
    for (int i = 0; i < 200; i++)
        all.push_back(sessions.handle_of(sessions.emplace(i)));
    assert(sessions.get(all[7])->user == 7 && all[7] != all[8]);
    sessions.destroy(sessions.get(all[7]));
    assert(sessions.get(all[7]) == nullptr && !sessions.destroy(all[7]));
    assert(sessions.destroy(all[8]) && !sessions.destroy(all[8]));
    veryfast::pool<session, 50, veryfast::handles>::unique_ptr owner(sessions.get(all[9]));
    owner.reset();
    {
        decltype(sessions)::cache cache(sessions);
        cache.destroy(sessions.get(all[10]));
        session *unpublished = cache.emplace(1000);
        int walked = 0;
        auto range = sessions.walk();
        for (auto at = range.begin(); at != range.end(); ++at) {
            assert(sessions.get(at.handle()) == &*at && at->user < 1000);
            walked++;
        }
        assert(walked == 196);
        cache.destroy(unpublished);
    }
    for (auto each : {all[7], all[8], all[9], all[10]})
        assert(sessions.get(each) == nullptr);
    assert(sessions.get({0}) == nullptr && sessions.get({12345}) == nullptr);
    session *again = sessions.emplace(7); // of the number that another had
    assert(sessions.get(all[7]) == nullptr && sessions.get(sessions.handle_of(again)) == again);
    assert(sessions.stats().live == 197 && session::alive == 197);

    session *some[20];
    assert(sessions.emplace_n(some, 20, 1) == 20);
    auto first = sessions.handle_of(some[0]);
    sessions.destroy_n(some, 20);
    assert(sessions.get(first) == nullptr && sessions.stats().live == 197);
    veryfast::pool<int, 50, veryfast::handles> numbers; // without a destructor
    int *two[2];
    assert(numbers.emplace_n(two, 2) == 2 && *two[0] == 0);
    auto number = numbers.handle_of(two[1]);
    numbers.destroy_n(two, 2);
    assert(numbers.get(number) == nullptr && numbers.stats().live == 0);
#ifdef VF_HAS_EPOCH
    number = numbers.handle_of(numbers.emplace(3));
    assert(numbers.destroy_deferred(number) && numbers.get(number) == nullptr);
    assert(!numbers.destroy_deferred(number));
    numbers.epoch_barrier();
    assert(numbers.stats().live == 0);
#endif
}

static void threads_share_a_pool()
{
    veryfast::pool<session> sessions;
    static std::atomic<session *> passed[10000];
    std::thread maker([&] {
        int i = 0;
        for (auto &place : passed)
            place.store(sessions.emplace(i++));
    });
    int i = 0;
    for (auto &place : passed) {
        while (place.load() == nullptr)
            std::this_thread::yield();
        veryfast::pool<session>::unique_ptr owner(place.load());
        assert(owner->user == i++);
    }
    maker.join();
    assert(sessions.stats().live == 0 && session::alive == 0);
}

int main()
{
    objects_are_made_in_their_place();
    assert(session::alive == 0);
    caps_and_options();
    pools_move_and_are_released();
    types_of_all_kinds();
    bulk();
    assert(session::alive == 0);
    caches_are_held();
    live_objects_are_a_range();
    assert(session::alive == 0);
    handles_find_objects_again();
    assert(session::alive == 0);
    threads_share_a_pool();
}
