/* SPDX-License-Identifier: MIT */
/*
 * memory.c - what an atomic load may return, and what a store adds to that.
 *
 * Each atomic location keeps its stores in the order they ran, which is taken for the order that
 * C11 calls modification order:
 *
 *     flag:   0 <------- 1 <------- 2     newest: what memory itself holds
 *             number 1   number 2   number 3
 *                        T0 reads from here on        (knowledge.h: its oldest for flag is 2)
 *
 * A load reads the newest, or, while stale reads are left of the bound, an older one down to its
 * thread's oldest: that is a choice. A swap that succeeds, and any other read-modify-write, reads
 * the newest, as C11 demands; a swap may fail by an older one. A plain store to the address ends
 * the list: the next access begins another with what memory holds.
 */
#include "knowledge.h"

#include <string.h>

enum { STORES = 8192, READABLE = 32, SPINS = 3 };

typedef struct store {
    uint64_t value;
    int older; /* -1: none */
    uint16_t number;
    bool tells;
    knowledge told;
} store;

typedef struct memory {
    struct {
        uintptr_t address;
        int newest;
        uint16_t numbers;
    } location[LOCATIONS];
    int locations, stores;
    const store *last_load[THREADS];
    int repeats[THREADS];
    store store[STORES];
} memory;

static memory *m;

void memory_create(void)
{
    m = __real_calloc(1, sizeof *m);
}

void memory_reset(void)
{
    m->locations = m->stores = 0;
    memset(m->last_load, 0, sizeof m->last_load);
}

void memory_plain(uintptr_t address, size_t size, bool writes)
{
    if (self < 0 || size == 0) {
        return;
    }
    races_check(address, size, writes, false);
    for (int i = 0; writes && i < m->locations; i++) {
        if (m->location[i].address - address < size) {
            m->location[i].newest = -1; /* the next access takes the value from memory */
        }
    }
}

static void touch(uintptr_t address, size_t size, bool writes)
{
    contended_touch(address, writes);
    races_check(address, size, writes, true);
}

static uint64_t in_memory(uintptr_t address, size_t size)
{
    uint64_t value = 0;
    memcpy(&value, (void *)address, size);
    return value;
}

static store *add_store(int l, uint64_t value)
{
    if (m->stores == STORES) {
        failure("too many stores", m->location[l].address);
    }
    store *it = &m->store[m->stores];
    it->value = value;
    it->older = m->location[l].newest;
    it->number = ++m->location[l].numbers;
    it->tells = false;
    m->location[l].newest = m->stores++;
    return it;
}

static int location_of(uintptr_t address, size_t size)
{
    int l = 0;
    while (l < m->locations && m->location[l].address != address) {
        l++;
    }
    if (l == LOCATIONS) {
        failure("too many locations", address);
    }
    if (l == m->locations) {
        m->locations++;
        m->location[l].address = address;
        m->location[l].newest = -1;
        m->location[l].numbers = 0;
    }
    if (m->location[l].newest < 0) {
        uint16_t number = add_store(l, in_memory(address, size))->number;
        for (int i = 0; i < ex->threads; i++) {
            knowledge_widen(&known->thread[i], l + 1);
            known->thread[i].oldest[l] = number;
        }
    }
    return l;
}

/* The oldest store there that an operation of seq_cst order may read. */
static uint16_t *ordered(int l)
{
    knowledge_widen(&known->order, l + 1);
    return &known->order.oldest[l];
}

static void read_from(int l, const store *it, int order)
{
    knowledge *mine = &known->thread[self];
    mine->oldest[l] = it->number > mine->oldest[l] ? it->number : mine->oldest[l];
    if (it->tells) {
        bool acquires = order != RELAXED && order != RELEASE;
        knowledge_learn(acquires ? mine : &known->acquirable[self], &it->told);
    }
    if (order == SEQ_CST) {
        schedule_wake(m->location[l].address, true); /* it bounds what others of this order read */
        *ordered(l) = it->number > *ordered(l) ? it->number : *ordered(l);
    }
}

/* before: the store a read-modify-write read, whose release sequence it continues */
static void write_to(int l, store *it, const store *before, int order)
{
    knowledge *mine = &known->thread[self];
    mine->oldest[l] = it->number;
    it->tells = true;
    knowledge_copy(&it->told, order >= RELEASE ? mine : &known->released[self]);
    if (before && before->tells) {
        knowledge_learn(&it->told, &before->told);
    }
    knowledge_widen(&it->told, l + 1);
    it->told.oldest[l] = it->number;
    if (order == SEQ_CST) {
        *ordered(l) = it->number;
    }
    if (order >= RELEASE) {
        mine->time.of[self]++;
    }
}

/* The newest store, or an older one the thread may read; except: unless it holds this value. */
static store *readable(int l, const uint64_t *except, int order)
{
    uint16_t oldest = known->thread[self].oldest[l];
    if (order == SEQ_CST && oldest < *ordered(l)) {
        oldest = *ordered(l);
    }
    store *list[READABLE];
    int n = 0;
    for (int i = m->location[l].newest; i >= 0 && n < READABLE; i = m->store[i].older) {
        store *it = &m->store[i];
        if (it->number < oldest) {
            break;
        }
        if (n == 0 || (ex->stale < ex->stale_allowed && !(except && it->value == *except))) {
            list[n++] = it;
        }
    }
    int k = choose_mostly_first(n);
    ex->stale += k > 0;
    return list[k];
}

/* Does the thread wait in a loop, having read this again and again, and done nothing else? */
static bool spins(const store *it)
{
    m->repeats[self] = m->last_load[self] == it ? m->repeats[self] + 1 : 0;
    m->last_load[self] = it;
    return m->repeats[self] >= SPINS;
}

/* Before there is a second thread all know of all that was stored, which is in memory. */
static bool alone(uintptr_t address, size_t size)
{
    if (self >= 0 && ex->threads > 1) {
        return false;
    }
    if (self >= 0) {
        races_check(address, size, true, true); /* is it allocated? */
    }
    return true;
}

uint64_t memory_load(uintptr_t address, size_t size, int order)
{
    if (alone(address, size)) {
        return in_memory(address, size);
    }
    schedule_point(address, order == SEQ_CST);
    touch(address, size, false);
    int l = location_of(address, size);
    store *it = readable(l, NULL, order);
    read_from(l, it, order);
    note("load", address, it->value);
    uint64_t value = it->value;
    if (spins(it)) {
        schedule_yield();
    }
    return value;
}

void memory_store(uintptr_t address, size_t size, uint64_t value, int order)
{
    if (!alone(address, size)) {
        schedule_point(address, true);
        touch(address, size, true);
        int l = location_of(address, size);
        write_to(l, add_store(l, value), NULL, order);
        note("store", address, value);
    }
    memcpy((void *)address, &value, size);
}

static void replace(int l, size_t size, uint64_t value, int order)
{
    store *before = &m->store[m->location[l].newest];
    read_from(l, before, order);
    write_to(l, add_store(l, value), before, order);
    memcpy((void *)m->location[l].address, &value, size);
    note("replace", m->location[l].address, value);
}

uint64_t memory_change(uintptr_t address, size_t size, uint64_t (*change)(uint64_t, uint64_t),
                       uint64_t operand, int order)
{
    bool is_alone = alone(address, size);
    if (!is_alone) {
        schedule_point(address, true);
    }
    uint64_t before = in_memory(address, size);
    uint64_t after = change(before, operand) & (UINT64_MAX >> (64 - 8 * size));
    if (is_alone) {
        memcpy((void *)address, &after, size);
        return before;
    }
    touch(address, size, true);
    replace(location_of(address, size), size, after, order);
    return before;
}

bool memory_swap(uintptr_t address, size_t size, uint64_t *expected, uint64_t desired, int order,
                 int failure_order)
{
    if (alone(address, size)) {
        bool same = in_memory(address, size) == *expected;
        memcpy(same ? (void *)address : (void *)expected, same ? (void *)&desired : (void *)address,
               size);
        return same;
    }
    schedule_point(address, true);
    int l = location_of(address, size);
    store *it = readable(l, expected, failure_order);
    bool same = it->value == *expected;
    touch(address, size, same);
    if (same) {
        replace(l, size, desired, order);
        return true;
    }
    read_from(l, it, failure_order);
    *expected = it->value;
    note("swap failed", address, it->value);
    return false;
}
