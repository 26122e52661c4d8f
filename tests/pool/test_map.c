/* SPDX-License-Identifier: MIT */
/*
 * test_map.c - the map from addresses to pools: pages of one pool and of several, crowded ones, and
 * what a failure leaves behind. It never looks at the memory that it is told of, so addresses are
 * made up; so are pools, but for what it reads in them.
 */
#include "test_common.h"

#include "platform/pages.h"
#include "pool/map.h"
#include "pool/slab.h"

#define PAGE  ((size_t)1 << VF_PAGE_LOG2)
#define LINE  ((size_t)VF_CACHE_LINE)
#define PAGES 40
#define LINES (PAGES * PAGE / LINE)
#define POOLS 5

/* Room for all pages, in two leaves. */
static const uintptr_t arena =
    (sizeof(void *) == 8 ? (uintptr_t)0x1234 << 29 : (uintptr_t)0x123 << 22) - PAGE * PAGES / 2;

/* ---- memory that may run out ---- */

static bool refuse;
static size_t obtained; /* calls that succeeded */

void *__real_vf_pages_obtain(size_t size);
void *__wrap_vf_pages_obtain(size_t size);
void *__wrap_vf_pages_obtain(size_t size)
{
    void *memory = refuse ? NULL : __real_vf_pages_obtain(size);
    obtained += memory != NULL;
    return memory;
}

static void teardown(void)
{
    refuse = false;
    vf_map_end();
}

/* ---- the model: which pool has a line, and of which batch it is ---- */

static struct {
    size_t first, lines; /* of the arena */
    size_t bytes;
    int pool;  /* 0: none */
    int outer; /* number and 1 of the batch in whose memory it is, or 0 */
    int inner; /* how many are in its memory */
} batches[300];
enum { BATCHES = sizeof batches / sizeof *batches };
static int batch_of[LINES]; /* number and 1, or 0 */

/* Of the last one vf_free does more than to give back the slot. Pools lie at multiples of two
 * lines. */
static struct {
    _Alignas(2 * VF_CACHE_LINE) vf_pool_core core;
} made_up[POOLS + 1];

static const vf_pool_core *pool_at(int pool)
{
    made_up[pool].core.column = (size_t)pool * 8;
    made_up[pool].core.frees_more = pool == POOLS;
    return &made_up[pool].core;
}

static const char *line_at(size_t line)
{
    return (const char *)(arena + line * LINE);
}

static uintptr_t owner_of(const char *address)
{
    return vf_map_owner(vf_map_leaf_of(address), vf_map_page((uintptr_t)address));
}

static uint32_t column_of(const char *address)
{
    return vf_map_column(vf_map_leaf_of(address), vf_map_page((uintptr_t)address));
}

/* As vf_free looks, where there is a live object; and whatever the column says. */
static const void *look(const char *address)
{
    uintptr_t owner = owner_of(address);
    const void *pool = owner == VF_PAGE_SHARED ? vf_map_shared(address) : (const void *)owner;
    uint32_t column = column_of(address);
    return column == 0 || (pool != pool_at(POOLS) && pool == pool_at((int)column / 8)) ? pool
                                                                                       : NULL;
}

static bool is_free(size_t first, size_t lines)
{
    for (size_t i = first; i < first + lines; i++) {
        if (batch_of[i] != 0)
            return false;
    }
    return true;
}

static void set_lines(int number, int value)
{
    for (size_t i = 0; i < batches[number].lines; i++)
        batch_of[batches[number].first + i] = value;
}

static bool enter(int number, size_t first, size_t bytes, int pool)
{
    size_t lines = (bytes + LINE - 1) / LINE;
    if (first + lines > LINES || !is_free(first, lines))
        return false;
    cr_assert(vf_map_enter(pool_at(pool), line_at(first), bytes));
    batches[number].first = first;
    batches[number].lines = lines;
    batches[number].bytes = bytes;
    batches[number].pool = pool;
    set_lines(number, number + 1);
    return true;
}

static void leave(int number)
{
    vf_map_remove(pool_at(batches[number].pool), line_at(batches[number].first),
                  batches[number].bytes);
    set_lines(number, batches[number].outer);
    if (batches[number].outer != 0)
        batches[batches[number].outer - 1].inner--;
    batches[number].outer = 0;
    batches[number].pool = 0;
}

/* In the memory of another, which an allocator has handed out. */
static bool enter_inside(int number, int outer, size_t from, size_t lines, int pool)
{
    size_t first = batches[outer].first + from;
    for (size_t i = first; i < first + lines; i++) {
        if (batch_of[i] != outer + 1)
            return false;
    }
    if (!vf_map_enter(pool_at(pool), line_at(first), lines * LINE))
        return false;
    batches[number].first = first;
    batches[number].lines = lines;
    batches[number].bytes = lines * LINE;
    batches[number].pool = pool;
    batches[number].outer = outer + 1;
    batches[outer].inner++;
    set_lines(number, number + 1);
    return true;
}

static void check_all_lines(void)
{
    for (size_t i = 0; i < LINES; i++) {
        if (batch_of[i] != 0)
            cr_assert(look(line_at(i) + i % LINE) == pool_at(batches[batch_of[i] - 1].pool),
                      "line %zu of page %zu", i % (PAGE / LINE), i / (PAGE / LINE));
    }
}

static void check_empty(void)
{
    for (size_t i = 0; i < LINES; i++)
        cr_assert(vf_map_find(line_at(i)) == NULL, "line %zu", i);
}

static uint32_t random_number(void)
{
    static uint64_t state = 1;
    state = state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (uint32_t)(state >> 33);
}

/* Batches of less than a line and up to several pages, of a few pools: most pages are shared. */
static void churn(size_t most_bytes, int pools)
{
    for (int step = 0; step < 3000; step++) {
        int number = (int)(random_number() % BATCHES);
        if (batches[number].pool != 0)
            leave(number);
        else
            (void)enter(number, random_number() % LINES, 1 + random_number() % most_bytes,
                        1 + (int)(random_number() % (unsigned)pools));
        if (step % 7 == 0)
            check_all_lines();
    }
    for (int number = 0; number < BATCHES; number++) {
        if (batches[number].pool != 0)
            leave(number);
        if (number % 16 == 0)
            check_all_lines();
    }
    check_empty();
}

Test(map, leads_each_line_to_its_pool, .fini = teardown)
{
    churn(3 * PAGE, POOLS);
    churn(2 * LINE, POOLS);
    churn(PAGE / 2, 1);
    churn(PAGE + LINE, 2);
    churn(9 * PAGE, POOLS);
}

/* In one that is there, or where there is none, by itself. */
static void enter_somewhere(int number)
{
    int outer = (int)(random_number() % BATCHES), pool = 1 + (int)(random_number() % POOLS);
    if (batches[outer].pool == 0) {
        (void)enter(number, random_number() % LINES, 1 + random_number() % (4 * PAGE), pool);
    } else {
        size_t from = random_number() % batches[outer].lines;
        size_t lines = 1 + random_number() % (batches[outer].lines - from);
        (void)enter_inside(number, outer, from, lines, pool);
    }
}

/* Memory of one pool's objects is another's batches, up to any depth. */
Test(map, knows_again_what_was_covered_when_that_is_gone, .fini = teardown)
{
    for (int step = 0; step < 20000; step++) {
        int number = (int)(random_number() % BATCHES);
        if (batches[number].pool == 0)
            enter_somewhere(number);
        else if (batches[number].inner == 0)
            leave(number);
        if (step % 7 == 0)
            check_all_lines();
    }
    for (int left = 1; left > 0;) {
        left = 0;
        for (int number = 0; number < BATCHES; number++) {
            if (batches[number].pool != 0 && batches[number].inner == 0)
                leave(number);
            left += batches[number].pool != 0;
        }
        check_all_lines();
    }
    check_empty();
}

/* Two tables of lines for each page, all of them at once. */
Test(map, has_tables_for_all_pages_of_a_batch_that_covers_another, .fini = teardown)
{
    const size_t size = 16384 * PAGE;
    const char *begin = line_at(0), *last = begin + size - LINE;
    cr_assert(vf_map_enter(pool_at(1), begin, size) && vf_map_enter(pool_at(2), begin, size));
    cr_assert(look(begin) == pool_at(2) && look(last) == pool_at(2));
    vf_map_remove(pool_at(2), begin, size);
    cr_assert(look(begin) == pool_at(1) && look(last) == pool_at(1));
    vf_map_remove(pool_at(1), begin, size);
    check_empty();
}

/* Afterwards each page has one pool again, and needs no second look. */
Test(map, covers_nothing_where_memory_is_out, .fini = teardown)
{
    cr_assert(enter(0, 0, 3 * PAGE, 1));
    refuse = true;
    cr_assert(!enter_inside(1, 0, 3, 5, 2));
    cr_assert(!enter_inside(1, 0, 0, 2 * PAGE / LINE, 2));
    check_all_lines();
    refuse = false;
    cr_assert(enter_inside(1, 0, 3, 5, 2) && enter_inside(2, 0, PAGE / LINE, PAGE / LINE, 3));
    check_all_lines();
    leave(1);
    leave(2);
    for (size_t i = 0; i < 3 * PAGE / LINE; i++)
        cr_assert(owner_of(line_at(i)) == (uintptr_t)pool_at(1));
    leave(0);
    check_empty();
}

/* Tables of lines are used again: otherwise more memory would be taken each time. */
Test(map, keeps_no_more_than_was_needed_at_once, .fini = teardown)
{
    churn(PAGE / 4, POOLS);
    size_t before = obtained;
    for (int round = 0; round < 20; round++)
        churn(PAGE / 4, POOLS);
    check_equal(obtained, before);
}

/* A page of one pool needs no second look, however many of its batches are there. */
Test(map, knows_the_pool_of_a_page_at_once_where_there_is_only_one, .fini = teardown)
{
    cr_assert(enter(0, 3, LINE, 1) && enter(1, 9, PAGE, 1) && enter(2, 4, 2 * LINE, 1));
    cr_assert(owner_of(line_at(3)) == (uintptr_t)pool_at(1));
    cr_assert(owner_of(line_at(PAGE / LINE)) == (uintptr_t)pool_at(1));
    cr_assert(column_of(line_at(3)) == pool_at(1)->column);
    cr_assert(column_of(line_at(PAGE / LINE)) == pool_at(1)->column);
    cr_assert(enter(3, 7, LINE, 2));
    cr_assert(owner_of(line_at(3)) == VF_PAGE_SHARED && column_of(line_at(3)) == 0);
    check_all_lines();
    leave(3);
    cr_assert(owner_of(line_at(3)) == (uintptr_t)pool_at(1));
    vf_map_remove(pool_at(2), line_at(PAGE / LINE), LINE); /* which it does not have */
    cr_assert(column_of(line_at(PAGE / LINE)) == pool_at(1)->column);
    for (int number = 0; number < 3; number++)
        leave(number);
    check_empty();
}

/* Its column alone would not say what else is to be done. */
Test(map, has_no_column_of_a_pool_that_does_more, .fini = teardown)
{
    cr_assert(enter(0, 3, 2 * PAGE, POOLS));
    cr_assert(owner_of(line_at(3)) == (uintptr_t)pool_at(POOLS) && column_of(line_at(3)) == 0);
    cr_assert(column_of(line_at(PAGE / LINE)) == 0);
    leave(0);
    cr_assert(enter(0, 3, 2 * PAGE, 1) && column_of(line_at(PAGE / LINE)) == pool_at(1)->column);
    leave(0);
    check_equal((size_t)column_of(line_at(PAGE / LINE)), 0);
}

Test(map, takes_addresses_behind_those_that_are_used_today, .fini = teardown)
{
    if (sizeof(void *) < 8)
        return;
    cr_assert(enter(0, 3, PAGE, 1));
    for (int bits = 47; bits <= 52; bits++) {
        const char *high = (const char *)(uintptr_t)(((uint64_t)1 << bits) + 17 * LINE);
        cr_assert(vf_map_find(high) == NULL);
        cr_assert(vf_map_enter(pool_at(2), high, 5 * PAGE));
        cr_assert(look(high + PAGE) == pool_at(2));
        check_all_lines();
        vf_map_remove(pool_at(2), high, 5 * PAGE);
        cr_assert(vf_map_find(high) == NULL);
    }
    leave(0);
}

/* Of the root, of each leaf, and of the tables of lines. */
Test(map, changes_nothing_where_memory_is_out, .fini = teardown)
{
    size_t middle = LINES / 2; /* where the second leaf begins */
    refuse = true;
    errno = 0;
    cr_assert(!vf_map_enter(pool_at(1), line_at(2), LINE));
    cr_assert(errno == 0);
    refuse = false;
    cr_assert(enter(0, 0, LINE, 1));
    refuse = true;
    cr_assert(!vf_map_enter(pool_at(2), line_at(2), LINE)); /* crowded */
    cr_assert(!vf_map_enter(pool_at(2), line_at(middle - 1), 2 * LINE));
    cr_assert(vf_map_find(line_at(2)) == NULL || vf_map_find(line_at(2)) == pool_at(1));
    cr_assert(vf_map_find(line_at(middle - 1)) == NULL && vf_map_find(line_at(middle)) == NULL);
    cr_assert(enter(1, middle - PAGE / LINE, PAGE, 2)); /* needs nothing */
    refuse = false;
    leave(1);
    cr_assert(enter(1, 2, LINE, 2) && enter(2, middle - 1, 2 * LINE, 3));
    check_all_lines();
    for (int number = 0; number < 3; number++)
        leave(number);
    check_empty();
}

Test(map, removes_what_was_never_entered_or_has_gone, .fini = teardown)
{
    vf_map_remove(pool_at(1), line_at(3), 3 * PAGE);
    cr_assert(enter(0, 3, 2 * PAGE, 1) && enter(1, 3 + 2 * PAGE / LINE, LINE, 2));
    vf_map_remove(pool_at(3), line_at(3), 2 * PAGE); /* in the child of a fork */
    vf_map_remove(pool_at(3), line_at(3 + 2 * PAGE / LINE), LINE);
    vf_map_remove(pool_at(3), line_at(0), LINE);
    vf_map_remove(pool_at(3), line_at(5 + PAGE / LINE), LINE); /* inside a page that is all 1's */
    check_all_lines();
    leave(0);
    leave(1);
    check_empty();
}

Test(map, is_empty_after_its_end_and_begins_anew, .fini = teardown)
{
    cr_assert(enter(0, 3, LINE, 1));
    leave(0);
    vf_map_end();
    check_empty();
    cr_assert(enter(0, 3, LINE, 2) && enter(1, 4, LINE, 3));
    check_all_lines();
    leave(0);
    leave(1);
}

/* Whole pages of a part of the leaf. */
static size_t resident(const void *part, size_t size)
{
    uintptr_t page = vf_pages_size(), first = ((uintptr_t)part + page - 1) / page * page;
    return vf_pages_resident((char *)first, ((uintptr_t)part + size - first) / page * page);
}

/* Of a batch that ends in the second leaf, and of one beside it. */
Test(map, gives_back_what_it_needed_for_what_was_removed, .fini = teardown)
{
    size_t pages = VF_LEAF_PAGES / 2;
    const char *begin = line_at(LINES / 2) - pages * PAGE + LINE, *end = begin + 2 * pages * PAGE;
    cr_assert(vf_map_enter(pool_at(1), begin, 2 * pages * PAGE));
    cr_assert(vf_map_enter(pool_at(2), end, PAGE) && vf_map_enter(pool_at(3), end + PAGE, PAGE));
    const vf_leaf *first = vf_map_leaf_of(begin), *second = vf_map_leaf_of(end);
    vf_map_trim(begin, 2 * pages * PAGE);
    cr_assert(look(begin) == pool_at(1) && look(end - LINE) == pool_at(1));
    vf_map_remove(pool_at(1), begin, 2 * pages * PAGE);
    errno = 0;
    vf_map_trim(begin, 2 * pages * PAGE);
    cr_assert(errno == 0);
    vf_map_trim(begin - 3 * VF_LEAF_PAGES * PAGE, PAGE); /* for which there is no leaf */
    cr_assert(look(end) == pool_at(2) && look(end + PAGE) == pool_at(3));
    if (vf_pages_can_drop()) {
        check_equal(resident(first, sizeof *first), 0);
        cr_assert(resident(second, sizeof *second) <= 3 * vf_pages_size());
    }
    cr_assert(vf_map_enter(pool_at(4), begin, 2 * pages * PAGE));
    cr_assert(look(begin + pages * PAGE / 2) == pool_at(4) && look(end) == pool_at(2));
}

/* Of the threads that may have been in the map, the child of a fork has none. */
Test(map, a_child_of_a_fork_does_not_wait_for_a_thread_that_was_in_it, .fini = teardown)
{
    vf_mutex_lock(&vf_slab_lock);
    vf_map_after_fork();
    cr_assert(vf_mutex_trylock(&vf_slab_lock));
    vf_mutex_unlock(&vf_slab_lock);
}
