/* SPDX-License-Identifier: MIT */
/*
 * test_name.c - what a pool is called in reports: the options' name, copied, or its instance's.
 */
#include "test_common.h"

#include "pool/pool.h"

struct particle {
    float x, y;
};

#define VF_T struct particle
#define VF_N 64
#include <veryfast/pool.h>

#define VF_T    struct particle *
#define VF_N    64
#define VF_NAME particle_pointers
#include <veryfast/pool.h>

static const char *name_of(vf_pool_core *core)
{
    return vf_pool_whole(core)->name;
}

Test(name, is_that_of_the_options_copied)
{
    char name[] = "sparks";
    vf_pool_options options = {.name = name};
    pool_particle_64 *pool = pool_particle_64_new(&options);
    name[0] = 'p';
    cr_assert(strcmp(name_of((vf_pool_core *)pool), "sparks") == 0);
    pool_particle_64_release(pool);
}

Test(name, is_of_any_length)
{
    test_allocator allocator = {0};
    char *name = test_memory(100001, 1);
    memset(name, 'n', 100000);
    vf_pool_options options = {.allocator = test_allocator_hook(&allocator), .name = name};
    pool_particle_64 *pool = pool_particle_64_new(&options);
    cr_assert(strcmp(name_of((vf_pool_core *)pool), name) == 0);
    check_equal(pool_particle_64_stats(pool).bytes, allocator.bytes);
    pool_particle_64_release(pool);
    check_all_back(&allocator);

    options.name = "";
    pool = pool_particle_64_new(&options);
    cr_assert(name_of((vf_pool_core *)pool)[0] == 0);
    pool_particle_64_release(pool);
    check_all_back(&allocator);
    free(name);
}

Test(name, is_the_instances_otherwise)
{
    pool_particle_64 *pool = pool_particle_64_new(NULL);
    particle_pointers *pointers = particle_pointers_new(NULL);
    cr_assert(strcmp(name_of((vf_pool_core *)pool), "pool_particle_64") == 0);
    cr_assert(strcmp(name_of((vf_pool_core *)pointers), "particle_pointers") == 0);
    pool_particle_64_release(pool);
    particle_pointers_release(pointers);
}
