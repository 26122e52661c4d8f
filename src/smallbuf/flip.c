/* SPDX-License-Identifier: MIT */
/*
 * flip.c - pushes in flight, of which a flip waits for those into the bank that it takes; and the
 * thread that sleeps until there is one.
 *
 * What a bank's word `done` says:
 *
 *     d                                 of the bank that pushes go to: as many are done
 *     0                                 of the other, in which nothing is
 *     1 0 | n | MOST - in flight        of one that a flip has taken, whose last index was n
 *     -1 - in flight                    the same, where n is more than MOST: the directory has it
 *
 * The last two are made by one addition, since pushes in flight go on adding. They are over when
 * the lower half is MOST, or all is -1. There is no other word for that: a push needs none, and
 * neither has an idle buffer.
 */
#include "smallbuf.h"

#include "../platform/sleep.h"
#include "../platform/tsan.h"
#include "../platform/wait.h"
#include "decide.h"

#define TAKEN       ((uint64_t)1 << 63)
#define IS_MANY     ((uint64_t)1 << 62)
#define NUMBER_BITS 31
#define MOST        (((uint64_t)1 << NUMBER_BITS) - 1)

void vf_flip_take(uint64_t *done, uint64_t n, void **spill, const vf_smallbuf_type *type)
{
    uint64_t more = TAKEN + (n << NUMBER_BITS) + MOST - n;
    if (n > MOST / 2) {
        /* decided, if it is not, as the pushes in flight would: some are behind those inside */
        vf_directory *directory = vf_decide_directory(spill, n - type->inside, type);
        if (directory != NULL)
            directory->taken = n;
        more = 0 - n - 1;
    }
    /* relaxed: the acquire comes when all are done, and reads on through this */
    vf_fetch_add_relaxed(done, more);
}

bool vf_flip_over(const uint64_t *done, void *const *spill, uint64_t *n)
{
    /* acquire: pairs with the release of each push, whose element comes before it */
    uint64_t state = vf_load_acquire(done);
    if ((state & TAKEN) == 0)
        return false;
    if ((state & IS_MANY) == 0) {
        *n = (state & ~TAKEN) >> NUMBER_BITS;
        if ((state & MOST) != MOST)
            return false;
    } else {
        if (state != UINT64_MAX)
            return false;
        const vf_directory *directory = vf_directory_of(spill);
        *n = directory != NULL ? directory->taken : MOST; /* refused, all but those inside */
    }
    vf_tsan_acquire(done);
    return true;
}

uint64_t vf_flip_wait(const uint64_t *done, void *const *spill)
{
    uint64_t n;
    for (unsigned round = 0; !vf_flip_over(done, spill, &n);)
        vf_wait_round(&round);
    return n;
}

/*
 * ---- sleep ----
 *
 * A thread that finds nothing puts VF_ASLEEP into the counter, by a swap that fails if a push has
 * come. The pushes that follow are in no window then, ask the core, and find out:
 *
 *     S_wait                            push
 *     tail: 0 -> 0, VF_ASLEEP           tail: 0, VF_ASLEEP -> 1, VF_ASLEEP
 *     sleeps while VF_ASLEEP is there   stores, is done
 *                                       tail: 1, VF_ASLEEP -> 1
 *                                       wakes
 *
 * Of several that see the bit one takes it away, and wakes. The system looks at the half of the
 * counter with the bit before it lets the thread sleep, so no wake-up comes too early.
 */

/* The half with the bits. */
static const uint32_t *upper_half(const uint64_t *tail)
{
#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
    return (const uint32_t *)(const void *)tail;
#else
    return (const uint32_t *)(const void *)tail + 1;
#endif
}

void vf_flip_rouse(uint64_t *tail)
{
    /* relaxed, all: the bit orders nothing, the flip acquires what was pushed */
    if ((vf_load_relaxed(tail) & VF_ASLEEP) != 0 &&
        (vf_fetch_and_relaxed(tail, ~VF_ASLEEP) & VF_ASLEEP) != 0)
        vf_sleep_wake(upper_half(tail));
}

void vf_flip_wake(uint64_t *tail)
{
    /* release: pairs with the acquire of the thread that it wakes */
    if ((vf_fetch_or_release(tail, VF_WOKEN) & VF_ASLEEP) != 0)
        vf_sleep_wake(upper_half(tail));
}

void vf_flip_missed(uint64_t *tail, uint64_t bits)
{
    if ((bits & VF_WOKEN) != 0)
        vf_flip_wake(tail);
    if ((bits & VF_ASLEEP) != 0)
        vf_sleep_wake(upper_half(tail)); /* it looks, and sleeps again with its bit */
}

/* Is there something, or was the thread woken? Then it does not sleep again, and not until then. */
static bool is_awake(uint64_t *tail, uint64_t seen)
{
    if ((seen & VF_WOKEN) != 0) {
        /* acquire: pairs with the release in S_wake */
        vf_fetch_and_acquire(tail, ~(VF_WOKEN | VF_ASLEEP));
        return true;
    }
    return vf_plain_index(seen) != 0;
}

bool vf_flip_sleep(uint64_t *tail, int64_t timeout_ns)
{
    int64_t deadline = vf_sleep_deadline(timeout_ns);
    uint64_t seen = vf_load_relaxed(tail); /* the swap tells whether it is still so */
    while (!is_awake(tail, seen)) {
        uint64_t asleep = seen | VF_ASLEEP;
        /* relaxed: as in vf_flip_rouse */
        if (seen != asleep && !vf_cas_weak_relaxed(tail, &seen, asleep))
            continue;
        bool in_time = vf_sleep_while(upper_half(tail), (uint32_t)(asleep >> 32), deadline);
        /* though a push takes the bit, too: this thread's flip may not have seen that, and would
           bring it back, so that a push would wake nobody */
        seen = vf_fetch_and_relaxed(tail, ~VF_ASLEEP) & ~VF_ASLEEP;
        if (!in_time)
            return is_awake(tail, seen);
    }
    return true;
}
