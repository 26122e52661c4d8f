/* SPDX-License-Identifier: MIT */
/*
 * config.h - what depends on the compiler and the architecture, spelt once.
 *
 * Every switch here is always defined, as 0 or 1, so that -Wundef has nothing to say.
 */
#ifndef VF_DETAIL_CONFIG_H
#define VF_DETAIL_CONFIG_H

#include <stdint.h> /* and by it, whether the C library is glibc */

#if defined(VF_BYPASS) && !defined(VF_CHECKED)
#    error "VF_BYPASS goes with a checked build: use the flags of veryfast-checked too"
#endif

#if !defined(__GNUC__)
#    error "veryfast needs GCC or Clang (or a compiler that speaks their language)"
#endif

#ifdef __cplusplus
#    define VF_EXTERN_C_BEGIN                     extern "C" {
#    define VF_EXTERN_C_END                       }
#    define VF_EXTERN_C                           extern "C"
#    define VF_STATIC_ASSERT(condition, sentence) static_assert(condition, sentence)
#    define VF_ALIGNOF(type)                      alignof(type)
#    define VF_ALIGNAS(alignment)                 alignas(alignment)
#else
#    define VF_EXTERN_C_BEGIN
#    define VF_EXTERN_C_END
#    define VF_EXTERN_C                           extern
#    define VF_STATIC_ASSERT(condition, sentence) _Static_assert(condition, sentence)
#    define VF_ALIGNOF(type)                      _Alignof(type)
#    define VF_ALIGNAS(alignment)                 _Alignas(alignment)
#endif

/*
 * What a shared library exports; all else in it is hidden. A core that becomes a part of a program
 * or of a plug-in is compiled with VF_STATIC and exports nothing: of two copies in one process, the
 * loader would otherwise bind the calls of one to the functions of the other.
 */
#if defined(VF_STATIC) && !defined(_WIN32)
#    define VF_API __attribute__((visibility("hidden")))
#else
#    define VF_API __attribute__((visibility("default")))
#endif

/*
 * Names the number and the kind, ordinary or checked, of the interface. A core with another one
 * does not define it, so a program that is built against the wrong headers stops at the linker.
 */
#ifdef VF_CHECKED
#    define vf_interface_1 vf_interface_1_checked
#endif
VF_EXTERN_C_BEGIN
extern VF_API const char vf_interface_1;
VF_EXTERN_C_END

/* For functions that an instance provides and a program may leave unused. */
#define VF_UNUSED __attribute__((unused))

/* For what an instance's functions share: a return address is theirs, where it is used. */
#define VF_ALWAYS_INLINE static inline VF_UNUSED __attribute__((always_inline))

/* For slow paths, to keep the fast ones' prologues short. */
#define VF_NOINLINE __attribute__((noinline))

/* An instance's functions. In a checked build they tell their caller by the return address. */
#ifdef VF_CHECKED
#    define VF_EXTERN_CALL VF_NOINLINE
#    define VF_STATIC_CALL static VF_UNUSED VF_NOINLINE
#else
#    define VF_EXTERN_CALL
#    define VF_STATIC_CALL static inline VF_UNUSED
#endif

#define VF_LIKELY(condition)   __builtin_expect(!!(condition), 1)
#define VF_UNLIKELY(condition) __builtin_expect(!!(condition), 0)

/*
 * Thread-local storage. Initial-exec costs one load more than a static program's access, where the
 * general model of position-independent code costs a call. It takes 4 bytes of the room that glibc
 * keeps for libraries that are opened late. Other C libraries of Linux, such as musl and Android's,
 * keep none and refuse to open such a library: there the compiler chooses, which means no call in a
 * program, and one in a library. VF_TLS_MODEL, initial_exec or global_dynamic, overrides both.
 */
#if !defined(VF_TLS_MODEL) && (!defined(__linux__) || defined(__GLIBC__))
#    define VF_TLS_MODEL initial_exec
#endif
#ifdef VF_TLS_MODEL
#    define VF_TLS_OF_initial_exec   "initial-exec"
#    define VF_TLS_OF_global_dynamic "global-dynamic"
#    define VF_TLS_PASTE(model)      VF_TLS_OF_##model
#    define VF_TLS_NAME(model)       VF_TLS_PASTE(model)
#    define VF_TLS                   __thread __attribute__((tls_model(VF_TLS_NAME(VF_TLS_MODEL))))
#else
#    define VF_TLS __thread
#endif

/* Is this a build for ThreadSanitizer? */
#if defined(__SANITIZE_THREAD__)
#    define VF_TSAN_BUILD 1
#elif defined(__has_feature)
#    if __has_feature(thread_sanitizer)
#        define VF_TSAN_BUILD 1
#    endif
#endif
#ifndef VF_TSAN_BUILD
#    define VF_TSAN_BUILD 0
#endif

/*
 * Does a free leave the order of its last store to P_release, which makes all threads pass a
 * barrier (src/platform/fence.h)? Where that order costs something, that is, on processors with a
 * weak order of memory, and the system has such a barrier.
 */
#ifndef VF_FENCED_FREE
#    if defined(__linux__) && !defined(__x86_64__) && !defined(__i386__) && !defined(__s390x__)
#        define VF_FENCED_FREE 1
#    else
#        define VF_FENCED_FREE 0
#    endif
#endif

/*
 * Bytes that two cores pass back and forth as one. Fixed per architecture and never taken from
 * tuning flags, which may differ between the files of one program.
 */
#if defined(__s390x__)
#    define VF_CACHE_LINE 256
#elif defined(__powerpc64__) || (defined(__APPLE__) && defined(__aarch64__))
#    define VF_CACHE_LINE 128
#else
#    define VF_CACHE_LINE 64
#endif

#endif
