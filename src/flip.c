/*
 * flip.c - waits for pushes in flight.
 */
#define _POSIX_C_SOURCE 200809L /* nanosleep */

#include <sched.h>
#include <time.h>

#include "smallbuf.h"

#define SPINS  100  /* a push that is running is done by then */
#define YIELDS 1000 /* one that was preempted has had its turn */

/*
 * Sleeps at last: a pusher of lower priority than this thread never runs while this one yields.
 */
void vf_flip_wait(const uint64_t *done, uint64_t n)
{
    static const struct timespec pause = {.tv_nsec = 50000};
    /* acquire: pairs with the release of each push, whose element comes before it */
    for (unsigned tries = 0; vf_load_acquire(done) != n; tries += tries <= YIELDS) {
        if (tries > YIELDS)
            nanosleep(&pause, NULL);
        else if (tries > SPINS)
            sched_yield();
    }
}
