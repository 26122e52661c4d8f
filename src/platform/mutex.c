/* SPDX-License-Identifier: MIT */
/*
 * mutex.c - see mutex.h.
 */
#include "mutex.h"

#include <assert.h>
#include <stddef.h>

#if VF_SYSTEM == VF_SYSTEM_WINDOWS
#    include "win32.h"

_Static_assert(sizeof(SRWLOCK) == sizeof(vf_mutex_word), "one stands for the other");

/* All zero is one that is not held, and it needs no end. */
static void init_word(vf_mutex_word *word)
{
    InitializeSRWLock((SRWLOCK *)word);
}

static void destroy_word(vf_mutex_word *word)
{
    (void)word;
}

static void lock_word(vf_mutex_word *word)
{
    AcquireSRWLockExclusive((SRWLOCK *)word);
}

static bool trylock_word(vf_mutex_word *word)
{
    return TryAcquireSRWLockExclusive((SRWLOCK *)word) != 0;
}

static void unlock_word(vf_mutex_word *word)
{
    ReleaseSRWLockExclusive((SRWLOCK *)word);
}

static uintptr_t own_number(void)
{
    return GetCurrentThreadId();
}
#elif VF_SYSTEM == VF_SYSTEM_OWN
static void init_word(vf_mutex_word *word)
{
    vf_own_mutex_init(word);
}

static void destroy_word(vf_mutex_word *word)
{
    vf_own_mutex_destroy(word);
}

static void lock_word(vf_mutex_word *word)
{
    vf_own_mutex_lock(word);
}

static bool trylock_word(vf_mutex_word *word)
{
    return vf_own_mutex_trylock(word) != 0;
}

static void unlock_word(vf_mutex_word *word)
{
    vf_own_mutex_unlock(word);
}

static uintptr_t own_number(void)
{
    return vf_own_self();
}
#else
static void init_word(vf_mutex_word *word)
{
    pthread_mutex_init(word, NULL);
}

static void destroy_word(vf_mutex_word *word)
{
    pthread_mutex_destroy(word);
}

static void lock_word(vf_mutex_word *word)
{
    pthread_mutex_lock(word);
}

static bool trylock_word(vf_mutex_word *word)
{
    return pthread_mutex_trylock(word) == 0;
}

static void unlock_word(vf_mutex_word *word)
{
    pthread_mutex_unlock(word);
}

/* A number or a pointer, wherever the library runs. */
static uintptr_t own_number(void)
{
    return (uintptr_t)pthread_self();
}
#endif

void vf_mutex_init(vf_mutex *mutex)
{
    init_word(&mutex->word);
    mutex->held = false;
}

void vf_mutex_destroy(vf_mutex *mutex)
{
    destroy_word(&mutex->word);
}

static void note_owner(vf_mutex *mutex)
{
    mutex->owner = own_number();
    mutex->held = true;
}

void vf_mutex_lock(vf_mutex *mutex)
{
    lock_word(&mutex->word);
    note_owner(mutex);
}

bool vf_mutex_trylock(vf_mutex *mutex)
{
    if (!trylock_word(&mutex->word))
        return false;
    note_owner(mutex);
    return true;
}

void vf_mutex_unlock(vf_mutex *mutex)
{
    assert(vf_mutex_held(mutex));
    mutex->held = false;
    unlock_word(&mutex->word);
}

bool vf_mutex_held(const vf_mutex *mutex)
{
    return mutex->held && mutex->owner == own_number();
}
