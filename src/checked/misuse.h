/* SPDX-License-Identifier: MIT */
/*
 * misuse.h - the report of a misuse, and the stop.
 */
#ifndef VF_MISUSE_H
#define VF_MISUSE_H

#include "../platform/compiler.h"

/* Stops the program with one line: the owner is a pool's or a small buffer's name, the address is
   its own. No lock is held. An '@' in the sentence is where the caller belongs, if not at its
   end. */
_Noreturn void vf_misuse(const char *owner, const void *address, const void *caller,
                         const char *sentence, ...) VF_PRINTF(4, 5);

/* Before vf_misuse, where this thread may be in the middle of malloc, interrupted by a signal: no
   other handler runs from here on, and no sanitizer is asked for source lines. */
void vf_misuse_in_handler(void);

#endif
