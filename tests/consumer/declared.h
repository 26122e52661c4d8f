/* SPDX-License-Identifier: MIT */
/*
 * declared.h - instances that a program calls in files without optimisation, and that are defined
 * in one that has it. In a release (NDEBUG) they are inline.
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
#define VF_KEEP
#include <veryfast/pool.h>

#ifndef NDEBUG
#    define VF_DECLARE
#endif
#include <veryfast/smallbuf.h>

#endif
