/* SPDX-License-Identifier: MIT */
/*
 * system.h - which system it is. All that the library asks of one is in this room, a pair of files
 * for each part, with a body for each kind of system:
 *
 *     part      what it is                              POSIX            Windows
 *     aligned   the C library's aligned allocation      posix_memalign   _aligned_malloc
 *     cancel    no call is a cancellation point         pthread          nothing to do
 *     exit      a hook at a thread's end, and the last  pthread_key      FlsAlloc, atexit
 *     fence     a barrier in all other threads          membarrier       FlushProcessWriteBuffers
 *     fork      hooks at a fork                         pthread_atfork   nothing to do
 *     module    the file that an address is in          dladdr           GetModuleHandleEx
 *     mutex     mutual exclusion                        pthread_mutex    SRWLOCK
 *     once      a function that is called once          pthread_once     InitOnce
 *     pages     what memory is there, and dropping it   mincore, madvise nothing to do
 *     sleep     until another thread changes a word     futex            WaitOnAddress
 *     tid       has a thread ended?                     tgkill           OpenThread
 *     wait      spinning, yielding, sleeping            sched_yield      SwitchToThread
 *
 * membarrier, tgkill, mincore and madvise are Linux'; elsewhere these parts say that they cannot,
 * and the library does without. The third kind is a system of the program's own (a console, a
 * kernel): own.h. WASI without threads, which need not have <pthread.h>, is of that kind too:
 * one_thread.h.
 */
#ifndef VF_SYSTEM_H
#define VF_SYSTEM_H

#define VF_SYSTEM_POSIX   1
#define VF_SYSTEM_WINDOWS 2
#define VF_SYSTEM_OWN     3

#if defined(VF_OWN_SYSTEM)
#    define VF_SYSTEM VF_SYSTEM_OWN
#    include "own.h"
#elif defined(__wasi__) && !defined(_REENTRANT)
#    define VF_SYSTEM VF_SYSTEM_OWN
#    include "one_thread.h"
#elif defined(_WIN32)
#    define VF_SYSTEM VF_SYSTEM_WINDOWS
#else
#    define VF_SYSTEM VF_SYSTEM_POSIX
#endif

#endif
