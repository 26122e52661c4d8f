/* SPDX-License-Identifier: MIT */
/*
 * fence.c - see fence.h.
 */
#define _GNU_SOURCE /* syscall */

#include "fence.h"

#ifdef __linux__
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

bool vf_fence_heavy(void)
{
    int saved = errno;
    bool done = syscall(SYS_membarrier, MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED, 0, 0) == 0 &&
                syscall(SYS_membarrier, MEMBARRIER_CMD_PRIVATE_EXPEDITED, 0, 0) == 0;
    errno = saved;
    return done;
}
#else
bool vf_fence_heavy(void)
{
    return false;
}
#endif
