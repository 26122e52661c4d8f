/* SPDX-License-Identifier: MIT */
/*
 * tid.c - see tid.h.
 */
#define _GNU_SOURCE /* syscall */

#include "tid.h"

#include "system.h"

#if VF_SYSTEM == VF_SYSTEM_POSIX && defined(__linux__)
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
#elif VF_SYSTEM == VF_SYSTEM_WINDOWS
#    include "win32.h"

long vf_tid_own(void)
{
    return (long)GetCurrentThreadId(); /* a multiple of 4, never 0 */
}

bool vf_tid_is_gone(long id)
{
    HANDLE thread = OpenThread(SYNCHRONIZE, FALSE, (DWORD)id);
    if (thread == NULL)
        return GetLastError() == ERROR_INVALID_PARAMETER;
    bool gone = WaitForSingleObject(thread, 0) == WAIT_OBJECT_0;
    CloseHandle(thread);
    return gone;
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
