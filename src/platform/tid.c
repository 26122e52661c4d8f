/* SPDX-License-Identifier: MIT */
/*
 * tid.c - see tid.h.
 */
#define _GNU_SOURCE /* syscall */

#include "tid.h"

#ifdef __linux__
#    include <errno.h>
#    include <sys/syscall.h>
#    include <unistd.h>

long vf_tid_own(void)
{
    return syscall(SYS_gettid);
}

bool vf_tid_is_gone(long id)
{
    return syscall(SYS_tgkill, (long)getpid(), id, 0L) != 0 && errno == ESRCH;
}
#else
long vf_tid_own(void)
{
    return 1;
}

bool vf_tid_is_gone(long id)
{
    (void)id;
    return false;
}
#endif
