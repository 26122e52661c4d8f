/* SPDX-License-Identifier: MIT */
/*
 * handles.c - rows of objects that are found by handles: one look-up by one thread and by several,
 * of what is there and of what is gone; and the frame of an entity system: one entity in twenty
 * dies, as many are born, all are walked, and each looks up two others.
 *
 * Beside them an array with a generation for each element and a list of its free ones, for one
 * thread or for several that only look; and malloc with a list of pointers, where nothing tells
 * that an entity is gone: there the others are those that live.
 */
#include "rows.h"

#include <stdlib.h>

#define LOOKED_UP 4096
#define ENTITIES  100000
#define QUICK     20 /* parts of the entities of a real run */

struct entity {
    uint64_t number;
    float at[5], speed[5];
    uint64_t others[2]; /* handles, or places */
};

#define VF_T    struct entity
#define VF_N    1024
#define VF_NAME population
#define VF_HANDLE
#include <veryfast/pool.h>

/* ---- the array ---- */

struct element {
    struct entity entity;
    uint32_t generation; /* odd: in use */
    uint32_t next;       /* free one */
};

static struct element *elements;
static uint32_t element_count, first_free = UINT32_MAX;

static struct entity *element_get(uint64_t handle)
{
    uint32_t index = (uint32_t)handle;
    if (index >= element_count || elements[index].generation != handle >> 32)
        return NULL;
    return &elements[index].entity;
}

static uint64_t element_add(void)
{
    uint32_t index = first_free;
    if (index != UINT32_MAX)
        first_free = elements[index].next;
    else
        index = element_count++;
    return (uint64_t)++elements[index].generation << 32 | index;
}

static void element_remove(uint64_t handle)
{
    struct element *element = &elements[(uint32_t)handle];
    element->generation++;
    element->next = first_free;
    first_free = (uint32_t)handle;
}

/* ---- look-ups ---- */

static population *pool;
static uint64_t handles[2][2][LOOKED_UP]; /* of the pool, of the array; that are there, and gone */

struct look_up {
    size_t rounds;
    bool gone, in_array;
};

/* In no order that the processor foresees: what is looked up leads to the next. */
static void look_up(void *context, unsigned worker)
{
    const struct look_up *it = context;
    const uint64_t *of = handles[it->in_array][it->gone];
    uint64_t sum = worker;
    for (size_t i = 0; i < it->rounds; i++) {
        uint64_t handle = of[(i * 7 + worker * 64) % LOOKED_UP];
        const struct entity *found =
            it->in_array ? element_get(handle) : population_get(pool, (population_handle){handle});
        sum += found != NULL ? found->number : 1;
    }
    volatile uint64_t result = sum;
    (void)result;
}

static double sample_look_up(const struct row *row, const struct variant *variant,
                             size_t *operations)
{
    struct look_up it = {.rounds = *operations / row->threads + 1,
                         .gone = row->burst != 0,
                         .in_array = variant->kind != OURS};
    *operations = it.rounds * row->threads;
    return workers_time(row->threads, look_up, &it);
}

static void open_look_up(const struct row *row)
{
    workers_start(row->threads);
    pool = made(population_new(NULL));
    elements = made(calloc(2 * LOOKED_UP, sizeof *elements));
    element_count = 0;
    for (size_t i = 0; i < 2 * LOOKED_UP; i++) {
        bool gone = i % 2 != 0;
        struct entity *entity = made(population_alloc(pool));
        *entity = (struct entity){.number = i};
        population_handle handle = population_handle_of(pool, entity);
        uint64_t place = element_add();
        elements[(uint32_t)place].entity.number = i;
        handles[0][gone][i / 2] = handle.bits;
        handles[1][gone][i / 2] = place;
    }
    for (size_t i = 0; i < LOOKED_UP; i++) {
        population_free_handle(pool, (population_handle){handles[0][1][i]});
        element_remove(handles[1][1][i]);
    }
}

/* ---- frames ---- */

static size_t entity_count;
static uint64_t chance = 42;
static uint64_t *living[2];      /* handles in the pool, and in the array */
static struct entity **pointers; /* malloc's */
static volatile float kept;

static float move(struct entity *entity)
{
    for (size_t i = 0; i < 5; i++)
        entity->at[i] += entity->speed[i];
    return entity->at[0];
}

static size_t any(void)
{
    return next_random(&chance) % entity_count;
}

static struct entity any_entity(const uint64_t *of)
{
    struct entity entity = {.number = chance, .speed = {1, 2, 3}};
    for (size_t i = 0; i < 2; i++)
        entity.others[i] = of != NULL ? of[any()] : any();
    return entity;
}

static void pool_spawn(size_t place)
{
    struct entity *entity = made(population_alloc(pool));
    *entity = any_entity(living[0]);
    living[0][place] = population_handle_of(pool, entity).bits;
}

static void pool_frame(void)
{
    for (size_t i = 0; i < entity_count / 20; i++) {
        size_t place = any();
        population_free_handle(pool, (population_handle){living[0][place]});
        pool_spawn(place);
    }
    float sum = 0;
    population_walk walk = population_walk_begin(pool);
    for (struct entity *entity; (entity = population_walk_next(&walk)) != NULL;) {
        sum += move(entity);
        for (size_t i = 0; i < 2; i++) {
            const struct entity *other =
                population_get(pool, (population_handle){entity->others[i]});
            sum += other != NULL ? other->at[1] : 0;
        }
    }
    kept = sum;
}

static void array_spawn(size_t place)
{
    uint64_t handle = element_add();
    elements[(uint32_t)handle].entity = any_entity(living[1]);
    living[1][place] = handle;
}

static void array_frame(void)
{
    for (size_t i = 0; i < entity_count / 20; i++) {
        size_t place = any();
        element_remove(living[1][place]);
        array_spawn(place);
    }
    float sum = 0;
    for (uint32_t index = 0; index < element_count; index++) {
        if (elements[index].generation % 2 == 0)
            continue;
        sum += move(&elements[index].entity);
        for (size_t i = 0; i < 2; i++) {
            const struct entity *other = element_get(elements[index].entity.others[i]);
            sum += other != NULL ? other->at[1] : 0;
        }
    }
    kept = sum;
}

static void malloc_frame(void)
{
    for (size_t i = 0; i < entity_count / 20; i++) {
        size_t place = any();
        free(pointers[place]);
        pointers[place] = made(malloc(sizeof(struct entity)));
        *pointers[place] = any_entity(NULL);
    }
    float sum = 0;
    for (size_t place = 0; place < entity_count; place++) {
        sum += move(pointers[place]);
        for (size_t i = 0; i < 2; i++)
            sum += pointers[pointers[place]->others[i]]->at[1];
    }
    kept = sum;
}

static void open_frames(const struct row *row)
{
    workers_start(row->threads);
    entity_count = options.quick ? ENTITIES / QUICK : ENTITIES;
    pool = made(population_new(NULL));
    elements = made(calloc(entity_count + 1, sizeof *elements));
    element_count = 0;
    first_free = UINT32_MAX;
    pointers = made(calloc(entity_count, sizeof *pointers));
    for (size_t i = 0; i < 2; i++)
        living[i] = made(calloc(entity_count, sizeof **living));
    for (size_t place = 0; place < entity_count; place++) {
        pool_spawn(place);
        array_spawn(place);
        pointers[place] = made(malloc(sizeof(struct entity)));
        *pointers[place] = any_entity(NULL);
    }
}

/* ---- the rows ---- */

static struct variants variants_of_look_up, variants_of_frame;
static void (*const frames[])(void) = {pool_frame, array_frame, malloc_frame};

static double sample_frames(const struct row *row, const struct variant *variant,
                            size_t *operations)
{
    size_t n = *operations / entity_count + 1;
    void (*frame)(void) = frames[variant->number];
    (void)row;
    *operations = n * entity_count;
    double begin = now_ns();
    for (size_t i = 0; i < n; i++)
        frame();
    return now_ns() - begin;
}

void handle_rows_add(void)
{
    static const unsigned threads[] = {1, 2, 16};
    variant_add(&variants_of_look_up, "P_get", OURS);
    variant_add(&variants_of_look_up, "array", BASE);
    variant_add(&variants_of_frame, "handles", OURS);
    variant_add(&variants_of_frame, "array", BASE);
    variant_add(&variants_of_frame, "malloc", PEER);
    for (size_t gone = 0; gone < 2; gone++) {
        for (size_t t = 0; t < sizeof threads / sizeof *threads; t++) {
            struct row *row = row_add(&variants_of_look_up, 0, "look up %s, %uT",
                                      gone ? "what is gone" : "what is there", threads[t]);
            row->sample = sample_look_up;
            row->open = open_look_up;
            row->threads = threads[t];
            row->burst = gone;
        }
    }
    struct row *frame = row_add(&variants_of_frame, 0, "frame of %d entities, each", ENTITIES);
    frame->sample = sample_frames;
    frame->open = open_frames;
}
