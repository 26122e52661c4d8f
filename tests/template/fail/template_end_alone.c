/* SPDX-License-Identifier: MIT */
// expect: template_end.h is internal

#include <veryfast/detail/template_end.h>
