/* SPDX-License-Identifier: MIT */
/*
 * caller.h - the address behind a call, as text.
 */
#ifndef VF_CALLER_H
#define VF_CALLER_H

#include <stddef.h>

#define VF_CALLER_SIZE 384 /* bytes of text in which there is room for every caller */

/* "function+0x12 (file+0x1234)", or what of it is known. */
void vf_caller_print(const void *caller, char *text, size_t size);

/* From here on the calling thread asks no sanitizer for source lines: they may use malloc. */
void vf_caller_without_lines(void);

#endif
