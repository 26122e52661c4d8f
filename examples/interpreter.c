/* SPDX-License-Identifier: MIT */
/*
 * The allocator hook of an interpreter, alloc(size) and free(p, size), over pools of 16 sizes that
 * are made when they are first needed. The interpreter evaluates trees whose nodes have many sizes,
 * as those of a script do: an operator with up to 14 operands, each a number or a tree.
 *
 *     cc interpreter.c $(pkg-config --cflags --libs veryfast) -o interpreter && ./interpreter
 *     ./interpreter --malloc          the same with malloc
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <veryfast/sized.h>

/* ---- the hook ---- */

#define CLASS   16 /* bytes from one size to the next */
#define LARGEST 256

typedef struct classes {
    vf_sized_pool *pools[LARGEST / CLASS];
    bool use_malloc;
} classes;

static void *heap_alloc(classes *heap, size_t size)
{
    if (size > LARGEST || heap->use_malloc)
        return malloc(size);
    vf_sized_pool **pool = &heap->pools[(size - 1) / CLASS];
    if (*pool == NULL)
        *pool = vf_sized_pool_new((size + CLASS - 1) / CLASS * CLASS, CLASS, 0, NULL);
    return *pool != NULL ? vf_sized_alloc(*pool) : NULL;
}

static void heap_free(classes *heap, void *memory, size_t size)
{
    if (size > LARGEST || heap->use_malloc)
        free(memory);
    else
        vf_sized_free(heap->pools[(size - 1) / CLASS], memory);
}

/* Whatever is still there goes too: the end of a script needs no walk over its objects. */
static void heap_end(classes *heap)
{
    for (size_t i = 0; i < LARGEST / CLASS; i++)
        vf_sized_pool_destroy(heap->pools[i]);
}

/* ---- the interpreter ---- */

typedef struct node {
    uint32_t operands; /* 0: a number */
    int32_t number;    /* or which operator: 0 adds, 1 takes the greatest */
    struct node *operand[];
} node;

static size_t node_size(uint32_t operands)
{
    return sizeof(node) + operands * sizeof(node *);
}

static uint32_t random_number(uint32_t *state)
{
    *state = *state * 1664525U + 1013904223U;
    return *state >> 8;
}

static node *parse(classes *heap, uint32_t *script, int depth)
{
    uint32_t operands = depth > 0 ? 1 + random_number(script) % 14 : 0;
    node *parsed = heap_alloc(heap, node_size(operands));
    if (parsed == NULL)
        exit(1);
    parsed->operands = operands;
    parsed->number =
        (int32_t)(operands > 0 ? random_number(script) % 2 : random_number(script) % 9);
    for (uint32_t i = 0; i < operands; i++)
        parsed->operand[i] = parse(heap, script, depth - 1);
    return parsed;
}

/* Evaluates the tree, and frees it on the way. */
static int64_t evaluate(classes *heap, node *tree)
{
    int64_t result = tree->operands > 0 ? 0 : tree->number;
    for (uint32_t i = 0; i < tree->operands; i++) {
        int64_t operand = evaluate(heap, tree->operand[i]);
        if (tree->number == 0)
            result += operand;
        else if (operand > result)
            result = operand;
    }
    heap_free(heap, tree, node_size(tree->operands));
    return result;
}

int main(int argc, char **argv)
{
    classes heap = {.use_malloc = argc > 1 && strcmp(argv[1], "--malloc") == 0};
    clock_t begin = clock();
    int64_t sum = 0;
    uint32_t script = 1;
    for (int i = 0; i < 300; i++)
        sum += evaluate(&heap, parse(&heap, &script, 4));
    node *left = parse(&heap, &script, 2); /* the script ends in the middle of something */
    double ms = (double)(clock() - begin) * 1000 / CLOCKS_PER_SEC;
    printf("the scripts give %lld\n", (long long)sum);
    printf("with %s: %.0f ms\n", heap.use_malloc ? "malloc" : "16 pools", ms);
    if (heap.use_malloc)
        (void)evaluate(&heap, left);
    heap_end(&heap);
    return 0;
}
