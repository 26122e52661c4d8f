/* SPDX-License-Identifier: MIT */
/*
 * knowledge.h - what a thread knows of what the others have done, and how it gets to know.
 *
 * Knowledge is two things. The time: up to which event of each thread everything has happened
 * before this (what is called a vector clock); an access that one does not know of races with one's
 * own. And for each atomic location, the oldest store that may still be read: who has read or
 * written one, or knows of somebody who has, never reads an older one (coherence).
 *
 *     T0                                   T1
 *     data = 1;         plain
 *     store(flag, 1, release) ---tells---> load(flag, acquire) == 1      learns all that T0 knew
 *                                          data                          no race
 *
 *     store(flag, 1, relaxed)   tells what T0 knew at its last release fence, if it had one
 *     load(flag, relaxed) == 1  learns it at the next acquire fence, if there is one
 *     replace(flag, 2, any)     tells what the store tells that it read, too (release sequence)
 *
 * A mutex tells who locks it what those who unlocked it knew; a thread begins with what its creator
 * knew, and who joins it learns what it knew in the end.
 *
 * Operations of seq_cst order have one order, that in which they run: none reads an older store
 * than one before it, at the same location, has read or written. They tell nothing else (C++20's
 * rules; those of C11 say the same less exactly). A fence of seq_cst order adds all the oldest that
 * its thread knows to those of the order, and the thread takes over the order's; no time passes on.
 * After a membarrier all threads know all that any of them knew.
 */
#ifndef EXPLORE_KNOWLEDGE_H
#define EXPLORE_KNOWLEDGE_H

#include "internal.h"

/* as the compiler passes them */
enum { RELAXED = 0, CONSUME = 1, ACQUIRE = 2, RELEASE = 3, ACQ_REL = 4, SEQ_CST = 5 };
enum { LOCATIONS = 512 };

/* The last event of each thread. */
typedef struct clocks {
    uint32_t of[THREADS];
} clocks;

typedef struct knowledge {
    clocks time;
    uint16_t locations; /* that it has something of; the others are not set */
    uint16_t oldest[LOCATIONS];
} knowledge;

typedef struct known_to {
    knowledge thread[THREADS];
    knowledge released[THREADS];   /* of each thread, at its last release fence */
    knowledge acquirable[THREADS]; /* told to its relaxed loads, learned at an acquire fence */
    knowledge order;               /* of seq_cst operations: the oldest only */
    knowledge mutex[MUTEXES];
} known_to;

extern known_to *known;

void knowledge_forget(knowledge *all);
void knowledge_copy(knowledge *to, const knowledge *from);
void knowledge_widen(knowledge *to, int locations);
void knowledge_learn(knowledge *to, const knowledge *from);
void knowledge_see(knowledge *to, const knowledge *from); /* the oldest only */

/* races.c */
void races_check(uintptr_t address, size_t size, bool writes, bool atomic);

#endif
