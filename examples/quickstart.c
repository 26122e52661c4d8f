/* SPDX-License-Identifier: MIT */
/* cc quickstart.c $(pkg-config --cflags --libs veryfast) -o quickstart && ./quickstart */
#include <stdio.h>

struct particle {
    float x, y, speed;
};

#define VF_T    struct particle
#define VF_N    1024 /* particles in one batch of memory */
#define VF_NAME particles
#include <veryfast/pool.h> /* -> particles, particles_new(), particles_push(), ... */

int main(void)
{
    particles *pool = particles_new(NULL);
    struct particle *spark = pool ? particles_push(pool, (struct particle){.x = 1}) : NULL;
    if (spark == NULL)
        return 1; /* no memory */
    printf("a spark at (%g, %g)\n", spark->x, spark->y);
    particles_free(pool, spark); /* any thread may */
    particles_release(pool);
}
