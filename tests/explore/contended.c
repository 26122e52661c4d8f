/* SPDX-License-Identifier: MIT */
/*
 * contended.c - which addresses several threads use at a time, at least one of them writing.
 *
 * Another thread may go on before an atomic operation; but before one on an address that nobody
 * else writes to, or that is read only, it may as well go on behind it: what follows is the same.
 * So only contended addresses are points where schedules part. Which they are is learned: the
 * enumeration is run again with what the last pass has found, until one finds nothing new.
 */
#include "internal.h"

enum { BITS = 14 };

typedef struct user {
    uintptr_t address;
    uint8_t readers, writers; /* a bit for each thread */
    bool known;               /* to be contended, since the last pass */
} user;

static user *users;
static bool found;

void contended_create(void)
{
    users = __real_calloc((size_t)1 << BITS, sizeof *users);
}

static user *user_of(uintptr_t address)
{
    size_t mask = ((size_t)1 << BITS) - 1;
    size_t i = (size_t)(address * 0x9E3779B97F4A7C15u >> (64 - BITS));
    for (size_t n = 0; n <= mask; n++, i++) {
        user *it = &users[i & mask];
        if (it->address == 0) {
            it->address = address;
        }
        if (it->address == address) {
            return it;
        }
    }
    failure("too many addresses", address);
}

static bool is_contended(const user *it)
{
    unsigned all = (unsigned)it->readers | it->writers;
    return it->writers != 0 && (all & (all - 1)) != 0;
}

void contended_touch(uintptr_t address, bool writes)
{
    schedule_wake(address, writes);
    if (threads_alive() < 2) {
        return;
    }
    user *it = user_of(address);
    *(writes ? &it->writers : &it->readers) |= (uint8_t)(1U << self);
    found = found || (!it->known && is_contended(it));
}

/* 0 stands for all addresses. */
bool contended(uintptr_t address)
{
    return address == 0 || user_of(address)->known;
}

/* The end of a pass; has it found any? */
bool contended_learn(void)
{
    bool news = found;
    for (size_t i = 0; i < (size_t)1 << BITS; i++) {
        users[i].known = is_contended(&users[i]);
    }
    found = false;
    return news;
}
