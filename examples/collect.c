/* SPDX-License-Identifier: MIT */
/*
 * The small buffer in one screen: two threads push, then one takes all out.
 *
 *     cc collect.c $(pkg-config --cflags --libs veryfast) -o collect && ./collect
 */
#include <pthread.h>
#include <stdio.h>

struct hit {
    int target, damage;
};

#define VF_T struct hit
#define VF_N 14                /* hits inside the buffer: 128 bytes in all */
#include <veryfast/smallbuf.h> /* -> smallbuf_hit_14, smallbuf_hit_14_push(), ... */

static smallbuf_hit_14 hits; /* all zero bytes: an empty buffer */

static void *shoot(void *none)
{
    for (int i = 0; i < 10; i++) {
        if (!smallbuf_hit_14_push(&hits, (struct hit){.target = i, .damage = 3}))
            perror("a hit is lost"); /* no memory; it is still ours */
    }
    return none;
}

int main(void)
{
    pthread_t other;
    if (pthread_create(&other, NULL, shoot, NULL) != 0)
        return 1;
    shoot(NULL);
    pthread_join(other, NULL); /* no thread pushes from here on */

    int damage = 0;
    struct hit *span;
    smallbuf_hit_14_drain drain = smallbuf_hit_14_drain_begin(&hits);
    for (size_t n; (n = smallbuf_hit_14_drain_span(&drain, &span)) > 0;) {
        for (size_t i = 0; i < n; i++)
            damage += span[i].damage;
    }
    smallbuf_hit_14_drain_end(&drain);
    printf("damage of %d\n", damage);
    smallbuf_hit_14_destroy(&hits);
}
