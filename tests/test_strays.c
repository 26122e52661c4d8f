/*
 * test_strays.c - thousands of frees without memory for bookkeeping: each succeeds, each object
 * can be had again, and no object is written to, live or free.
 */
#include "support/threads.h"
#include "test_common.h"

static test_allocator allocator;

typedef struct three_bytes {
    unsigned char bytes[3];
} three_bytes;

typedef struct cache_line {
    unsigned char bytes[64];
} cache_line;

#define TYPE char
#define NAME strays_of_1_byte
#include "test_stray_type.h"

#define TYPE three_bytes
#define NAME strays_of_3_bytes
#include "test_stray_type.h"

#define TYPE long
#define NAME strays_of_8_bytes
#include "test_stray_type.h"

#define TYPE cache_line
#define NAME strays_of_64_bytes
#include "test_stray_type.h"
