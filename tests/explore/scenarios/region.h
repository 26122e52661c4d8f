/* SPDX-License-Identifier: MIT */
/*
 * region.h - an allocator that gives out the memory of batches again as soon as it can, and at
 * addresses that all lead to the same place in the first table by address (addresses.c). What is
 * given back is written to, so that a late access is a race. With ROTATES it takes as long as
 * possible until memory is used again.
 */
#ifndef EXPLORE_REGION_H
#define EXPLORE_REGION_H

#include <stdlib.h>
#include <string.h>

enum { REGION = 65536, REGION_BLOCKS = 8 };

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

static inline uint64_t region_hash(const char *at, unsigned granule)
{
    return ((uintptr_t)at >> granule) * UINT64_C(0x9E3779B97F4A7C15);
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
        uint64_t hash = region_hash(at, granule);
        uint64_t last = region_hash(at + batch - 1, granule);
        /* 6, so that the search goes round the end. The search for what lies in a longer batch's
           second granule begins where the sixth batch is entered */
        if (hash >> 61 == 6 && (last == hash || last >> 61 == 3)) {
            region.block[n++] = at;
        }
    }
    assert(n == REGION_BLOCKS);
    return (vf_allocator){region_alloc, region_dealloc, NULL};
}

#endif
