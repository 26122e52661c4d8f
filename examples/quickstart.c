/* SPDX-License-Identifier: MIT */
/*
 * The pool in one screen: make one, push an object, look, give it back.
 *
 *     cc quickstart.c $(pkg-config --cflags --libs veryfast) -o quickstart && ./quickstart
 */
#include <stdio.h>

struct particle {
    float x, y, speed;
};

#define VF_T struct particle
#define VF_N 256           /* particles in one batch of memory */
#include <veryfast/pool.h> /* -> pool_particle_256, pool_particle_256_push(), ... */

int main(void)
{
    pool_particle_256 *pool = pool_particle_256_new(NULL); /* NULL: the default options */
    if (!pool)
        return 1;

    struct particle *spark = pool_particle_256_push(pool, (struct particle){.x = 1, .speed = 3});
    if (spark)
        printf("a spark at (%g, %g), speed %g\n", spark->x, spark->y, spark->speed);

    vf_pool_stats stats = pool_particle_256_stats(pool);
    vf_pool_stats_print(stdout, "particles", &stats);

    pool_particle_256_free(pool, spark); /* any thread may; the next push reuses the memory */
    pool_particle_256_release(pool);
}
