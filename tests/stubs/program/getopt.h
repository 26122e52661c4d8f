/* SPDX-License-Identifier: MIT */
/* getopt.h - see pthread.h. */
#pragma once
#include <unistd.h>
#define no_argument       0
#define required_argument 1
struct option {
    const char *name;
    int has_arg, *flag, val;
};
int getopt_long(int argc, char *const *argv, const char *letters, const struct option *options,
                int *index);
