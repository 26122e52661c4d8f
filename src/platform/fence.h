/* SPDX-License-Identifier: MIT */
/*
 * fence.h - an asymmetric fence: two threads that must not miss one another, one of which is here
 * often and pays nothing, and one seldom, which pays for both.
 *
 *     the thread that is here often        the thread that is here seldom
 *     writes A                             writes B
 *     vf_fence_light()                     vf_fence_heavy()
 *     reads B                              reads A
 *
 * At least one of them finds what the other has written. The heavy side makes every thread of the
 * process pass a full barrier, as liburcu does: by Linux' system call membarrier, or by Windows'
 * FlushProcessWriteBuffers. Other systems, and filters of system calls, may not have it.
 */
#ifndef VF_FENCE_H
#define VF_FENCE_H

#include <stdbool.h>

#include <veryfast/detail/atomic.h>

/* No instruction: only the compiler keeps the order. */
static inline void vf_fence_light(void)
{
    vf_fence_compiler(); /* pairs with vf_fence_heavy */
}

/* False: there was no barrier, and there can be none. Keeps errno. Some microseconds. */
bool vf_fence_heavy(void);

/* Has there been a barrier whenever one was asked for? The first call asks for one. A system that
   has one may refuse it later: a filter of system calls can come at any time. */
bool vf_fence_is_certain(void);

#endif
