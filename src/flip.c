/*
 * flip.c - waits for pushes in flight.
 */
#define _POSIX_C_SOURCE 200809L /* nanosleep */

#include <pthread.h>
#include <sched.h>
#include <time.h>

#include "smallbuf.h"

#define SPINS  100  /* a push that is running is done by then */
#define YIELDS 1000 /* one that was preempted has had its turn */

/* A thread that is cancelled shall not leave a bank that it has half taken. */
static void sleep_uncancelled(void)
{
    static const struct timespec pause = {.tv_nsec = 50000};
    int state;
    pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &state);
    nanosleep(&pause, NULL);
    pthread_setcancelstate(state, &state);
}

/*
 * Sleeps at last: a pusher of lower priority than this thread never runs while this one yields.
 */
void vf_flip_wait(const uint64_t *done, uint64_t n)
{
    /* acquire: pairs with the release of each push, whose element comes before it */
    for (unsigned tries = 0; vf_load_acquire(done) != n; tries += tries <= YIELDS) {
        if (tries > YIELDS)
            sleep_uncancelled();
        else if (tries > SPINS)
            sched_yield();
    }
}
