/* SPDX-License-Identifier: MIT */
/*
 * test_epoch.c - objects freed while they may still be read: when they are dropped and reused, and
 * how many may wait.
 */
#include "epoch_pool.h"

#include <veryfast/sized.h>

#define VF_T    char
#define VF_N    10
#define VF_NAME plain
#define VF_EPOCH
#include <veryfast/pool.h>

static void count_drop(const long *number);
#define VF_T       long
#define VF_N       50
#define VF_NAME    found
#define VF_DROP(p) count_drop(p)
#define VF_EPOCH
#define VF_HANDLE
#include <veryfast/pool.h>

struct family {
    struct family *children[2];
    size_t number;
};

static void family_drop(struct family *family);
#define VF_T       struct family
#define VF_N       100
#define VF_DROP(p) family_drop(p)
#define VF_EPOCH
#include <veryfast/pool.h>

/* ---- by handles ---- */

static size_t drops_of_found;

static void count_drop(const long *number)
{
    readers_have_left();
    cr_assert(*number >= 0);
    __atomic_fetch_add(&drops_of_found, 1, __ATOMIC_RELAXED);
}

static found *open_found(int kind, size_t max_deferred)
{
    vf_pool_options options = {.cache_objects = kinds[kind].cache_objects,
                               .max_objects = kinds[kind].max_objects,
                               .max_deferred = max_deferred};
    found *of = found_new(&options);
    cr_assert(of != NULL);
    urcu_memb_register_thread();
    drops_of_found = 0;
    return of;
}

static long *push_found(found *of, long number)
{
    long *object = found_push(of, number);
    cr_assert(object != NULL);
    return object;
}

Test(epoch, what_is_found_in_a_read_section_is_there_to_its_end)
{
    for (int kind = 0; kind < KINDS; kind++) {
        for (int by_handle = 0; by_handle < 2; by_handle++) {
            found *of = open_found(kind, 0);
            found_handle handle = found_handle_of(of, push_found(of, 7));
            urcu_memb_read_lock();
            long *object = found_get(of, handle);
            cr_assert(object != NULL);
            cr_assert(by_handle ? found_free_handle_deferred(of, handle)
                                : found_free_deferred(of, object));
            cr_assert(found_get(of, handle) == NULL && !found_free_handle(of, handle));
            errno = EXDEV;
            cr_assert(!found_free_handle_deferred(of, handle));
            cr_assert(errno == EXDEV);
            vf_thread_flush();
            found_handle next = found_handle_of(of, push_found(of, 8));
            cr_assert(found_get(of, next) != object && *object == 7);
            check_equal(drops_of_found, 0);
            end_reading();
            found_epoch_barrier(of);
            check_equal(drops_of_found, 1);
            cr_assert(found_get(of, handle) == NULL);
            cr_assert(found_free_handle(of, next));
            found_destroy(of);
            end();
        }
    }
}

Test(epoch, what_is_not_deferred_is_still_found)
{
    for (int kind = 0; kind < KINDS; kind++) {
        found *of = open_found(kind, 3);
        found_handle handles[4];
        urcu_memb_read_lock();
        for (long i = 0; i < 4; i++)
            handles[i] = found_handle_of(of, push_found(of, i));
        for (long i = 0; i < 3; i++)
            cr_assert(found_free_handle_deferred(of, handles[i]));
        check_refused(EAGAIN, !found_free_handle_deferred(of, handles[3]));
        long *object = found_get(of, handles[3]);
        cr_assert(object != NULL && *object == 3);
        check_refused(EAGAIN, !found_free_deferred(of, object));
        cr_assert(found_get(of, handles[3]) == object);
        end_reading();
        found_epoch_barrier(of);
        check_equal(drops_of_found, 3);
        cr_assert(found_free_handle_deferred(of, handles[3]));
        found_destroy(of);
        check_equal(drops_of_found, 4);
        end();
    }
}

#ifndef VF_CHECKED /* which has its own generations */
/* The object's handle, which is the last one of its slot. */
static found_handle last_handle_of(found *of, const long *object)
{
    uint64_t number = vf_handle_number(found_handle_of(of, object).bits);
    const vf_generations *generations = ((vf_pool_core *)of)->directory[number / 50];
    vf_generations_of(generations)[number % 50] = UINT32_MAX;
    return found_handle_of(of, object);
}

/* Between others, and by itself, which leaves none to be reused. */
Test(epoch, a_slot_whose_generations_are_used_up_is_retired)
{
    for (int kind = 0; kind < KINDS; kind++) {
        found *of = open_found(kind, 0);
        const long *retired[2];
        for (size_t turn = 0; turn < 2; turn++) {
            long *before = turn == 0 ? push_found(of, 1) : NULL, *object = push_found(of, 2);
            found_handle last = last_handle_of(of, object);
            check_equal(vf_handle_generation(last.bits), UINT32_MAX);
            cr_assert(before == NULL || found_free_deferred(of, before));
            cr_assert(found_free_handle_deferred(of, last));
            cr_assert(turn == 1 || found_free_deferred(of, push_found(of, 3)));
            found_epoch_barrier(of);
            vf_pool_stats stats = found_stats(of);
            check_equal(stats.retired, turn + 1);
            check_equal(stats.live, 0);
            check_equal(stats.capacity, stats.cached + stats.depot + stats.fresh + stats.retired);
            retired[turn] = object;
        }
        for (long i = 0; i < 200; i++) {
            const long *object = push_found(of, i);
            cr_assert(object != retired[0] && object != retired[1]);
        }
        found_destroy(of);
        end();
    }
}
#endif

Test(epoch, a_reader_goes_on_reading)
{
    for (int kind = 0; kind < KINDS; kind++) {
        begin(kind, 0);
        fill(300);
        urcu_memb_read_lock();
        defer(0, 200);
        vf_thread_flush();
        for (size_t i = 0; i < 200; i++)
            cr_assert(*objects[i] == (long)i, "dropped while it may be read");
        vf_pool_stats stats = numbers_stats(pool);
        check_sums(stats, &allocator);
        check_equal(stats.deferred, 200);
        check_equal(stats.live, 300);
        /* none of them is handed out again */
        for (size_t i = 300; i < 900; i++) {
            objects[i] = numbers_push(pool, (long)i);
            cr_assert(objects[i] != NULL);
        }
        cr_assert(all_apart(objects, 900, sizeof(long)));
        check_equal(dropped(), 0);
        end_reading();
        numbers_epoch_barrier(pool);
        check_equal(dropped(), 200);
        stats = numbers_stats(pool);
        check_sums(stats, &allocator);
        check_equal(stats.deferred, 0);
        check_equal(stats.live, 700);
        numbers_destroy(pool);
        check_equal(dropped(), 900);
        check_all_back(&allocator);
        end();
    }
}

#ifndef VF_BYPASS
Test(epoch, a_slot_is_reused_after_its_grace_period)
{
    for (int kind = 0; kind < KINDS; kind++) {
        begin(kind, 0);
        fill(MOST);
        defer(0, MOST);
        numbers_epoch_barrier(pool);
        size_t capacity = numbers_stats(pool).capacity;
        fill(MOST);
        check_equal(numbers_stats(pool).capacity, capacity);
        numbers_free_n(pool, objects, MOST);
        numbers_release(pool);
        check_all_back(&allocator);
        end();
    }
}
#endif

Test(epoch, without_a_destructor)
{
    plain *letters = plain_new(NULL);
    char *letter = plain_push(letters, 'a');
    cr_assert(plain_free_deferred(letters, NULL));
    cr_assert(plain_free_deferred(letters, letter));
    check_equal(plain_stats(letters).deferred, 1);
    plain_epoch_barrier(letters);
    check_equal(plain_stats(letters).live, 0);
    plain_release(letters);
}

/* Of a size known at run time. */
Test(epoch, of_objects_without_a_type)
{
    for (int kind = 0; kind < KINDS; kind++) {
        allocator = (test_allocator){0};
        vf_pool_options options = {.allocator = test_allocator_hook(&allocator),
                                   .cache_objects = kinds[kind].cache_objects,
                                   .max_objects = kinds[kind].max_objects};
        vf_sized_pool *bytes = vf_sized_pool_new(24, 8, 10, &options);
        urcu_memb_register_thread();
        urcu_memb_read_lock();
        for (size_t i = 0; i < 100; i++)
            cr_assert(vf_sized_free_deferred(bytes, vf_sized_alloc(bytes)));
        cr_assert(vf_sized_free_deferred(bytes, NULL));
        vf_thread_flush();
        check_equal(vf_sized_pool_stats(bytes).deferred, 100);
        end_reading();
        vf_sized_pool_epoch_barrier(bytes);
        check_equal(vf_sized_pool_stats(bytes).live, 0);
        vf_sized_pool_release(bytes);
        check_all_back(&allocator);
        end();
    }
}

Test(epoch, no_more_than_max_deferred)
{
    static const size_t bounds[] = {1, 59, 60, 61, 500};
    for (int kind = 0; kind < KINDS; kind++) {
        for (size_t i = 0; i < sizeof bounds / sizeof *bounds; i++) {
            begin(kind, bounds[i]);
            fill(bounds[i] + 1);
            urcu_memb_read_lock();
            defer(0, bounds[i]);
            check_refused(EAGAIN, !numbers_free_deferred(pool, objects[bounds[i]]));
            check_equal((size_t)*objects[bounds[i]], bounds[i]);
            check_equal(deferred(), bounds[i]);
            end_reading();
            wait_for_drops(bounds[i]); /* all went out, without a flush or a barrier */
            numbers_epoch_barrier(pool);
            defer(bounds[i], bounds[i] + 1);
            numbers_release(pool);
            wait_until_back();
            check_equal(dropped(), bounds[i] + 1);
            end();
        }
    }
}

Test(epoch, errno_is_left_alone)
{
    begin(0, 0);
    fill(MOST);
    errno = 77;
    defer(0, MOST);
    numbers_epoch_barrier(pool);
    check_equal((size_t)errno, 77);
    numbers_release(pool);
    check_all_back(&allocator);
    end();
}

Test(epoch, destroy_waits_for_what_is_deferred)
{
    for (int kind = 0; kind < KINDS; kind++) {
        begin(kind, 0);
        fill(MOST);
        defer(0, 100);
        numbers_destroy(pool);
        check_equal(dropped(), MOST);
        check_equal(drops_here, MOST - 100); /* the others were liburcu's thread's */
        check_all_back(&allocator);
        end();
    }
}

static void count_visit(long *object, void *count)
{
    cr_assert(*object >= 100);
    ++*(size_t *)count;
}

Test(epoch, each_does_not_visit_what_was_deferred)
{
    for (int kind = 0; kind < KINDS; kind++) {
        begin(kind, 0);
        fill(MOST);
        defer(0, 100);
        size_t visits = 0;
        cr_assert(numbers_each(pool, count_visit, &visits));
        check_equal(visits, MOST - 100);
        numbers_destroy(pool);
        check_all_back(&allocator);
        end();
    }
}

/* At each of the calls that the allocator can refuse the free does, or is refused and has changed
   nothing. */
Test(epoch, no_memory)
{
    for (int kind = 0; kind < KINDS; kind++) {
        size_t refused = 0;
        for (size_t fail = 1; fail < 6; fail++) {
            begin(kind, 0);
            fill(MOST);
            atomic_store(&allocator.fail_at, atomic_load(&allocator.calls) + fail);
            for (size_t i = 0; i < MOST; i++) {
                errno = 0;
                if (!numbers_free_deferred(pool, objects[i])) {
                    cr_assert(errno == EAGAIN && *objects[i] == (long)i);
                    refused++;
                    cr_assert(numbers_free_deferred(pool, objects[i]));
                }
            }
            numbers_epoch_barrier(pool);
            check_equal(dropped(), MOST);
            check_equal(numbers_stats(pool).live, 0);
            numbers_release(pool);
            check_all_back(&allocator);
            end();
        }
        cr_assert(refused > 0);
    }
}

/* Refused for want of memory, it takes nothing of max_deferred. */
Test(epoch, no_memory_and_a_limit)
{
    for (int kind = 0; kind < KINDS; kind++) {
        begin(kind, 4);
        fill(MOST);
        atomic_store(&allocator.refuse, true);
        for (int i = 0; i < 8; i++)
            check_refused(EAGAIN, !numbers_free_deferred(pool, objects[0]));
        atomic_store(&allocator.refuse, false);
        cr_assert(numbers_free_deferred(pool, objects[0]));
        numbers_epoch_barrier(pool);
        check_equal(dropped(), 1);
        numbers_destroy(pool);
        check_all_back(&allocator);
        end();
    }
}

static void *defer_without_memory(void *refusals)
{
    size_t done = 0;
    for (size_t i = 0; i < MOST; i++) {
        errno = 0;
        if (numbers_free_deferred(pool, objects[i])) {
            done++; /* in a deferral that was kept */
            continue;
        }
        cr_assert(errno == EAGAIN && *objects[i] == (long)i);
        objects[(*(size_t *)refusals)++] = objects[i];
    }
    check_equal(done + *(size_t *)refusals, MOST);
    return NULL;
}

/* A thread that has no cache and gets none, nor anything else. */
Test(epoch, no_memory_at_all)
{
    for (int kind = 0; kind < KINDS; kind++) {
        size_t refused = 0;
        begin(kind, 0);
        fill(MOST);
        atomic_store(&allocator.refuse, true);
        test_run_threads(1, defer_without_memory, (void *[]){&refused});
        cr_assert(refused > 0);
        atomic_store(&allocator.refuse, false);
        defer(0, refused);
        numbers_epoch_barrier(pool);
        check_equal(dropped(), MOST);
        numbers_release(pool);
        check_all_back(&allocator);
        end();
    }
}

Test(epoch, trim_gives_back_what_was_deferred)
{
    begin(0, 0);
    fill(MOST);
    urcu_memb_read_lock();
    defer(0, MOST);
    check_equal(numbers_trim(pool), 0);
    end_reading();
    numbers_epoch_barrier(pool);
    numbers_trim(pool);
    check_equal(numbers_stats(pool).batches, 0);
    numbers_release(pool);
    check_all_back(&allocator);
    end();
}

/* ---- a drop that defers others, while P_destroy drops all ---- */

static pool_family_100 *families;
static unsigned family_drops[MOST];

static void family_drop(struct family *family)
{
    family_drops[family->number]++;
    for (int i = 0; i < 2; i++) {
        struct family *child = family->children[i];
        size_t number = child != NULL ? child->number : 0;
        cr_assert(pool_family_100_free_deferred(families, child));
        cr_assert(child == NULL || family_drops[number] == 1); /* at once: no thread reads */
    }
}

/* One tree of all, each node of which lies anywhere: before its parent, or far behind it. */
static void plant(uint64_t random)
{
    static struct family *nodes[MOST];
    check_equal(pool_family_100_alloc_n(families, nodes, MOST), MOST);
    for (size_t i = MOST - 1; i > 0; i--) {
        size_t j = test_random(&random) % (i + 1);
        struct family *other = nodes[i];
        nodes[i] = nodes[j];
        nodes[j] = other;
    }
    for (size_t i = 0; i < MOST; i++) {
        struct family *left = 2 * i + 1 < MOST ? nodes[2 * i + 1] : NULL;
        struct family *right = 2 * i + 2 < MOST ? nodes[2 * i + 2] : NULL;
        *nodes[i] = (struct family){{left, right}, i};
    }
}

Test(epoch, a_drop_may_defer_others_to_the_end_of_the_pool)
{
    for (int kind = 0; kind < KINDS; kind++) {
        allocator = (test_allocator){0};
        vf_pool_options options = {.allocator = test_allocator_hook(&allocator),
                                   .cache_objects = kinds[kind].cache_objects,
                                   .max_objects = kinds[kind].max_objects};
        families = pool_family_100_new(&options);
        cr_assert(families != NULL);
        plant((uint64_t)kind + 1);
        memset(family_drops, 0, sizeof family_drops);
        pool_family_100_destroy(families);
        for (size_t i = 0; i < MOST; i++)
            check_equal(family_drops[i], 1);
        check_all_back(&allocator);
    }
}
