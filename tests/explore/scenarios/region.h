/* SPDX-License-Identifier: MIT */
/*
 * region.h - an allocator that gives out the memory of batches again as soon as it can, and at
 * addresses that all lead to the same place in the first table by address (addresses.c). What is
 * given back is written to, so that a late access is a race. With ROTATES it takes as long as
 * possible until memory is used again. With ELSEWHERE those but the first BEFORE lead to that cell.
 */
#ifndef EXPLORE_REGION_H
#define EXPLORE_REGION_H

#include <stdlib.h>
#include <string.h>

enum { REGION = 262144, REGION_BLOCKS = 8 };

static struct {
    pthread_mutex_t lock;
    size_t batch; /* bytes of one */
    char *block[REGION_BLOCKS];
    bool used[REGION_BLOCKS];
    int first; /* the search for one that is not used begins there */
} region;

static void *region_alloc(void *context, size_t size, size_t alignment)
{
    (void)context;
    void *memory = NULL;
    if (size != region.batch) {
        return posix_memalign(&memory, alignment < 8 ? 8 : alignment, size) == 0 ? memory : NULL;
    }
    pthread_mutex_lock(&region.lock);
    for (int n = 0; memory == NULL; n++) {
        assert(n < REGION_BLOCKS);
        int i = (region.first + n) % REGION_BLOCKS;
        if (!region.used[i]) {
            region.used[i] = true;
            memory = region.block[i];
#ifdef ROTATES
            region.first = i + 1;
#endif
        }
    }
    pthread_mutex_unlock(&region.lock);
    return memory;
}

static void region_dealloc(void *context, void *memory, size_t size, size_t alignment)
{
    (void)context;
    (void)alignment;
    if (size != region.batch) {
        free(memory);
        return;
    }
    memset(memory, 0, size);
    pthread_mutex_lock(&region.lock);
    for (int i = 0; i < REGION_BLOCKS; i++) {
        if (region.block[i] == memory) {
            region.used[i] = false;
        }
    }
    pthread_mutex_unlock(&region.lock);
}

/* Is the address fit for the n-th block, with 16 cells in the table? */
static inline bool region_fits(const char *at, unsigned granule, int n)
{
    uint64_t hash = ((uintptr_t)at >> granule) * VF_HASH;
#ifdef ELSEWHERE
    if (n >= BEFORE)
        return hash >> 60 == ELSEWHERE;
#endif
    (void)n;
    /* 14: the search goes round the end. 8: here it begins for what lies in a longer batch's second
       granule. 4: here it goes on, where a slot may lie in its batch's second granule */
    return hash >> 60 == 14 && (hash + VF_HASH) >> 60 == 8 && (hash - VF_HASH) >> 60 == 4;
}

/* Before the pool. */
static inline vf_allocator region_allocator(size_t batch)
{
    char *memory = NULL;
    int error = posix_memalign((void **)&memory, VF_CACHE_LINE, REGION);
    assert(error == 0);
    region.batch = batch;
    unsigned granule = 63U - (unsigned)__builtin_clzll(batch);
    size_t step = (batch + VF_CACHE_LINE - 1) / VF_CACHE_LINE * VF_CACHE_LINE;
    int n = 0;
    for (char *at = memory; n < REGION_BLOCKS && at + step <= memory + REGION; at += step) {
        if (region_fits(at, granule, n)) {
            region.block[n++] = at;
        }
    }
    assert(n == REGION_BLOCKS);
    return (vf_allocator){region_alloc, region_dealloc, NULL};
}

#endif
