/* SPDX-License-Identifier: MIT */
/*
 * atomic.h - the atomic operations, spelt out here and nowhere else. (Fences for the compiler alone
 * are beside the membarrier that they belong to, in src/.)
 *
 * Plain integers and the compilers' __atomic operations, because a public struct must look the
 * same to C and to C++, which has no _Atomic before C++23. ThreadSanitizer understands them.
 * They are macros because they serve any integer and any pointer. The order is part of each
 * name: a reader sees it in the line itself, and nobody weakens it without changing that word.
 */
#ifndef VF_DETAIL_ATOMIC_H
#define VF_DETAIL_ATOMIC_H

#define vf_load_relaxed(p)     __atomic_load_n((p), __ATOMIC_RELAXED)
#define vf_load_acquire(p)     __atomic_load_n((p), __ATOMIC_ACQUIRE)
#define vf_load_seq_cst(p)     __atomic_load_n((p), __ATOMIC_SEQ_CST)
#define vf_store_relaxed(p, v) __atomic_store_n((p), (v), __ATOMIC_RELAXED)
#define vf_store_release(p, v) __atomic_store_n((p), (v), __ATOMIC_RELEASE)

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
