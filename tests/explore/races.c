/* SPDX-License-Identifier: MIT */
/*
 * races.c - which accesses race, and which are to memory that is not allocated.
 *
 * Two accesses race when they touch the same byte, at least one of them writes, at least one is
 * plain, and neither knows of the other (knowledge.h). For that, each byte has the time of the last
 * access of each kind by each thread. Bytes are kept in fours, and of the 15 sets of bytes that can
 * be touched of four, only those that were touched together:
 *
 *     four bytes at 0x1000     sets seen: 1111 and 0011
 *     set 1111                 reads T0:3 T1:7   writes T0:2   atomic reads -   atomic writes -
 *     set 0011                 reads -           writes T1:5   ...
 */
#include "knowledge.h"

#include <string.h>

enum { SHADOW_BITS = 15 };

/* The last accesses of each kind to some of four bytes, which the key says together with where. */
typedef struct shadow {
    uintptr_t key;
    uint64_t execution;
    uint16_t sets; /* with all four: a bit for each set of bytes that was accessed together */
    clocks reads, writes, atomic_reads, atomic_writes;
} shadow;

typedef struct shadows {
    uint64_t execution; /* what is of an earlier one is not set */
    shadow shadow[1 << SHADOW_BITS];
} shadows;

static shadows *r;

void races_create(void)
{
    r = __real_calloc(1, sizeof *r);
}

void races_reset(void)
{
    r->execution++;
}

static shadow *shadow_of(uintptr_t key)
{
    size_t mask = ((size_t)1 << SHADOW_BITS) - 1;
    for (size_t i = (size_t)(key * 0x9E3779B97F4A7C15u >> (64 - SHADOW_BITS)), n = 0; n <= mask;
         i++, n++) {
        shadow *it = &r->shadow[i & mask];
        if (it->execution != r->execution) {
            memset(it, 0, sizeof *it);
            it->execution = r->execution;
            it->key = key;
        }
        if (it->key == key) {
            return it;
        }
    }
    failure("too many addresses", key);
}

static bool unknown(const clocks *accesses)
{
    for (int i = 0; i < THREADS; i++) {
        if (accesses->of[i] > known->thread[self].time.of[i]) {
            return true;
        }
    }
    return false;
}

static bool races(const shadow *it, bool writes, bool atomic)
{
    return unknown(&it->writes) || (writes && unknown(&it->reads)) ||
           (!atomic && (unknown(&it->atomic_writes) || (writes && unknown(&it->atomic_reads))));
}

/* An access to the bytes of the set, of these four. */
static void check_four(uintptr_t four, unsigned set, bool writes, bool atomic)
{
    shadow *all = shadow_of(four * 16 + 15);
    all->sets |= (uint16_t)(1U << set);
    for (unsigned other = 1; other < 16; other++) {
        if ((other & set) != 0 && (all->sets >> other & 1) != 0 &&
            races(shadow_of(four * 16 + other), writes, atomic)) {
            failure("data race", four * 4);
        }
    }
    shadow *it = set == 15 ? all : shadow_of(four * 16 + set);
    clocks *kind = atomic ? (writes ? &it->atomic_writes : &it->atomic_reads)
                          : (writes ? &it->writes : &it->reads);
    kind->of[self] = known->thread[self].time.of[self];
}

void races_check(uintptr_t address, size_t size, bool writes, bool atomic)
{
    if (memory_is_dead(address, size)) {
        failure("access to memory that is not allocated", address);
    }
    if (ex->threads == 1) {
        return; /* what comes before all other threads races with nothing */
    }
    uintptr_t end = address + size;
    for (uintptr_t four = address / 4; four * 4 < end; four++) {
        unsigned set = 15;
        set &= four * 4 < address ? 15U << (address - four * 4) : 15U;
        set &= end - four * 4 < 4 ? (1U << (end - four * 4)) - 1 : 15U;
        check_four(four, set, writes, atomic);
    }
}
