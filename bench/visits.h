/* SPDX-License-Identifier: MIT */
/*
 * visits.h - what is measured by a visit to all live objects. Read by C and C++.
 */
#ifndef BENCH_VISITS_H
#define BENCH_VISITS_H

#include "allocator_work.h"

#define VISIT_SHARES 3
#define VISIT_PASSES 20

/* What a child is to do, and where its figures go. */
struct visits {
    size_t objects;
    const uint8_t *share; /* of each object: until which it lives */
    size_t live[VISIT_SHARES];
    double ns[VISIT_SHARES]; /* of a visit to each live one */
    uint64_t sum;
};

static inline void visit(struct object *object, uint64_t *sum)
{
    *sum += object->words[0];
    object->words[1]++;
}

#ifdef __cplusplus
extern "C" {
#endif
/* plf::colony, of which std::hive has come. */
void visit_colony(struct visits *visits);
#ifdef __cplusplus
}
#endif

#endif
