/* SPDX-License-Identifier: MIT */
/* words_define.c - the bodies of the extern form. */
#include "words.h"

#define VF_T       struct word
#define VF_N       32
#define VF_DROP(p) word_dropped(p)
#define VF_DEFINE
#include <veryfast/pool.h>
