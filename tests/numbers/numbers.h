/* SPDX-License-Identifier: MIT */
/*
 * numbers.h - numbers that a program has given its threads, for VF_THREAD_INDEX; in front of every
 * file of the program and of its plug-in.
 */
#ifndef TESTS_NUMBERS_H
#define TESTS_NUMBERS_H

/* In the program: a plug-in has no thread-local variable. */
unsigned number_of_thread(void);

#define VF_THREAD_INDEX number_of_thread()

#endif
