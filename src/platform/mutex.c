/* SPDX-License-Identifier: MIT */
/*
 * mutex.c - see mutex.h.
 */
#include "mutex.h"

#include <assert.h>
#include <stddef.h>

void vf_mutex_init(vf_mutex *mutex)
{
    pthread_mutex_init(&mutex->mutex, NULL);
    mutex->held = false;
}

void vf_mutex_destroy(vf_mutex *mutex)
{
    pthread_mutex_destroy(&mutex->mutex);
}

static void take(vf_mutex *mutex)
{
    mutex->owner = pthread_self();
    mutex->held = true;
}

void vf_mutex_lock(vf_mutex *mutex)
{
    pthread_mutex_lock(&mutex->mutex);
    take(mutex);
}

bool vf_mutex_trylock(vf_mutex *mutex)
{
    if (pthread_mutex_trylock(&mutex->mutex) != 0)
        return false;
    take(mutex);
    return true;
}

void vf_mutex_unlock(vf_mutex *mutex)
{
    assert(vf_mutex_held(mutex));
    mutex->held = false;
    pthread_mutex_unlock(&mutex->mutex);
}

bool vf_mutex_held(const vf_mutex *mutex)
{
    return mutex->held && pthread_equal(mutex->owner, pthread_self()) != 0;
}
