/* SPDX-License-Identifier: MIT */
/*
 * no_membarrier.c - runs a program on a system without the system call membarrier, or one that
 * looks so.
 *
 *     no_membarrier PROGRAM [ARG...]
 */
#define _GNU_SOURCE /* syscall */

#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#include "membarrier.h"

#define SKIPPED 77 /* Meson's */

int main(int argc, char **argv)
{
    if (argc < 2)
        return 2;
    if (!refuse_membarrier(ENOSYS)) {
        perror("skipped: no filter of system calls");
        return SKIPPED;
    }
    execv(argv[1], argv + 1);
    perror(argv[1]);
    return 1;
}
