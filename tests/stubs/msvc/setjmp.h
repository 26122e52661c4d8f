/* SPDX-License-Identifier: MIT */
/* setjmp.h - clang's <intrin.h> includes it: see windows.h. */
#pragma once
typedef struct jmp_buf_stub {
    int nothing;
} jmp_buf[1];
