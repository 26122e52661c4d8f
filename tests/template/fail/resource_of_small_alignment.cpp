/* SPDX-License-Identifier: MIT */
// expect: a pool_resource would hand out nothing: VF_T needs alignas(std::max_align_t)
#include <veryfast/veryfast.hpp>
struct node {
    unsigned char bytes[64];
};
#define VF_T node
#define VF_N 256
#include <veryfast/pool.h>
VF_CPP_POOL(pool_node_256)
veryfast::pool_resource<pool_node_256> *resource(pool_node_256 *pool)
{
    static veryfast::pool_resource<pool_node_256> of(pool);
    return &of;
}
