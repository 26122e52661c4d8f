/* SPDX-License-Identifier: MIT */
/*
 * atomic_msvc.h - the other half of atomic.h: the same operations by MSVC's intrinsic functions,
 * for 64 bits. Included by atomic.h only.
 *
 * _Interlocked functions are full barriers, on x86-64 by nature and on ARM64 by MSVC's promise, so
 * all orders of an operation that writes and reads are one. Plain loads and stores are volatile,
 * which neither the compiler splits nor merges, with the barrier that their order takes.
 */
#ifndef VF_DETAIL_ATOMIC_MSVC_H
#define VF_DETAIL_ATOMIC_MSVC_H

#include <intrin.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
#    include <type_traits>
#    define vf_msvc_type(p) std::remove_cv<std::remove_reference<decltype(*(p))>::type>::type
#else
#    define vf_msvc_type(p) __typeof__(*(p))
#endif

#if defined(_M_ARM64) || defined(__aarch64__)
#    define VF_MSVC_BARRIER() __dmb(_ARM64_BARRIER_ISH)
#else
#    define VF_MSVC_BARRIER() _ReadWriteBarrier() /* the processor keeps these orders by itself */
#endif

static inline uint64_t vf_msvc_load(const volatile void *p, size_t size)
{
    switch (size) {
    case 1:
        return *(const volatile uint8_t *)p;
    case 2:
        return *(const volatile uint16_t *)p;
    case 4:
        return *(const volatile uint32_t *)p;
    default:
        return *(const volatile uint64_t *)p;
    }
}

static inline uint64_t vf_msvc_load_ordered(const volatile void *p, size_t size)
{
    VF_MSVC_BARRIER();
    uint64_t value = vf_msvc_load(p, size);
    VF_MSVC_BARRIER();
    return value;
}

static inline void vf_msvc_store(volatile void *p, uint64_t value, size_t size)
{
    switch (size) {
    case 1:
        *(volatile uint8_t *)p = (uint8_t)value;
        break;
    case 2:
        *(volatile uint16_t *)p = (uint16_t)value;
        break;
    case 4:
        *(volatile uint32_t *)p = (uint32_t)value;
        break;
    default:
        *(volatile uint64_t *)p = value;
    }
}

static inline void vf_msvc_store_release(volatile void *p, uint64_t value, size_t size)
{
    VF_MSVC_BARRIER();
    vf_msvc_store(p, value, size);
}

/* What was there; *p is `expected` before, or it stays. */
static inline uint64_t vf_msvc_swap_if(volatile void *p, uint64_t expected, uint64_t value,
                                       size_t size)
{
    switch (size) {
    case 1:
        return (uint8_t)_InterlockedCompareExchange8((volatile char *)p, (char)value,
                                                     (char)expected);
    case 2:
        return (uint16_t)_InterlockedCompareExchange16((volatile short *)p, (short)value,
                                                       (short)expected);
    case 4:
        return (uint32_t)_InterlockedCompareExchange((volatile long *)p, (long)value,
                                                     (long)expected);
    default:
        return (uint64_t)_InterlockedCompareExchange64((volatile long long *)p, (long long)value,
                                                       (long long)expected);
    }
}

static inline int vf_msvc_cas(volatile void *p, void *expected, uint64_t value, size_t size)
{
    uint64_t wanted = vf_msvc_load(expected, size);
    uint64_t found = vf_msvc_swap_if(p, wanted, value, size);
    if (found != wanted)
        vf_msvc_store(expected, found, size);
    return found == wanted;
}

static inline uint64_t vf_msvc_exchange(volatile void *p, uint64_t value, size_t size)
{
    switch (size) {
    case 1:
        return (uint8_t)_InterlockedExchange8((volatile char *)p, (char)value);
    case 2:
        return (uint16_t)_InterlockedExchange16((volatile short *)p, (short)value);
    case 4:
        return (uint32_t)_InterlockedExchange((volatile long *)p, (long)value);
    default:
        return (uint64_t)_InterlockedExchange64((volatile long long *)p, (long long)value);
    }
}

/* These three: of 4 and 8 bytes only. */
static inline uint64_t vf_msvc_add(volatile void *p, uint64_t value, size_t size)
{
    return size == 4
               ? (uint32_t)_InterlockedExchangeAdd((volatile long *)p, (long)value)
               : (uint64_t)_InterlockedExchangeAdd64((volatile long long *)p, (long long)value);
}

static inline uint64_t vf_msvc_or(volatile void *p, uint64_t value, size_t size)
{
    return size == 4 ? (uint32_t)_InterlockedOr((volatile long *)p, (long)value)
                     : (uint64_t)_InterlockedOr64((volatile long long *)p, (long long)value);
}

static inline uint64_t vf_msvc_and(volatile void *p, uint64_t value, size_t size)
{
    return size == 4 ? (uint32_t)_InterlockedAnd((volatile long *)p, (long)value)
                     : (uint64_t)_InterlockedAnd64((volatile long long *)p, (long long)value);
}

#define vf_msvc_call(function, p, v) ((vf_msvc_type(p))function((p), (uint64_t)(v), sizeof *(p)))

#define vf_load_relaxed(p)     ((vf_msvc_type(p))vf_msvc_load((p), sizeof *(p)))
#define vf_load_acquire(p)     ((vf_msvc_type(p))vf_msvc_load_ordered((p), sizeof *(p)))
#define vf_load_seq_cst(p)     vf_load_acquire(p)
#define vf_store_relaxed(p, v) vf_msvc_store((p), (uint64_t)(v), sizeof *(p))
#define vf_store_release(p, v) vf_msvc_store_release((p), (uint64_t)(v), sizeof *(p))

#define vf_exchange_relaxed(p, v)  vf_msvc_call(vf_msvc_exchange, p, v)
#define vf_exchange_acquire(p, v)  vf_exchange_relaxed(p, v)
#define vf_exchange_release(p, v)  vf_exchange_relaxed(p, v)
#define vf_exchange_acq_rel(p, v)  vf_exchange_relaxed(p, v)
#define vf_exchange_seq_cst(p, v)  vf_exchange_relaxed(p, v)
#define vf_fetch_add_relaxed(p, v) vf_msvc_call(vf_msvc_add, p, v)
#define vf_fetch_add_acquire(p, v) vf_fetch_add_relaxed(p, v)
#define vf_fetch_add_release(p, v) vf_fetch_add_relaxed(p, v)
#define vf_fetch_add_acq_rel(p, v) vf_fetch_add_relaxed(p, v)
#define vf_fetch_add_seq_cst(p, v) vf_fetch_add_relaxed(p, v)

#define vf_fetch_or_relaxed(p, v)  vf_msvc_call(vf_msvc_or, p, v)
#define vf_fetch_or_release(p, v)  vf_fetch_or_relaxed(p, v)
#define vf_fetch_or_seq_cst(p, v)  vf_fetch_or_relaxed(p, v)
#define vf_fetch_and_relaxed(p, v) vf_msvc_call(vf_msvc_and, p, v)
#define vf_fetch_and_acquire(p, v) vf_fetch_and_relaxed(p, v)
#define vf_fetch_and_seq_cst(p, v) vf_fetch_and_relaxed(p, v)

#define vf_cas_weak_relaxed(p, expected, v)   vf_msvc_cas((p), (expected), (uint64_t)(v), sizeof *(p))
#define vf_cas_weak_acquire(p, expected, v)   vf_cas_weak_relaxed(p, expected, v)
#define vf_cas_weak_release(p, expected, v)   vf_cas_weak_relaxed(p, expected, v)
#define vf_cas_strong_relaxed(p, expected, v) vf_cas_weak_relaxed(p, expected, v)
#define vf_cas_strong_acq_rel(p, expected, v) vf_cas_weak_relaxed(p, expected, v)
#define vf_cas_strong_acquire(p, expected, v) vf_cas_weak_relaxed(p, expected, v)

#define vf_fence_compiler()         _ReadWriteBarrier()
#define vf_fence_compiler_release() _ReadWriteBarrier()

#endif
