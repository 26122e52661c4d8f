/* SPDX-License-Identifier: MIT */
/*
 * name.h - the names of instances, each of which must stand for one set of parameters in the whole
 * program: code that is compiled with others would take an object for something else.
 */
#ifndef VF_NAME_H
#define VF_NAME_H

#include <stdbool.h>
#include <stddef.h>

/* What an instance's name stands for. */
typedef struct vf_parameters {
    size_t size, alignment, number, buffer_size;
    bool is_buffer;
} vf_parameters;

/* Stops where the name stands for others; the owner and the address are those of the pool or
   buffer. */
void vf_name_look(const char *name, const vf_parameters *parameters, const char *owner,
                  const void *address, const void *caller);

/* For a fork. */
void vf_name_lock(void);
void vf_name_unlock(void);

#endif
