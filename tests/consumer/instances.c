/* SPDX-License-Identifier: MIT */
/* instances.c - where a build has no function to make this file: the bodies of what is declared. */
#define VF_DEFINE_DECLARED
#include "declared.h"
