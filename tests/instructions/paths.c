/* SPDX-License-Identifier: MIT */
/* The fast paths of a pool, each in a function of its own: see ../check_instructions.py. */
struct node {
    char bytes[64];
};

#define VF_T    struct node
#define VF_N    64
#define VF_NAME nodes
#include <veryfast/detail/pool_free.h>
#include <veryfast/pool.h>

#define VF_T    struct node
#define VF_N    64
#define VF_NAME found
#define VF_HANDLE
#include <veryfast/pool.h>

struct node *path_get(const found *pool, found_handle handle);
void path_free_found(found *pool, struct node *node);
void path_free_any(void *object);
struct node *path_alloc(nodes *pool);
void path_free(nodes *pool, struct node *node);
struct node *path_cache_alloc(nodes_cache *cache);
void path_cache_free(nodes_cache *cache, struct node *node);

struct node *path_get(const found *pool, found_handle handle)
{
    return found_get(pool, handle);
}

void path_free_found(found *pool, struct node *node)
{
    found_free(pool, node);
}

void path_free_any(void *object)
{
    vf_free(object);
}

struct node *path_alloc(nodes *pool)
{
    return nodes_alloc(pool);
}

void path_free(nodes *pool, struct node *node)
{
    nodes_free(pool, node);
}

struct node *path_cache_alloc(nodes_cache *cache)
{
    return nodes_cache_alloc(cache);
}

void path_cache_free(nodes_cache *cache, struct node *node)
{
    nodes_cache_free(cache, node);
}
