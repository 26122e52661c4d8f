/* SPDX-License-Identifier: MIT */
/*
 * sleep.c - see sleep.h. Linux and Windows have a call for it, other systems like Linux a condition
 * variable; elsewhere a thread looks again and again, after short sleeps.
 */
#define _GNU_SOURCE /* syscall */

#include "sleep.h"

#include <veryfast/detail/atomic.h>

#include "cancel.h"
#include "system.h"
#include "wait.h"

#define SECOND 1000000000

#if VF_SYSTEM == VF_SYSTEM_WINDOWS
#    include "win32.h"

static int64_t now(void)
{
    return (int64_t)GetTickCount64() * (SECOND / 1000);
}
#elif VF_SYSTEM == VF_SYSTEM_OWN
#    include <time.h>

static int64_t now(void)
{
    struct timespec time;
    timespec_get(&time, TIME_UTC);
    return (int64_t)time.tv_sec * SECOND + time.tv_nsec;
}
#else
#    include <errno.h>
#    include <pthread.h>
#    include <time.h>
#    ifdef __linux__
#        include <sys/syscall.h>
#        include <unistd.h>
#    endif

static int64_t now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (int64_t)time.tv_sec * SECOND + time.tv_nsec;
}
#endif

int64_t vf_sleep_deadline(int64_t timeout_ns)
{
    if (timeout_ns < 0)
        return INT64_MAX;
    int64_t begin = now();
    return timeout_ns < INT64_MAX - begin ? begin + timeout_ns : INT64_MAX;
}

#if VF_SYSTEM == VF_SYSTEM_WINDOWS
typedef BOOL(WINAPI *wait_function)(volatile void *address, void *compared, size_t size, DWORD ms);
typedef void(WINAPI *wake_function)(void *address);

/* Windows has both from version 8 on, but in no library that each program is linked with. */
static FARPROC find_function(const char *name)
{
    HMODULE module = GetModuleHandleA("kernelbase.dll");
    return module != NULL ? GetProcAddress(module, name) : NULL;
}

/* Until the deadline, rounded up: what a wait takes. */
static DWORD milliseconds(int64_t deadline)
{
    if (deadline == INT64_MAX)
        return INFINITE;
    int64_t left = (deadline - now() - 1) / (SECOND / 1000) + 1;
    return left <= 0 ? 0 : left < INFINITE ? (DWORD)left : INFINITE - 1;
}

bool vf_sleep_while(const uint32_t *word, uint32_t value, int64_t deadline)
{
    wait_function wait = (wait_function)(void (*)(void))find_function("WaitOnAddress");
    if (wait != NULL)
        return wait((void *)(uintptr_t)word, &value, sizeof value, milliseconds(deadline)) ||
               now() < deadline;
    vf_wait_sleep();
    return now() < deadline;
}

void vf_sleep_wake(const uint32_t *word)
{
    wake_function wake = (wake_function)(void (*)(void))find_function("WakeByAddressSingle");
    if (wake != NULL) /* otherwise it will look */
        wake((void *)(uintptr_t)word);
}
#elif VF_SYSTEM == VF_SYSTEM_OWN
bool vf_sleep_while(const uint32_t *word, uint32_t value, int64_t deadline)
{
    (void)word;
    (void)value;
    vf_wait_sleep();
    return now() < deadline;
}

void vf_sleep_wake(const uint32_t *word)
{
    (void)word; /* it will look */
}
#elif defined(SYS_futex)
/* Part of the kernel's interface; but not every C library comes with the kernel's headers. */
enum { WAIT_UNTIL_PRIVATE = 9 | 128, WAKE_PRIVATE = 1 | 128 };

bool vf_sleep_while(const uint32_t *word, uint32_t value, int64_t deadline)
{
    /* what this system call takes, whatever the C library's time_t is */
    long time[2] = {(long)(deadline / SECOND), (long)(deadline % SECOND)};
    long *until = deadline < INT64_MAX ? time : NULL;
    int saved = errno;
    bool timed_out = false;
    if (syscall(SYS_futex, word, WAIT_UNTIL_PRIVATE, value, until, NULL, -1) != 0) {
        timed_out = errno == ETIMEDOUT;
        if (!timed_out && errno != EAGAIN && errno != EINTR) {
            vf_wait_sleep(); /* a filter of system calls has no such call */
            timed_out = now() >= deadline;
        }
    }
    errno = saved;
    return !timed_out;
}

void vf_sleep_wake(const uint32_t *word)
{
    int saved = errno;
    syscall(SYS_futex, word, WAKE_PRIVATE, 1, NULL, NULL, 0);
    errno = saved;
}
#else
/* One for all words: a wait looks again, and none is longer than a second. */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;

/* The clock of the condition, at which the deadline comes, or a second has gone by. */
static struct timespec until(int64_t deadline)
{
    int64_t left = deadline - now();
    struct timespec time;
    clock_gettime(CLOCK_REALTIME, &time);
    int64_t ns = time.tv_nsec + (left < SECOND ? left : SECOND);
    time.tv_sec += (time_t)(ns / SECOND);
    time.tv_nsec = (long)(ns % SECOND);
    return time;
}

bool vf_sleep_while(const uint32_t *word, uint32_t value, int64_t deadline)
{
    int state = vf_cancel_off();
    int saved = errno;
    pthread_mutex_lock(&lock);
    /* relaxed: a thread that changes it takes the lock before it wakes others */
    bool same = vf_load_relaxed(word) == value;
    if (same && now() < deadline) {
        struct timespec time = until(deadline);
        pthread_cond_timedwait(&changed, &lock, &time);
    }
    pthread_mutex_unlock(&lock);
    errno = saved;
    vf_cancel_restore(state);
    return !same || now() < deadline;
}

void vf_sleep_wake(const uint32_t *word)
{
    (void)word;
    pthread_mutex_lock(&lock);
    pthread_cond_broadcast(&changed); /* one that waits for another word waits again */
    pthread_mutex_unlock(&lock);
}
#endif
