/*
 * tsan.h - tells ThreadSanitizer in which order things happen in the library, where the
 * program was built for it and the library was not: one from a package, say. The program's own
 * accesses are seen then, and the functions of the headers, but nothing of what is in here.
 *
 * It is told too much rather than too little: of a pool, whatever was freed into the depot comes
 * before whatever is taken from there. A pool stands for itself by the address of its memory. In a
 * build of the library for ThreadSanitizer, which sees all itself, nothing is told.
 */
#ifndef VF_TSAN_H
#define VF_TSAN_H

#include <stddef.h>
#include <stdint.h>

#if defined(__SANITIZE_THREAD__) || !defined(__ELF__)
#    define VF_TSAN_TELLS 0
#elif defined(__has_feature)
#    if __has_feature(thread_sanitizer)
#        define VF_TSAN_TELLS 0
#    endif
#endif
#ifndef VF_TSAN_TELLS
#    define VF_TSAN_TELLS 1
/* As in <sanitizer/tsan_interface.h>; there in a program with ThreadSanitizer only. */
__attribute__((weak)) void __tsan_acquire(void *address);
__attribute__((weak)) void __tsan_release(void *address);
#endif

/* What this thread has done comes before what others do after vf_tsan_acquire of the same address.
 */
static inline void vf_tsan_release(const void *address)
{
#if VF_TSAN_TELLS
    if (__tsan_release != NULL)
        __tsan_release((void *)(uintptr_t)address);
#else
    (void)address;
#endif
}

static inline void vf_tsan_acquire(const void *address)
{
#if VF_TSAN_TELLS
    if (__tsan_acquire != NULL)
        __tsan_acquire((void *)(uintptr_t)address);
#else
    (void)address;
#endif
}

#endif
