/* SPDX-License-Identifier: MIT */
/*
 * buffer_names.c - names.c for small buffers.
 */
struct thing {
    long number;
};

#define NAMED options
#include "buffer_names.h"
#define NAMED buffer
#include "buffer_names.h"
#define NAMED writer
#include "buffer_names.h"
#define NAMED value
#include "buffer_names.h"
#define NAMED values
#include "buffer_names.h"
#define NAMED elements
#include "buffer_names.h"
#define NAMED drain
#include "buffer_names.h"
#define NAMED bank
#include "buffer_names.h"
#define NAMED spill
#include "buffer_names.h"
#define NAMED core
#include "buffer_names.h"
#define NAMED n
#include "buffer_names.h"

int main(void)
{
    return 0;
}
