/* SPDX-License-Identifier: MIT */
/* sched.h - see pthread.h. */
#pragma once
int sched_yield(void);
