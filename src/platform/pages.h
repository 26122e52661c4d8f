/* SPDX-License-Identifier: MIT */
/*
 * pages.h - the pages of the process's memory.
 */
#ifndef VF_PAGES_H
#define VF_PAGES_H

#include <stdbool.h>
#include <stddef.h>

/* Bytes of a page. */
size_t vf_pages_size(void);

/* Bytes of whole pages that are in memory. Both arguments are multiples of a page. All of them,
   where the system does not tell. May change errno. */
size_t vf_pages_resident(char *memory, size_t size);

/* Drops pages of private memory: they read as zero from here on, and cost nothing until they are
   used. Has the signature of vf_pool_options.purge. May change errno. */
void vf_pages_drop(void *context, void *memory, size_t size);

/* Memory of zero bytes of which only what is written to costs a page; NULL: out of memory. May
   change errno. */
void *vf_pages_obtain(size_t size);
void vf_pages_give_back(void *memory, size_t size);

/* Can vf_pages_drop do so on this system? */
bool vf_pages_can_drop(void);

#endif
