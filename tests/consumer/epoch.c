/* SPDX-License-Identifier: MIT */
/*
 * epoch.c - a program of somebody else's that reads objects without a lock, with liburcu.
 */
#include <stdio.h>

#include <urcu.h>

#define VF_T int
#define VF_N 100
#define VF_EPOCH
#include <veryfast/pool.h>

int main(void)
{
    rcu_register_thread();
    pool_int_100 *pool = pool_int_100_new(NULL);
    int *number = pool == NULL ? NULL : pool_int_100_push(pool, 7);
    if (number == NULL)
        return 1;
    rcu_read_lock();
    bool deferred = pool_int_100_free_deferred(pool, number);
    int seen = *number;
    rcu_read_unlock();
    pool_int_100_epoch_barrier(pool);
    size_t live = pool_int_100_stats(pool).live;
    pool_int_100_release(pool);
    rcu_unregister_thread();
    puts("deferred");
    return deferred && seen == 7 && live == 0 ? 0 : 1;
}
