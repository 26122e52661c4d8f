/* SPDX-License-Identifier: MIT */
/* declared_too.h - another one: see declared.h. */
#ifndef DECLARED_TOO_H
#define DECLARED_TOO_H

#include "declared.h"

#ifndef NDEBUG
#    define VF_DECLARE
#endif
#define VF_T struct job
#define VF_N 64
#include <veryfast/smallbuf.h>

#endif
