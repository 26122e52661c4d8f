/* SPDX-License-Identifier: MIT */
/*
 * lanes.c - what becomes of the lanes when a thread has the buffer for itself: reading looks past
 * what is unused of their runs, and a drain ends these.
 */
#include "lanes.h"

#include "../common/arith.h"
#include "chunk.h"

size_t vf_lanes_size(const vf_directory *directory)
{
    size_t size = directory->type.bank_size != 0 ? sizeof(vf_flip_lane) : sizeof(vf_lane);
    return vf_round_up(size, VF_CACHE_LINE); /* all of its lines are its thread's */
}

vf_lane *vf_lanes_next(vf_directory *directory, const vf_lane *lane)
{
    size_t head = lane != NULL ? lane->thread % VF_LANE_HEADS + 1 : 0;
    if (lane != NULL && lane->next != NULL)
        return lane->next;
    for (; directory != NULL && directory->type.lanes && head < VF_LANE_HEADS; head++) {
        /* acquire: pairs with the release in vf_lane_new; with VF_FLIP a push may look at a bank
           that a flip has taken, and add its lane */
        vf_lane *first = vf_load_acquire(&vf_lane_heads(directory)[head]);
        if (first != NULL)
            return first;
    }
    return NULL;
}

static uint64_t unused_of(const vf_directory *directory, const vf_lane *lane)
{
    if (directory->type.bank_size != 0)
        return vf_load_relaxed(&vf_flip_lane_of(lane)->left) & ~VF_RUN_ENDED;
    return lane->at != lane->stop ? (uint64_t)(lane->stop - lane->at) / directory->type.size : 0;
}

uint64_t vf_lanes_unused(vf_directory *directory)
{
    uint64_t unused = 0;
    for (const vf_lane *lane = NULL; (lane = vf_lanes_next(directory, lane)) != NULL;)
        unused += unused_of(directory, lane);
    return unused;
}

/* Marks what is unused of the lane's run from the index on. */
static void mark_run(vf_directory *directory, const vf_lane *lane, uint64_t from)
{
    uint64_t offset = directory->offset;
    vf_writer_mark(directory, lane->first + offset, from + offset, lane->core.end + offset);
}

void vf_lanes_unmark(vf_directory *directory, vf_lane *lane)
{
    if (lane->marked != 0)
        mark_run(directory, lane, lane->core.end);
    lane->marked = 0;
}

void vf_lanes_mark(vf_directory *directory)
{
    for (vf_lane *lane = NULL; (lane = vf_lanes_next(directory, lane)) != NULL;) {
        uint64_t unused = unused_of(directory, lane);
        if (unused > 0 || vf_load_relaxed(&lane->marked) != 0) {
            mark_run(directory, lane, lane->core.end - unused);
            vf_store_relaxed(&lane->marked, 1); /* several may read at once, and do the same */
        }
    }
}

/* The lane has no run; a push with VF_FLIP may look whether it has. */
static void forget_run(const vf_directory *directory, vf_lane *lane)
{
    lane->stop = lane->at;
    lane->marked = 0;
    lane->core.end = 0;
    lane->core.run = 0;
    if (directory->type.bank_size != 0) {
        vf_store_relaxed(&vf_flip_lane_of(lane)->left, 0);
        vf_flip_lane_of(lane)->filled = 0; /* no push is in flight */
    }
}

uint64_t vf_lanes_end(vf_directory *directory, uint64_t used)
{
    for (vf_lane *lane = NULL; (lane = vf_lanes_next(directory, lane)) != NULL;) {
        uint64_t unused = unused_of(directory, lane);
        bool last = lane->core.end == used;
        if (last)
            used -= unused;
        else
            directory->gaps += unused;
        if (lane->marked != 0 || (unused > 0 && !last))
            mark_run(directory, lane, lane->core.end - (last ? 0 : unused));
        forget_run(directory, lane);
    }
    return used;
}

void vf_lanes_forget(vf_directory *directory)
{
    for (vf_lane *lane = NULL; (lane = vf_lanes_next(directory, lane)) != NULL;)
        forget_run(directory, lane);
    directory->gaps++; /* so that no mark counts in the next fill */
}

size_t vf_lanes_free(vf_directory *directory)
{
    size_t bytes = 0;
    for (size_t head = 0; directory->type.lanes && head < VF_LANE_HEADS; head++) {
        vf_lane **link = &vf_lane_heads(directory)[head];
        while (*link != NULL) {
            vf_lane *lane = *link;
            if (unused_of(directory, lane) > 0) {
                link = &lane->next;
                continue;
            }
            vf_lanes_unmark(directory, lane);
            *link = lane->next;
            vf_chunk_memory_free(directory->options, lane, vf_lanes_size(directory), VF_CACHE_LINE);
            bytes += vf_lanes_size(directory);
        }
    }
    return bytes;
}
