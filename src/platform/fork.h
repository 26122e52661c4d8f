/* SPDX-License-Identifier: MIT */
/*
 * fork.h - hooks at a fork.
 */
#ifndef VF_FORK_H
#define VF_FORK_H

#include "compiler.h"
#include "system.h"

/* Can the process fork? */
#if VF_SYSTEM == VF_SYSTEM_POSIX && !defined(__wasm__)
#    define VF_FORKS 1
#else
#    define VF_FORKS 0
#endif

#if VF_FORKS
/* From now on each fork calls before, on the thread that forks, and behind it one of the others.
   Where it fails, only a fork beside other threads' calls is affected. */
void vf_fork_watch(void (*before)(void), void (*in_parent)(void), void (*in_child)(void));
#endif

#endif
