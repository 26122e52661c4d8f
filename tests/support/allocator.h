/* SPDX-License-Identifier: MIT */
/*
 * allocator.h - an allocator for tests: counts what is out, checks what comes back, fails on
 * demand. Any thread.
 */
#ifndef TESTS_SUPPORT_ALLOCATOR_H
#define TESTS_SUPPORT_ALLOCATOR_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

#include <veryfast/veryfast.h>

typedef struct test_allocator {
    atomic_size_t bytes;   /* out */
    atomic_size_t blocks;  /* out */
    atomic_size_t peak;    /* most bytes out */
    atomic_size_t calls;   /* of alloc */
    atomic_size_t fail_at; /* the call of alloc, counted from 1, that fails; 0: none */
    atomic_bool refuse;    /* all calls of alloc fail */
    atomic_size_t refused; /* calls of alloc that failed so */
} test_allocator;

/* Options for vf_..._options.allocator: memory with its size and alignment written before it, and
   filled with 0xA5, so that nobody relies on zeroes. dealloc stops the test on a size or alignment
   other than at alloc. */
vf_allocator test_allocator_hook(test_allocator *allocator);

#endif
