/* SPDX-License-Identifier: MIT */
// expect: vf_include_it_outside_of_all_namespaces
namespace n {
#define VF_T int
#define VF_N 4
#include <veryfast/pool.h>
}
