/* SPDX-License-Identifier: MIT */
/*
 * stress_late_destructors_cpp.cpp - alloc and free in destructors of C++ thread_local objects.
 *
 * One such object is made before the thread's first call into the library, one after it, one is
 * the element type's own business: a move-only type whose destructor frees another object. And
 * one thread-specific value (whose destructor runs behind all thread_local ones) calls again
 * after the library's exit hook.
 */
#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <pthread.h>
#include <thread>
#include <vector>

#include <veryfast/veryfast.h>

#define CHECK(condition)                                                                           \
    ((condition) ? (void)0                                                                         \
                 : (std::fprintf(stderr, "%s:%d: not true: %s\n", __FILE__, __LINE__, #condition), \
                    std::abort()))

struct letter {
    std::unique_ptr<int> text;
    std::thread::id writer;
};

static void destroy(letter *l)
{
    l->~letter();
}

#define VF_T       letter
#define VF_N       128
#define VF_DROP(p) destroy(p)
#include <veryfast/pool.h>

/* ThreadSanitizer takes its own leave of a thread in round 4; what runs behind it crashes. */
#if defined(__SANITIZE_THREAD__)
#    define ROUNDS 2
#elif defined(__has_feature)
#    if __has_feature(thread_sanitizer)
#        define ROUNDS 2
#    endif
#endif
#ifndef ROUNDS
#    define ROUNDS 3
#endif

namespace
{
constexpr int places_count = 16;
constexpr int at_once = 8;
constexpr int index_after_exit = 1; /* see src/pool/indices.h */

std::atomic<size_t> blocks{0};
std::atomic<letter *> places[places_count];
std::atomic<size_t> in_thread_locals{0}, after_exit{0}, others{0};
pool_letter_128 *pool;
pthread_key_t key;

void *counting_alloc(void *, size_t size, size_t alignment)
{
    void *memory = nullptr;
    if (posix_memalign(&memory, alignment < sizeof(void *) ? sizeof(void *) : alignment, size) != 0)
        return nullptr;
    blocks++;
    return memory;
}

void counting_dealloc(void *, void *memory, size_t, size_t)
{
    std::free(memory);
    blocks--;
}

void open_letter(letter *l)
{
    if (l == nullptr)
        return;
    CHECK(l->text != nullptr && *l->text == 42);
    if (l->writer != std::this_thread::get_id())
        others++;
    pool_letter_128_free(pool, l);
}

/* Sends letters, and opens those that others sent. */
void work(unsigned start)
{
    for (unsigned i = start; i < start + 10; i++) {
        letter *l = pool_letter_128_push(
            pool, letter{std::make_unique<int>(42), std::this_thread::get_id()});
        CHECK(l != nullptr);
        open_letter(places[i * 7 % places_count].exchange(l));
    }
}

/* Works in its constructor, or not, and in its destructor. */
struct resident {
    explicit resident(bool at_once_too)
    {
        if (at_once_too)
            work(0);
    }
    ~resident()
    {
        in_thread_locals++;
        work(3);
        vf_thread_flush();
        work(5);
    }
    resident(const resident &) = delete;
    resident &operator=(const resident &) = delete;
    bool touched = false;
};

void last_words(void *)
{
    static thread_local int rounds = ROUNDS;
    if (vf_thread_own() == index_after_exit)
        after_exit++;
    work(1);
    if (--rounds > 0)
        CHECK(pthread_setspecific(key, &key) == 0);
}

void live_and_die(unsigned kind)
{
    if (kind % 2 == 0) {
        thread_local resident before(false); /* its destructor may be the thread's first call */
        before.touched = true;
    }
    if (kind % 3 == 0) {
        thread_local resident after(true);
        after.touched = true;
    }
    if (kind % 5 < 2)
        CHECK(pthread_setspecific(key, &key) == 0);
}

void check_all(size_t threads)
{
    CHECK(in_thread_locals >= threads / 2 && after_exit > 0 && others > 0);
    for (auto &place : places)
        open_letter(place.exchange(nullptr));
    vf_pool_stats stats = pool_letter_128_stats(pool);
    CHECK(stats.live == 0);
    CHECK(stats.capacity < 20 * 128); /* bounded by the threads at once, not by all there were */
    pool_letter_128_release(pool);
    CHECK(blocks == 0);
}

} // namespace

int main()
{
    const char *scale = std::getenv("VF_STRESS_SCALE");
    const unsigned rounds = 300 * (scale != nullptr ? unsigned(std::atoi(scale)) : 1);
    vf_pool_options options{};
    options.allocator = vf_allocator{counting_alloc, counting_dealloc, nullptr};
    options.cache_objects = 16;
    pool = pool_letter_128_new(&options);
    CHECK(pool != nullptr);
    CHECK(pthread_key_create(&key, last_words) == 0);
    for (unsigned round = 0; round < rounds; round++) {
        std::vector<std::thread> threads;
        for (unsigned i = 0; i < at_once; i++)
            threads.emplace_back(live_and_die, round + i);
        for (std::thread &thread : threads)
            thread.join();
    }
    check_all(std::size_t{rounds} * at_once);
    std::printf("stress_late_destructors_cpp: 1 passed, 0 failed\n");
    return 0;
}
