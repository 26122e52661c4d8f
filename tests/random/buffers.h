/* SPDX-License-Identifier: MIT */
/*
 * buffers.h - the model of small buffers that random programs have: for each hand, a log of what
 * was accepted from it.
 */
#ifndef TESTS_RANDOM_BUFFERS_H
#define TESTS_RANDOM_BUFFERS_H

#include "program.h"

struct element {
    uint32_t hand;   /* who pushed it */
    uint32_t stream; /* what is in order: pushed by itself (own_stream), or by one of its writers */
    uint32_t place;  /* in its log of what was accepted */
    uint32_t check;
};

union any_writer {
    uint64_t bytes[12];
    void *pointer;
};

typedef struct buffer_type {
    size_t size;
    bool lanes;
    void (*init)(void *buffer, const vf_smallbuf_options *options);
    bool (*push)(void *buffer, struct element element);
    bool (*push_index)(void *buffer, struct element element, size_t *index);
    size_t (*push_n)(void *buffer, const struct element *elements, size_t n);
    size_t (*push_n_index)(void *buffer, const struct element *elements, size_t n, size_t *index);
    bool (*push_exclusive)(void *buffer, struct element element);
    size_t (*count)(const void *buffer);
    size_t (*count_about)(const void *buffer);
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
    void (*flip_begin)(void *buffer); /* with VF_EPOCH: then flip finishes */
    bool (*wait)(void *buffer, int64_t timeout_ns);
    void (*wake)(void *buffer);
    void (*fork_child)(void *buffer);
    /* without it */
    struct element *(*push_slot)(void *buffer, size_t *index);
    void (*writer_open)(union any_writer *writer, void *buffer);
    void (*writer_open_keyed)(union any_writer *writer, void *buffer, uint64_t key);
    bool (*writer_push)(union any_writer *writer, struct element element);
    bool (*writer_push_index)(union any_writer *writer, struct element element, size_t *index);
    void (*writer_close)(union any_writer *writer);
} buffer_type;

#define BUFFERS 2
#define LOG     1500 /* most elements of one hand between two moments when all is empty */
#define STREAMS 40   /* of a hand; one more for those that may be in any order */
#define BULK    100

/* What a hand has pushed and was accepted, in that order. */
struct log {
    struct {
        uint32_t stream, stamp;
        bool seen; /* it has come out again */
    } entries[LOG];
    size_t count, refused;
    size_t uncounted;     /* of the refused ones: maybe, for want of a chunk */
    size_t next[STREAMS]; /* what comes out next is not below */
    uint32_t thread;      /* with VF_LANES: who has pushed by itself */
    uint32_t own;         /* the stream of that */
    bool refusing;        /* until a drain or S_reserve, what is pushed by itself */
    bool lacking;         /* since then a push was refused, by a writer or not */
    uint32_t stream;      /* of the writer, if that is open */
    uint32_t streams;
    bool keyed[STREAMS + 1]; /* of a writer with a key */
    bool writing;
    union any_writer writer;
};

struct buffer {
    const buffer_type *type;
    void *memory; /* the buffer itself */
    vf_smallbuf_options options;
    test_allocator allocator;
    struct log logs[HANDS];
    struct element out[HANDS * LOG]; /* come out, and not yet compared with the logs */
    size_t out_count;
    size_t seen, lost;      /* of those in the logs; lost by leaving a drain */
    size_t refused_drained; /* as told by drains */
    uint32_t stamp;         /* when an element was pushed */
    uint32_t last_stamp;    /* of those that came out */
    bool one_by_one;        /* all of these pushes were alone, and without writers */
    bool refusing;          /* then: until a drain or S_reserve */
    bool flipped;           /* S_flip_begin, and not yet S_flip_finish */
    bool this_turn;         /* in this turn */
};

/* buffers.c */
struct element make_element(const struct log *log, unsigned hand, uint32_t stream, size_t ahead);
/* The stream of what the calling thread, whose log it is, pushes by itself. */
uint32_t own_stream(const struct buffer *buffer, struct log *log);
/* The key of a writer, if it has one. */
uint64_t key_of(unsigned hand, uint32_t stream);
void accept_element(struct buffer *buffer, struct log *log, uint32_t stream, bool alone);
bool is_writing(const struct buffer *buffer);

/* buffer_pushes.c */
void push_one(const instruction *it, struct buffer *buffer);
void push_many(const instruction *it, struct buffer *buffer);
void write_some(const instruction *it, struct buffer *buffer);
void close_writer(struct log *log, const buffer_type *type);

#endif
