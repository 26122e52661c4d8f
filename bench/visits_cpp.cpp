/* SPDX-License-Identifier: MIT */
/*
 * visits_cpp.cpp - the container that is made for visits, see visits.h.
 */
#include "visits.h"

#if HAVE_COLONY
#    include <plf_colony.h>

#    include <vector>

void visit_colony(struct visits *visits)
{
    plf::colony<object> colony;
    std::vector<plf::colony<object>::iterator> places;
    for (size_t i = 0; i < visits->objects; i++)
        places.push_back(colony.insert(object{{i}}));
    for (unsigned share = 0; share < VISIT_SHARES; share++) {
        for (size_t i = 0; i < visits->objects; i++) {
            if (share > 0 && visits->share[i] == share - 1)
                colony.erase(places[i]);
        }
        double begin = clock_ns(CLOCK_THREAD_CPUTIME_ID);
        for (size_t pass = 0; pass < VISIT_PASSES; pass++) {
            for (object &each : colony)
                visit(&each, &visits->sum);
        }
        visits->ns[share] = clock_ns(CLOCK_THREAD_CPUTIME_ID) - begin;
    }
}
#endif
