/* SPDX-License-Identifier: MIT */
/* setjmp.h - see pthread.h. */
#pragma once
typedef struct vf_stub_place {
    long words[40];
} jmp_buf[1];
int setjmp(jmp_buf place);
_Noreturn void longjmp(jmp_buf place, int value);
