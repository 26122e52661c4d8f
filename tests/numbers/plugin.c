/* SPDX-License-Identifier: MIT */
/*
 * plugin.c - a plug-in that is reloaded while pools live: the headers alone, the core is the
 * program's.
 */
#include "shared.h"

#ifdef _WIN32
__declspec(dllexport)
#else
__attribute__((visibility("default")))
#endif
    plugin_turn turn;

size_t turn(longs *pool, long *kept[KEPT], long before, long now)
{
    size_t wrong = 0;
    for (size_t i = 0; i < KEPT; i++) {
        wrong += kept[i] != NULL && *kept[i] != before;
        longs_free(pool, kept[i]);
        kept[i] = longs_push(pool, now);
        wrong += kept[i] == NULL;
        longs_free(pool, longs_push(pool, -1));
    }
    return wrong;
}
