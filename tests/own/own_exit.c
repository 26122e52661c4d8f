/* SPDX-License-Identifier: MIT */
/*
 * own_exit.c - the hook at a thread's end, for own_threads.h.
 */
#include <stddef.h>
#include <stdint.h>

#include "own_threads.h"

static tss_t key;

int vf_own_exit_open(void (*hook)(void *value))
{
    return tss_create(&key, hook) == thrd_success;
}

int vf_own_exit_set(void *value)
{
    return tss_set(key, value) == thrd_success;
}

void vf_own_exit_close(void)
{
    tss_delete(key);
}
