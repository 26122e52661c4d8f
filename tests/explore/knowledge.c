/* SPDX-License-Identifier: MIT */
/* knowledge.c - see knowledge.h. */
#include "knowledge.h"

#include <stdlib.h>
#include <string.h>

known_to *known;

void knowledge_create(void)
{
    known = __real_calloc(1, sizeof *known);
}

void knowledge_reset(void)
{
    knowledge_forget(&known->order);
    for (int i = 0; i < MUTEXES; i++) {
        knowledge_forget(&known->mutex[i]);
    }
}

void knowledge_forget(knowledge *all)
{
    memset(&all->time, 0, sizeof all->time);
    all->locations = 0;
}

void knowledge_copy(knowledge *to, const knowledge *from)
{
    to->time = from->time;
    to->locations = from->locations;
    memcpy(to->oldest, from->oldest, from->locations * sizeof *to->oldest);
}

void knowledge_widen(knowledge *to, int locations)
{
    while (to->locations < locations) {
        to->oldest[to->locations++] = 0;
    }
}

void knowledge_learn(knowledge *to, const knowledge *from)
{
    for (int i = 0; i < THREADS; i++) {
        to->time.of[i] = to->time.of[i] > from->time.of[i] ? to->time.of[i] : from->time.of[i];
    }
    knowledge_see(to, from);
}

void knowledge_see(knowledge *to, const knowledge *from)
{
    knowledge_widen(to, from->locations);
    for (int i = 0; i < from->locations; i++) {
        to->oldest[i] = to->oldest[i] > from->oldest[i] ? to->oldest[i] : from->oldest[i];
    }
}

void knowledge_spawn(int child)
{
    knowledge_forget(&known->thread[child]);
    knowledge_forget(&known->released[child]);
    knowledge_forget(&known->acquirable[child]);
    if (self >= 0) {
        knowledge_copy(&known->thread[child], &known->thread[self]);
        known->thread[self].time.of[self]++;
    }
    known->thread[child].time.of[child] = 1;
}

void knowledge_join(int child)
{
    knowledge_learn(&known->thread[self], &known->thread[child]);
}

void knowledge_lock(int mutex)
{
    knowledge_learn(&known->thread[self], &known->mutex[mutex]);
}

void knowledge_unlock(int mutex)
{
    knowledge_copy(&known->mutex[mutex], &known->thread[self]);
    known->thread[self].time.of[self]++;
}

void knowledge_fence(int order)
{
    if (self < 0) {
        return;
    }
    knowledge *mine = &known->thread[self];
    if (order != RELEASE) {
        knowledge_learn(mine, &known->acquirable[self]);
    }
    if (order == SEQ_CST) {
        knowledge_see(mine, &known->order);
        knowledge_see(&known->order, mine);
    }
    if (order >= RELEASE) {
        knowledge_copy(&known->released[self], mine);
        mine->time.of[self]++;
    }
}

/* The system's membarrier: each thread passes a full barrier, at this moment. What came before it,
   in whatever thread, has happened before what comes after it in any. */
void knowledge_full_barrier(void)
{
    static knowledge all;
    knowledge_copy(&all, &known->order);
    for (int i = 0; i < ex->threads; i++) {
        knowledge_learn(&all, &known->thread[i]);
        knowledge_learn(&all, &known->acquirable[i]);
    }
    knowledge_copy(&known->order, &all);
    for (int i = 0; i < ex->threads; i++) {
        knowledge_copy(&known->thread[i], &all);
        knowledge_copy(&known->released[i], &all);
        known->thread[i].time.of[i]++;
    }
}
