/* SPDX-License-Identifier: MIT */
/*
 * sleep.h - sleeping until another thread changes a word and wakes.
 */
#ifndef VF_SLEEP_H
#define VF_SLEEP_H

#include <stdbool.h>
#include <stdint.h>

/* When a sleep that begins now is to end: an argument of vf_sleep_while. timeout_ns < 0: never. */
int64_t vf_sleep_deadline(int64_t timeout_ns);

/*
 * Sleeps while the word holds the value, until it is woken or the time comes. That the word is
 * looked at and that the thread sleeps is one step for a thread that changes the word and then
 * wakes. May come back early, so the caller looks again. False: it was time. Keeps errno, and is no
 * cancellation point.
 */
bool vf_sleep_while(const uint32_t *word, uint32_t value, int64_t deadline);

/* Wakes the thread that sleeps so. Keeps errno. */
void vf_sleep_wake(const uint32_t *word);

#endif
