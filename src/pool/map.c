/* SPDX-License-Identifier: MIT */
/*
 * map.c - see map.h.
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
 * One lock guards all changes; each leaves the map whole, since the child of a fork goes on with
 * what it finds. A thread that looks for the pool of a live object reads without the lock. It
 * relies on this: what tells of a batch with live objects stays as it is, though there may be more
 * of it. So `before` stays behind when a page becomes crowded, and both words are right whether the
 * page's owner is SHARED or has just become one pool.
 */
#include "map.h"

#include <assert.h>
#include <errno.h>

#include "../common/arith.h"
#include "../platform/mutex.h"
#include "../platform/pages.h"

#define PAGE_LINES    (((size_t)1 << VF_PAGE_LOG2) / VF_CACHE_LINE)
#define CROWDED       ((uintptr_t)1)
#define LINE          ((uintptr_t)(PAGE_LINES - 1) << 1) /* the bits of a line's number */
#define POOL          (~(LINE | CROWDED))
#define NONE_BEGINS   LINE  /* while something ended here: all lines but the last are before's */
#define LINES_AT_ONCE 65536 /* bytes of tables of lines */

/* Leaves for all addresses that Linux gives out; the explorer has fewer. */
#ifndef VF_FIRST_LEAVES
#    define VF_FIRST_LEAVES ((size_t)1 << (sizeof(void *) == 8 ? 18 : 10))
#endif

typedef struct vf_page map_page;

/* A pointer for each line of a crowded page. A thread looks at a line of an object that it has, so
   there is no atomic in it. */
typedef struct line_table {
    struct line_table *next; /* beneath it, or NULL; or of those that no page has */
    const void *pool[PAGE_LINES];
} line_table;

vf_leaf **vf_map_leaves;

/* the map's lock, all of it */
static vf_mutex lock = VF_MUTEX_INITIALIZER;
static size_t leaves_size; /* entries in vf_map_leaves */
static line_table *unused_lines;
static struct slab {
    struct slab *next;
    size_t size;
} * slabs; /* all memory that is held, each with this in front */

/* ---- memory ---- */

/* Zero bytes, behind a line of its own; NULL: out of memory. */
static void *obtain(size_t size)
{
    assert(vf_mutex_held(&lock));
    size += VF_CACHE_LINE;
    int saved = errno;
    struct slab *slab = vf_pages_obtain(size);
    errno = saved;
    if (slab == NULL)
        return NULL;
    slab->next = slabs;
    slab->size = size;
    vf_store_release(&slabs, slab); /* release, as for unused_lines: for the child of a fork */
    return (char *)slab + VF_CACHE_LINE;
}

static line_table *take_lines(void)
{
    assert(vf_mutex_held(&lock));
    line_table *taken = unused_lines;
    vf_store_release(&unused_lines, taken->next);
    taken->next = NULL;
    return taken;
}

static void give_lines(line_table *given)
{
    assert(vf_mutex_held(&lock));
    given->next = unused_lines;
    vf_store_release(&unused_lines, given);
}

/* So many tables of lines all of whose pointers are NULL; false: out of memory. */
static bool reserve_lines(size_t n)
{
    for (const line_table *each = unused_lines; each != NULL && n > 0; each = each->next)
        n--;
    while (n > 0) {
        line_table *more = obtain(LINES_AT_ONCE);
        if (more == NULL)
            return false;
        for (size_t i = 0; i < LINES_AT_ONCE / sizeof *more; i++)
            give_lines(&more[i]);
        n -= vf_min(n, LINES_AT_ONCE / sizeof *more);
    }
    return true;
}

/* ---- leaves ---- */

/* Room for the leaf of this number; false: out of memory. Threads may be reading what is replaced,
   so that stays. */
static bool reserve_leaves(size_t number)
{
    assert(vf_mutex_held(&lock));
    if (number < leaves_size)
        return true;
    size_t size = leaves_size == 0 ? VF_FIRST_LEAVES : leaves_size;
    while (size <= number)
        size *= 2;
    vf_leaf **longer = obtain(size * sizeof *longer);
    if (longer == NULL)
        return false;
    for (size_t i = 0; i < leaves_size; i++) {
        if (vf_map_leaves[i] != NULL) /* else that costs no memory if it is not written to */
            longer[i] = vf_map_leaves[i];
    }
    vf_store_release(&vf_map_leaves, longer); /* pairs with the consume in vf_map_owner */
    leaves_size = size;
    return true;
}

/* The leaf of an address, or NULL. */
static vf_leaf *leaf_of(uintptr_t address)
{
    assert(vf_mutex_held(&lock));
    size_t number = vf_map_leaf(address);
    return number < leaves_size ? vf_map_leaves[number] : NULL;
}

/* The same, made if need be; NULL: out of memory. */
static vf_leaf *make_leaf(uintptr_t address)
{
    assert(vf_mutex_held(&lock));
    size_t number = vf_map_leaf(address);
    if (!reserve_leaves(number))
        return NULL;
    if (vf_map_leaves[number] == NULL) {
        vf_leaf *leaf = obtain(sizeof *leaf);
        if (leaf == NULL)
            return NULL;
        vf_map_leaves[number] = leaf; /* nobody looks for an object there yet */
    }
    return vf_map_leaves[number];
}

/* ---- parts: what of a batch lies in one page ---- */

typedef struct page_part {
    size_t begin, end; /* lines; end is that behind the last one */
} page_part;

static size_t line_of(uintptr_t address)
{
    return address / VF_CACHE_LINE % PAGE_LINES;
}

/* The part at the address of a batch that has so many bytes from there on. */
static page_part part_at(uintptr_t address, size_t size)
{
    size_t begin = line_of(address);
    size_t rest = size / VF_CACHE_LINE + (size % VF_CACHE_LINE != 0);
    return (page_part){begin, rest < PAGE_LINES - begin ? begin + rest : PAGE_LINES};
}

static size_t part_bytes(page_part of)
{
    return (of.end - of.begin) * VF_CACHE_LINE;
}

static bool is_whole(page_part it)
{
    return it.begin == 0 && it.end == PAGE_LINES;
}

/* ---- pages ---- */

static bool is_crowded(const map_page *of)
{
    return (of->begins & CROWDED) != 0;
}

static line_table *lines_of(const map_page *of)
{
    return (line_table *)(of->begins - CROWDED);
}

/* Would the part make the page a crowded one? */
static bool crowds(const map_page *of, page_part it)
{
    return !is_crowded(of) && it.begin > 0 && it.end < PAGE_LINES;
}

static void set_lines(line_table *of, page_part where, uintptr_t pool)
{
    for (size_t i = where.begin; i < where.end; i++)
        of->pool[i] = (const void *)pool;
}

/* Has one batch the whole page, or nobody any line? */
static bool is_uniform(const map_page *of)
{
    return of->before == 0 && of->begins == 0;
}

static void make_crowded(map_page *of, uintptr_t owner)
{
    line_table *table = take_lines();
    if (is_uniform(of))
        set_lines(table, (page_part){0, PAGE_LINES}, owner);
    if (of->before != 0)
        set_lines(table, (page_part){0, (of->before & LINE) >> 1}, of->before & POOL);
    if ((of->begins & POOL) != 0)
        set_lines(table, (page_part){(of->begins & LINE) >> 1, PAGE_LINES}, of->begins & POOL);
    vf_store_release(&of->begins,
                     (uintptr_t)table | CROWDED); /* pairs with the acquire in find_in */
}

static void enter_part(map_page *of, page_part it, uintptr_t pool)
{
    assert(vf_mutex_held(&lock));
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

static void cover_part(map_page *of, page_part it, uintptr_t owner, uintptr_t pool)
{
    assert(vf_mutex_held(&lock));
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
static void end_crowd(map_page *of)
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

static void remove_lines(map_page *of, page_part it, uintptr_t pool)
{
    for (size_t i = it.begin; i < it.end; i++)
        uncover_line(lines_of(of), i, (const void *)pool);
    end_crowd(of);
}

/* relaxed: nobody looks for what is removed, and what it tells of others stays */
static void remove_part(map_page *of, page_part it, uintptr_t pool)
{
    assert(vf_mutex_held(&lock));
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

static uintptr_t owner_of_page(const map_page *of)
{
    if (is_crowded(of))
        return owner_of_lines(lines_of(of));
    uintptr_t before = of->before & POOL, begins = of->begins & POOL;
    return before != 0 && begins != 0 && before != begins ? VF_PAGE_SHARED : before | begins;
}

/* Has a pool the line? For threads that change the map. */
static bool has_line(const map_page *of, size_t line, uintptr_t owner)
{
    if (is_crowded(of))
        return lines_of(of)->pool[line] != NULL;
    if (is_uniform(of))
        return owner != 0;
    return line << 1 < (of->before & LINE) ||
           ((of->begins & POOL) != 0 && line << 1 >= (of->begins & LINE));
}

/* Does the part cover lines that a pool has? */
static bool covers(const map_page *of, page_part it, uintptr_t owner)
{
    for (size_t i = it.begin; owner != 0 && i < it.end; i++) {
        if (has_line(of, i, owner))
            return true;
    }
    return false;
}

/* The pool that has this line of a page, where there is a live object; NULL: none. */
static void *find_in_page(const map_page *of, size_t line)
{
    /* acquire: pairs with the release in make_crowded */
    uintptr_t begins = vf_load_acquire(&of->begins);
    if ((begins & CROWDED) != 0)
        return (void *)(uintptr_t)((line_table *)(begins - CROWDED))->pool[line];
    /* relaxed: written before the object was handed out, where it is the one that counts */
    uintptr_t before = vf_load_relaxed(&of->before);
    return (void *)((line << 1 < (begins & LINE) ? before : begins) & POOL);
}

/* ---- the calls ---- */

/* Tables of lines that entering the part may need. */
static size_t tables_for(uintptr_t address, page_part it)
{
    const vf_leaf *leaf = leaf_of(address);
    size_t number = vf_map_page(address);
    const map_page *of = &leaf->pages[number];
    if (covers(of, it, leaf->owners[number]))
        return is_crowded(of) ? 1 : 2;
    return crowds(of, it) ? 1 : 0;
}

/* All that entering the memory may need: leaves, and tables for pages that it crowds or covers. */
static bool make_leaves(uintptr_t address, size_t size)
{
    assert(vf_mutex_held(&lock));
    size_t step = VF_LEAF_PAGES << VF_PAGE_LOG2;
    for (size_t at = 0; at < size; at += step) {
        if (make_leaf(address + at) == NULL)
            return false;
    }
    if (make_leaf(address + size - 1) == NULL)
        return false;
    size_t tables = 0;
    for (size_t at = 0; at < size;) {
        page_part it = part_at(address + at, size - at);
        tables += tables_for(address + at, it);
        at += part_bytes(it);
    }
    return reserve_lines(tables);
}

/* Of memory for which there are leaves. */
static void enter_memory(uintptr_t pool, uintptr_t address, size_t size)
{
    assert(vf_mutex_held(&lock));
    for (size_t at = 0; at < size;) {
        page_part it = part_at(address + at, size - at);
        vf_leaf *leaf = leaf_of(address + at);
        size_t number = vf_map_page(address + at);
        map_page *of = &leaf->pages[number];
        bool is_covering = covers(of, it, leaf->owners[number]);
        if (is_covering)
            cover_part(of, it, leaf->owners[number], pool);
        else if (!is_whole(it))
            enter_part(of, it, pool);
        uintptr_t owner = is_whole(it) && !is_covering ? pool : owner_of_page(of);
        /* release: pairs with the acquire in vf_map_shared, for a page that one pool had */
        vf_store_release(&leaf->owners[number], owner);
        at += part_bytes(it);
    }
}

bool vf_map_enter(const void *pool, const char *memory, size_t size)
{
    uintptr_t address = (uintptr_t)memory;
    assert(size > 0 && address % VF_CACHE_LINE == 0 && ((uintptr_t)pool & ~POOL) == 0);
    vf_mutex_lock(&lock);
    bool prepared = make_leaves(address, size);
    if (prepared)
        enter_memory((uintptr_t)pool, address, size);
    vf_mutex_unlock(&lock);
    return prepared;
}

void vf_map_remove(const void *pool, const char *memory, size_t size)
{
    uintptr_t address = (uintptr_t)memory;
    vf_mutex_lock(&lock);
    for (size_t at = 0; at < size;) {
        page_part it = part_at(address + at, size - at);
        vf_leaf *leaf = leaf_of(address + at);
        size_t number = vf_map_page(address + at);
        at += part_bytes(it);
        if (leaf == NULL)
            continue;
        map_page *of = &leaf->pages[number];
        if (!is_whole(it) || is_crowded(of))
            remove_part(of, it, (uintptr_t)pool);
        else if (leaf->owners[number] != (uintptr_t)pool)
            continue;
        vf_store_relaxed(&leaf->owners[number], owner_of_page(of)); /* as in remove_part */
    }
    vf_mutex_unlock(&lock);
}

void *vf_map_shared(const void *object)
{
    uintptr_t address = (uintptr_t)object;
    vf_leaf **leaves = vf_load_acquire(&vf_map_leaves); /* as in vf_map_owner */
    const vf_leaf *leaf = leaves[vf_map_leaf(address)];
    /* acquire: pairs with the release in enter_memory. A page that one pool had, and that others
       cover in part now, has been crowded before */
    uintptr_t owner = vf_load_acquire(&leaf->owners[vf_map_page(address)]);
    if (owner != VF_PAGE_SHARED)
        return (void *)owner;
    return find_in_page(&leaf->pages[vf_map_page(address)], line_of(address));
}

void *vf_map_find(const void *address)
{
    vf_mutex_lock(&lock);
    const vf_leaf *leaf = leaf_of((uintptr_t)address);
    uintptr_t owner = leaf != NULL ? leaf->owners[vf_map_page((uintptr_t)address)] : 0;
    void *pool = owner == VF_PAGE_SHARED ? vf_map_shared(address) : (void *)owner;
    vf_mutex_unlock(&lock);
    return pool;
}

void vf_map_after_fork(void)
{
    vf_mutex_init(&lock);
}

void vf_map_end(void)
{
    if (!vf_mutex_trylock(&lock))
        return; /* the process ends while another thread is in here */
    struct slab *next;
    for (struct slab *slab = slabs; slab != NULL; slab = next) {
        next = slab->next;
        vf_pages_give_back(slab, slab->size);
    }
    slabs = NULL;
    unused_lines = NULL;
    vf_map_leaves = NULL;
    leaves_size = 0;
    vf_mutex_unlock(&lock);
}
