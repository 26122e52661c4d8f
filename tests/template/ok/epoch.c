/* SPDX-License-Identifier: MIT */
/*
 * epoch.c - what VF_EPOCH adds, in all forms. The flags of a library that has the backend
 * define VF_HAS_EPOCH.
 */
#ifndef VF_HAS_EPOCH
#    define VF_HAS_EPOCH
#endif

static void drop_int(int *number)
{
    *number = 0;
}

#define VF_T       int
#define VF_N       16
#define VF_DROP(p) drop_int(p)
#define VF_EPOCH
#include <veryfast/pool.h>

#define VF_T    char *
#define VF_N    16
#define VF_NAME names
#define VF_EPOCH
#define VF_DECLARE
#include <veryfast/pool.h>

#define VF_T    char *
#define VF_N    16
#define VF_NAME names
#define VF_EPOCH
#define VF_DEFINE
#include <veryfast/pool.h>

#define VF_T    long
#define VF_N    4
#define VF_NAME longs
#define VF_FLIP
#define VF_EPOCH
#include <veryfast/smallbuf.h>

#ifdef VF_EPOCH
#    error "a parameter has outlived its header"
#endif

int main(void)
{
    pool_int_16 *ints = pool_int_16_new(NULL);
    bool deferred = pool_int_16_free_deferred(ints, pool_int_16_push(ints, 1));
    pool_int_16_epoch_barrier(ints);
    pool_int_16_release(ints);
    names *texts = names_new(NULL);
    deferred = names_free_deferred(texts, names_alloc(texts)) && deferred;
    names_epoch_barrier(texts);
    names_destroy(texts);
    static longs buffer;
    deferred = longs_push(&buffer, 1) && deferred;
    longs_flip_begin(&buffer);
    longs_drain drain = longs_flip_finish(&buffer);
    longs_drain_end(&drain);
    longs_destroy(&buffer);
    return deferred ? 0 : 1;
}
