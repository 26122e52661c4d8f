/* SPDX-License-Identifier: MIT */
/* words_declared.c - the bodies of the extern form: of all that the header declares. */
#define VF_DEFINE_DECLARED
#include "words.h"
