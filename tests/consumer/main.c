/* SPDX-License-Identifier: MIT */
/*
 * main.c - a program of somebody else's, with an installed library. Prints the headers' version.
 */
#include <stdio.h>

struct message {
    int number;
    char text[20];
};

#define VF_T struct message
#define VF_N 100
#include <veryfast/pool.h>

int main(void)
{
    pool_message_100 *pool = pool_message_100_new(NULL);
    if (pool == NULL)
        return 1;
    struct message first = {1, "first"};
    struct message *kept = pool_message_100_push(pool, first);
    if (kept == NULL || kept->number != 1 || pool_message_100_stats(pool).live != 1)
        return 1;
    pool_message_100_release(pool);
    pool_message_100_free(pool, kept);
    vf_thread_flush();
    puts(VF_VERSION);
    return 0;
}
