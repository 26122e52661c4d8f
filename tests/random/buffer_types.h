/*
 * buffer_types.h - the kinds of small buffers that random programs use, of one element.
 */
#ifndef TESTS_RANDOM_BUFFER_TYPES_H
#define TESTS_RANDOM_BUFFER_TYPES_H

#include "program.h"

struct element {
    uint32_t hand;   /* who pushed it */
    uint32_t stream; /* 0: by itself; otherwise by its so many-th writer */
    uint32_t place;  /* in its log of what was accepted */
    uint32_t check;
};

union any_writer {
    uint64_t bytes[12];
    void *pointer;
};

typedef struct buffer_type {
    size_t size;
    void (*init)(void *buffer, const vf_smallbuf_options *options);
    bool (*push)(void *buffer, struct element element);
    bool (*push_index)(void *buffer, struct element element, size_t *index);
    size_t (*push_n)(void *buffer, const struct element *elements, size_t n);
    bool (*push_exclusive)(void *buffer, struct element element);
    size_t (*count)(const void *buffer);
    size_t (*capacity)(const void *buffer);
    size_t (*refused)(const void *buffer);
    bool (*reserve)(void *buffer, size_t n);
    size_t (*span)(const void *buffer, size_t from, const struct element **elements);
    void (*clear)(void *buffer);
    size_t (*trim)(void *buffer, size_t keep);
    void (*destroy)(void *buffer);
    void (*drain)(void *buffer, unsigned how);
    /* with VF_FLIP only */
    bool (*flip)(void *buffer, unsigned how, size_t *refused);
    void (*flip_begin)(void *buffer); /* and VF_EPOCH: then flip finishes */
    /* without it */
    struct element *(*push_slot)(void *buffer, size_t *index);
    void (*writer_open)(union any_writer *writer, void *buffer);
    bool (*writer_push)(union any_writer *writer, struct element element);
    void (*writer_close)(union any_writer *writer);
} buffer_type;

static void hand_out(const struct element *element);

#define NAME plain
#include "buffer_type.h"

#define NAME apart
#define VF_CACHE_ALIGNED
#include "buffer_type.h"

#define NAME flipping
#define VF_FLIP
#include "buffer_type.h"

#define NAME waiting
#define VF_FLIP
#define VF_EPOCH
#include "buffer_type.h"

#endif
