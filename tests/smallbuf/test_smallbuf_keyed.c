/* SPDX-License-Identifier: MIT */
/*
 * test_smallbuf_keyed.c - writers with a key: the same order whatever the schedule, beside whatever
 * else a small buffer has.
 */
#include "support/threads.h"
#include "test_common.h"

struct word {
    uint32_t job, number;
};

static void drop(const struct word *word);

#define VF_T       struct word
#define VF_N       4
#define VF_NAME    plain
#define VF_DROP(p) drop(p)
#include <veryfast/smallbuf.h>

/* A run is one slot. */
struct sheet {
    struct word word;
    char more[5000];
};

#define VF_T    struct sheet
#define VF_N    1
#define VF_NAME large
#include <veryfast/smallbuf.h>

/* Small, and of an odd size. */
struct triple {
    uint8_t bytes[3];
};

#define VF_T    struct triple
#define VF_N    200
#define VF_NAME odd
#include <veryfast/smallbuf.h>

/* More of them fit into a run than the list can say of one. */
#define VF_T    uint8_t
#define VF_N    1
#define VF_NAME bytes
#include <veryfast/smallbuf.h>

#define VF_T    struct word
#define VF_N    4
#define VF_NAME lanes
#define VF_LANES
#include <veryfast/smallbuf.h>

#define WITHOUT UINT32_MAX /* the job of elements without a key */
#define JOBS    3000
#define THREADS 64

static test_allocator allocator;
static vf_smallbuf_options options;
static plain buffer;
static lanes with_lanes;
static uint32_t given[JOBS]; /* accepted of each job, the first ones */
static size_t dropped;

static void drop(const struct word *word)
{
    (void)word;
    dropped++;
}

static void setup(void)
{
    allocator = (test_allocator){0};
    options = (vf_smallbuf_options){.allocator = test_allocator_hook(&allocator)};
    memset(&buffer, 0, sizeof buffer);
    memset(&with_lanes, 0, sizeof with_lanes);
    memset(given, 0, sizeof given);
    dropped = 0;
    plain_init(&buffer, &options);
    lanes_init(&with_lanes, &options);
}

static void teardown(void)
{
    plain_destroy(&buffer);
    lanes_destroy(&with_lanes);
    check_all_back(&allocator);
}

/* ---- jobs that threads take, as they come, in no order ---- */

static uint32_t jobs;     /* how many */
static uint32_t next_job; /* atomic: how many were taken */
static uint32_t (*size_of)(uint32_t job);
static bool others; /* threads push without a key besides */
static uint64_t (*key_of)(uint32_t job);

static uint32_t three(uint32_t job)
{
    (void)job;
    return 3;
}

static uint32_t few_or_many(uint32_t job)
{
    return job % 37 == 0 ? 700 : job % 7;
}

static uint64_t itself(uint32_t job)
{
    return job;
}

/* All its digits are in use, and it ascends with the job. */
static uint64_t wide(uint32_t job)
{
    return job * UINT64_C(0x0123456789ABCD) + (job & 0xFF);
}

/* Many with the same upper digits, and few with others: in an order by those alone many would be
   out of place. */
static uint64_t low_or_high(uint32_t job)
{
    return job < 200 ? job : UINT64_MAX - jobs + job;
}

/* jobs is a prime number or a power of two that no odd number divides */
static uint32_t taken_job(uint32_t turn)
{
    return (uint32_t)((uint64_t)turn * 1009 % jobs);
}

#define DEFINE_JOBS(type, of)                                                                      \
    static void type##_do_job(uint32_t job)                                                        \
    {                                                                                              \
        type##_writer writer;                                                                      \
        type##_writer_open_keyed(&writer, &(of), key_of(job));                                     \
        for (uint32_t i = 0; i < size_of(job); i++) {                                              \
            struct word word = {job, i};                                                           \
            bool pushed = type##_writer_push(&writer, word);                                       \
            CHECK(!pushed || given[job] == i);                                                     \
            given[job] += pushed;                                                                  \
        }                                                                                          \
        type##_writer_close(&writer);                                                              \
    }                                                                                              \
                                                                                                   \
    static void *type##_do_jobs(void *who)                                                         \
    {                                                                                              \
        struct word word = {WITHOUT, (uint32_t)(uintptr_t)who << 24};                              \
        for (uint32_t turn; (turn = __atomic_fetch_add(&next_job, 1, __ATOMIC_RELAXED)) < jobs;) { \
            type##_do_job(taken_job(turn));                                                        \
            for (uint32_t i = 0; others && i < turn % 5; i++, word.number++)                       \
                CHECK(type##_push(&(of), word));                                                   \
        }                                                                                          \
        return NULL;                                                                               \
    }                                                                                              \
                                                                                                   \
    static void type##_run_jobs(size_t threads)                                                    \
    {                                                                                              \
        void *who[THREADS];                                                                        \
        for (size_t i = 0; i < threads; i++)                                                       \
            who[i] = (void *)(uintptr_t)i;                                                         \
        memset(given, 0, sizeof given);                                                            \
        next_job = 0;                                                                              \
        test_run_threads(threads, type##_do_jobs, who);                                            \
    }

DEFINE_JOBS(plain, buffer)
DEFINE_JOBS(lanes, with_lanes)

/* ---- what comes out ---- */

static struct {
    uint32_t job, number;     /* the last one, of those with a key */
    size_t keyed, without;    /* how many */
    uint32_t behind[THREADS]; /* of each thread, the next one without a key */
} seen;

static void see(struct word word)
{
    if (word.job == WITHOUT) {
        cr_assert(seen.keyed == 0, "without a key, and behind those with one");
        cr_assert(word.number == (word.number >> 24 << 24 | seen.behind[word.number >> 24]++));
        seen.without++;
        return;
    }
    bool first = seen.keyed++ == 0 || seen.job != word.job;
    cr_assert(seen.keyed == 1 || word.job >= seen.job, "%u behind %u", word.job, seen.job);
    cr_assert(word.number == (first ? 0 : seen.number + 1), "%u of %u", word.number, word.job);
    seen.job = word.job;
    seen.number = word.number;
}

static void begin_seeing(void)
{
    memset(&seen, 0, sizeof seen);
}

static size_t all_given(void)
{
    size_t n = 0;
    for (uint32_t job = 0; job < jobs; job++)
        n += given[job];
    return n;
}

static size_t all_others(void)
{
    size_t n = 0;
    for (uint32_t turn = 0; others && turn < jobs; turn++)
        n += turn % 5;
    return n;
}

#define DEFINE_DRAINS(type, of)                                                                    \
    static void type##_see_all(type##_drain *drain, bool spans)                                    \
    {                                                                                              \
        struct word word, *words;                                                                  \
        if (!spans) {                                                                              \
            while (type##_drain_next(drain, &word))                                                \
                see(word);                                                                         \
        }                                                                                          \
        for (size_t n; (n = type##_drain_span(drain, &words)) > 0;) {                              \
            for (size_t i = 0; i < n; i++)                                                         \
                see(words[i]);                                                                     \
        }                                                                                          \
        type##_drain_end(drain);                                                                   \
    }                                                                                              \
                                                                                                   \
    /* Reading has all, in whatever order. */                                                      \
    static void type##_check_read(void)                                                            \
    {                                                                                              \
        const struct word *words;                                                                  \
        size_t count = 0;                                                                          \
        uint64_t sum = 0;                                                                          \
        for (size_t n; (n = type##_span(&(of), count, &words)) > 0; count += n) {                  \
            for (size_t i = 0; i < n; i++)                                                         \
                sum += words[i].job != WITHOUT ? words[i].job + 1 : 0;                             \
        }                                                                                          \
        check_equal(count, type##_count(&(of)));                                                   \
        for (uint32_t job = 0; job < jobs; job++)                                                  \
            sum -= (uint64_t)given[job] * (job + 1);                                               \
        check_equal(sum, 0);                                                                       \
    }                                                                                              \
                                                                                                   \
    static void type##_check_drain(size_t parts)                                                   \
    {                                                                                              \
        type##_drain drains[100];                                                                  \
        type##_check_read();                                                                       \
        check_equal(type##_count(&(of)), all_given() + all_others());                              \
        type##_drain drain = type##_drain_begin(&(of));                                            \
        check_equal(type##_count(&(of)), 0);                                                       \
        begin_seeing();                                                                            \
        if (parts == 0) {                                                                          \
            type##_see_all(&drain, jobs % 2 != 0);                                                 \
        } else {                                                                                   \
            size_t n = type##_drain_split(&drain, drains, parts);                                  \
            for (size_t i = 0; i < n; i++) {                                                       \
                size_t before = seen.keyed + seen.without;                                         \
                type##_see_all(&drains[i], i % 2 != 0);                                            \
                cr_assert(seen.keyed + seen.without > before, "a part is empty");                  \
            }                                                                                      \
        }                                                                                          \
        check_equal(seen.keyed, all_given());                                                      \
        check_equal(seen.without, all_others());                                                   \
    }

DEFINE_DRAINS(plain, buffer)
DEFINE_DRAINS(lanes, with_lanes)

static void begin_jobs(uint32_t n, uint32_t (*size)(uint32_t), uint64_t (*key)(uint32_t),
                       bool beside)
{
    jobs = n;
    size_of = size;
    key_of = key;
    others = beside;
}

static const size_t threads[] = {1, 2, 7, 64};
static const size_t among[] = {0, 1, 2, 7, 64, 100};

static void check_orders(void (*run)(size_t), void (*check)(size_t))
{
    for (size_t i = 0; i < sizeof threads / sizeof *threads; i++) {
        for (size_t j = 0; j < sizeof among / sizeof *among; j++) {
            run(threads[i]);
            check(among[j]);
        }
    }
}

Test(smallbuf_keyed, same_order_by_any_number_of_threads, .init = setup, .fini = teardown)
{
    begin_jobs(211, few_or_many, itself, false);
    check_orders(plain_run_jobs, plain_check_drain);
    begin_jobs(212, few_or_many, wide, false);
    check_orders(plain_run_jobs, plain_check_drain);
    begin_jobs(211, few_or_many, low_or_high, false);
    check_orders(plain_run_jobs, plain_check_drain);
}

Test(smallbuf_keyed, behind_those_without_a_key, .init = setup, .fini = teardown)
{
    begin_jobs(211, few_or_many, wide, true);
    check_orders(plain_run_jobs, plain_check_drain);
}

Test(smallbuf_keyed, beside_lanes, .init = setup, .fini = teardown)
{
    begin_jobs(211, few_or_many, itself, true);
    check_orders(lanes_run_jobs, lanes_check_drain);
}

/* A fill like the last one needs no memory. */
Test(smallbuf_keyed, needs_no_memory_twice, .init = setup, .fini = teardown)
{
    begin_jobs(211, few_or_many, itself, false);
    plain_run_jobs(1);
    plain_check_drain(0);
    size_t calls = allocator.calls;
    allocator.refuse = true;
    for (size_t i = 0; i < 70; i++) { /* marks have numbers of fills: see clear_old_marks */
        plain_run_jobs(1);
        plain_check_drain(i % 3);
    }
    check_equal(allocator.calls, calls);
    allocator.refuse = false;
}

/* ---- many short jobs ---- */

/* Of so many writers open at once, one after the other is closed and another opened. */
static size_t slots_of_short_jobs(size_t open)
{
    plain_writer writers[THREADS];
    for (uint32_t job = 0; job < JOBS + open; job++) {
        plain_writer *writer = &writers[job % open];
        if (job >= open)
            plain_writer_close(writer);
        if (job < JOBS) {
            plain_writer_open_keyed(writer, &buffer, job);
            for (uint32_t i = 0; i < 3; i++) {
                struct word word = {job, i};
                cr_assert(plain_writer_push(writer, word));
                given[job] = i + 1;
            }
        }
    }
    return plain_count_about(&buffer);
}

Test(smallbuf_keyed, short_jobs_waste_little, .init = setup, .fini = teardown)
{
    begin_jobs(JOBS, three, itself, false);
    static const size_t open[] = {1, 2, 7, 16};
    for (size_t i = 0; i < sizeof open / sizeof *open; i++) {
        size_t slots = slots_of_short_jobs(open[i]);
        cr_assert(slots < 3 * JOBS + 1000, "%zu slots with %zu open", slots, open[i]);
        plain_check_drain(i);
    }
    plain_destroy(&buffer);
    plain_init(&buffer, &options);
    slots_of_short_jobs(1);
    cr_assert(allocator.bytes < 6 * sizeof(struct word) * 3 * JOBS + 100000);
    plain_check_drain(0);
}

/* All of a round are open at once, and closed before the next: each leaves a rest. */
static size_t slots_of_rounds(size_t open)
{
    plain_writer writers[THREADS];
    for (uint32_t first = 0; first < JOBS; first += (uint32_t)open) {
        for (uint32_t i = 0; i < open; i++) {
            plain_writer_open_keyed(&writers[i], &buffer, first + i);
            for (; given[first + i] < 3; given[first + i]++)
                cr_assert(
                    plain_writer_push(&writers[i], (struct word){first + i, given[first + i]}));
        }
        for (size_t i = 0; i < open; i++)
            plain_writer_close(&writers[i]);
    }
    return plain_count_about(&buffer);
}

Test(smallbuf_keyed, rounds_of_short_jobs_waste_little, .init = setup, .fini = teardown)
{
    begin_jobs(JOBS, three, itself, false);
    static const size_t open[] = {1, 3, 15};
    for (size_t i = 0; i < sizeof open / sizeof *open; i++) {
        memset(given, 0, sizeof given);
        size_t slots = slots_of_rounds(open[i]);
        cr_assert(slots < 4 * JOBS + 1000, "%zu slots with %zu open", slots, open[i]);
        plain_check_drain(i);
    }
}

/* Jobs that one thread has run in the order of their keys lie in a row. */
Test(smallbuf_keyed, in_a_row_are_one_span, .init = setup, .fini = teardown)
{
    struct word *words;
    size_t spans = 0, elements = 0;
    begin_jobs(JOBS, three, itself, false);
    slots_of_short_jobs(1);
    plain_drain drain = plain_drain_begin(&buffer);
    begin_seeing();
    for (size_t n; (n = plain_drain_span(&drain, &words)) > 0; spans++, elements += n) {
        for (size_t i = 0; i < n; i++)
            see(words[i]);
    }
    check_equal(elements, 3 * JOBS);
    cr_assert(spans < 20, "%zu spans", spans); /* chunks end, and spans have an end */
    plain_drain_end(&drain);
}

/* ---- order in detail ---- */

static void push_keyed(uint64_t key, uint32_t job, uint32_t first, uint32_t n)
{
    plain_writer writer;
    plain_writer_open_keyed(&writer, &buffer, key);
    for (uint32_t i = 0; i < n; i++) {
        struct word word = {job, first + i};
        cr_assert(plain_writer_push(&writer, word));
    }
    plain_writer_close(&writer);
    plain_writer_close(&writer);
}

static void check_next(plain_drain *drain, uint32_t job, uint32_t number)
{
    struct word word;
    cr_assert(plain_drain_next(drain, &word));
    cr_assert(word.job == job && word.number == number, "%u %u, not %u %u", word.job, word.number,
              job, number);
}

Test(smallbuf_keyed, the_same_key_once_more, .init = setup, .fini = teardown)
{
    struct word word = {9, 9};
    push_keyed(UINT64_MAX, 3, 0, 2);
    push_keyed(7, 1, 0, 30);
    plain_push(&buffer, word); /* ends that run */
    push_keyed(0, 0, 0, 1);
    push_keyed(7, 1, 30, 30);
    push_keyed(8, 2, 0, 1);
    push_keyed(7, 1, 60, 1);
    plain_drain drain = plain_drain_begin(&buffer);
    check_next(&drain, 9, 9);
    check_next(&drain, 0, 0);
    for (uint32_t i = 0; i < 61; i++)
        check_next(&drain, 1, i);
    check_next(&drain, 2, 0);
    check_next(&drain, 3, 0);
    check_next(&drain, 3, 1);
    cr_assert(!plain_drain_next(&drain, &word));
    plain_drain_end(&drain);
}

/* The slots inside that are free are left, and are there again for the next fill. */
Test(smallbuf_keyed, nothing_is_inside, .init = setup, .fini = teardown)
{
    struct word word = {9, 0}, *words;
    const struct word *read;
    for (uint32_t inside = 0; inside < 6; inside++) {
        for (uint32_t i = 0; i < inside; i++)
            cr_assert(plain_push(&buffer, word));
        size_t index = 0;
        plain_writer writer;
        plain_writer_open_keyed(&writer, &buffer, 1);
        cr_assert(plain_writer_push_index(&writer, word, &index));
        check_equal(index, inside < 4 ? 4 : inside);
        plain_writer_close(&writer);
        cr_assert(plain_push(&buffer, word));
        check_equal(plain_count(&buffer), inside + 2);
        size_t seen_here = 0;
        for (size_t n; (n = plain_span(&buffer, seen_here, &read)) > 0; seen_here += n) {
        }
        check_equal(seen_here, inside + 2);
        check_equal(plain_span(&buffer, inside + 1, &read), 1);
        plain_drain drain = plain_drain_begin(&buffer);
        size_t drained = 0;
        for (size_t n; (n = plain_drain_span(&drain, &words)) > 0;)
            drained += n;
        check_equal(drained, inside + 2);
        plain_drain_end(&drain);
    }
}

/* ---- ends ---- */

Test(smallbuf_keyed, ends_early, .init = setup, .fini = teardown)
{
    begin_jobs(211, few_or_many, itself, false);
    for (size_t taken = 0; taken < 3000; taken += 97) {
        plain_run_jobs(3);
        size_t count = plain_count(&buffer);
        plain_drain drain = plain_drain_begin(&buffer);
        struct word word;
        begin_seeing();
        for (size_t i = 0; i < taken; i++) {
            cr_assert(plain_drain_next(&drain, &word));
            see(word);
        }
        dropped = 0;
        if (taken % 2 == 0) {
            plain_drain_end(&drain);
            check_equal(dropped, count - taken);
        }
    }
    plain_run_jobs(3);
    dropped = 0;
    plain_clear(&buffer);
    check_equal(dropped, all_given());
    plain_run_jobs(3);
    plain_destroy(&buffer);
    check_equal(dropped, 2 * all_given());
    check_all_back(&allocator);
    plain_run_jobs(1);
    plain_check_drain(0);
}

Test(smallbuf_keyed, trims, .init = setup, .fini = teardown)
{
    begin_jobs(211, few_or_many, itself, true);
    for (size_t keep = 0; keep < 10000; keep += 1111) {
        plain_run_jobs(2);
        size_t before = allocator.bytes;
        check_equal(plain_trim(&buffer, keep), before - allocator.bytes);
        plain_check_drain(2);
        before = allocator.bytes;
        check_equal(plain_trim(&buffer, keep), before - allocator.bytes);
    }
    plain_trim(&buffer, 0);
    check_all_back(&allocator);
}

/* ---- refusals ---- */

static size_t all_wanted(void)
{
    size_t n = 0;
    for (uint32_t job = 0; job < jobs; job++)
        n += size_of(job);
    return n;
}

static void check_refused_jobs(bool counted)
{
    size_t refused = all_wanted() - all_given();
    if (counted)
        check_equal(plain_refused(&buffer), refused);
    cr_assert(plain_refused(&buffer) <= refused);
    plain_check_drain(refused % 3);
}

Test(smallbuf_keyed, each_allocation_fails, .init = setup, .fini = teardown)
{
    begin_jobs(211, few_or_many, itself, false);
    bool all = false;
    for (size_t k = 1; !all; k++) {
        for (size_t by = 1; by <= 3; by += 2) {
            allocator.calls = 0;
            allocator.fail_at = k;
            plain_run_jobs(by);
            all = allocator.calls < k;
            allocator.fail_at = 0;
            check_refused_jobs(k > by); /* before, it may be the first chunk, of each thread */
            plain_run_jobs(by);
            check_equal(plain_refused(&buffer), 0);
            plain_check_drain(0);
            plain_destroy(&buffer);
            plain_init(&buffer, &options);
        }
    }
}

/* What jobs leave is skipped while it is there, and read when others have used it. */
Test(smallbuf_keyed, reading_between_jobs, .init = setup, .fini = teardown)
{
    begin_jobs(211, few_or_many, itself, false);
    for (uint32_t job = 0; job < jobs; job++) {
        plain_do_job(taken_job(job));
        if (job % 3 == 0)
            plain_check_read();
    }
    plain_check_drain(0);
}

Test(smallbuf_keyed, within_a_cap, .init = setup, .fini = teardown)
{
    begin_jobs(211, few_or_many, itself, false);
    for (size_t cap = 1; cap < 6000; cap += cap < 200 ? 1 : 331) {
        plain_destroy(&buffer);
        options.max_elements = cap;
        plain_init(&buffer, &options);
        plain_run_jobs(1 + cap % 3);
        cr_assert(plain_count(&buffer) <= cap && (cap > 4) == (plain_count(&buffer) > 0));
        struct word word = {WITHOUT, 0};
        others = false;
        bool pushed = plain_push(&buffer, word);
        size_t refused = plain_refused(&buffer) - !pushed;
        cr_assert(cap <= 4 ? pushed : refused == 0 || !pushed); /* gaps may have filled the rest */
        if (cap > 4)
            check_equal(refused, all_wanted() - all_given());
        plain_clear(&buffer);
    }
    options.max_elements = 0;
}

/* What another writer leaves is not for one that was refused: its next push would leave a hole. */
Test(smallbuf_keyed, refused_beside_a_rest, .init = setup, .fini = teardown)
{
    begin_jobs(3, three, itself, false);
    options.max_elements = 200;
    plain_destroy(&buffer);
    plain_init(&buffer, &options);
    plain_writer leaves, refused, later;
    plain_writer_open_keyed(&leaves, &buffer, 1);
    cr_assert(plain_writer_push(&leaves, (struct word){1, given[1]++}));
    while (plain_push(&buffer, (struct word){WITHOUT, 0})) {
    }
    plain_writer_open_keyed(&refused, &buffer, 1);
    cr_assert(!plain_writer_push(&refused, (struct word){1, 1}));
    plain_writer_close(&leaves);
    cr_assert(!plain_writer_push(&refused, (struct word){1, 2}));
    plain_writer_close(&refused);
    check_equal(plain_refused(&buffer), 3); /* without a key one, and two with it */
    plain_writer_open_keyed(&later, &buffer, 1);
    cr_assert(plain_writer_push(&later, (struct word){1, given[1]++}), "takes the rest");
    plain_writer_close(&later);
    plain_clear(&buffer);
    options.max_elements = 0;
}

/* A push that was refused is tried again when there is memory, and so is the buffer's promise. */
Test(smallbuf_keyed, beside_a_reserve, .init = setup, .fini = teardown)
{
    begin_jobs(211, few_or_many, itself, false);
    push_keyed(1, 1, 0, 100);
    allocator.refuse = true;
    plain_run_jobs(1);
    size_t count = plain_count(&buffer);
    cr_assert(plain_refused(&buffer) > 0);
    allocator.refuse = false;
    cr_assert(plain_reserve(&buffer, 5000));
    check_equal(plain_count(&buffer), count);
    size_t refused = plain_refused(&buffer);
    allocator.refuse = true;
    struct word word = {WITHOUT, 0};
    for (size_t i = 0; i < 5000; i++)
        cr_assert(plain_push(&buffer, word));
    check_equal(plain_refused(&buffer), refused);
    allocator.refuse = false;
    plain_clear(&buffer);
}

/* ---- other sizes ---- */

static void *write_large(void *who)
{
    large *of = who;
    for (uint32_t turn; (turn = __atomic_fetch_add(&next_job, 1, __ATOMIC_RELAXED)) < jobs;) {
        large_writer writer;
        large_writer_open_keyed(&writer, of, taken_job(turn));
        for (uint32_t i = 0; i < 3; i++) {
            struct sheet value = {.word = {taken_job(turn), i}};
            CHECK(large_writer_push(&writer, value));
        }
        large_writer_close(&writer);
    }
    return NULL;
}

static void *write_odd(void *who)
{
    odd *of = who;
    for (uint32_t turn; (turn = __atomic_fetch_add(&next_job, 1, __ATOMIC_RELAXED)) < jobs;) {
        odd_writer writer;
        odd_writer_open_keyed(&writer, of, taken_job(turn));
        for (uint32_t i = 0; i < 250; i++) {
            struct triple value = {{(uint8_t)taken_job(turn), (uint8_t)i, 1}};
            CHECK(odd_writer_push(&writer, value));
        }
        odd_writer_close(&writer);
    }
    return NULL;
}

Test(smallbuf_keyed, elements_of_other_sizes, .init = setup, .fini = teardown)
{
    static large larges;
    static odd odds;
    void *large_who[] = {&larges, &larges, &larges}, *odd_who[] = {&odds, &odds, &odds};
    begin_jobs(97, three, itself, false);
    next_job = 0;
    test_run_threads(3, write_large, large_who);
    large_drain drain = large_drain_begin(&larges);
    struct sheet value;
    begin_seeing();
    while (large_drain_next(&drain, &value))
        see(value.word);
    check_equal(seen.keyed, 97u * 3);
    next_job = 0;
    test_run_threads(3, write_odd, odd_who);
    odd_drain odd_values = odd_drain_begin(&odds);
    struct triple odd_value;
    begin_seeing();
    while (odd_drain_next(&odd_values, &odd_value)) {
        struct word word = {odd_value.bytes[0], odd_value.bytes[1]};
        see(word);
    }
    check_equal(seen.keyed, 97u * 250);
    large_destroy(&larges);
    odd_destroy(&odds);
}

/* Each of three writers pushes its number, and the numbers of its bytes, in turns. */
Test(smallbuf_keyed, more_than_a_run_can_have)
{
    static bytes buffers;
    bytes_writer writers[3];
    for (uint8_t who = 0; who < 3; who++)
        bytes_writer_open_keyed(&writers[who], &buffers, who);
    for (uint32_t i = 0; i < 150000; i++) {
        uint32_t who = i / 5000 % 3;
        cr_assert(bytes_writer_push(&writers[who], (uint8_t)(i % 5000 % 83 * 3 + who)));
    }
    for (uint32_t who = 0; who < 3; who++)
        bytes_writer_close(&writers[who]);
    check_equal(bytes_count(&buffers), 150000);
    cr_assert(bytes_count_about(&buffers) < 150000 + 4 * 8192);
    bytes_drain drain = bytes_drain_begin(&buffers);
    uint8_t value;
    for (uint32_t i = 0; i < 150000; i++) {
        cr_assert(bytes_drain_next(&drain, &value));
        check_equal(value, i % 5000 % 83 * 3 + i / 50000);
    }
    cr_assert(!bytes_drain_next(&drain, &value));
    bytes_drain_end(&drain);
    bytes_destroy(&buffers);
}
