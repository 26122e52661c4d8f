/* SPDX-License-Identifier: MIT */
/*
 * sized_pool.h - template: pools of objects of SIZE bytes, side by side and each on lines of its
 * own, with their loops.
 */
#define SIZED_CAT_(a, b, c) a##_##b##c
#define SIZED_CAT(a, b, c)  SIZED_CAT_(a, b, c)
#define SIZED(name)         SIZED_CAT(name, SIZE, )
#define CALL(pool, name)    SIZED_CAT(pool, SIZE, name)

struct SIZED(bytes) {
    uint64_t words[SIZE / 8];
};

#define VF_T    struct SIZED(bytes)
#define VF_N    4096
#define VF_NAME SIZED(packed)
#include <veryfast/pool.h>

#define VF_T    struct SIZED(bytes)
#define VF_N    4096
#define VF_NAME SIZED(aligned)
#define VF_CACHE_ALIGNED
#include <veryfast/pool.h>

static SIZED(packed) * SIZED(the_packed);
static SIZED(aligned) * SIZED(the_aligned);

#define LOOPS SIZED(packed)
#define LOOPS_USE
#define LOOPS_ALLOC   CALL(packed, _alloc)(SIZED(the_packed))
#define LOOPS_FREE(p) CALL(packed, _free)(SIZED(the_packed), (struct SIZED(bytes) *)(void *)(p))
#include "allocator_loops.h"

#define LOOPS SIZED(aligned)
#define LOOPS_USE
#define LOOPS_ALLOC   CALL(aligned, _alloc)(SIZED(the_aligned))
#define LOOPS_FREE(p) CALL(aligned, _free)(SIZED(the_aligned), (struct SIZED(bytes) *)(void *)(p))
#include "allocator_loops.h"

static void SIZED(open)(void)
{
    SIZED(the_packed) = made(CALL(packed, _new)(NULL));
    SIZED(the_aligned) = made(CALL(aligned, _new)(NULL));
}

#undef SIZE
#undef SIZED_CAT_
#undef SIZED_CAT
#undef SIZED
#undef CALL
