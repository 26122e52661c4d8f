/* SPDX-License-Identifier: MIT */
/*
 * fork_pause.h - put in front of every source file that is built into stress_fork_at: before each
 * atomic operation that writes, a thread may be stopped, for a fork to find it there.
 */
#ifndef TESTS_STRESS_FORK_PAUSE_H
#define TESTS_STRESS_FORK_PAUSE_H

/* The system's headers are included from here on: all that any of the source files wants. */
#ifndef _GNU_SOURCE
#    define _GNU_SOURCE
#endif
#include <veryfast/detail/atomic.h>

void fork_point(void); /* in stress_fork_at.c */

#undef vf_store_relaxed
#define vf_store_relaxed(p, v) (fork_point(), __atomic_store_n((p), (v), __ATOMIC_RELAXED))
#undef vf_store_release
#define vf_store_release(p, v) (fork_point(), __atomic_store_n((p), (v), __ATOMIC_RELEASE))
#undef vf_store_seq_cst
#define vf_store_seq_cst(p, v) (fork_point(), __atomic_store_n((p), (v), __ATOMIC_SEQ_CST))

#undef vf_exchange_acquire
#define vf_exchange_acquire(p, v) (fork_point(), __atomic_exchange_n((p), (v), __ATOMIC_ACQUIRE))
#undef vf_exchange_release
#define vf_exchange_release(p, v) (fork_point(), __atomic_exchange_n((p), (v), __ATOMIC_RELEASE))
#undef vf_exchange_acq_rel
#define vf_exchange_acq_rel(p, v) (fork_point(), __atomic_exchange_n((p), (v), __ATOMIC_ACQ_REL))
#undef vf_fetch_add_relaxed
#define vf_fetch_add_relaxed(p, v) (fork_point(), __atomic_fetch_add((p), (v), __ATOMIC_RELAXED))
#undef vf_fetch_add_acq_rel
#define vf_fetch_add_acq_rel(p, v) (fork_point(), __atomic_fetch_add((p), (v), __ATOMIC_ACQ_REL))
#undef vf_fetch_add_seq_cst
#define vf_fetch_add_seq_cst(p, v) (fork_point(), __atomic_fetch_add((p), (v), __ATOMIC_SEQ_CST))
#undef vf_fetch_or_relaxed
#define vf_fetch_or_relaxed(p, v) (fork_point(), __atomic_fetch_or((p), (v), __ATOMIC_RELAXED))
#undef vf_fetch_or_seq_cst
#define vf_fetch_or_seq_cst(p, v) (fork_point(), __atomic_fetch_or((p), (v), __ATOMIC_SEQ_CST))
#undef vf_fetch_and_relaxed
#define vf_fetch_and_relaxed(p, v) (fork_point(), __atomic_fetch_and((p), (v), __ATOMIC_RELAXED))
#undef vf_fetch_and_acquire
#define vf_fetch_and_acquire(p, v) (fork_point(), __atomic_fetch_and((p), (v), __ATOMIC_ACQUIRE))
#undef vf_fetch_and_seq_cst
#define vf_fetch_and_seq_cst(p, v) (fork_point(), __atomic_fetch_and((p), (v), __ATOMIC_SEQ_CST))

#undef vf_cas_weak_relaxed
#define vf_cas_weak_relaxed(p, expected, v)                                                        \
    (fork_point(),                                                                                 \
     __atomic_compare_exchange_n((p), (expected), (v), 1, __ATOMIC_RELAXED, __ATOMIC_RELAXED))
#undef vf_cas_weak_release
#define vf_cas_weak_release(p, expected, v)                                                        \
    (fork_point(),                                                                                 \
     __atomic_compare_exchange_n((p), (expected), (v), 1, __ATOMIC_RELEASE, __ATOMIC_RELAXED))

#endif
