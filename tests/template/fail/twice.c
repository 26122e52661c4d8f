/* SPDX-License-Identifier: MIT */
// expect: vf_the_same_instance_twice_needs_a_guarded_header_pool_int_16

#define VF_T int
#define VF_N 16
#include <veryfast/pool.h>

#define VF_T int
#define VF_N 16
#include <veryfast/pool.h>
