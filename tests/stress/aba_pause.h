/* SPDX-License-Identifier: MIT */
/*
 * aba_pause.h - put in front of every source file of the library that is built into stress_aba:
 * a thread may lose the processor just where ABA does its harm, between the load of a link and the
 * compare-and-swap that relies on it.
 */
#ifndef TESTS_STRESS_ABA_PAUSE_H
#define TESTS_STRESS_ABA_PAUSE_H

#include <veryfast/detail/atomic.h>

/* No system header, since the source file behind has yet to say which of the system's it wants. */
typedef __UINT64_TYPE__ aba_head;

/* All are in stress_aba.c. */
void aba_before_removal(const aba_head *head, aba_head expected);
void aba_after_removal(_Bool done, aba_head expected, aba_head found);
void aba_before_push(void); /* what is to be pushed is still in the thread's hands */

/* Removals from a stack are swaps of this kind, of 64 bits; there are others. */
#undef vf_cas_weak_relaxed
#define vf_cas_weak_relaxed(p, expected, v)                                                        \
    __extension__({                                                                                \
        _Bool aba_is_head = sizeof *(p) == sizeof(aba_head);                                       \
        aba_head aba_expected = (aba_head) * (expected);                                           \
        if (aba_is_head)                                                                           \
            aba_before_removal((const aba_head *)(const void *)(p), aba_expected);                 \
        _Bool aba_done = __atomic_compare_exchange_n((p), (expected), (v), 1, __ATOMIC_RELAXED,    \
                                                     __ATOMIC_RELAXED);                            \
        if (aba_is_head)                                                                           \
            aba_after_removal(aba_done, aba_expected, (aba_head) * (expected));                    \
        aba_done;                                                                                  \
    })

/* All pushes are of this kind. */
#undef vf_cas_weak_release
#define vf_cas_weak_release(p, expected, v)                                                        \
    (aba_before_push(),                                                                            \
     __atomic_compare_exchange_n((p), (expected), (v), 1, __ATOMIC_RELEASE, __ATOMIC_RELAXED))

#endif
