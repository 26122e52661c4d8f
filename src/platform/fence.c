/* SPDX-License-Identifier: MIT */
/*
 * fence.c - see fence.h.
 */
#define _GNU_SOURCE /* syscall */

#include "fence.h"

#include <veryfast/detail/atomic.h>

#include "system.h"

#if VF_SYSTEM == VF_SYSTEM_POSIX && defined(__linux__)
#    include <errno.h>
#    include <sys/syscall.h>
#    include <unistd.h>

/* Part of the kernel's interface; but not every C library comes with the kernel's headers, musl
   does not. */
#    if __has_include(<linux/membarrier.h>)
#        include <linux/membarrier.h>
#    else
enum {
    MEMBARRIER_CMD_PRIVATE_EXPEDITED = 1 << 3,
    MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED = 1 << 4,
};
#    endif

static bool pass_barrier(void)
{
    int saved = errno;
    bool done = syscall(SYS_membarrier, MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED, 0, 0) == 0 &&
                syscall(SYS_membarrier, MEMBARRIER_CMD_PRIVATE_EXPEDITED, 0, 0) == 0;
    errno = saved;
    return done;
}
#elif VF_SYSTEM == VF_SYSTEM_WINDOWS
#    include "win32.h"

static bool pass_barrier(void)
{
    FlushProcessWriteBuffers();
    return true;
}
#else
static bool pass_barrier(void)
{
    return false;
}
#endif

/* atomic; relaxed, because a thread that is late to see that the barrier is refused finds it
   refused when it asks for one */
static enum { UNKNOWN, THERE, REFUSED } fence_state;

bool vf_fence_heavy(void)
{
    bool passed = pass_barrier();
    if (!passed)
        vf_store_relaxed(&fence_state, REFUSED);
    return passed;
}

bool vf_fence_is_certain(void)
{
    if (vf_load_relaxed(&fence_state) == UNKNOWN && vf_fence_heavy())
        vf_store_relaxed(&fence_state, THERE);
    return vf_load_relaxed(&fence_state) == THERE;
}
