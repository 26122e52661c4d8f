/* SPDX-License-Identifier: MIT */
/*
 * name.c - see name.h.
 */
#include "name.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../platform/mutex.h"
#include "misuse.h"

/* Kept for ever. */
typedef struct instance {
    struct instance *next;
    vf_parameters parameters;
    char name[];
} instance;

static vf_mutex lock = VF_MUTEX_INITIALIZER;
static instance *instances;

void vf_name_lock(void)
{
    vf_mutex_lock(&lock);
}

void vf_name_unlock(void)
{
    vf_mutex_unlock(&lock);
}

/* The instance of that name, made if need be; NULL: out of memory. A pool and a
   buffer are no more alike than two names. */
static const instance *instance_of(const char *name, const vf_parameters *parameters)
{
    assert(vf_mutex_held(&lock));
    instance *found = instances;
    while (found != NULL &&
           (found->parameters.is_buffer != parameters->is_buffer || strcmp(found->name, name) != 0))
        found = found->next;
    if (found != NULL)
        return found;
    int saved = errno;
    found = malloc(sizeof *found + strlen(name) + 1);
    errno = saved;
    if (found == NULL)
        return NULL;
    *found = (instance){.next = instances, .parameters = *parameters};
    memcpy(found->name, name, strlen(name) + 1);
    instances = found;
    return found;
}

static void print(const vf_parameters *parameters, char *text, size_t size)
{
    int length = snprintf(text, size, "size %zu, alignment %zu, VF_N %zu", parameters->size,
                          parameters->alignment, parameters->number);
    if (parameters->is_buffer)
        snprintf(text + length, size - (size_t)length, ", %zu bytes in all",
                 parameters->buffer_size);
}

/* Field by field: the memcmp of a program compiled with MemorySanitizer takes for uninitialised
   what this library, compiled without, has written. */
static bool are_equal(const vf_parameters *a, const vf_parameters *b)
{
    return a->size == b->size && a->alignment == b->alignment && a->number == b->number &&
           a->buffer_size == b->buffer_size && a->is_buffer == b->is_buffer;
}

void vf_name_look(const char *name, const vf_parameters *parameters, const char *owner,
                  const void *address, const void *caller)
{
    vf_mutex_lock(&lock);
    const instance *same = instance_of(name, parameters);
    vf_mutex_unlock(&lock);
    if (same == NULL || are_equal(&same->parameters, parameters))
        return;
    char now[128], before[128];
    print(parameters, now, sizeof now);
    print(&same->parameters, before, sizeof before);
    vf_misuse(owner, address, caller,
              "second instance named %s with other parameters (%s; before: %s)", name, now, before);
}
