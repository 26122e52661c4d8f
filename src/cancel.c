/*
 * cancel.c - a sleep that is no cancellation point.
 */
#define _POSIX_C_SOURCE 200809L /* nanosleep */

#include "cancel.h"

#include <errno.h>
#include <time.h>

void vf_sleep_briefly(void)
{
    static const struct timespec pause = {.tv_nsec = 50000};
    int state = vf_cancel_off();
    int saved = errno; /* a signal's handler may end the sleep */
    nanosleep(&pause, NULL);
    errno = saved;
    vf_cancel_as_before(state);
}
