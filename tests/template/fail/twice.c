// expect: redefinition

#define VF_T int
#define VF_N 16
#include <veryfast/pool.h>

#define VF_T int
#define VF_N 16
#include <veryfast/pool.h>
