/* SPDX-License-Identifier: MIT */
/*
 * test_elements.h - elements of any size that carry a number.
 */
#ifndef TESTS_TEST_ELEMENTS_H
#define TESTS_TEST_ELEMENTS_H

#include <stdbool.h>
#include <stddef.h>

/* A byte of a number's pattern: different in neighbours, and within one element. */
static inline unsigned char number_byte(size_t number, size_t i)
{
    return (unsigned char)((number >> 8 * (i % 4)) ^ (i / 4));
}

static inline void set_number(void *element, size_t size, size_t number)
{
    unsigned char *bytes = element;
    for (size_t i = 0; i < size; i++)
        bytes[i] = number_byte(number, i);
}

static inline bool has_number(const void *element, size_t size, size_t number)
{
    const unsigned char *bytes = element;
    for (size_t i = 0; i < size; i++) {
        if (bytes[i] != number_byte(number, i))
            return false;
    }
    return true;
}

#endif
