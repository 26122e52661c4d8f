/* SPDX-License-Identifier: MIT */
/*
 * keyed_cpp.cpp - see keyed.h.
 */
#include "keyed.h"

#include <algorithm>
#include <vector>

#include "buffer_work.h"

struct alignas(128) own_vector {
    std::vector<keyed> elements;
};

static own_vector vectors[WORKERS_MOST];
static std::vector<keyed> all;

void keyed_vector_push(unsigned worker, uint64_t job, size_t each)
{
    std::vector<keyed> &own = vectors[worker].elements;
    for (size_t i = 0; i < each; i++)
        own.push_back({job, element(static_cast<unsigned>(job), i)});
}

uint64_t keyed_vectors_take(void)
{
    uint64_t sum = 0, place = 0;
    all.clear();
    for (own_vector &vector : vectors) {
        all.insert(all.end(), vector.elements.begin(), vector.elements.end());
        vector.elements.clear();
    }
    std::stable_sort(all.begin(), all.end(),
                     [](const keyed &one, const keyed &other) { return one.key < other.key; });
    for (const keyed &each : all)
        sum += place++ * each.value;
    return sum;
}
