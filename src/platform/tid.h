/* SPDX-License-Identifier: MIT */
/*
 * tid.h - the system's numbers of threads, by which one thread can ask whether another has ended.
 */
#ifndef VF_TID_H
#define VF_TID_H

#include <stdbool.h>

/* The calling thread's number; not 0. */
long vf_tid_own(void);

/* Has the thread ended? False where the system does not tell, or another thread of the process has
   the number by now. May change errno. */
bool vf_tid_is_gone(long id);

#endif
