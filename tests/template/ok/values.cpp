/* SPDX-License-Identifier: MIT */
// values.cpp - pushes in C++: what is refused is still the caller's, a constructor that throws
// leaves nothing behind, and types that can be neither moved nor copied work but for what moves.
#undef NDEBUG
#include <atomic>
#include <cassert>
#include <cerrno>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <veryfast/veryfast.hpp>

typedef std::unique_ptr<int> job;

#define VF_T       job
#define VF_N       2
#define VF_NAME    jobs
#define VF_DROP(p) (p)->~job()
#define VF_KEEP
#include <veryfast/smallbuf.h>
#define VF_NAME jobs_flipped
#define VF_FLIP
#define VF_KEEP
#include <veryfast/smallbuf.h>
#define VF_NAME job_pool
#include <veryfast/pool.h>

static void refused_values_stay()
{
    const vf_smallbuf_options two = {{}, 2, 0};
    jobs buffer = {};
    jobs_init(&buffer, &two);
    job mine(new int(1));
    assert(jobs_push(&buffer, std::move(mine)) && mine == nullptr);
    assert(jobs_push(&buffer, nullptr)); // converted, as an argument by value was
    mine.reset(new int(3));
    assert(!jobs_push(&buffer, std::move(mine)) && errno == ENOMEM && *mine == 3);
    size_t index = 9;
    assert(!jobs_push_index(&buffer, std::move(mine), &index) && *mine == 3);
    assert(!jobs_push_exclusive(&buffer, std::move(mine)) && *mine == 3);
    {
        jobs_writer writer;
        jobs_writer_open(&writer, &buffer);
        assert(!jobs_writer_push(&writer, std::move(mine)) && *mine == 3);
    }
    assert(jobs_count(&buffer) == 2 && jobs_refused(&buffer) == 4);
    jobs_destroy(&buffer);

    jobs_flipped flipped = {};
    jobs_flipped_init(&flipped, &two);
    assert(jobs_flipped_push(&flipped, job()) && jobs_flipped_push(&flipped, job()));
    assert(!jobs_flipped_push(&flipped, std::move(mine)) && *mine == 3);
    jobs_flipped_destroy(&flipped);

    vf_pool_options one = {};
    one.max_objects = 1;
    job_pool *pool = job_pool_new(&one);
    job *first = job_pool_push(pool, nullptr);
    assert(first != nullptr && job_pool_push(pool, std::move(mine)) == nullptr && *mine == 3);
    job_pool_free(pool, first);
    first = job_pool_push(pool, std::move(mine));
    assert(**first == 3 && mine == nullptr);
    job_pool_destroy(pool);
}

// Counts what is alive, and throws when it is copied or moved for the fail_at-th time.
struct counted {
    explicit counted(int n) : number(n)
    {
        alive++;
    }
    counted(const counted &other) : number(other.number)
    {
        may_fail();
        alive++;
    }
    counted(const counted &&other) : number(other.number) // so a move may throw
    {
        may_fail();
        alive++;
    }
    ~counted()
    {
        alive--;
    }
    static void may_fail()
    {
#ifdef __cpp_exceptions
        if (fail_at > 0 && --fail_at == 0)
            throw 1;
#endif
    }

    static int alive, fail_at;
    const int number; // cannot be assigned
};
int counted::alive, counted::fail_at;

static int given, gone; // what profilers are told

#define VF_T           counted
#define VF_N           8
#define VF_DROP(p)     (p)->~counted()
#define VF_ON_ALLOC(p) ((void)(p), given++)
#define VF_ON_FREE(p)  ((void)(p), gone++)
#include <veryfast/pool.h>
VF_CPP_POOL(pool_counted_8)

// The same, but moves cannot fail: an element of a small buffer.
struct steady : counted {
    using counted::counted;
    steady(const steady &) = default;
    steady(steady &&other) noexcept : counted(other.number)
    {
    }
};

#define VF_T       steady
#define VF_N       4
#define VF_DROP(p) (p)->~steady()
#include <veryfast/smallbuf.h>
VF_CPP_SMALLBUF(smallbuf_steady_4)

#ifdef __cpp_exceptions
template <typename Call> static bool throws(int fail_at, Call call)
{
    counted::fail_at = fail_at;
    bool thrown = false;
    try {
        call();
    } catch (int) {
        thrown = true;
    }
    counted::fail_at = 0;
    return thrown;
}

static void visit_and_throw(counted *object, void *visits)
{
    ++*static_cast<int *>(visits);
    if (object->number == 2)
        throw 2;
}

static void constructors_that_throw_leave_nothing()
{
    vf_pool_options one = {};
    one.max_objects = 1;
    pool_counted_8 *pool = pool_counted_8_new(&one);
    {
        const counted five(5);
        // the copy is made before a slot is taken, the move after that
        assert(throws(1, [&] { pool_counted_8_push(pool, five); }) && given == 0);
        assert(throws(2, [&] { pool_counted_8_push(pool, five); }) && given == 1 && gone == 1);
        assert(throws(1, [&] { pool_counted_8_push(pool, counted(6)); }));
        assert(throws(1, [&] { veryfast::make(pool, five); }));
        assert(pool_counted_8_stats(pool).live == 0 && counted::alive == 1);
        assert(given == gone);
        counted *object = pool_counted_8_push(pool, five);
        assert(object->number == 5);
        assert(throws(1, [&] { pool_counted_8_take(pool, object); }));
        assert(object->number == 5 && pool_counted_8_stats(pool).live == 1); // as before
        assert(pool_counted_8_take(pool, object).number == 5);
    }
    assert(counted::alive == 0 && pool_counted_8_stats(pool).live == 0);
    pool_counted_8_destroy(pool);

    smallbuf_steady_4 buffer = {};
    {
        const steady five(5);
        assert(throws(1, [&] { smallbuf_steady_4_push(&buffer, five); }));
        assert(throws(1, [&] { smallbuf_steady_4_push_index(&buffer, five, nullptr); }));
        assert(throws(1, [&] { smallbuf_steady_4_push_exclusive(&buffer, five); }));
        assert(smallbuf_steady_4_count(&buffer) == 0);
        // a writer that is left by an exception, behind N, where it has a run of slots
        assert(throws(7, [&] {
            smallbuf_steady_4_writer writer;
            smallbuf_steady_4_writer_open(&writer, &buffer);
            for (;;)
                smallbuf_steady_4_writer_push(&writer, five);
        }));
        assert(smallbuf_steady_4_push(&buffer, five));
    }
    assert(smallbuf_steady_4_count(&buffer) == 7 && counted::alive == 7);
    for (auto run : veryfast::drain(buffer)) {
        for (steady &each : run)
            assert(each.number == 5);
    }
    assert(counted::alive == 0);
    smallbuf_steady_4_destroy(&buffer);
}

static void visitors_may_throw()
{
    pool_counted_8 *pool = pool_counted_8_new(nullptr);
    for (int i = 0; i < 5; i++)
        pool_counted_8_push(pool, counted(i));
    int visits = 0;
    assert(throws(0, [&] { pool_counted_8_each(pool, visit_and_throw, &visits); }));
    assert(visits > 0 && visits <= 5);
    int before = visits;
    assert(throws(0, [&] { pool_counted_8_each(pool, visit_and_throw, &visits); }));
    assert(visits == 2 * before); // the pool is as usable as it was
    pool_counted_8_destroy(pool);
    assert(counted::alive == 0);
}
#endif

// Can be neither moved nor copied.
struct session {
    explicit session(int of) : user(of)
    {
    }
    std::mutex lock;
    std::atomic<int> holders{1};
    int user;
};

#define VF_T       session
#define VF_N       64
#define VF_DROP(p) (p)->~session()
#define VF_KEEP
#include <veryfast/pool.h>
VF_CPP_POOL(pool_session_64)
#undef VF_N
#define VF_N 4
#include <veryfast/smallbuf.h>
VF_CPP_SMALLBUF(smallbuf_session_4)

static void unmovable_types_stay_in_their_place()
{
    auto pool = veryfast::make_pool<pool_session_64>();
    auto made = veryfast::make(pool.get(), 3);
    assert(made->user == 3 && made->holders == 1);
    session *session_of_four = new (pool_session_64_alloc(pool.get())) session(4);
    pool_session_64_free(pool.get(), session_of_four);

    smallbuf_session_4 buffer = {};
    for (int i = 0; i < 20; i++)
        new (smallbuf_session_4_push_slot(&buffer, nullptr)) session(i);
    int next = 0;
    for (auto run : veryfast::drain(buffer)) {
        for (session &each : run)
            assert(each.user == next++);
    }
    assert(next == 20);
    smallbuf_session_4_destroy(&buffer);
}

// A class that hides its address.
struct hidden {
    int number;
    hidden *operator&() = delete;
};
#define VF_T hidden
#define VF_N 4
#define VF_KEEP
#include <veryfast/pool.h>
#include <veryfast/smallbuf.h>

static void what_by_value_took_is_taken()
{
    pool_hidden_4 *pool = pool_hidden_4_new(nullptr);
    hidden seven = {7};
    assert(pool_hidden_4_push(pool, {6})->number == 6);
    assert(pool_hidden_4_push(pool, seven)->number == 7);
    pool_hidden_4_destroy(pool);
    smallbuf_hidden_4 buffer = {};
    smallbuf_hidden_4_push(std::addressof(buffer), {6});
    smallbuf_hidden_4_push_exclusive(std::addressof(buffer), seven);
    bool (*push)(smallbuf_hidden_4 *, hidden &&) = smallbuf_hidden_4_push;
    push(std::addressof(buffer), {8});
    hidden next = {0};
    smallbuf_hidden_4_drain drain = smallbuf_hidden_4_drain_begin(std::addressof(buffer));
    for (int i = 6; smallbuf_hidden_4_drain_next(std::addressof(drain), std::addressof(next)); i++)
        assert(next.number == i);
    assert(next.number == 8);
    smallbuf_hidden_4_drain_end(std::addressof(drain));
    static_assert(!std::is_copy_constructible<smallbuf_hidden_4>::value, "");
    static_assert(!std::is_copy_assignable<jobs>::value, "");
    static_assert(!std::is_copy_constructible<jobs_flipped>::value, "");
}

int main()
{
    refused_values_stay();
    unmovable_types_stay_in_their_place();
    what_by_value_took_is_taken();
#ifdef __cpp_exceptions
    constructors_that_throw_leave_nothing();
    visitors_may_throw();
#endif
}
