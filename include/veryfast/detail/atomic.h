/* SPDX-License-Identifier: MIT */
/*
 * atomic.h - the atomic operations, spelt out here and nowhere else. (The light side of a fence is
 * beside its heavy side, in src/.)
 *
 * Plain integers and the compilers' __atomic operations, because a public struct must look the
 * same to C and to C++, which has no _Atomic before C++23. ThreadSanitizer understands them.
 * They are macros because they serve any integer and any pointer. The order is part of each
 * name: a reader sees it in the line itself, and nobody weakens it without changing that word.
 */
#ifndef VF_DETAIL_ATOMIC_H
#define VF_DETAIL_ATOMIC_H

#include <veryfast/detail/config.h>

#define vf_load_relaxed(p)     __atomic_load_n((p), __ATOMIC_RELAXED)
#define vf_load_acquire(p)     __atomic_load_n((p), __ATOMIC_ACQUIRE)
#define vf_load_seq_cst(p)     __atomic_load_n((p), __ATOMIC_SEQ_CST)
#define vf_store_release(p, v) __atomic_store_n((p), (v), __ATOMIC_RELEASE)

/* gcc (12, for one) makes an atomic swap of it on RISC-V. A volatile store writes an aligned word
   whole, too. */
#if defined(__riscv) && !defined(__clang__)
#    define vf_store_relaxed(p, v) ((void)(*(volatile __typeof__(*(p)) *)(p) = (v)))
#else
#    define vf_store_relaxed(p, v) __atomic_store_n((p), (v), __ATOMIC_RELAXED)
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
#    define vf_store_fenced(p, v) (__atomic_signal_fence(__ATOMIC_RELEASE), vf_store_relaxed(p, v))
#endif

#define vf_exchange_relaxed(p, v)  __atomic_exchange_n((p), (v), __ATOMIC_RELAXED)
#define vf_exchange_acquire(p, v)  __atomic_exchange_n((p), (v), __ATOMIC_ACQUIRE)
#define vf_exchange_release(p, v)  __atomic_exchange_n((p), (v), __ATOMIC_RELEASE)
#define vf_exchange_acq_rel(p, v)  __atomic_exchange_n((p), (v), __ATOMIC_ACQ_REL)
#define vf_exchange_seq_cst(p, v)  __atomic_exchange_n((p), (v), __ATOMIC_SEQ_CST)
#define vf_fetch_add_relaxed(p, v) __atomic_fetch_add((p), (v), __ATOMIC_RELAXED)
#define vf_fetch_add_acquire(p, v) __atomic_fetch_add((p), (v), __ATOMIC_ACQUIRE)
#define vf_fetch_add_release(p, v) __atomic_fetch_add((p), (v), __ATOMIC_RELEASE)
#define vf_fetch_add_acq_rel(p, v) __atomic_fetch_add((p), (v), __ATOMIC_ACQ_REL)

#define vf_fetch_or_relaxed(p, v)  __atomic_fetch_or((p), (v), __ATOMIC_RELAXED)
#define vf_fetch_or_seq_cst(p, v)  __atomic_fetch_or((p), (v), __ATOMIC_SEQ_CST)
#define vf_fetch_and_relaxed(p, v) __atomic_fetch_and((p), (v), __ATOMIC_RELAXED)
#define vf_fetch_and_acquire(p, v) __atomic_fetch_and((p), (v), __ATOMIC_ACQUIRE)
#define vf_fetch_and_seq_cst(p, v) __atomic_fetch_and((p), (v), __ATOMIC_SEQ_CST)

/* Compare and swap. A failure updates *expected, and is relaxed unless it says acquire; weak ones
   may fail idly. */
#define vf_cas_weak_relaxed(p, expected, v)                                                        \
    __atomic_compare_exchange_n((p), (expected), (v), 1, __ATOMIC_RELAXED, __ATOMIC_RELAXED)
#define vf_cas_weak_release(p, expected, v)                                                        \
    __atomic_compare_exchange_n((p), (expected), (v), 1, __ATOMIC_RELEASE, __ATOMIC_RELAXED)
#define vf_cas_strong_relaxed(p, expected, v)                                                      \
    __atomic_compare_exchange_n((p), (expected), (v), 0, __ATOMIC_RELAXED, __ATOMIC_RELAXED)
#define vf_cas_strong_acq_rel(p, expected, v)                                                      \
    __atomic_compare_exchange_n((p), (expected), (v), 0, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE)
#define vf_cas_strong_acquire(p, expected, v)                                                      \
    __atomic_compare_exchange_n((p), (expected), (v), 0, __ATOMIC_ACQUIRE, __ATOMIC_ACQUIRE)

#endif
