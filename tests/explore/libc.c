/* SPDX-License-Identifier: MIT */
/* libc.c - what the library asks of the system, one execution at a time. */
#define _GNU_SOURCE
#include "internal.h"

#include <errno.h>
#include <limits.h>
#include <linux/futex.h>
#include <linux/membarrier.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>

#include "explore.h"

enum { ARENA = 1 << 20, GRAIN = 16, KEYS = 16, PAGES = 32 << 20 };

typedef struct libc {
    char *arena;
    size_t used;
    uint8_t live[ARENA / GRAIN];
    size_t size[ARENA / GRAIN];
    struct {
        const void *mutex;
        int owner; /* -1: none */
    } mutex[MUTEXES];
    int mutexes, keys;
    long blocks, calls, refuse_first, refuse_last, wakes;
    size_t bytes;
    bool no_membarrier;
    void (*destructor[KEYS])(void *);
    void *value[THREADS][KEYS];
    char *pages; /* PAGES bytes that cost nothing before they are written to */
    size_t pages_used;
} libc;

static libc *c;

void libc_create(void)
{
    c = __real_calloc(1, sizeof *c);
    char *raw = __real_calloc(2, ARENA);
    c->arena = raw + (ARENA - (uintptr_t)raw % ARENA);
    c->pages = mmap(NULL, PAGES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
}

void libc_reset(void)
{
    memset(c->live, 0, c->used / GRAIN);
    memset(c->value, 0, sizeof c->value);
    c->used = 0;
    c->mutexes = c->keys = 0;
    c->blocks = c->calls = c->refuse_first = c->refuse_last = c->wakes = 0;
    c->bytes = 0;
    c->no_membarrier = false;
    if (c->pages_used > 0) {
        madvise(c->pages, c->pages_used, MADV_DONTNEED);
    }
    c->pages_used = 0;
}

bool memory_is_dead(uintptr_t address, size_t size)
{
    size_t at = address - (uintptr_t)c->arena;
    return at < ARENA && !(c->live[at / GRAIN] && c->live[(at + size - 1) / GRAIN]);
}

/* Never the same memory twice: a use after free is seen, and no order comes from a reuse. */
static void *allocate(size_t align, size_t size)
{
    size_t at = (c->used + align - 1) / align * align;
    size_t end = (at + size + 2 * GRAIN - 1) / GRAIN * GRAIN;
    if (end > ARENA) {
        failure("too much memory", size);
    }
    memset(&c->live[at / GRAIN], 1, (size + GRAIN - 1) / GRAIN);
    memset(c->arena + at, 0xA5, size);
    c->size[at / GRAIN] = size;
    c->used = end;
    return c->arena + at;
}

/* The same for a block that counts and may be refused. */
static void *count_block(size_t align, size_t size)
{
    if (c->refuse_last > 0 && self >= 0) { /* then it matters who comes first */
        schedule_point((uintptr_t)&c->calls, true);
        contended_touch((uintptr_t)&c->calls, true);
    }
    c->calls++;
    if (c->refuse_first <= c->calls && c->calls <= c->refuse_last) {
        note("refused", 0, size);
        return NULL;
    }
    c->blocks++;
    c->bytes += size;
    return allocate(align < GRAIN ? GRAIN : align, size);
}

long explore_blocks(void)
{
    return c->blocks;
}

size_t explore_bytes(void)
{
    return c->bytes;
}

void explore_refuse(long first, long last)
{
    c->refuse_first = c->calls + first; /* calls so far: the 0th is none of those to come */
    c->refuse_last = last < LONG_MAX - c->calls ? c->calls + last : LONG_MAX;
}

void *__wrap_malloc(size_t size)
{
    return count_block(GRAIN, size);
}
void *__wrap_aligned_alloc(size_t align, size_t size)
{
    return count_block(align, size);
}
int __wrap_posix_memalign(void **result, size_t align, size_t size)
{
    *result = count_block(align, size);
    return *result != NULL ? 0 : ENOMEM;
}
void *__wrap_calloc(size_t n, size_t size)
{
    void *memory = count_block(GRAIN, n * size);
    return memory ? memset(memory, 0, n * size) : NULL;
}
void __wrap_free(void *memory)
{
    if (memory) {
        size_t at = (size_t)((char *)memory - c->arena) / GRAIN;
        if (!c->live[at]) {
            failure("freed twice", (uintptr_t)memory);
        }
        c->blocks--;
        c->bytes -= c->size[at];
        memory_plain((uintptr_t)memory, c->size[at], true);
        memset(&c->live[at], 0, (c->size[at] + GRAIN - 1) / GRAIN);
    }
}

/* What no pool has: not among the blocks. */
void *__wrap_vf_pages_obtain(size_t size)
{
    char *memory = c->pages + c->pages_used;
    c->pages_used += (size + 4095) / 4096 * 4096;
    if (c->pages_used > PAGES) {
        failure("too many pages", size);
    }
    return memory;
}

/* For what the library keeps as long as the process: not among the blocks, and never moved. */
void *__wrap_realloc(void *memory, size_t size)
{
    if (memory) {
        failure("realloc of a block", size);
    }
    return allocate(GRAIN, size);
}

static int number_of(const void *mutex)
{
    int i = 0;
    while (i < c->mutexes && c->mutex[i].mutex != mutex) {
        i++;
    }
    if (i == MUTEXES) {
        failure("too many mutexes", (uintptr_t)mutex);
    }
    if (i == c->mutexes) {
        c->mutex[c->mutexes].mutex = mutex;
        c->mutex[c->mutexes++].owner = -1;
    }
    return i;
}

bool mutex_is_free(const void *mutex)
{
    return c->mutex[number_of(mutex)].owner < 0;
}

int __wrap_pthread_mutex_init(pthread_mutex_t *mutex, const pthread_mutexattr_t *attributes)
{
    (void)mutex, (void)attributes;
    return 0;
}
int __wrap_pthread_mutex_destroy(pthread_mutex_t *mutex)
{
    (void)mutex;
    return 0;
}
int __wrap_pthread_mutex_trylock(pthread_mutex_t *mutex)
{
    schedule_point((uintptr_t)mutex, true);
    contended_touch((uintptr_t)mutex, true);
    int i = number_of(mutex);
    if (c->mutex[i].owner >= 0) {
        return EBUSY;
    }
    c->mutex[i].owner = self;
    knowledge_lock(i);
    return 0;
}
int __wrap_pthread_mutex_lock(pthread_mutex_t *mutex)
{
    while (__wrap_pthread_mutex_trylock(mutex) != 0) {
        ex->thread[self].mutex = mutex;
        ex->thread[self].state = LOCKS;
        schedule_others();
        ex->thread[self].state = RUNS;
    }
    return 0;
}
int __wrap_pthread_mutex_unlock(pthread_mutex_t *mutex)
{
    int i = number_of(mutex);
    contended_touch((uintptr_t)mutex, true);
    c->mutex[i].owner = -1;
    knowledge_unlock(i);
    return 0;
}
int __wrap_pthread_once(pthread_once_t *once, void (*call)(void))
{
    static const pthread_once_t fresh = PTHREAD_ONCE_INIT;
    __wrap_pthread_mutex_lock((void *)once);
    if (*once == fresh) {
        *once = fresh + 1;
        call();
    }
    __wrap_pthread_mutex_unlock((void *)once);
    return 0;
}

int __wrap_pthread_key_create(pthread_key_t *key, void (*destructor)(void *))
{
    if (c->keys == KEYS) {
        return EAGAIN;
    }
    c->destructor[c->keys] = destructor;
    *key = (pthread_key_t)c->keys++;
    return 0;
}
int __wrap_pthread_key_delete(pthread_key_t key)
{
    c->destructor[key] = NULL;
    return 0;
}
void *__wrap_pthread_getspecific(pthread_key_t key)
{
    return c->value[self][key];
}
int __wrap_pthread_setspecific(pthread_key_t key, const void *value)
{
    memcpy(&c->value[self][key], &value, sizeof value);
    return 0;
}
void libc_thread_exit(void)
{
    for (int round = 0; round < PTHREAD_DESTRUCTOR_ITERATIONS; round++) {
        for (int key = 0; key < c->keys; key++) {
            void *value = c->value[self][key];
            c->value[self][key] = NULL;
            if (value && c->destructor[key]) {
                c->destructor[key](value);
            }
        }
    }
}

int __wrap_pthread_create(pthread_t *thread, const pthread_attr_t *attributes,
                          void *(*call)(void *), void *argument)
{
    (void)attributes;
    *thread = (pthread_t)thread_spawn(call, argument);
    return 0;
}
int __wrap_pthread_join(pthread_t thread, void **result)
{
    int other = (int)thread;
    if (ex->thread[other].state != ENDED) {
        ex->thread[self].joined = other;
        ex->thread[self].state = JOINS;
        schedule_others();
        ex->thread[self].state = RUNS;
    }
    knowledge_join(other);
    if (result) {
        *result = NULL;
    }
    return 0;
}
int __wrap_pthread_atfork(void (*prepare)(void), void (*parent)(void), void (*child)(void))
{
    (void)prepare, (void)parent, (void)child;
    return 0;
}
int __wrap_sched_yield(void)
{
    schedule_yield();
    return 0;
}
int __wrap_nanosleep(const struct timespec *time, struct timespec *rest)
{
    (void)time, (void)rest;
    schedule_yield();
    return 0;
}

void explore_no_membarrier(void)
{
    c->no_membarrier = true;
}

static long membarrier(long command)
{
    if (c->no_membarrier) {
        errno = ENOSYS;
        return -1;
    }
    if (command == MEMBARRIER_CMD_PRIVATE_EXPEDITED) {
        schedule_point(0, true);
        schedule_wake(0, true);
        knowledge_full_barrier();
        note("membarrier", 0, 0);
    }
    return 0;
}
long explore_wakes(void)
{
    return c->wakes;
}

/* The kernel looks at the word and lets the thread sleep in one step, which orders nothing else. A
   time to end at may come at once, or never. */
static long futex_wait(uintptr_t word, uint32_t value, bool may_end)
{
    uint32_t now;
    schedule_point(word & ~(uintptr_t)7, true);
    contended_touch(word & ~(uintptr_t)7, true);
    memcpy(&now, (void *)word, sizeof now);
    bool same = now == value;
    if (!same || (may_end && choose(2) == 1)) {
        errno = same ? ETIMEDOUT : EAGAIN;
        return -1;
    }
    note("sleeps", word, value);
    ex->thread[self].word = word;
    ex->thread[self].woken = false;
    ex->thread[self].state = SLEEPS;
    schedule_others();
    ex->thread[self].state = RUNS;
    return 0;
}

static long futex_wake(uintptr_t word)
{
    schedule_point(word & ~(uintptr_t)7, true);
    contended_touch(word & ~(uintptr_t)7, true);
    note("wakes", word, 0);
    c->wakes++;
    for (int i = 0; i < ex->threads; i++) {
        if (ex->thread[i].state == SLEEPS && ex->thread[i].word == word) {
            ex->thread[i].woken = true;
        }
    }
    return 0;
}

/* Is the thread of this number alive? Numbers are from 1 on. */
static long kill_thread(long number)
{
    if (ex->thread[number - 1].state != ENDED) {
        return 0;
    }
    errno = ESRCH;
    return -1;
}
long __wrap_syscall(long number, ...)
{
    va_list arguments;
    va_start(arguments, number);
    long first = va_arg(arguments, long);
    long second = va_arg(arguments, long);
    bool futex = number == SYS_futex;
    uint32_t value = futex ? va_arg(arguments, uint32_t) : 0;
    bool may_end = futex && va_arg(arguments, void *) != NULL;
    va_end(arguments);
    switch (number) {
    case SYS_membarrier:
        return membarrier(first);
    case SYS_futex:
        if ((second & ~FUTEX_PRIVATE_FLAG) == FUTEX_WAKE) {
            return futex_wake((uintptr_t)first);
        }
        return futex_wait((uintptr_t)first, value, may_end);
    case SYS_gettid:
        return self + 1;
    case SYS_tgkill:
        return kill_thread(second);
    default:
        failure("unknown system call", (uintptr_t)number);
    }
}
void __wrap___assert_fail(const char *what, const char *file, unsigned line, const char *function)
{
    (void)file, (void)function;
    failure(what, line);
}
