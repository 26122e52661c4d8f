/* SPDX-License-Identifier: MIT */
// buffers.cpp - veryfast::small_buffer: no macros, pushes that move only on success, drains as
// ranges.
#undef NDEBUG
#include <atomic>
#include <cassert>
#include <cerrno>
#include <memory>
#include <string>
#include <thread>
#include <type_traits>
#include <utility>
#include <vector>
#include <veryfast/veryfast.hpp>

typedef std::unique_ptr<int> job;

// Counts what is alive.
struct order {
    explicit order(int n) : number(n)
    {
#ifdef __cpp_exceptions
        if (n < 0)
            throw n;
#endif
        alive++;
    }
    order(const order &other) : order(other.number)
    {
    }
    order(order &&other) noexcept : number(other.number)
    {
        alive++;
    }
    ~order()
    {
        alive--;
    }
    static std::atomic<int> alive;
    const int number;
};
std::atomic<int> order::alive;

// Can be neither moved nor copied.
struct session {
    explicit session(int of) noexcept : user(of)
    {
    }
    std::atomic<int> holders{1};
    int user;
};

static veryfast::small_buffer<order, 4> before_main; // initialised before any constructor runs
static bool pushed_early = before_main.emplace(1);

static void refused_values_stay()
{
    static const vf_smallbuf_options two = {{}, 2, 0};
    veryfast::small_buffer<job, 2> jobs(two);
    assert(jobs.push(job(new int(1))) && jobs.push(nullptr));
    job mine(new int(3));
    assert(!jobs.push(std::move(mine)) && errno == ENOMEM && *mine == 3);
    std::size_t index;
    assert(!jobs.push_index(std::move(mine), &index) && *mine == 3);
    assert(!jobs.push_exclusive(std::move(mine)) && *mine == 3);
    {
        veryfast::small_buffer<job, 2>::writer writer(jobs);
        assert(!writer.push(std::move(mine)) && *mine == 3);
    }
    assert(jobs.count() == 2 && jobs.refused() == 4 && !jobs.reserve(1));
    jobs.clear();
    assert(jobs.push(std::move(mine)) && mine == nullptr);

    veryfast::small_buffer<job, 2, veryfast::flip> flipped(two);
    mine.reset(new int(4));
    assert(flipped.push(nullptr) && flipped.emplace(new int(5)));
    assert(!flipped.push(std::move(mine)) && *mine == 4);
}

static void drains_are_ranges()
{
    veryfast::small_buffer<order, 6> buffer;
    static_assert(!std::is_copy_constructible<decltype(buffer)>::value, "");
    static_assert(!std::is_move_constructible<decltype(buffer)>::value, "");
    const order five(5);
    std::size_t index;
    assert(buffer.push_index(five, &index) && index == 0);
    assert(buffer.emplace(6) && buffer.push(order(7)) && buffer.push_exclusive(five));
    for (int i = 0; i < 96; i++)
        assert(buffer.push(order(i)));
    assert(buffer.count() == 100 && order::alive == 101);
    std::size_t seen = 0;
    for (auto run = buffer.span(0); run.size() > 0; run = buffer.span(seen))
        seen += run.size();
    assert(seen == 100 && buffer.span(0).begin()->number == 5);

    int sum = 0, runs = 0;
    for (auto run : buffer.drain()) {
        runs++;
        for (order &each : run)
            sum += each.number;
    }
    assert(sum == 5 + 6 + 7 + 5 + 95 * 96 / 2 && runs > 1 && buffer.count() == 0);
    assert(order::alive == 1);

    for (int i = 0; i < 50; i++)
        buffer.emplace(i);
    for (auto run : buffer.drain()) { // left early: the rest is destroyed
        assert(run.size() == 6);
        break;
    }
    assert(order::alive == 1 && buffer.capacity() >= 50 && buffer.trim(0) > 0);
    buffer.emplace(1);
    auto begun = buffer.drain();
    auto moved = std::move(begun);
    assert(begun.next().size() == 0 && moved.next().size() == 1 && moved.next().size() == 0);
#if defined(__cpp_lib_ranges) && (!defined(__clang__) || __clang_major__ >= 16)
    static_assert(std::ranges::input_range<decltype(moved)>);
    veryfast::small_buffer<int, 4> numbers;
    for (int i = 0; i < 20; i++)
        numbers.push(i);
    int odd = 0;
    for (int each : numbers.drain() | std::views::join |
                        std::views::filter([](int number) { return number % 2 != 0; }))
        odd += each;
    assert(odd == 100 && numbers.count() == 0);
#endif
}

#ifdef __cpp_exceptions
static void constructors_that_throw_leave_nothing()
{
    veryfast::small_buffer<order, 2> buffer;
    for (int i = 0; i < 3; i++) {
        try {
            buffer.emplace(1);
            buffer.emplace(2);
            veryfast::small_buffer<order, 2>::writer writer(buffer);
            writer.emplace(3);
            if (i == 0)
                writer.emplace(-1); // the writer is closed
            writer.close();
            buffer.emplace(-1);
            assert(false);
        } catch (int) {
            assert(buffer.count() == 3 && order::alive == 3);
        }
        int expected = 1;
        for (auto run : buffer.drain()) {
            for (order &each : run)
                assert(each.number == expected++);
        }
        assert(expected == 4 && order::alive == 0);
    }
}
#endif

static void unmovable_types_are_made_in_their_place()
{
    veryfast::small_buffer<session, 3> sessions;
    for (int i = 0; i < 10; i++)
        assert(sessions.emplace(i));
    int next = 0;
    for (auto run : sessions.drain()) {
        for (session &each : run)
            assert(each.user == next++ && each.holders == 1);
    }
    assert(next == 10);
}

static void flips_beside_pushes()
{
    static veryfast::small_buffer<long, 8, veryfast::flip> buffer;
    std::atomic<int> running{2};
    std::vector<std::thread> threads;
    for (int i = 0; i < 2; i++) {
        threads.emplace_back([&] {
            for (long n = 1; n <= 20000; n++)
                assert(buffer.push(n));
            running--;
        });
    }
    long sum = 0;
    bool last = false;
    while (!last) {
        last = running == 0;
        for (auto run : buffer.flip()) {
            for (long each : run)
                sum += each;
        }
        if (auto begun = buffer.try_flip()) {
            for (auto run : *begun) {
                for (long each : run)
                    sum += each;
            }
        }
    }
    for (std::thread &each : threads)
        each.join();
    for (auto run : buffer.drain()) {
        for (long each : run)
            sum += each;
    }
    assert(sum == 2L * 20000 * 20001 / 2);
}

static void flips_begin_and_end()
{
    veryfast::small_buffer<order, 4, veryfast::flip> buffer;
    for (int i = 0; i < 100; i++)
        assert(buffer.push(order(i)));
    assert(buffer.count_about() == 100);
    buffer.flip_begin();
    assert(buffer.count_about() == 0 && buffer.push(order(1000)));
    auto begun = buffer.flip_done();
    assert(begun && begun->next().size() == 4);
    assert(begun->refused() == 0 && begun->end_trim(0) > 0);
    assert(begun->end_trim(0) == 0 && begun->next().size() == 0);
    assert(order::alive == 1 && buffer.count() == 1);

    static const vf_smallbuf_options two = {{}, 2, 0};
    veryfast::small_buffer<int, 2, veryfast::flip> numbers(two);
    assert(numbers.push(1) && numbers.push(2) && !numbers.push(3));
    auto taken = numbers.flip();
    int number;
    assert(taken.refused() == 1 && taken.next(number) && number == 1);
    assert(taken.next().size() == 1 && !taken.next(number));
    numbers.fork_child();
    assert(numbers.push(4) && numbers.count() == 1);
}

static void elements_are_drained_singly()
{
    veryfast::small_buffer<job, 2> jobs;
    std::size_t index;
    for (int i = 0; i < 10; i++)
        assert(jobs.emplace_index(&index, new int(i)) && index == static_cast<std::size_t>(i));
    auto drain = jobs.drain();
    job one;
    for (int i = 0; i < 3; i++)
        assert(drain.next(one) && *one == i);
    auto rest = drain.next(); // of the run that the last one was in
    assert(*rest.elements[0] == 3);
    for (int i = 3 + static_cast<int>(rest.size()); i < 10; i++)
        assert(drain.next(one) && *one == i);
    assert(!drain.next(one) && drain.next().size() == 0);

    veryfast::small_buffer<order, 2, veryfast::flip> beside; // made beside the buffer
    assert(beside.emplace_index(&index, 1) && index == 0 && beside.emplace_index(&index, 2) &&
           index == 1);
    veryfast::small_buffer<int, 4> numbers;
    veryfast::small_buffer<int, 4>::writer writer(numbers);
    const int seven = 7;
    assert(writer.push_index(6, &index) && index == 0);
    assert(writer.push_index(seven, &index) && index == 1);
    writer.close();
    {
        veryfast::small_buffer<int, 4>::writer second(numbers, 2), first(numbers, 1);
        assert(second.push(9) && first.push(8));
    }
    int expected = 6;
    for (auto run : numbers.drain()) {
        for (int each : run)
            assert(each == expected++);
    }
    assert(expected == 10);
}

static void drains_are_divided()
{
    veryfast::small_buffer<int, 4> buffer;
    typedef veryfast::small_buffer<int, 4>::drain_type drain;
    for (int i = 0; i < 100; i++)
        assert(buffer.push(i));
    drain whole = buffer.drain();
    assert(whole.next().size() == 4);
    std::vector<drain::part> parts(3);
    assert(whole.split(parts.data(), 3) == 3 && whole.next().size() == 0);
    std::atomic<int> sum(0);
    std::vector<std::thread> threads;
    for (drain::part &part : parts) {
        threads.emplace_back([&sum, &part] {
            drain own(part);
            for (auto run : own)
                for (int each : run)
                    sum += each;
        });
    }
    for (std::thread &each : threads)
        each.join();
    assert(sum == 99 * 50 - 6);
}

static void waits_and_wakes()
{
    veryfast::small_buffer<int, 4, veryfast::flip> buffer;
    assert(!buffer.wait(0));
    buffer.wake();
    assert(buffer.wait());
    std::thread pusher([&] { buffer.push(7); });
    int seen = 0;
    while (seen == 0) {
        buffer.wait();
        for (auto run : buffer.flip())
            for (int each : run)
                seen += each;
    }
    pusher.join();
    assert(seen == 7);
}

// Beyond N in runs of their own: each thread's elements once, and in its order.
static void threads_have_lanes()
{
    typedef veryfast::small_buffer<job, 4, veryfast::lanes> laned;
    static_assert(sizeof(laned) == sizeof(veryfast::small_buffer<job, 4>), "");
    laned jobs;
    std::vector<std::thread> threads;
    for (int who = 0; who < 3; who++) {
        threads.emplace_back([&jobs, who] {
            std::size_t index;
            for (int i = 0; i < 500; i++) {
                job mine(new int(1000 * who + i));
                assert(i % 2 != 0 ? jobs.push(std::move(mine))
                                  : jobs.push_index(std::move(mine), &index));
                assert(mine == nullptr);
            }
        });
    }
    for (std::thread &each : threads)
        each.join();
    assert(jobs.push_exclusive(job(new int(3000))) && jobs.emplace(new int(3001)));
    {
        laned::writer writer(jobs);
        assert(writer.push(job(new int(4000))));
    }
    assert(jobs.count() == 1503 && jobs.count() <= jobs.count_about() && jobs.refused() == 0);
    // some by a reader, which ends no run
    std::size_t read = 0;
    for (auto run = jobs.span(0); run.size() > 0; run = jobs.span(read))
        read += run.size();
    assert(read == 1503);
    int next[5] = {0, 0, 0, 0, 0};
    laned::drain_type whole = jobs.drain();
    std::vector<laned::drain_type::part> parts(4);
    std::size_t made = whole.split(parts.data(), 4);
    for (std::size_t i = 0; i < made; i++) {
        laned::drain_type own(parts[i]);
        for (auto run : own)
            for (job &each : run)
                assert(*each % 1000 == next[*each / 1000]++);
    }
    assert(next[0] == 500 && next[1] == 500 && next[2] == 500 && next[3] == 2 && next[4] == 1);
}

static void laned_values_stay_when_refused()
{
    static const vf_smallbuf_options few = {{}, 300, 0};
    veryfast::small_buffer<job, 2, veryfast::lanes> jobs(few);
    for (int i = 0; i < 300; i++)
        assert(jobs.push(nullptr));
    job mine(new int(3));
    assert(!jobs.push(std::move(mine)) && errno == ENOMEM && *mine == 3);
    assert(!jobs.push_exclusive(std::move(mine)) && *mine == 3 && jobs.refused() == 2);
    jobs.clear(); // the rest is dropped
    assert(jobs.push(std::move(mine)) && mine == nullptr && jobs.trim(0) > 0);
}

// Both: what is drained beside pushes is each thread's, once and in its order.
static void threads_have_lanes_beside_flips()
{
    typedef veryfast::small_buffer<job, 4, veryfast::flip | veryfast::lanes> laned;
    static_assert(sizeof(laned) == sizeof(veryfast::small_buffer<job, 4, veryfast::flip>), "");
    laned jobs;
    std::vector<std::thread> threads;
    for (int who = 0; who < 3; who++) {
        threads.emplace_back([&jobs, who] {
            std::size_t index;
            for (int i = 0; i < 1000; i++) {
                job mine(new int(1000 * who + i));
                assert(i % 2 != 0 ? jobs.push(std::move(mine))
                                  : jobs.push_index(std::move(mine), &index));
                assert(mine == nullptr);
                if (i % 100 == 0)
                    std::this_thread::yield();
            }
        });
    }
    int next[3] = {0, 0, 0};
    for (int seen = 0; seen < 3000;) {
        jobs.wait();
        laned::drain_type drain = jobs.flip();
        for (auto run : drain) {
            for (job &each : run) {
                assert(*each % 1000 == next[*each / 1000]++);
                seen++;
            }
        }
        assert(drain.refused() == 0);
        drain.end_trim(0);
    }
    for (std::thread &each : threads)
        each.join();
    for (int i = 0; i < 500; i++)
        assert(jobs.emplace(new int(i)));
    assert(jobs.count() == 500 && !jobs.flip_done() && jobs.try_flip() && jobs.count() == 0);
}

static void bulk()
{
    veryfast::small_buffer<int, 4> buffer;
    std::vector<int> values(100, 7);
    assert(buffer.reserve(100) && buffer.push_n(values.data(), 100) == 100);
    assert(buffer.count() == 100 && buffer.span(99).elements[0] == 7);
    std::size_t index;
    assert(buffer.push_n_index(values.data(), 3, &index) == 3 && index == 100);
    assert(buffer.count_about() == 103);
}

int main()
{
    assert(pushed_early && before_main.count() == 1);
    before_main.clear();
    refused_values_stay();
    {
        drains_are_ranges();
    }
    assert(order::alive == 0);
#ifdef __cpp_exceptions
    constructors_that_throw_leave_nothing();
#endif
    unmovable_types_are_made_in_their_place();
    flips_beside_pushes();
    {
        flips_begin_and_end();
    }
    assert(order::alive == 0);
    elements_are_drained_singly();
    drains_are_divided();
    waits_and_wakes();
    threads_have_lanes();
    threads_have_lanes_beside_flips();
    laned_values_stay_when_refused();
    bulk();
}
