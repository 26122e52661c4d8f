/* SPDX-License-Identifier: MIT */
/*
 * atomic.h - the atomic operations, spelt out in atomic_gnu.h and atomic_msvc.h and nowhere else.
 *
 * Plain integers and the compilers' own operations, because a public struct must look the same to C
 * and to C++, which has no _Atomic before C++23. ThreadSanitizer understands them. They are macros
 * because they serve any integer and any pointer. The order is part of each name: a reader sees it
 * in the line itself, and nobody weakens it without changing that word.
 *
 * cas is compare and swap. A failure updates *expected, and is relaxed unless it says acquire; weak
 * ones may fail idly.
 */
#ifndef VF_DETAIL_ATOMIC_H
#define VF_DETAIL_ATOMIC_H

#include <veryfast/detail/config.h>

/* VF_ATOMICS_OF_MSVC is there to test that half with a compiler that has both. */
#if !VF_GNU || defined(VF_ATOMICS_OF_MSVC)
#    include <veryfast/detail/atomic_msvc.h>
#else
#    include <veryfast/detail/atomic_gnu.h>
#endif

/*
 * Of a pointer: an acquire for what is read through it, and for nothing else. A processor cannot
 * read through a pointer before it has the pointer (DEC's Alpha can), so no instruction is needed,
 * where an acquire on ARM waits for the last release store to be over, and is a fence on RISC-V.
 *
 * C11's own order for it, consume, is compiled as acquire by all compilers, and by the letter of
 * C11 relaxed is too weak. What makes it right is that the compiler keeps the dependency: it can
 * only lose it where it finds out the pointer's value otherwise, by a comparison for instance. So
 * the pointer is only followed, and never compared. That is the rule of Linux' rcu_dereference,
 * which rests on the same (its Documentation/RCU/rcu_dereference.rst). What does not see
 * dependencies, ThreadSanitizer and the explorer, gets an acquire.
 */
#if VF_TSAN_BUILD || defined(__alpha__)
#    define vf_load_consume(p) vf_load_acquire(p)
#else
#    define vf_load_consume(p) vf_load_relaxed(p)
#endif

/*
 * A release for a thread that passes a barrier in all others, src/platform/fence.h, between its
 * look at this store and whatever relies on what came before it. So it is an order for the compiler
 * alone. ThreadSanitizer knows of no such barrier; the explorer does, and says VF_EXPLORED.
 */
#if !VF_FENCED_FREE || (VF_TSAN_BUILD && !defined(VF_EXPLORED))
#    define vf_store_fenced(p, v) vf_store_release(p, v)
#else
#    define vf_store_fenced(p, v) (vf_fence_compiler_release(), vf_store_relaxed(p, v))
#endif

#endif
