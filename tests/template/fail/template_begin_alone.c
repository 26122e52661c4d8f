/* SPDX-License-Identifier: MIT */
// expect: template_begin.h is internal

#include <veryfast/detail/template_begin.h>
