/* SPDX-License-Identifier: MIT */
/*
 * writer.c - runs of slots for producers that push much.
 *
 * A counter that every push adds to, and lines that neighbours write to, cost a transfer between
 * cores each. A writer takes a run of slots at once, which ends where a pair of lines does, so that
 * both costs come once a run. Runs double from one block to a few, so that a producer which
 * pushes little leaves little unused. What it leaves goes back if no slots behind it were taken;
 * otherwise it is a gap, which marks tell the drain to skip.
 */
#include "smallbuf.h"

#include <assert.h>
#include <errno.h>

#include "../platform/tsan.h"
#include "keyed.h"

#define RUN_MAX 8 /* times the shortest run; more only where a block is more */

/* One slot, by the way of S_push; in that a refusal counts as one, too. */
static size_t take_one(vf_writer *writer, uint64_t *tail, void **spill,
                       const vf_smallbuf_type *type, void **slots)
{
    uint64_t index = vf_fetch_add_relaxed(tail, 1); /* orders nothing: see S_push */
    uint64_t run;
    writer->end = index + 1;
    if (index < type->inside)
        *slots = (char *)spill + type->inline_offset + (size_t)index * type->size;
    else
        *slots = vf_spill_find(spill, index, type, &run);
    return *slots != NULL;
}

/* How many slots are available at the index, from N on, without a decision. */
VF_ALWAYS_INLINE uint64_t slots_there(const vf_directory *directory, uint64_t index, void **slots)
{
    uint64_t run = 0;
    /* acquire: pairs with the release in raise_room, which comes after the chunk's */
    if (directory == NULL || index >= vf_load_acquire(&directory->room))
        return 0;
    *slots = vf_slot_of(directory, index, &run);
    return run;
}

/* With a block, and no longer than it should be if that is not shorter than a block. */
uint64_t vf_writer_end(uint64_t run, const vf_directory *directory, uint64_t index,
                       uint64_t in_chunk)
{
    uint64_t place = index + directory->offset;
    uint64_t block = vf_block_at(directory, place);
    run = run < block ? block : run;
    uint64_t end = ((place + run) & ~(block - 1)) - directory->offset; /* a power of two */
    return end - index < in_chunk ? end : index + in_chunk;
}

void vf_writer_lengthen(vf_writer *writer, const vf_directory *directory)
{
    if (writer->run < RUN_MAX * directory->block &&
        writer->run <= VF_RUN_BYTES / 2 / directory->type.size)
        writer->run *= 2;
}

/* A run, if there are slots; 0: they are to be decided, or refused. Inlined in the writers' own
   way, where the call would be a tenth of what a run costs. */
VF_ALWAYS_INLINE size_t take_if_there(vf_writer *writer, uint64_t *tail, void **spill,
                                      const vf_smallbuf_type *type, void **slots)
{
    uint64_t index = vf_load_relaxed(tail); /* the swap will tell whether that is still so */
    while (index >= type->inside) {
        const vf_directory *directory = vf_directory_of(spill);
        uint64_t in_chunk = slots_there(directory, index, slots);
        if (in_chunk == 0)
            break;
        if (writer->run == 0)
            writer->run = directory->block;
        uint64_t end = vf_writer_end(writer->run, directory, index, in_chunk);
        /* relaxed: exclusive access is what makes elements visible */
        if (vf_cas_weak_relaxed(tail, &index, end)) {
            /* whoever set a limit has an index behind it: gaps are marked up to a block's end */
            assert(vf_lead_of(vf_chunk_of(directory, index))->limit == VF_NO_LIMIT);
            writer->end = end;
            vf_writer_lengthen(writer, directory);
            vf_tsan_acquire(directory);
            return (size_t)(end - index);
        }
    }
    return 0;
}

size_t vf_writer_take(vf_writer *writer, uint64_t *tail, void **spill, const vf_smallbuf_type *type,
                      void **slots)
{
    return take_if_there(writer, tail, spill, type, slots);
}

size_t vf_writer_more(vf_writer *writer, uint64_t *tail, void **spill, const vf_smallbuf_type *type,
                      void **slots)
{
    if ((writer->run & VF_KEYED) != 0)
        return vf_keyed_more(writer, tail, spill, type, slots);
    size_t n = take_if_there(writer, tail, spill, type, slots);
    return n != 0 ? n : take_one(writer, tail, spill, type, slots); /* which asks, and counts */
}

void vf_writer_mark(vf_directory *directory, uint64_t first, uint64_t from, uint64_t end)
{
    uint64_t block = vf_block_at(directory, first);
    vf_mark *at = vf_mark_at(directory, first);
    for (uint64_t begin = first & ~(block - 1); begin < end; begin += block) {
        uint64_t unused = from < begin ? block : begin + block - from;
        vf_mark mark = from < begin + block ? vf_mark_of(directory->fill, unused) : 0;
        /* relaxed: read with exclusive access only; of lanes several readers may write the same */
        vf_store_relaxed(at++, mark);
    }
}

void vf_writer_leave(vf_directory *directory, uint64_t index, uint64_t end)
{
    uint64_t offset = directory->offset;
    vf_writer_mark(directory, index + offset, index + offset, end + offset);
    /* relaxed: read with exclusive access only, as the marks are */
    vf_fetch_add_relaxed(&directory->gaps, end - index);
    vf_store_relaxed(&directory->hint, 0);
}

void vf_writer_give_back(vf_writer *writer, size_t unused, uint64_t *tail, void **spill)
{
    assert(unused > 0);
    uint64_t end = writer->end;
    uint64_t index = end - unused;
    if ((writer->run & VF_KEYED) != 0)
        vf_keyed_give_back(writer, unused, vf_directory_of(spill));
    /* relaxed: nobody has written to these slots; tail is end only if nobody has any behind them */
    else if (!vf_cas_strong_relaxed(tail, &end, index))
        vf_writer_leave(vf_directory_of(spill), index, writer->end);
}
