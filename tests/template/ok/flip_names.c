/* SPDX-License-Identifier: MIT */
/*
 * flip_names.c - names.c for small buffers with VF_FLIP.
 */
#define FLIPS
struct thing {
    long number;
};

#define NAMED options
#include "buffer_names.h"
#define NAMED buffer
#include "buffer_names.h"
#define NAMED value
#include "buffer_names.h"
#define NAMED elements
#include "buffer_names.h"
#define NAMED drain
#include "buffer_names.h"
#define NAMED bank
#include "buffer_names.h"
#define NAMED banks
#include "buffer_names.h"
#define NAMED core
#include "buffer_names.h"

int main(void)
{
    return 0;
}
