/* SPDX-License-Identifier: MIT */
// expect: by_value
struct node {
    int value;
};
#define VF_T struct node
#define VF_N 64
#include <veryfast/pool.h>

static pool_node_64 by_value;

int main(void)
{
    return pool_node_64_alloc(&by_value) != 0;
}
