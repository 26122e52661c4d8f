/* SPDX-License-Identifier: MIT */
/*
 * declared.h - an instance that a program calls in files without optimisation, and that is defined
 * in one that has it. In a release (NDEBUG) it is inline.
 */
#ifndef DECLARED_H
#define DECLARED_H

#if defined(VF_DEFINE_DECLARED) && !defined(__OPTIMIZE__)
#    error "the bodies are compiled without optimisation"
#endif

struct job {
    int number;
};

#ifndef NDEBUG
#    define VF_DECLARE
#endif
#define VF_T struct job
#define VF_N 64
#include <veryfast/pool.h>

#endif
