/* SPDX-License-Identifier: MIT */
/*
 * choices.c - an execution is a list of choices; the next execution is the next list.
 *
 * Wherever it could go on in n > 1 ways, choose(n) says in which. The scenario does the same again
 * when the same is chosen, so the list is the schedule: a failure prints it, --replay takes it.
 * Depth first, where the first choice has two ways, and the second three:
 *
 *     0 0      the first execution goes the first way everywhere,
 *     0 1      the next one changes the last choice that has a way left,
 *     0 2      and what comes behind that choice is open again;
 *     1 0 0    another way at one place may lead to more choices behind it
 *
 * The ways are other threads to go on with (schedule.c) and older values to read (memory.c). Who
 * asks counts what it costs, and does not ask when the bound is reached: so the tree is finite.
 */
#include "internal.h"

static uint64_t next_random(void)
{
    ex->seed ^= ex->seed << 13;
    ex->seed ^= ex->seed >> 7;
    ex->seed ^= ex->seed << 17;
    return ex->seed;
}

static int take(int n, int fresh)
{
    if (ex->position == CHOICES) {
        failure("too many choices", 0);
    }
    int at = ex->position++;
    bool given = at < ex->planned;
    if (!given) {
        ex->chosen[at] = (uint8_t)fresh;
    } else if (ex->replays ? ex->chosen[at] >= n : ex->options[at] != n) {
        failure("the choices are of another scenario, or it is not always the same", 0);
    }
    ex->options[at] = (uint8_t)n;
    return ex->chosen[at];
}

int choose(int n)
{
    return n < 2 || ex->cut ? 0 : take(n, ex->random ? (int)(next_random() % (unsigned)n) : 0);
}

/* A choice of one, so that the list is as long as where there are more. */
int choose_nothing(void)
{
    return take(1, 0);
}

/* Option 0 is to go on as if alone: a random schedule that left it at each point would not be like
 * those that occur. */
int choose_mostly_first(int n)
{
    if (n < 2 || ex->cut || !ex->random || next_random() % 4 == 0) {
        return choose(n);
    }
    return take(n, 0);
}

/* False: there is no list left. */
bool next_choices(void)
{
    int n = ex->position;
    while (n > 0 && ex->chosen[n - 1] + 1 >= ex->options[n - 1]) {
        n--;
    }
    if (n > 0) {
        ex->chosen[n - 1]++;
    }
    ex->planned = n;
    return n > 0;
}
