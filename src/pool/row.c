/* SPDX-License-Identifier: MIT */
/*
 * row.c - see row.h.
 *
 * A row never moves, and a thread reads no other than its own. So an entry has one reader that does
 * not hold the threads' lock: the thread whose row it is. It is written when that thread attaches,
 * by its exit, by P_release and P_trim, and when the pool ends.
 *
 * Why a column can be taken again: at a pool's end its entries are set to 0 under the lock under
 * which the column is given back and taken. A free of the old pool's last objects has read its
 * entry before: the pool ends after it (release.c). A call of the new pool's comes after the
 * P_new that took the column, and finds 0 or what was attached since.
 */
#include "row.h"

#include <assert.h>

#include "../common/bits.h"
#include "../platform/pages.h"
#include "lock.h"

/* Of threads that have no row of their own. */
static vf_row no_row;

#ifdef VF_THREAD_INDEX
vf_row *vf_thread_rows[VF_ROW_NUMBERS];
#else
VF_TLS vf_row *vf_thread_row = &no_row;
#endif
#ifdef VF_DLL
vf_row *vf_row_own(void)
{
    return vf_thread_row;
}
#endif

static vf_word columns_taken[VF_COLUMNS / VF_WORD_BITS + 1] = {1}; /* a bit for each column */

static void init_row(vf_row *row)
{
    row->none.freed = row->none.published = &vf_generation_none;
}

void vf_row_init(void)
{
    init_row(&no_row);
#ifdef VF_THREAD_INDEX
    for (size_t i = 0; i < VF_ROW_NUMBERS; i++)
        vf_thread_rows[i] = &no_row;
#endif
}

vf_row *vf_row_new(void)
{
    assert(vf_lock_held());
    vf_row *row = vf_pages_obtain(sizeof(vf_row));
    if (row != NULL)
        init_row(row);
    return row;
}

void vf_row_free(vf_row *row)
{
    assert(vf_lock_held());
    vf_pages_give_back(row, sizeof(vf_row));
}

void vf_row_set_own(vf_row *row)
{
    assert(vf_lock_held());
    vf_row *own = row != NULL ? row : &no_row;
#ifdef VF_THREAD_INDEX
    vf_thread_rows[(uint32_t)(VF_THREAD_INDEX)] = own;
#else
    vf_thread_row = own;
#endif
}

size_t vf_row_take_column(void)
{
    assert(vf_lock_held());
    size_t found = vf_bits_next(columns_taken, VF_COLUMNS, 0, false);
    if (found == VF_COLUMNS)
        return VF_ROW_NO_COLUMN;
    columns_taken[found / VF_WORD_BITS] |= vf_bits_bit(found);
    return offsetof(vf_row, entries) + found * sizeof(uintptr_t);
}

void vf_row_give_column(size_t column)
{
    assert(vf_lock_held());
    if (column == VF_ROW_NO_COLUMN)
        return;
    size_t number = (column - offsetof(vf_row, entries)) / sizeof(uintptr_t);
    columns_taken[number / VF_WORD_BITS] &= ~vf_bits_bit(number);
}

void vf_row_set(vf_row *row, size_t column, const vf_cache *cache)
{
    assert(vf_lock_held() && row != &no_row && column != VF_ROW_NO_COLUMN);
    uintptr_t *entry = (void *)((char *)row + column);
    /* release: pairs with the acquire in vf_row_has, when the owner gets its cache back */
    vf_store_release(entry, cache != NULL ? (uintptr_t)cache - (uintptr_t)row : 0);
}
