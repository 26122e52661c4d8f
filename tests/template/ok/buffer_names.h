/* SPDX-License-Identifier: MIT */
/* A buffer by the name NAMED, of buffer_names.c; in a second translation with VF_FLIP. */
#define VF_T       struct thing
#define VF_N       (1 + sizeof(struct thing))
#define VF_NAME    NAMED
#define VF_DROP(p) ((p)->number = 0)
#ifdef FLIPS
#    define VF_FLIP
#endif
#include <veryfast/smallbuf.h>

#undef NAMED
