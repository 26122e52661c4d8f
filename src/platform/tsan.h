/* SPDX-License-Identifier: MIT */
/*
 * tsan.h - tells ThreadSanitizer in which order things happen that it does not see.
 *
 * In a program that is built for it, while the library is not (one from a package, say), that is
 * all that happens in the library: it sees the program's own accesses then, and the functions of
 * the headers. It is told too much rather than too little: of a pool, whatever was freed into the
 * depot comes before whatever is taken from there. A pool stands for itself by the address of its
 * memory. A build of the library for ThreadSanitizer is not told so, since that sees it all.
 *
 * What happens in liburcu it never sees.
 */
#ifndef VF_TSAN_H
#define VF_TSAN_H

#include <stddef.h>
#include <stdint.h>

#include <veryfast/detail/config.h>

#include "compiler.h"

#if defined(__ELF__) || VF_TSAN_BUILD
/* As in <sanitizer/tsan_interface.h>; there in a program with ThreadSanitizer only. */
VF_WEAK void __tsan_acquire(void *address);
VF_WEAK void __tsan_release(void *address);
#else
#    define __tsan_acquire ((void (*)(void *))NULL)
#    define __tsan_release ((void (*)(void *))NULL)
#endif

/* What this thread has done comes before what others do after vf_tsan_acquire_unseen of the same
   address, by way of something that ThreadSanitizer does not see in any build. */
static inline void vf_tsan_release_unseen(const void *address)
{
    if (__tsan_release != NULL)
        __tsan_release((void *)(uintptr_t)address);
}

static inline void vf_tsan_acquire_unseen(const void *address)
{
    if (__tsan_acquire != NULL)
        __tsan_acquire((void *)(uintptr_t)address);
}

/* The same of what happens in the library. */
static inline void vf_tsan_release(const void *address)
{
    if (!VF_TSAN_BUILD)
        vf_tsan_release_unseen(address);
}

static inline void vf_tsan_acquire(const void *address)
{
    if (!VF_TSAN_BUILD)
        vf_tsan_acquire_unseen(address);
}

#endif
