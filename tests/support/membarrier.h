/* SPDX-License-Identifier: MIT */
/*
 * membarrier.h - Linux' system call membarrier: is it there, and a filter of system calls that
 * refuses it, as an old kernel or a container's policy does. To be included behind _GNU_SOURCE.
 */
#ifndef TESTS_SUPPORT_MEMBARRIER_H
#define TESTS_SUPPORT_MEMBARRIER_H

#include <stdbool.h>

#ifdef __linux__
#    include <linux/filter.h>
#    include <linux/membarrier.h>
#    include <linux/seccomp.h>
#    include <stddef.h>
#    include <sys/prctl.h>
#    include <sys/syscall.h>
#    include <unistd.h>

static inline bool membarrier_is_there(void)
{
    long commands = syscall(SYS_membarrier, MEMBARRIER_CMD_QUERY, 0, 0);
    return commands > 0 && (commands & MEMBARRIER_CMD_PRIVATE_EXPEDITED) != 0;
}

/* From here on it fails with this number, for this thread, those that it makes, and what it
   executes. False: there is no filter of system calls here. */
static inline bool refuse_membarrier(int number)
{
    struct sock_filter steps[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_membarrier, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | (unsigned)number),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog filter = {sizeof steps / sizeof *steps, steps};
    return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
           prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter) == 0;
}
#else
static inline bool membarrier_is_there(void)
{
#    ifdef _WIN32
    return true; /* FlushProcessWriteBuffers */
#    else
    return false;
#    endif
}
#endif

#endif
