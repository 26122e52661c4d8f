/* SPDX-License-Identifier: MIT */
/*
 * wait.h - waiting for another thread, which will be done in a moment.
 */
#ifndef VF_WAIT_H
#define VF_WAIT_H

/*
 * One round of waiting; the caller looks again after each, and counts the rounds from 0 in *round.
 * First it spins, then it yields, at last it sleeps: a thread of lower priority never runs while
 * this one only yields. Keeps errno, and is no cancellation point.
 */
void vf_wait_round(unsigned *round);

/* Sleeps for some 50 microseconds; on Windows for one tick of its clock. Keeps errno, and is no
 * cancellation point. */
void vf_wait_sleep(void);

#endif
