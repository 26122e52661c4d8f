/* SPDX-License-Identifier: MIT */
/*
 * atomic_gnu.h - one half of atomic.h: by the __atomic operations of gcc, clang and those that
 * speak their language. Included by atomic.h only.
 */
#ifndef VF_DETAIL_ATOMIC_GNU_H
#define VF_DETAIL_ATOMIC_GNU_H

#define vf_load_relaxed(p)     __atomic_load_n((p), __ATOMIC_RELAXED)
#define vf_load_acquire(p)     __atomic_load_n((p), __ATOMIC_ACQUIRE)
#define vf_load_seq_cst(p)     __atomic_load_n((p), __ATOMIC_SEQ_CST)
#define vf_store_release(p, v) __atomic_store_n((p), (v), __ATOMIC_RELEASE)

/* gcc (12, for one) makes an atomic swap of it on RISC-V. A volatile store writes an aligned word
   whole, too. */
#if defined(__riscv) && !defined(__clang__) && !VF_TSAN_BUILD
#    define vf_store_relaxed(p, v)                                                                 \
        ((void)(*(volatile __typeof__(*(p)) *)(volatile void *)(p) = (v)))
#else
#    define vf_store_relaxed(p, v) __atomic_store_n((p), (v), __ATOMIC_RELAXED)
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
#define vf_fetch_add_seq_cst(p, v) __atomic_fetch_add((p), (v), __ATOMIC_SEQ_CST)

#define vf_fetch_or_relaxed(p, v)  __atomic_fetch_or((p), (v), __ATOMIC_RELAXED)
#define vf_fetch_or_release(p, v)  __atomic_fetch_or((p), (v), __ATOMIC_RELEASE)
#define vf_fetch_or_seq_cst(p, v)  __atomic_fetch_or((p), (v), __ATOMIC_SEQ_CST)
#define vf_fetch_and_relaxed(p, v) __atomic_fetch_and((p), (v), __ATOMIC_RELAXED)
#define vf_fetch_and_acquire(p, v) __atomic_fetch_and((p), (v), __ATOMIC_ACQUIRE)
#define vf_fetch_and_seq_cst(p, v) __atomic_fetch_and((p), (v), __ATOMIC_SEQ_CST)

#define vf_cas_weak_relaxed(p, expected, v)                                                        \
    __atomic_compare_exchange_n((p), (expected), (v), 1, __ATOMIC_RELAXED, __ATOMIC_RELAXED)
#define vf_cas_weak_acquire(p, expected, v)                                                        \
    __atomic_compare_exchange_n((p), (expected), (v), 1, __ATOMIC_ACQUIRE, __ATOMIC_RELAXED)
#define vf_cas_weak_release(p, expected, v)                                                        \
    __atomic_compare_exchange_n((p), (expected), (v), 1, __ATOMIC_RELEASE, __ATOMIC_RELAXED)
#define vf_cas_strong_relaxed(p, expected, v)                                                      \
    __atomic_compare_exchange_n((p), (expected), (v), 0, __ATOMIC_RELAXED, __ATOMIC_RELAXED)
#define vf_cas_strong_acq_rel(p, expected, v)                                                      \
    __atomic_compare_exchange_n((p), (expected), (v), 0, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE)
#define vf_cas_strong_acquire(p, expected, v)                                                      \
    __atomic_compare_exchange_n((p), (expected), (v), 0, __ATOMIC_ACQUIRE, __ATOMIC_ACQUIRE)

/* No instructions: only the compiler keeps the order. */
#define vf_fence_compiler()         __atomic_signal_fence(__ATOMIC_SEQ_CST)
#define vf_fence_compiler_release() __atomic_signal_fence(__ATOMIC_RELEASE)

#endif
