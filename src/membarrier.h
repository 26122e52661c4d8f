/*
 * membarrier.h - the commands of Linux' system call membarrier, which are part of the kernel's
 * interface. Not every C library comes with the kernel's headers: musl does not.
 */
#ifndef VF_MEMBARRIER_H
#define VF_MEMBARRIER_H

#if __has_include(<linux/membarrier.h>)
#    include <linux/membarrier.h>
#else
enum {
    MEMBARRIER_CMD_QUERY = 0,
    MEMBARRIER_CMD_PRIVATE_EXPEDITED = 1 << 3,
    MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED = 1 << 4,
};
#endif

#endif
