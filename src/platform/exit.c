/* SPDX-License-Identifier: MIT */
/*
 * exit.c - see exit.h.
 */
#include "exit.h"

#include <stddef.h>

#include "compiler.h"
#include "system.h"

#if VF_SYSTEM == VF_SYSTEM_WINDOWS
#    include <stdlib.h>
#    include <veryfast/detail/atomic.h>

#    include "win32.h"

static DWORD fls_slot;
static void (*exit_hook)(void *value); /* atomic; NULL: closed */

/* FlsFree calls it for the values of all threads, on the thread that calls it. */
static void NTAPI run_hook(void *value)
{
    void (*run)(void *) =
        vf_load_relaxed(&exit_hook); /* relaxed: only closing must be seen, by itself */
    if (run != NULL && value != NULL)
        run(value);
}

/* What is registered in a DLL by atexit runs when that is unloaded. */
bool vf_exit_open(void (*thread_hook)(void *value), void (*process_hook)(void))
{
    fls_slot = FlsAlloc(run_hook);
    vf_store_relaxed(&exit_hook, thread_hook);
    (void)atexit(process_hook); /* where it fails, what is known of threads stays at the end */
    return fls_slot != FLS_OUT_OF_INDEXES;
}

bool vf_exit_set(void *value)
{
    return FlsSetValue(fls_slot, value) != 0;
}

void vf_exit_close(void)
{
    vf_store_relaxed(&exit_hook, (void (*)(void *))NULL);
    FlsFree(fls_slot);
}
#elif VF_SYSTEM == VF_SYSTEM_OWN
bool vf_exit_open(void (*thread_hook)(void *value), void (*process_hook)(void))
{
    (void)process_hook; /* the process never ends, or all with it */
    return vf_own_exit_open(thread_hook) != 0;
}

bool vf_exit_set(void *value)
{
    return vf_own_exit_set(value) != 0;
}

void vf_exit_close(void)
{
    vf_own_exit_close();
}
#else
#    include <pthread.h>

static pthread_key_t exit_key;
static void (*at_end)(void);

bool vf_exit_open(void (*thread_hook)(void *value), void (*process_hook)(void))
{
    at_end = process_hook;
    return pthread_key_create(&exit_key, thread_hook) == 0;
}

bool vf_exit_set(void *value)
{
    return pthread_setspecific(exit_key, value) == 0;
}

void vf_exit_close(void)
{
    pthread_key_delete(exit_key);
}

VF_AT_UNLOAD static void run_at_end(void)
{
    if (at_end != NULL)
        at_end();
}
#endif
