/* SPDX-License-Identifier: MIT */
/*
 * instances.h - pools of all kinds, in C and in C++. INSTANCES(X) is a list of them: name, type.
 */
#include <stddef.h>

struct particle {
    float x, y;
};
union number {
    int i;
    double d;
};
enum colour { RED, GREEN };
typedef struct point {
    short x, y;
} point;
typedef struct {
    char text[100];
} nameless;
struct one_byte {
    char c;
};

/* The tag becomes part of the name. */
#define VF_T struct particle
#define VF_N 256
#include <veryfast/pool.h>

#define VF_T union number
#define VF_N 1
#include <veryfast/pool.h>

#define VF_T enum colour
#define VF_N 1000000
#include <veryfast/pool.h>

#define VF_T point
#define VF_N 10
#include <veryfast/pool.h>

#define VF_T nameless
#define VF_N 1073741824
#include <veryfast/pool.h>

#define VF_T int
#define VF_N 64
#include <veryfast/pool.h>

#define VF_T unsigned
#define VF_N 9
#include <veryfast/pool.h>

/* One type in several sizes, and macros for both parameters. */
#define ELEMENT    struct particle
#define BATCH_SIZE 99
#define VF_T       ELEMENT
#define VF_N       BATCH_SIZE
#include <veryfast/pool.h>

/* Types that are not one word. */
#define VF_T    char *
#define VF_N    8
#define VF_NAME names
#include <veryfast/pool.h>

#define VF_T    const char *
#define VF_N    8
#define VF_NAME constant_names
#include <veryfast/pool.h>

#define VF_T    unsigned long
#define VF_N    8
#define VF_NAME counters
#include <veryfast/pool.h>

#define VF_T    struct not_known_here *
#define VF_N    8
#define VF_NAME handles
#include <veryfast/pool.h>

/* A name where there would be one: both in one file, of one type and size. */
#define VF_T    int
#define VF_N    64
#define VF_NAME other_ints
#include <veryfast/pool.h>

/* Optional parameters, alone and all together. */
static inline void count_drop(const void *object)
{
    (void)object;
}

#define VF_T       point
#define VF_N       20
#define VF_DROP(p) count_drop(p)
#include <veryfast/pool.h>

#define VF_T point
#define VF_N 21
#define VF_DROP(p)                                                                                 \
    do {                                                                                           \
        count_drop(p);                                                                             \
        (p)->x = 0;                                                                                \
    } while (0)
#include <veryfast/pool.h>

#define VF_T point
#define VF_N 22
#define VF_DROP(p)                                                                                 \
    if ((p)->x != 0)                                                                               \
    count_drop(p)
#include <veryfast/pool.h>

#define VF_T point
#define VF_N 23
#define VF_DROP(p)                                                                                 \
    {                                                                                              \
        count_drop(p);                                                                             \
    }
#include <veryfast/pool.h>

#define VF_T point
#define VF_N 24
#define VF_CACHE_ALIGNED
#include <veryfast/pool.h>

#define VF_T     struct one_byte
#define VF_N     25
#define VF_ALIGN 4096
#include <veryfast/pool.h>

#define VF_T       struct one_byte
#define VF_N       26
#define VF_NAME    with_all
#define VF_ALIGN   (2 * sizeof(void *))
#define VF_DROP(p) count_drop(p)
#define VF_CACHE_ALIGNED
#include <veryfast/pool.h>

/* Kept parameters serve the next header, here with another name. */
#define VF_T       struct one_byte
#define VF_N       27
#define VF_DROP(p) count_drop(p)
#define VF_KEEP
#include <veryfast/pool.h>
#define VF_NAME kept
#include <veryfast/pool.h>

/* Declared, and defined in the same file. */
#define VF_T struct particle
#define VF_N 28
#define VF_DECLARE
#include <veryfast/pool.h>
#define VF_T struct particle
#define VF_N 28
#define VF_DEFINE
#include <veryfast/pool.h>

#define VF_T       point
#define VF_N       29
#define VF_DROP(p) count_drop(p)
#define VF_DECLARE
#define VF_KEEP
#include <veryfast/pool.h>
#define VF_DEFINE
#include <veryfast/pool.h>

#if defined(VF_T) || defined(VF_N) || defined(VF_NAME) || defined(VF_DROP) || defined(VF_ALIGN) || \
    defined(VF_CACHE_ALIGNED) || defined(VF_KEEP) || defined(VF_DECLARE) || defined(VF_DEFINE) ||  \
    defined(VF_FLIP) || defined(VF_EPOCH)
#    error "a parameter has outlived its header"
#endif

#define INSTANCES(X)                                                                               \
    X(pool_particle_256, struct particle)                                                          \
    X(pool_number_1, union number)                                                                 \
    X(pool_colour_1000000, enum colour)                                                            \
    X(pool_point_10, point)                                                                        \
    X(pool_nameless_1073741824, nameless)                                                          \
    X(pool_int_64, int)                                                                            \
    X(pool_unsigned_9, unsigned)                                                                   \
    X(pool_particle_99, struct particle)                                                           \
    X(names, char *)                                                                               \
    X(constant_names, const char *)                                                                \
    X(counters, unsigned long)                                                                     \
    X(handles, struct not_known_here *)                                                            \
    X(other_ints, int)                                                                             \
    X(pool_point_20, point)                                                                        \
    X(pool_point_21, point)                                                                        \
    X(pool_point_22, point)                                                                        \
    X(pool_point_23, point)                                                                        \
    X(pool_point_24, point)                                                                        \
    X(pool_one_byte_25, struct one_byte)                                                           \
    X(with_all, struct one_byte)                                                                   \
    X(pool_one_byte_27, struct one_byte)                                                           \
    X(kept, struct one_byte)                                                                       \
    X(pool_particle_28, struct particle)                                                           \
    X(pool_point_29, point)
