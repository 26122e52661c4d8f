/* SPDX-License-Identifier: MIT */
/*
 * once.c - see once.h.
 */
#include "once.h"

#if VF_SYSTEM == VF_SYSTEM_WINDOWS
#    include "win32.h"

_Static_assert(sizeof(INIT_ONCE) == sizeof(vf_once), "one stands for the other");

static BOOL CALLBACK run_once(INIT_ONCE *once, void *call, void **result)
{
    (void)once;
    (void)result;
    (*(void (**)(void))call)();
    return TRUE;
}

void vf_once_run(vf_once *once, void (*call)(void))
{
    InitOnceExecuteOnce((INIT_ONCE *)once, run_once, &call, NULL);
}
#elif VF_SYSTEM == VF_SYSTEM_OWN
#    include <veryfast/detail/atomic.h>

void vf_once_run(vf_once *once, void (*call)(void))
{
    /* acquire: pairs with the release below */
    if (vf_load_acquire(&once->done))
        return;
    vf_mutex_lock(&once->lock);
    if (!once->done) {
        call();
        vf_store_release(&once->done, true);
    }
    vf_mutex_unlock(&once->lock);
}
#else
void vf_once_run(vf_once *once, void (*call)(void))
{
    pthread_once(once, call);
}
#endif
