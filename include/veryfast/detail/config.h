/* SPDX-License-Identifier: MIT */
/*
 * config.h - what depends on the compiler and the architecture, spelt once.
 *
 * Every switch here is always defined, as 0 or 1, so that -Wundef has nothing to say.
 */
#ifndef VF_DETAIL_CONFIG_H
#define VF_DETAIL_CONFIG_H

#ifdef __cplusplus
/* (C++14, which clang 14 still takes by default, happens to do for pool.h and smallbuf.h.) */
#    if __cplusplus < 201402L && (!defined(_MSVC_LANG) || _MSVC_LANG < 201402L)
#        error "veryfast needs C++17 or later: compile with -std=c++17"
#    endif
struct vf_include_it_outside_of_all_namespaces;
typedef ::vf_include_it_outside_of_all_namespaces vf_outside_of_all_namespaces;
#elif !defined(__STDC_VERSION__) || __STDC_VERSION__ < 201112L
#    error "veryfast needs C11 or later: compile with -std=c11"
#endif

#include <stddef.h>
#include <stdint.h> /* and by it, whether the C library is glibc */

#if defined(VF_BYPASS) && !defined(VF_CHECKED)
#    error "VF_BYPASS goes with a checked build: use the flags of veryfast-checked too"
#endif

/* GCC, Clang and those that speak their language; clang-cl too, which does not say so. */
#if defined(__GNUC__) || defined(__clang__)
#    define VF_GNU 1
#elif defined(_MSC_VER) && defined(_WIN64)
#    define VF_GNU 0
#    if _MSC_VER < 1939
#        error "veryfast needs Visual Studio 2022 17.9 or later: before, its C has no __typeof__"
#    endif
#    if !defined(_MSVC_TRADITIONAL) || _MSVC_TRADITIONAL
#        error "veryfast needs the standard preprocessor: compile with /Zc:preprocessor"
#    endif
#else
#    error "veryfast needs GCC or Clang, or MSVC for 64 bits"
#    define VF_GNU 1
#endif

#ifdef __cplusplus
#    define VF_ADDRESS_OF(object)                 __builtin_addressof(object)
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
 *
 * On Windows a core is a part of the program unless VF_DLL says what it is: dllexport for the
 * sources of the DLL, dllimport for what uses it.
 */
#if defined(_WIN32)
#    ifdef VF_DLL
#        define VF_API            __declspec(VF_DLL)
#        define VF_DATA_dllexport __declspec(dllexport)
#        define VF_DATA_dllimport /* an imported address is no constant expression in C */
#        define VF_DATA_PASTE(it) VF_DATA_##it
#        define VF_DATA_NAME(it)  VF_DATA_PASTE(it)
#        define VF_API_DATA       VF_DATA_NAME(VF_DLL)
#    else
#        define VF_API
#    endif
#elif defined(VF_STATIC)
#    define VF_API __attribute__((visibility("hidden")))
#else
#    define VF_API __attribute__((visibility("default")))
#endif
#ifndef VF_API_DATA
#    define VF_API_DATA VF_API
#endif

/* Of a C++ class: each module of the process has its own. */
#if defined(_WIN32)
#    define VF_HIDDEN
#else
#    define VF_HIDDEN __attribute__((visibility("hidden")))
#endif

/*
 * Names the number and the kind, ordinary or checked, of the interface. A core with another one
 * does not define it, so a program that is built against the wrong headers stops at the linker.
 */
#if defined(VF_CHECKED) && defined(VF_THREAD_INDEX)
#    define vf_interface_1 vf_interface_1_checked_indexed
#elif defined(VF_CHECKED)
#    define vf_interface_1 vf_interface_1_checked
#elif defined(VF_THREAD_INDEX)
#    define vf_interface_1 vf_interface_1_indexed
#endif
VF_EXTERN_C_BEGIN
extern VF_API_DATA const char vf_interface_1;
VF_EXTERN_C_END

#if VF_GNU
/* For functions that an instance provides and a program may leave unused. */
#    define VF_UNUSED __attribute__((unused))

/* For what an instance's functions share, and for member functions: a return address is that of the
   function which the program has called. */
#    define VF_INLINED __attribute__((always_inline)) inline

/* For slow paths, to keep the fast ones' prologues short. */
#    define VF_NOINLINE __attribute__((noinline))

#    define VF_LIKELY(condition)   __builtin_expect(!!(condition), 1)
#    define VF_UNLIKELY(condition) __builtin_expect(!!(condition), 0)

/* The number of the lowest bit that is set in a word which is not 0. */
#    define vf_lowest_bit(word) ((size_t)__builtin_ctzll(word))

/* Where the function that this is in returns to; WebAssembly does not tell, but by emscripten. */
#    if defined(__wasm__) && !defined(__EMSCRIPTEN__)
#        define VF_RETURN_ADDRESS NULL
#    else
#        define VF_RETURN_ADDRESS __builtin_return_address(0)
#    endif

/* Between these a program's own names may be those of variables and parameters, and casts are C's
   in C++ too. */
#    ifdef __cplusplus
#        define VF_NAMES_BEGIN                                                                     \
            _Pragma("GCC diagnostic push") _Pragma("GCC diagnostic ignored \"-Wshadow\"")          \
                _Pragma("GCC diagnostic ignored \"-Wold-style-cast\"")
#    else
#        define VF_NAMES_BEGIN                                                                     \
            _Pragma("GCC diagnostic push") _Pragma("GCC diagnostic ignored \"-Wshadow\"")
#    endif
#    define VF_NAMES_END _Pragma("GCC diagnostic pop")

/* Between these a program's values are converted as it has asked for. */
#    define VF_CONVERSIONS_BEGIN                                                                   \
        _Pragma("GCC diagnostic push") _Pragma("GCC diagnostic ignored \"-Wconversion\"")          \
            _Pragma("GCC diagnostic ignored \"-Wsign-conversion\"")
#    define VF_CONVERSIONS_END _Pragma("GCC diagnostic pop")

/* Between these a word in #if may be no macro. */
#    define VF_WORDS_BEGIN                                                                         \
        _Pragma("GCC diagnostic push") _Pragma("GCC diagnostic ignored \"-Wundef\"")
#    define VF_WORDS_END _Pragma("GCC diagnostic pop")
#else
#    include <intrin.h>
#    define VF_UNUSED
#    define VF_INLINED             __forceinline
#    define VF_NOINLINE            __declspec(noinline)
#    define VF_LIKELY(condition)   (!!(condition))
#    define VF_UNLIKELY(condition) (!!(condition))
#    define VF_RETURN_ADDRESS      _ReturnAddress()
static inline size_t vf_lowest_bit(unsigned long long word)
{
    unsigned long bit;
    _BitScanForward64(&bit, word);
    return bit;
}
#    define VF_NAMES_BEGIN         __pragma(warning(push)) __pragma(warning(disable : 4456 4457 4459))
#    define VF_NAMES_END           __pragma(warning(pop))
#    define VF_CONVERSIONS_BEGIN
#    define VF_CONVERSIONS_END
#    define VF_WORDS_BEGIN
#    define VF_WORDS_END
#endif

#define VF_ALWAYS_INLINE static VF_UNUSED VF_INLINED

/* An instance's functions. In a checked build they tell their caller by the return address. */
#ifdef VF_CHECKED
#    define VF_EXTERN_CALL VF_NOINLINE
#    define VF_STATIC_CALL static VF_UNUSED VF_NOINLINE
#else
#    define VF_EXTERN_CALL
#    define VF_STATIC_CALL static inline VF_UNUSED
#endif

/*
 * Thread-local storage. Initial-exec costs one load more than a static program's access, where the
 * general model of position-independent code costs a call. It takes 4 bytes of the room that glibc
 * keeps for libraries that are opened late. Other C libraries of Linux, such as musl and Android's,
 * keep none and refuse to open such a library: there the compiler chooses, which means no call in a
 * program, and one in a library. VF_TLS_MODEL, initial_exec or global_dynamic, overrides both.
 */
#if !defined(VF_TLS_MODEL) && defined(__ELF__) && (!defined(__linux__) || defined(__GLIBC__))
#    define VF_TLS_MODEL initial_exec
#endif
#ifdef VF_TLS_MODEL
#    define VF_TLS_OF_initial_exec   "initial-exec"
#    define VF_TLS_OF_global_dynamic "global-dynamic"
#    define VF_TLS_PASTE(model)      VF_TLS_OF_##model
#    define VF_TLS_NAME(model)       VF_TLS_PASTE(model)
#    define VF_TLS                   __thread __attribute__((tls_model(VF_TLS_NAME(VF_TLS_MODEL))))
#elif VF_GNU
#    define VF_TLS __thread
#else
#    define VF_TLS __declspec(thread)
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
