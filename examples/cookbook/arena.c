/* SPDX-License-Identifier: MIT */
/*
 * arena.c - a request's arena: what a request makes is not freed one by one, but all at once.
 * Nothing moves meanwhile, so that pointers between the objects may be kept; nothing is allocated
 * from the second request on.
 */
#include <stdio.h>
#include <string.h>

struct field {
    struct field *next;
    char name[24], value[32];
};

#define VF_T    struct field
#define VF_N    16 /* enough for most requests: inside the arena */
#define VF_NAME arena
#include <veryfast/smallbuf.h>

struct request {
    arena memory; /* all zero: empty */
    struct field *fields;
};

/* NULL: out of memory, or the request has too many fields. */
static struct field *add(struct request *request, int number)
{
    size_t index;
    struct field *field = arena_push_slot(&request->memory, &index);
    if (field == NULL)
        return NULL;
    snprintf(field->name, sizeof field->name, "field-%d", number);
    snprintf(field->value, sizeof field->value, "%zu", index);
    field->next = request->fields;
    return request->fields = field;
}

/* The next request finds it as the first one did, but for the memory, which stays. */
static void reset(struct request *request)
{
    request->fields = NULL;
    arena_clear(&request->memory);
}

int main(void)
{
    static const vf_smallbuf_options options = {.max_elements = 1000}; /* from a stranger */
    static struct request request;
    size_t sum = 0, capacity = 0;
    arena_init(&request.memory, &options);
    for (int round = 0; round < 100; round++) {
        for (int i = 0; i < 10 + round % 90; i++) {
            if (add(&request, i) == NULL)
                return 1;
        }
        for (const struct field *field = request.fields; field != NULL; field = field->next)
            sum += strlen(field->name) > 6;
        capacity = arena_capacity(&request.memory);
        reset(&request);
    }
    size_t left = arena_count(&request.memory);
    printf("%zu fields, room for %zu kept\n", sum, capacity);
    arena_destroy(&request.memory);
    return left == 0 && sum > 0 ? 0 : 1;
}
