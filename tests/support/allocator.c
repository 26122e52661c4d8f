/* SPDX-License-Identifier: MIT */
#include "allocator.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct header {
    size_t size, alignment;
    void *block; /* what malloc gave */
} header;

static void *test_alloc(void *context, size_t size, size_t alignment)
{
    test_allocator *allocator = context;
    size_t call = atomic_fetch_add(&allocator->calls, 1) + 1;
    if (atomic_load(&allocator->refuse) || call == atomic_load(&allocator->fail_at)) {
        atomic_fetch_add(&allocator->refused, 1);
        return NULL;
    }
    char *block = malloc(sizeof(header) + alignment + size);
    if (block == NULL)
        return NULL;
    uintptr_t begin = (uintptr_t)block + sizeof(header);
    char *memory = block + ((begin + alignment - 1) / alignment * alignment - (uintptr_t)block);
    header known = {size, alignment, block};
    memcpy(memory - sizeof known, &known, sizeof known);
    memset(memory, 0xA5, size);
    atomic_fetch_add(&allocator->blocks, 1);
    size_t bytes = atomic_fetch_add(&allocator->bytes, size) + size;
    size_t peak = atomic_load(&allocator->peak);
    while (bytes > peak && !atomic_compare_exchange_weak(&allocator->peak, &peak, bytes)) {
    }
    return memory;
}

static void test_dealloc(void *context, void *memory, size_t size, size_t alignment)
{
    test_allocator *allocator = context;
    header known;
    memcpy(&known, (char *)memory - sizeof known, sizeof known);
    if (known.size != size || known.alignment != alignment) {
        fprintf(stderr, "dealloc of %zu bytes at alignment %zu as %zu at %zu\n", known.size,
                known.alignment, size, alignment);
        abort();
    }
    atomic_fetch_sub(&allocator->blocks, 1);
    atomic_fetch_sub(&allocator->bytes, size);
    free(known.block);
}

vf_allocator test_allocator_hook(test_allocator *allocator)
{
    return (vf_allocator){test_alloc, test_dealloc, allocator};
}
