/* SPDX-License-Identifier: MIT */
/*
 * flip.c - waits for pushes in flight.
 */
#include "../platform/tsan.h"
#include "../platform/wait.h"
#include "smallbuf.h"

void vf_flip_wait(const uint64_t *done, uint64_t n)
{
    /* acquire: pairs with the release of each push, whose element comes before it */
    for (unsigned round = 0; vf_load_acquire(done) != n;)
        vf_wait_round(&round);
    vf_tsan_acquire(done);
}
