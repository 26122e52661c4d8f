/* SPDX-License-Identifier: MIT */
/*
 * intrusive_list.c - a list whose links are in its elements: one object each, no node beside it.
 */
#include <stdio.h>

struct timer {
    struct timer *next, **link; /* where the pointer to this one is */
    long due;
};

#define VF_T    struct timer
#define VF_N    512
#define VF_NAME timers
#include <veryfast/pool.h>

static struct timer *add(timers *pool, struct timer **list, long due)
{
    struct timer *timer =
        timers_push(pool, (struct timer){.next = *list, .link = list, .due = due});
    if (timer == NULL)
        return NULL;
    if (timer->next != NULL)
        timer->next->link = &timer->next;
    return *list = timer;
}

/* In constant time, wherever in the list it is. */
static void cancel(timers *pool, struct timer *timer)
{
    *timer->link = timer->next;
    if (timer->next != NULL)
        timer->next->link = timer->link;
    timers_free(pool, timer);
}

int main(void)
{
    timers *pool = timers_new(NULL);
    if (pool == NULL)
        return 1;
    struct timer *list = NULL;
    for (long i = 0; i < 1000; i++) {
        if (add(pool, &list, i % 10) == NULL)
            return 1;
    }
    struct timer *next;
    for (struct timer *timer = list; timer != NULL; timer = next) { /* what was due before 7 */
        next = timer->next;
        if (timer->due < 7)
            cancel(pool, timer);
    }
    size_t left = timers_stats(pool).live;
    printf("%zu timers wait\n", left);
    timers_destroy(pool); /* and all that is left with it */
    return left == 300 ? 0 : 1;
}
