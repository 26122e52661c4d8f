/* SPDX-License-Identifier: MIT */
/* instrumented.c - the calls that -fsanitize=thread puts into a program. */
#include "knowledge.h"

#include <string.h>

#define FAR_FROM_HERE 65536 /* nearer is the thread's own stack, which is not watched */

static void plain(const volatile void *address, size_t size, bool writes)
{
    if ((uintptr_t)address - (uintptr_t)__builtin_frame_address(0) >= FAR_FROM_HERE) {
        memory_plain((uintptr_t)address, size, writes);
    }
}

#define CHANGE(name, expression)                                                                   \
    static uint64_t name(uint64_t a, uint64_t b)                                                   \
    {                                                                                              \
        return expression;                                                                         \
    }
CHANGE(exchange, ((void)a, b))
CHANGE(fetch_add, a + b)
CHANGE(fetch_sub, a - b)
CHANGE(fetch_and, a &b)
CHANGE(fetch_or, a | b)
CHANGE(fetch_xor, a ^ b)

#define MODIFY(bits, T, name)                                                                      \
    T __tsan_atomic##bits##_##name(volatile T *p, T v, int order)                                  \
    {                                                                                              \
        return (T)memory_change((uintptr_t)p, sizeof(T), name, v, order);                          \
    }
#define SWAP(bits, T, name)                                                                        \
    int __tsan_atomic##bits##_##name(volatile T *p, T *expected, T v, int order, int other)        \
    {                                                                                              \
        uint64_t seen = *expected;                                                                 \
        bool done = memory_swap((uintptr_t)p, sizeof(T), &seen, v, order, other);                  \
        *expected = (T)seen;                                                                       \
        return done;                                                                               \
    }
#define ATOMIC(bits, T)                                                                            \
    T __tsan_atomic##bits##_load(const volatile T *p, int order)                                   \
    {                                                                                              \
        return (T)memory_load((uintptr_t)p, sizeof(T), order);                                     \
    }                                                                                              \
    void __tsan_atomic##bits##_store(volatile T *p, T v, int order)                                \
    {                                                                                              \
        memory_store((uintptr_t)p, sizeof(T), v, order);                                           \
    }                                                                                              \
    T __tsan_atomic##bits##_compare_exchange_val(volatile T *p, T e, T v, int order, int other)    \
    {                                                                                              \
        uint64_t seen = e;                                                                         \
        memory_swap((uintptr_t)p, sizeof(T), &seen, v, order, other);                              \
        return (T)seen;                                                                            \
    }                                                                                              \
    SWAP(bits, T, compare_exchange_strong)                                                         \
    SWAP(bits, T, compare_exchange_weak)                                                           \
    MODIFY(bits, T, exchange)                                                                      \
    MODIFY(bits, T, fetch_add)                                                                     \
    MODIFY(bits, T, fetch_sub)                                                                     \
    MODIFY(bits, T, fetch_and)                                                                     \
    MODIFY(bits, T, fetch_or)                                                                      \
    MODIFY(bits, T, fetch_xor)
ATOMIC(8, uint8_t)
ATOMIC(16, uint16_t)
ATOMIC(32, uint32_t)
ATOMIC(64, uint64_t)

#define PLAIN(size, prefix)                                                                        \
    void __tsan_##prefix##read##size(void *p)                                                      \
    {                                                                                              \
        plain(p, size, false);                                                                     \
    }                                                                                              \
    void __tsan_##prefix##write##size(void *p)                                                     \
    {                                                                                              \
        plain(p, size, true);                                                                      \
    }
#define PLAINS(size)                                                                               \
    PLAIN(size, )                                                                                  \
    PLAIN(size, unaligned_)                                                                        \
    PLAIN(size, volatile_)                                                                         \
    PLAIN(size, read_)                                                                             \
    PLAIN(size, unaligned_read_)
PLAINS(1)
PLAINS(2)
PLAINS(4)
PLAINS(8)
PLAINS(16)

void __tsan_read_range(void *p, size_t size)
{
    plain(p, size, false);
}
void __tsan_write_range(void *p, size_t size)
{
    plain(p, size, true);
}
void *__tsan_memcpy(void *to, const void *from, size_t size)
{
    plain(from, size, false);
    plain(to, size, true);
    return memcpy(to, from, size);
}
void *__tsan_memmove(void *to, const void *from, size_t size)
{
    plain(from, size, false);
    plain(to, size, true);
    return memmove(to, from, size);
}
void *__tsan_memset(void *to, int byte, size_t size)
{
    plain(to, size, true);
    return memset(to, byte, size);
}
/* Pages read as zero from here on, which other threads must not be in the midst of changing. */
void __wrap_vf_pages_drop(void *context, void *memory, size_t size)
{
    (void)context;
    __tsan_memset(memory, 0, size);
}
void __tsan_atomic_thread_fence(int order)
{
    if (order == SEQ_CST && self >= 0) {
        schedule_point(0, true);
        schedule_wake(0, true);
    }
    knowledge_fence(order);
}
void __tsan_atomic_signal_fence(int order)
{
    (void)order;
}
void __tsan_init(void)
{
}
void __tsan_func_entry(void *caller)
{
    (void)caller;
}
void __tsan_func_exit(void)
{
}

/* What src/pool/deferral.c tells ThreadSanitizer of liburcu; here that is part of the scenario. */
void __tsan_acquire(void *what)
{
    (void)what;
}
void __tsan_release(void *what)
{
    (void)what;
}
void AnnotateIgnoreWritesBegin(const char *file, int line)
{
    (void)file, (void)line;
}
void AnnotateIgnoreWritesEnd(const char *file, int line)
{
    (void)file, (void)line;
}
