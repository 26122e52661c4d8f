/*
 * memory.c - what a load may return, and which plain accesses race.
 *
 * Each atomic location keeps its stores in the order they ran. A thread's view says which store to
 * each location is the oldest it may still read; a release store carries the view and the clocks
 * of its thread to those that acquire it.
 */
#include "internal.h"

#include <stdlib.h>
#include <string.h>

enum { LOCATIONS = 512, STORES = 8192, SHADOW_BITS = 15, READABLE = 32, MUTEXES = 64, SPINS = 3 };
enum { RELAXED = 0, CONSUME = 1, RELEASE = 3, SEQ_CST = 5 };

/* What one thread knows, or one store tells. */
typedef struct knowledge {
    clocks time;
    uint16_t locations; /* that it has something of; the others are not set */
    uint16_t oldest[LOCATIONS];
} knowledge;

typedef struct store {
    uint64_t value;
    int older; /* -1: none */
    uint16_t number;
    bool tells;
    knowledge told;
} store;

/* The last accesses of each kind to some of four bytes, which the key says together with where. */
typedef struct shadow {
    uintptr_t key;
    uint64_t execution;
    uint16_t sets; /* with all four: a bit for each set of bytes that was accessed together */
    clocks reads, writes, atomic_reads, atomic_writes;
} shadow;

typedef struct memory {
    knowledge thread[THREADS], released[THREADS], acquirable[THREADS], order, mutex[MUTEXES];
    struct {
        uintptr_t address;
        int newest;
        uint16_t numbers;
    } location[LOCATIONS];
    int locations, stores;
    uint64_t execution;
    const store *last_load[THREADS];
    int repeats[THREADS];
    store store[STORES];
    shadow shadow[1 << SHADOW_BITS];
} memory;

static memory *m;

void memory_create(void)
{
    extern void *__real_calloc(size_t, size_t);
    m = __real_calloc(1, sizeof *m);
}

static void forget(knowledge *all)
{
    memset(&all->time, 0, sizeof all->time);
    all->locations = 0;
}

void memory_reset(void)
{
    m->locations = m->stores = 0;
    m->execution++;
    forget(&m->order);
    for (int i = 0; i < MUTEXES; i++) {
        forget(&m->mutex[i]);
    }
}

static void copy(knowledge *to, const knowledge *from)
{
    to->time = from->time;
    to->locations = from->locations;
    memcpy(to->oldest, from->oldest, from->locations * sizeof *to->oldest);
}

static void widen(knowledge *to, int locations)
{
    while (to->locations < locations) {
        to->oldest[to->locations++] = 0;
    }
}

static void learn(knowledge *to, const knowledge *from)
{
    for (int i = 0; i < THREADS; i++) {
        to->time.of[i] = to->time.of[i] > from->time.of[i] ? to->time.of[i] : from->time.of[i];
    }
    widen(to, from->locations);
    for (int i = 0; i < from->locations; i++) {
        to->oldest[i] = to->oldest[i] > from->oldest[i] ? to->oldest[i] : from->oldest[i];
    }
}

void memory_spawn(int child)
{
    forget(&m->thread[child]);
    forget(&m->released[child]);
    forget(&m->acquirable[child]);
    m->last_load[child] = NULL;
    if (self >= 0) {
        copy(&m->thread[child], &m->thread[self]);
        m->thread[self].time.of[self]++;
    }
    m->thread[child].time.of[child] = 1;
}

void memory_join(int child)
{
    learn(&m->thread[self], &m->thread[child]);
}

void memory_lock(int mutex)
{
    learn(&m->thread[self], &m->mutex[mutex]);
}

void memory_unlock(int mutex)
{
    copy(&m->mutex[mutex], &m->thread[self]);
    m->thread[self].time.of[self]++;
}

static shadow *shadow_of(uintptr_t key)
{
    size_t mask = ((size_t)1 << SHADOW_BITS) - 1;
    for (size_t i = (size_t)(key * 0x9E3779B97F4A7C15u >> (64 - SHADOW_BITS)), n = 0; n <= mask;
         i++, n++) {
        shadow *it = &m->shadow[i & mask];
        if (it->execution != m->execution) {
            memset(it, 0, sizeof *it);
            it->execution = m->execution;
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
        if (accesses->of[i] > m->thread[self].time.of[i]) {
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
    kind->of[self] = m->thread[self].time.of[self];
}

static void check(uintptr_t address, size_t size, bool writes, bool atomic)
{
    if (atomic) {
        contended_touch(address, writes);
    }
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

void memory_plain(uintptr_t address, size_t size, bool writes)
{
    if (self < 0 || size == 0) {
        return;
    }
    check(address, size, writes, false);
    for (int i = 0; writes && i < m->locations; i++) {
        if (m->location[i].address - address < size) {
            m->location[i].newest = -1; /* the next access takes the value from memory */
        }
    }
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
            widen(&m->thread[i], l + 1);
            m->thread[i].oldest[l] = number;
        }
    }
    return l;
}

static void read_from(int l, const store *it, int order)
{
    knowledge *mine = &m->thread[self];
    mine->oldest[l] = it->number > mine->oldest[l] ? it->number : mine->oldest[l];
    if (it->tells) {
        bool acquires = order != RELAXED && order != RELEASE;
        learn(acquires ? mine : &m->acquirable[self], &it->told);
    }
    if (order == SEQ_CST) {
        schedule_wake(0, true);
        learn(mine, &m->order);
    }
}

/* before: the store a read-modify-write read, whose release sequence it continues */
static void write_to(int l, store *it, const store *before, int order)
{
    knowledge *mine = &m->thread[self];
    mine->oldest[l] = it->number;
    it->tells = true;
    copy(&it->told, order >= RELEASE ? mine : &m->released[self]);
    if (before && before->tells) {
        learn(&it->told, &before->told);
    }
    widen(&it->told, l + 1);
    it->told.oldest[l] = it->number;
    if (order == SEQ_CST) {
        schedule_wake(0, true);
        learn(&m->order, mine);
    }
    if (order >= RELEASE) {
        mine->time.of[self]++;
    }
}

/* The newest store, or an older one the thread may read; except: unless it holds this value. */
static store *readable(int l, const uint64_t *except)
{
    store *list[READABLE];
    int n = 0;
    for (int i = m->location[l].newest; i >= 0 && n < READABLE; i = m->store[i].older) {
        store *it = &m->store[i];
        if (it->number < m->thread[self].oldest[l]) {
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

uint64_t memory_load(uintptr_t address, size_t size, int order)
{
    if (self < 0) {
        return in_memory(address, size);
    }
    schedule_point(order == SEQ_CST ? 0 : address, false);
    check(address, size, false, true);
    int l = location_of(address, size);
    store *it = readable(l, NULL);
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
    if (self >= 0) {
        schedule_point(order == SEQ_CST ? 0 : address, true);
        check(address, size, true, true);
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
    if (self >= 0) {
        schedule_point(order == SEQ_CST ? 0 : address, true);
    }
    uint64_t before = in_memory(address, size);
    uint64_t after = change(before, operand) & (UINT64_MAX >> (64 - 8 * size));
    if (self < 0) {
        memcpy((void *)address, &after, size);
        return before;
    }
    check(address, size, true, true);
    replace(location_of(address, size), size, after, order);
    return before;
}

bool memory_swap(uintptr_t address, size_t size, uint64_t *expected, uint64_t desired, int order,
                 int failure_order)
{
    if (self < 0) {
        bool same = in_memory(address, size) == *expected;
        memcpy(same ? (void *)address : (void *)expected, same ? (void *)&desired : (void *)address,
               size);
        return same;
    }
    schedule_point(order == SEQ_CST ? 0 : address, true);
    int l = location_of(address, size);
    store *it = readable(l, expected);
    bool same = it->value == *expected;
    check(address, size, same, true);
    if (same) {
        replace(l, size, desired, order);
        return true;
    }
    read_from(l, it, failure_order);
    *expected = it->value;
    note("swap failed", address, it->value);
    return false;
}

void memory_fence(int order)
{
    if (self < 0) {
        return;
    }
    knowledge *mine = &m->thread[self];
    if (order != RELEASE) {
        learn(mine, &m->acquirable[self]);
    }
    if (order == SEQ_CST) {
        learn(mine, &m->order);
        copy(&m->order, mine);
    }
    if (order >= RELEASE) {
        copy(&m->released[self], mine);
        mine->time.of[self]++;
    }
}

/* The system's membarrier: a full fence in every thread, at this moment. */
void memory_full_barrier(void)
{
    int caller = self;
    for (int round = 0; round < 2; round++) {
        for (self = 0; self < ex->threads; self++) {
            memory_fence(SEQ_CST);
        }
    }
    self = caller;
}
