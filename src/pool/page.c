/* SPDX-License-Identifier: MIT */
/*
 * page.c - see page.h.
 *
 *   leaf->owners:  [ A | A | SHARED | B | 0 ]       the one pool that has batches on the page; and
 *   leaf->pages:   [   |   | A, B   |   |   ]       of each page that no batch covers whole:
 *
 *       |===before===|      |=====begins=====|
 *       line 0            line 5          line 64
 *
 *   before    the pool of the batch that ends in the page, and the line behind its end
 *   begins    the pool of the batch that begins in the page, and at which line
 *
 * A batch begins at a cache line's boundary, so no line belongs to two. (What begins at line 0 and
 * ends in the page is to the map as if it had begun before.) A page on which a batch both begins
 * and ends is crowded: its begins leads to a pointer for each line. Pools lie at multiples of two
 * lines, so there is room for a line's number in a word beside a pool.
 *
 * An allocator may hand out the objects of another pool, so that a batch covers lines of a batch
 * of that pool. It has them as long as it is there; the pages are crowded, and beneath their table
 * there is another, with what is covered:
 *
 *       |A A A A B B A A A A|      A's objects lie here and there; one is a batch of B's
 *       |        A A        |
 *
 * A thread that looks for the pool of a live object reads without the lock. It relies on this: what
 * tells of a batch with live objects stays as it is, though there may be more of it. So `before`
 * stays behind when a page becomes crowded, and both words are right whether the page's owner is
 * SHARED or has just become one pool.
 */
#include "page.h"

#include <assert.h>

#include "../common/arith.h"
#include "slab.h"

#define PAGE_LINES    (((size_t)1 << VF_PAGE_LOG2) / VF_CACHE_LINE)
#define CROWDED       ((uintptr_t)1)
#define LINE          ((uintptr_t)(PAGE_LINES - 1) << 1) /* the bits of a line's number */
#define POOL          (~(LINE | CROWDED))
#define NONE_BEGINS   LINE  /* while something ended here: all lines but the last are before's */
#define LINES_AT_ONCE 65536 /* bytes of tables of lines */

/* A pointer for each line of a crowded page. A thread looks at a line of an object that it has, so
   there is no atomic in it. */
typedef struct line_table {
    struct line_table *next; /* beneath it, or NULL; or of those that no page has */
    const void *pool[PAGE_LINES];
} line_table;

static line_table *unused_lines; /* the map's lock */

/* ---- tables ---- */

static line_table *take_lines(void)
{
    assert(vf_mutex_held(&vf_slab_lock));
    line_table *taken = unused_lines;
    vf_store_release(&unused_lines, taken->next);
    taken->next = NULL;
    return taken;
}

static void give_lines(line_table *given)
{
    assert(vf_mutex_held(&vf_slab_lock));
    given->next = unused_lines;
    vf_store_release(&unused_lines, given);
}

/* All pointers of an unused table are NULL. */
bool vf_page_reserve(size_t n)
{
    assert(vf_mutex_held(&vf_slab_lock));
    for (const line_table *each = unused_lines; each != NULL && n > 0; each = each->next)
        n--;
    while (n > 0) {
        line_table *more = vf_slab_obtain(LINES_AT_ONCE);
        if (more == NULL)
            return false;
        for (size_t i = 0; i < LINES_AT_ONCE / sizeof *more; i++)
            give_lines(&more[i]);
        n -= vf_min(n, LINES_AT_ONCE / sizeof *more);
    }
    return true;
}

/* ---- parts ---- */

size_t vf_page_line(uintptr_t address)
{
    return address / VF_CACHE_LINE % PAGE_LINES;
}

vf_page_part vf_page_part_at(uintptr_t address, size_t size)
{
    size_t begin = vf_page_line(address);
    size_t rest = size / VF_CACHE_LINE + (size % VF_CACHE_LINE != 0);
    return (vf_page_part){begin, rest < PAGE_LINES - begin ? begin + rest : PAGE_LINES};
}

size_t vf_page_part_bytes(vf_page_part of)
{
    return (of.end - of.begin) * VF_CACHE_LINE;
}

static bool is_whole(vf_page_part it)
{
    return it.begin == 0 && it.end == PAGE_LINES;
}

/* ---- pages ---- */

static bool is_crowded(const vf_page *of)
{
    return (of->begins & CROWDED) != 0;
}

static line_table *lines_of(const vf_page *of)
{
    return (line_table *)(of->begins - CROWDED);
}

/* Would the part make the page a crowded one? */
static bool crowds(const vf_page *of, vf_page_part it)
{
    return !is_crowded(of) && it.begin > 0 && it.end < PAGE_LINES;
}

static void set_lines(line_table *of, vf_page_part where, uintptr_t pool)
{
    for (size_t i = where.begin; i < where.end; i++)
        of->pool[i] = (const void *)pool;
}

/* Has one batch the whole page, or nobody any line? */
static bool is_uniform(const vf_page *of)
{
    return of->before == 0 && of->begins == 0;
}

static void make_crowded(vf_page *of, uintptr_t owner)
{
    line_table *table = take_lines();
    if (is_uniform(of))
        set_lines(table, (vf_page_part){0, PAGE_LINES}, owner);
    if (of->before != 0)
        set_lines(table, (vf_page_part){0, (of->before & LINE) >> 1}, of->before & POOL);
    if ((of->begins & POOL) != 0)
        set_lines(table, (vf_page_part){(of->begins & LINE) >> 1, PAGE_LINES}, of->begins & POOL);
    vf_store_release(&of->begins,
                     (uintptr_t)table | CROWDED); /* pairs with the acquire in vf_page_find */
}

static void enter_part(vf_page *of, vf_page_part it, uintptr_t pool)
{
    assert(vf_mutex_held(&vf_slab_lock));
    if (crowds(of, it))
        make_crowded(of, 0);
    if (is_crowded(of)) {
        set_lines(lines_of(of), it, pool);
    } else if (it.end == PAGE_LINES) {
        vf_store_relaxed(&of->begins, pool | it.begin << 1); /* before the owner, as below */
    } else {
        vf_store_relaxed(&of->before, pool | it.end << 1);
        if (of->begins == 0)
            vf_store_relaxed(&of->begins, NONE_BEGINS);
    }
}

/* What the line has already is beneath from here on: first, for the child of a fork. */
static void cover_line(line_table *of, size_t line, const void *pool)
{
    if (of->pool[line] != NULL) {
        if (of->next == NULL)
            of->next = take_lines();
        cover_line(of->next, line, of->pool[line]);
    }
    of->pool[line] = pool;
}

static void cover_part(vf_page *of, vf_page_part it, uintptr_t owner, uintptr_t pool)
{
    assert(vf_mutex_held(&vf_slab_lock));
    if (!is_crowded(of))
        make_crowded(of, owner);
    for (size_t i = it.begin; i < it.end; i++)
        cover_line(lines_of(of), i, (const void *)pool);
}

/* What is beneath comes up again. */
static void uncover_line(line_table *of, size_t line, const void *pool)
{
    while (of != NULL && of->pool[line] != pool)
        of = of->next;
    for (; of != NULL; of = of->next)
        of->pool[line] = of->next != NULL ? of->next->pool[line] : NULL;
}

static bool is_empty(const line_table *of)
{
    for (size_t i = 0; i < PAGE_LINES; i++) {
        if (of->pool[i] != NULL)
            return false;
    }
    return true;
}

/* Not crowded any more, if no pool has a line: so that nobody looks at the page. */
static void end_crowd(vf_page *of)
{
    line_table *table = lines_of(of);
    for (line_table *above = table; above->next != NULL;) {
        line_table *beneath = above->next;
        if (is_empty(beneath)) {
            above->next = beneath->next;
            give_lines(beneath);
        } else {
            above = beneath;
        }
    }
    if (!is_empty(table))
        return;
    vf_store_relaxed(&of->before, (uintptr_t)0);
    vf_store_relaxed(&of->begins, (uintptr_t)0);
    give_lines(table);
}

static void remove_lines(vf_page *of, vf_page_part it, uintptr_t pool)
{
    for (size_t i = it.begin; i < it.end; i++)
        uncover_line(lines_of(of), i, (const void *)pool);
    end_crowd(of);
}

/* relaxed: nobody looks for what is removed, and what it tells of others stays */
static void remove_part(vf_page *of, vf_page_part it, uintptr_t pool)
{
    assert(vf_mutex_held(&vf_slab_lock));
    if (is_crowded(of)) {
        remove_lines(of, it, pool);
    } else if (it.end == PAGE_LINES) {
        if (of->begins == (pool | it.begin << 1))
            vf_store_relaxed(&of->begins, of->before != 0 ? NONE_BEGINS : 0);
    } else if (of->before == (pool | it.end << 1)) {
        vf_store_relaxed(&of->before, (uintptr_t)0);
        if (of->begins == NONE_BEGINS)
            vf_store_relaxed(&of->begins, (uintptr_t)0);
    }
}

/* The one pool that has any of the lines; 0: none has; VF_PAGE_SHARED: several have. */
static uintptr_t owner_of_lines(const line_table *of)
{
    uintptr_t owner = 0;
    for (size_t i = 0; i < PAGE_LINES; i++) {
        uintptr_t pool = (uintptr_t)of->pool[i];
        if (pool != 0 && owner != 0 && pool != owner)
            return VF_PAGE_SHARED;
        owner |= pool;
    }
    return owner;
}

static uintptr_t owner_of_page(const vf_page *of)
{
    if (is_crowded(of))
        return owner_of_lines(lines_of(of));
    uintptr_t before = of->before & POOL, begins = of->begins & POOL;
    return before != 0 && begins != 0 && before != begins ? VF_PAGE_SHARED : before | begins;
}

/* Has a pool the line of a page that has an owner? For threads that change the map. */
static bool has_line(const vf_page *of, size_t line)
{
    if (is_crowded(of))
        return lines_of(of)->pool[line] != NULL;
    if (is_uniform(of))
        return true;
    return line << 1 < (of->before & LINE) ||
           ((of->begins & POOL) != 0 && line << 1 >= (of->begins & LINE));
}

/* Does the part cover lines that a pool has? */
static bool covers(const vf_page *of, vf_page_part it, uintptr_t owner)
{
    for (size_t i = it.begin; owner != 0 && i < it.end; i++) {
        if (has_line(of, i))
            return true;
    }
    return false;
}

/* ---- the calls ---- */

size_t vf_page_tables(const vf_page *of, uintptr_t owner, vf_page_part it)
{
    assert(vf_mutex_held(&vf_slab_lock));
    if (covers(of, it, owner))
        return is_crowded(of) ? 1 : 2;
    return crowds(of, it) ? 1 : 0;
}

uintptr_t vf_page_enter(vf_page *of, uintptr_t owner, vf_page_part it, uintptr_t pool)
{
    assert(vf_mutex_held(&vf_slab_lock) && (pool & ~POOL) == 0);
    if (covers(of, it, owner))
        cover_part(of, it, owner, pool);
    else if (is_whole(it))
        return pool;
    else
        enter_part(of, it, pool);
    return owner_of_page(of);
}

uintptr_t vf_page_remove(vf_page *of, uintptr_t owner, vf_page_part it, uintptr_t pool)
{
    assert(vf_mutex_held(&vf_slab_lock));
    if (is_uniform(of))
        return is_whole(it) && owner == pool ? 0 : owner;
    remove_part(of, it, pool);
    return owner_of_page(of);
}

void *vf_page_find(const vf_page *of, size_t line)
{
    /* acquire: pairs with the release in make_crowded */
    uintptr_t begins = vf_load_acquire(&of->begins);
    if ((begins & CROWDED) != 0)
        return (void *)(uintptr_t)((line_table *)(begins - CROWDED))->pool[line];
    /* relaxed: written before the object was handed out, where it is the one that counts */
    uintptr_t before = vf_load_relaxed(&of->before);
    return (void *)((line << 1 < (begins & LINE) ? before : begins) & POOL);
}

void vf_page_end(void)
{
    assert(vf_mutex_held(&vf_slab_lock));
    unused_lines = NULL;
}
