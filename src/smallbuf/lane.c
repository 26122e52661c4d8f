/* SPDX-License-Identifier: MIT */
/*
 * lane.c - with VF_LANES: where the pushes of a thread go, beyond N.
 *
 * A thread has a lane for each buffer that it has pushed much to, which is a writer: its run is
 * taken by one atomic operation, and filled without any. The first slots behind those inside are
 * taken one by one, and cost a mailbox that spills a little neither a lane nor a run. So are those
 * that S_reserve has promised, and the last ones below the cap: a slot that one thread has, and
 * does not fill, would be lacking to the others.
 *
 * A thread that ends leaves its lane to the next one of its index. One that has no memory for a
 * lane takes single slots. Whatever it takes is behind all that it has taken before: a lane with
 * slots comes first, and it has had its number for lanes since before its first slot beyond N.
 */
#include "lane.h"

#include <assert.h>
#include <string.h>

#include "../platform/tsan.h"
#include "chunk.h"
#include "lanes.h"

/* So many of the shortest runs behind N, and so many before the cap, are of single slots. */
#define FIRST_BLOCKS 4
#define LAST_BLOCKS  64

/* A run is no longer than a writer's, and than such a part of the slots before it: as many threads
   as take so large a part each leave little of a large buffer unused. */
#define PART 64

bool vf_lane_is_single(const vf_directory *directory, uint64_t index)
{
    uint64_t cap = vf_chunk_cap(directory->options);
    uint64_t behind = directory->type.inside + FIRST_BLOCKS * directory->block;
    return index < behind || index < vf_load_relaxed(&directory->promised) || index >= cap ||
           cap - index < LAST_BLOCKS * directory->block;
}

static void *take_single(uint64_t *tail, void **spill, const vf_smallbuf_type *type,
                         uint64_t *index)
{
    uint64_t run;
    *index = vf_fetch_add_relaxed(tail, 1); /* orders nothing: see S_push */
    return vf_spill_find(spill, *index, type, &run);
}

bool vf_lane_is_there(const vf_directory *directory, uint64_t index)
{
    return index < vf_load_relaxed(&directory->room); /* whoever takes it acquires it */
}

vf_lane *vf_lane_find(vf_directory *directory, uint64_t thread)
{
    /* acquire: pairs with the release in vf_lane_new; the others are in its release sequence */
    vf_lane *lane = vf_load_acquire(&vf_lane_heads(directory)[thread % VF_LANE_HEADS]);
    while (lane != NULL && lane->thread != thread)
        lane = lane->next;
    return lane;
}

vf_lane *vf_lane_new(vf_directory *directory, uint64_t thread)
{
    vf_lane *lane = vf_chunk_memory(directory->options, vf_lanes_size(directory), VF_CACHE_LINE);
    if (lane == NULL)
        return NULL;
    vf_lane **head = &vf_lane_heads(directory)[thread % VF_LANE_HEADS];
    memset(lane, 0, vf_lanes_size(directory));
    lane->thread = thread;
    lane->next = vf_load_relaxed(head); /* the swap tells whether it is still so */
    vf_tsan_release(directory);
    /* release: pairs with the acquire in vf_lane_find, and the consume in vf_lane_own */
    while (!vf_cas_weak_release(head, &lane->next, lane)) {
    }
    return lane;
}

bool vf_lane_may_double(uint64_t run, uint64_t index, const vf_smallbuf_type *type)
{
    return run <= index / PART / 2 && run <= VF_RUN_BYTES / 2 / type->size;
}

/* The lane's next run, or a slot, if that is all there is; false and ENOMEM: refused. */
static bool take_run(vf_lane *lane, uint64_t *tail, void **spill, const vf_smallbuf_type *type)
{
    void *slots = NULL;
    vf_lanes_unmark(vf_directory_of(spill), lane);
    size_t n = vf_writer_more(&lane->core, tail, spill, type, &slots);
    lane->at = (char *)slots;
    lane->stop = lane->at;
    if (n == 0)
        return false;
    if (vf_lane_may_double(lane->core.run, lane->core.end, type))
        lane->core.run *= 2;
    lane->stop += n * type->size;
    lane->first = lane->core.end - n;
    return true;
}

void *vf_lane_next(uint64_t *tail, void **spill, const vf_smallbuf_type *type, uint64_t *index)
{
    /* first: a thread that has ended may have left all that is looked at below, its lane with slots
       among that */
    uint64_t thread = vf_thread_lane_begin();
    uint64_t seen = vf_load_relaxed(tail); /* orders nothing, and may be older by now */
    assert(seen >= type->inside);
    vf_directory *directory = vf_directory_of(spill);
    bool single = directory == NULL || vf_lane_is_single(directory, seen);
    vf_lane *lane = directory != NULL ? vf_lane_find(directory, thread) : NULL;
    if (lane == NULL && !single && vf_lane_is_there(directory, seen))
        lane = vf_lane_new(directory, thread);
    bool filled = lane == NULL || lane->at == lane->stop;
    if (lane == NULL || (filled && single))
        return take_single(tail, spill, type, index);
    if (filled && !take_run(lane, tail, spill, type)) {
        *index = lane->core.end - 1;
        return NULL;
    }
    void *slot = lane->at;
    *index = vf_lane_index(lane, type->size);
    lane->at += type->size;
    return slot;
}

size_t vf_lane_rest(void *const *spill, size_t n, void **slots, uint64_t *index)
{
    uint64_t thread = vf_thread_lane_begin(); /* first, as in vf_lane_next */
    vf_directory *directory = vf_directory_of(spill);
    vf_lane *lane = directory != NULL ? vf_lane_find(directory, thread) : NULL;
    if (lane == NULL || lane->at == lane->stop)
        return 0;
    size_t size = directory->type.size;
    size_t there = (size_t)(lane->stop - lane->at) / size;
    *slots = lane->at;
    *index = vf_lane_index(lane, size);
    n = n < there ? n : there;
    lane->at += n * size;
    return n;
}
