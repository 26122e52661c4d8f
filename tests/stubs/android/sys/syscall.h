/* SPDX-License-Identifier: MIT */
/* sys/syscall.h - see pthread.h. */
#pragma once
#define SYS_futex      98
#define SYS_gettid     178
#define SYS_tgkill     131
#define SYS_membarrier 283
