/* SPDX-License-Identifier: MIT */
/*
 * page.h - a page of the map, where it is not one batch's as a whole: which pool has which of its
 * lines. All but the look-up is called with the map's lock (slab.h).
 */
#ifndef VF_PAGE_H
#define VF_PAGE_H

#include <veryfast/detail/pool_free.h>

typedef struct vf_page vf_page;

/* What of a batch lies in one page. */
typedef struct vf_page_part {
    size_t begin, end; /* lines; end is that behind the last one */
} vf_page_part;

/* The line of its page that an address lies in. */
size_t vf_page_line(uintptr_t address);

/* The part at the address of a batch that has so many bytes from there on. */
vf_page_part vf_page_part_at(uintptr_t address, size_t size);
size_t vf_page_part_bytes(vf_page_part of);

/* How many tables of lines entering the part may need, on a page with this owner. */
size_t vf_page_tables(const vf_page *page, uintptr_t owner, vf_page_part part);

/* Makes sure that there are so many; false: out of memory. */
bool vf_page_reserve(size_t tables);

/* The part is the pool's from here on, for which there are enough tables. Returns the page's
   owner, which was another till now. */
uintptr_t vf_page_enter(vf_page *page, uintptr_t owner, vf_page_part part, uintptr_t pool);

/* Removes what was entered, or does nothing if the pool does not have the part. Returns the page's
   owner. */
uintptr_t vf_page_remove(vf_page *page, uintptr_t owner, vf_page_part part, uintptr_t pool);

/* The pool that has this line, where there is a live object; NULL: none. Lock-free; any thread. */
void *vf_page_find(const vf_page *page, size_t line);

/* There is no page any more. */
void vf_page_end(void);

#endif
