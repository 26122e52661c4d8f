/* SPDX-License-Identifier: MIT */
/*
 * sanitize.h - tells AddressSanitizer, MemorySanitizer and Valgrind's memcheck what is an object.
 *
 * In a checked build they see objects as if each were malloc'ed:
 *
 *     | object | fence | header | fence | object ...
 *       live:    nobody's         nobody's
 *       uninitialised until written; from its free on nobody's
 *
 * The sanitizers are asked by weak references, so that one build of the library serves programs
 * with and without them; Valgrind by instructions that do nothing elsewhere. Headers are not
 * hidden: the fence before one stops a write that runs on.
 *
 * The library itself looks at fences and freed objects, in functions that are VF_UNWATCHED,
 * between vf_watch_off and vf_watch_on.
 */
#ifndef VF_SANITIZE_H
#define VF_SANITIZE_H

#include <stddef.h>

#include "../platform/compiler.h"

#ifdef __has_include
#    if __has_include(<valgrind/memcheck.h>)
#        include <valgrind/memcheck.h>
#    endif
#endif
#ifndef VALGRIND_MAKE_MEM_NOACCESS
#    define VALGRIND_MAKE_MEM_NOACCESS(memory, size)  ((void)(memory), (void)(size))
#    define VALGRIND_MAKE_MEM_UNDEFINED(memory, size) ((void)(memory), (void)(size))
#    define VALGRIND_MAKE_MEM_DEFINED(memory, size)   ((void)(memory), (void)(size))
#    define VALGRIND_DISABLE_ERROR_REPORTING          ((void)0)
#    define VALGRIND_ENABLE_ERROR_REPORTING           ((void)0)
#endif

#if defined(__ELF__)
/* As in <sanitizer/asan_interface.h> and <sanitizer/msan_interface.h>. */
VF_WEAK void __asan_poison_memory_region(const volatile void *memory, size_t size);
VF_WEAK void __asan_unpoison_memory_region(const volatile void *memory, size_t size);
VF_WEAK void __msan_allocated_memory(const volatile void *memory, size_t size);
VF_WEAK void __msan_poison(const volatile void *memory, size_t size);
VF_WEAK void __msan_unpoison(const volatile void *memory, size_t size);
#else /* whose linkers know no references to what may not be there */
#    define __asan_poison_memory_region   ((void (*)(const volatile void *, size_t))NULL)
#    define __asan_unpoison_memory_region ((void (*)(const volatile void *, size_t))NULL)
#    define __msan_allocated_memory       ((void (*)(const volatile void *, size_t))NULL)
#    define __msan_poison                 ((void (*)(const volatile void *, size_t))NULL)
#    define __msan_unpoison               ((void (*)(const volatile void *, size_t))NULL)
#endif

/* Of this thread: what it does is not looked at. */
static inline void vf_watch_off(void)
{
    VALGRIND_DISABLE_ERROR_REPORTING;
}

static inline void vf_watch_on(void)
{
    VALGRIND_ENABLE_ERROR_REPORTING;
}

/* From here on every read or write of it is at fault. */
static inline void vf_sanitize_hide(const void *memory, size_t size)
{
    if (__asan_poison_memory_region != NULL)
        __asan_poison_memory_region(memory, size);
    if (__msan_poison != NULL)
        __msan_poison(memory, size);
    (void)VALGRIND_MAKE_MEM_NOACCESS(memory, size);
}

/* It may be read and written, and whatever it holds is meant. */
static inline void vf_sanitize_show(const void *memory, size_t size)
{
    if (__asan_unpoison_memory_region != NULL)
        __asan_unpoison_memory_region(memory, size);
    if (__msan_unpoison != NULL)
        __msan_unpoison(memory, size);
    (void)VALGRIND_MAKE_MEM_DEFINED(memory, size);
}

/* The same of what may be read and written already, but is to be written first. */
static inline void vf_sanitize_unset(const void *memory, size_t size)
{
    if (__msan_allocated_memory != NULL)
        __msan_allocated_memory(memory, size);
    (void)VALGRIND_MAKE_MEM_UNDEFINED(memory, size);
}

/* The library has written it for the program: of what is compiled without it, MemorySanitizer sees
   no stores. */
static inline void vf_sanitize_written(const void *memory, size_t size)
{
    if (__msan_unpoison != NULL)
        __msan_unpoison(memory, size);
}

#endif
