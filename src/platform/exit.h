/* SPDX-License-Identifier: MIT */
/*
 * exit.h - hooks at the end of a thread, and at the end of the process or of the plug-in that has
 * the library inside.
 */
#ifndef VF_EXIT_H
#define VF_EXIT_H

#include <stdbool.h>

/*
 * Once: thread_hook(value) runs at the end of each thread that has set a value, on that thread,
 * and process_hook when the library goes. False: threads cannot have a hook.
 *
 * POSIX: a destructor of thread-specific data. Windows: a callback of fibre-local storage, which
 * runs when the fibre ends that has set the value, or the thread, if it is not a fibre.
 */
bool vf_exit_open(void (*thread_hook)(void *value), void (*process_hook)(void));

/* Sets the calling thread's value, which is not NULL; false: out of memory. */
bool vf_exit_set(void *value);

/* No thread's hook runs any more. */
void vf_exit_close(void);

#endif
