/* SPDX-License-Identifier: MIT */
/*
 * compiler.h - what src/ asks of the compiler beyond <veryfast/detail/config.h>, spelt once, for
 * gcc and clang and for MSVC. What has no counterpart in MSVC is nothing there.
 */
#ifndef VF_COMPILER_H
#define VF_COMPILER_H

#include <stdint.h>

#include <veryfast/detail/config.h>

#if VF_GNU
/* What arrays of objects hold: pointers to some type, which need not be void. */
typedef void *vf_any_pointer __attribute__((may_alias));
/* Arguments of the function are those of printf, from the one with this number on. */
#    if defined(__MINGW32__) && !defined(__clang__) /* whose printf would be msvcrt.dll's */
#        define VF_PRINTF(text, first) __attribute__((format(gnu_printf, text, first)))
#    else
#        define VF_PRINTF(text, first) __attribute__((format(printf, text, first)))
#    endif
/* The function runs when the library is loaded, one with a lower number earlier; from 101 on. */
#    define VF_AT_LOAD(number) __attribute__((constructor(number)))
/* The function runs when the library goes: at the end of the process or of the plug-in it is in. */
#    define VF_AT_UNLOAD __attribute__((destructor))
/* ThreadSanitizer does not look at the function. */
#    define VF_NO_TSAN __attribute__((no_sanitize("thread")))
/* A function that the process may have or not: its address is NULL where it has not. */
#    define VF_WEAK __attribute__((weak))
/* Sanitizers of addresses and of memory do not look at the function. */
#    ifdef __clang__
#        define VF_UNWATCHED __attribute__((no_sanitize("address", "memory"), noinline))
#    else
#        define VF_UNWATCHED __attribute__((no_sanitize("address"), noinline))
#    endif
#else
#    define VF_UNWATCHED
typedef void *vf_any_pointer;
#    define VF_PRINTF(text, first)
#    define VF_NO_TSAN
#endif

#if VF_GNU
/* How many bits are set. */
static inline unsigned vf_compiler_ones(uint64_t word)
{
    return (unsigned)__builtin_popcountll(word);
}

/* The number of the highest. The exclusive or, unlike a subtraction, costs nothing. */
static inline unsigned vf_compiler_highest(uint64_t word)
{
    return (unsigned)__builtin_clzll(word) ^ 63U;
}
#else
#    include <intrin.h>

/* Without the instruction, which not every x86-64 has. */
static inline unsigned vf_compiler_ones(uint64_t word)
{
    word -= word >> 1 & UINT64_C(0x5555555555555555);
    word = (word & UINT64_C(0x3333333333333333)) + (word >> 2 & UINT64_C(0x3333333333333333));
    word = (word + (word >> 4)) & UINT64_C(0x0F0F0F0F0F0F0F0F);
    return (unsigned)(word * UINT64_C(0x0101010101010101) >> 56);
}

static inline unsigned vf_compiler_highest(uint64_t word)
{
    unsigned long bit;
    _BitScanReverse64(&bit, word);
    return (unsigned)bit;
}
#endif

#endif
