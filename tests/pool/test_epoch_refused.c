/* SPDX-License-Identifier: MIT */
/*
 * test_epoch_refused.c - a filter of system calls that comes after the first P_new refuses
 * membarrier: nothing waits for it for ever, and what was deferred goes out.
 */
#define _GNU_SOURCE /* syscall */

#include "epoch_pool.h"
#include "support/membarrier.h"

/* liburcu's thread is there before the filter, and goes on without it. */
Test(epoch_refused, all_goes_back)
{
    begin(0, 0);
    fill(100);
    defer(0, 60);
    numbers_epoch_barrier(pool);
    check_equal(dropped(), 60);
    if (!refuse_membarrier(EPERM)) {
        fprintf(stderr, "skipped: no filter of system calls here\n");
        numbers_destroy(pool);
        end();
        return;
    }
    defer(60, 65);
    numbers_epoch_barrier(pool);
    check_equal(dropped(), 65);
    defer(65, 70);
    numbers_free_n(pool, objects + 80, 20);
    errno = EXDEV;
    numbers_release(pool);
    cr_assert(errno == EXDEV);
    defer(70, 80);
    end();
    wait_until_back();
    check_equal(dropped(), 100);
}
