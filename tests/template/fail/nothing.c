/* SPDX-License-Identifier: MIT */
// expect: VF_T is not defined

#include <veryfast/pool.h>
