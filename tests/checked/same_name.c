/* SPDX-License-Identifier: MIT */
/*
 * same_name.c - instances, compiled twice: in each of them one parameter is another one in OTHER.
 */
#include "same_name.h"

#ifdef OTHER
#    define FUNCTION(name) other_##name
#else
#    define FUNCTION(name) one_##name
#endif

#ifdef OTHER
#    define VF_T double
#else
#    define VF_T char
#endif
#define VF_N     64
#define VF_NAME  by_size
#define VF_ALIGN 16
#include <veryfast/pool.h>

#ifdef OTHER
#    define VF_ALIGN 32
#endif
#define VF_T    int
#define VF_N    64
#define VF_NAME by_alignment
#include <veryfast/pool.h>

#ifdef OTHER
#    define VF_N 65
#else
#    define VF_N 64
#endif
#define VF_T    int
#define VF_NAME by_number
#include <veryfast/pool.h>

#ifdef OTHER
#    define VF_N 5
#else
#    define VF_N 4
#endif
#define VF_T    char
#define VF_NAME by_inside
#include <veryfast/smallbuf.h>

typedef struct pair {
    char bytes[2];
} pair;

#ifdef OTHER
#    define VF_T pair
#else
#    define VF_T char
#endif
#define VF_N    2
#define VF_NAME by_element
#include <veryfast/smallbuf.h>

typedef struct word {
    char bytes[4];
} word;

#ifdef OTHER
#    define VF_T int
#else
#    define VF_T word
#endif
#define VF_N    4
#define VF_NAME by_unit
#include <veryfast/smallbuf.h>

#ifdef OTHER
#    define VF_CACHE_ALIGNED
#endif
#define VF_T    int
#define VF_N    4
#define VF_NAME by_line
#include <veryfast/smallbuf.h>

#ifdef OTHER
#    define VF_FLIP
#endif
#define VF_T    int
#define VF_N    4
#define VF_NAME by_flip
#include <veryfast/smallbuf.h>

void FUNCTION(size)(void)
{
    by_size_destroy(by_size_new(0));
}

void FUNCTION(alignment)(void)
{
    by_alignment_destroy(by_alignment_new(0));
}

void FUNCTION(number)(void)
{
    by_number_destroy(by_number_new(0));
}

static by_inside inside;
static by_element element;
static by_unit unit;
static by_line line;
static by_flip flip;

void FUNCTION(inside)(void)
{
    (void)by_inside_push(&inside, 1);
}

void FUNCTION(element)(void)
{
    (void)by_element_count(&element);
}

void FUNCTION(unit)(void)
{
    (void)by_unit_count(&unit);
}

void FUNCTION(line)(void)
{
    (void)by_line_push(&line, 1);
}

void FUNCTION(flip)(void)
{
    (void)by_flip_push(&flip, 1);
}

void FUNCTION(writer)(void)
{
    by_inside_writer writer;
    by_inside_writer_open(&writer, &inside);
    by_inside_writer_close(&writer);
}

void FUNCTION(count)(void)
{
    (void)by_inside_count(&inside);
}
