/* SPDX-License-Identifier: MIT */
/* pthread.h - of Android, which has no cancellation. */
#pragma once
typedef long pthread_t;
#include_next <pthread.h>
