/* SPDX-License-Identifier: MIT */
/*
 * keyed.h - runs of writers with a key, which a drain hands out by that.
 */
#ifndef VF_KEYED_H
#define VF_KEYED_H

#include "smallbuf.h"

/* vf_writer_more for a writer with a key, and vf_writer_give_back. */
size_t vf_keyed_more(vf_writer *writer, uint64_t *tail, void **spill, const vf_smallbuf_type *type,
                     void **slots);
void vf_keyed_give_back(const vf_writer *writer, size_t unused, vf_directory *directory);

/* Sorts the runs of a fill, for the drain that takes it. Exclusive access. */
void vf_keyed_sort(vf_directory *directory, vf_drain *drain);

/* vf_drain_more for that drain. */
size_t vf_keyed_drain(vf_drain *drain, void **elements);

/* Has the list room for one more run, where one was refused? False and ENOMEM: there is no memory.
   Exclusive access. */
bool vf_keyed_reserve(vf_directory *directory);

#endif
