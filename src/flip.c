/*
 * flip.c - waits for pushes in flight.
 */
#include <sched.h>

#include "cancel.h"
#include "smallbuf.h"
#include "threads_seen.h"

#define SPINS  100  /* a push that is running is done by then */
#define YIELDS 1000 /* one that was preempted has had its turn */

/*
 * Sleeps at last: a pusher of lower priority than this thread never runs while this one yields.
 */
void vf_flip_wait(const uint64_t *done, uint64_t n)
{
    /* acquire: pairs with the release of each push, whose element comes before it */
    for (unsigned tries = 0; vf_load_acquire(done) != n; tries += tries <= YIELDS) {
        if (tries > YIELDS)
            vf_sleep_briefly();
        else if (tries > SPINS)
            sched_yield();
    }
    vf_tell_after(done);
}
