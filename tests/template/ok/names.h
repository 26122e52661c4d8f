/* SPDX-License-Identifier: MIT */
/* Instances of all kinds by the name NAMED, of names.c: as they are, and declared and defined. */
#ifndef JOINED
#    define JOIN(a, b)   a##b
#    define JOINED(a, b) JOIN(a, b)
#endif

#define VF_T       struct thing
#define VF_N       (4096 / 40 + COUNT)
#define VF_NAME    NAMED
#define VF_DROP(p) ((p)->number[0] = 0)
#ifdef VF_HAS_EPOCH
#    define VF_EPOCH
#endif
#include <veryfast/pool.h>

#define VF_T    struct thing
#define VF_N    sizeof(struct thing)
#define VF_NAME JOINED(buffers_of_, NAMED)
#include <veryfast/smallbuf.h>

#define VF_T    struct thing
#define VF_N    slots
#define VF_NAME JOINED(flipped_, NAMED)
#define VF_FLIP
#include <veryfast/smallbuf.h>

#define VF_T    struct thing
#define VF_N    COUNT *slots
#define VF_NAME JOINED(declared_, NAMED)
#define VF_KEEP
#define VF_DECLARE
#include <veryfast/pool.h>
#define VF_NAME JOINED(declared_, NAMED)
#define VF_DEFINE
#include <veryfast/pool.h>

#undef NAMED
