/* SPDX-License-Identifier: MIT */
/*
 * home.c - see home.h.
 *
 * A cache claims the batches that it refills from, and comes back to them:
 *
 *     claimed by one:  | 0 | 1 |   | 3 |         what a thread allocates and frees lies in words
 * that by the other:            | 2 |   | 4 |     others do not write to
 *
 * The batches of others come last: see is_scarce in depot.c. A cache has claims in one group at a
 * time: that takes one word, and where there are more batches than a group has, two threads seldom
 * meet.
 *
 * A search begins behind the batch that was used last and goes on by number, round the end. So a
 * cache finds each batch with as many free slots as it could gather.
 */
#include "home.h"

static void give_up_claims(vf_claims *claims)
{
    if (claims->members != 0) /* relaxed, here and below: a preference, which orders nothing */
        vf_fetch_and_relaxed(&claims->group->claimed, ~claims->members);
    claims->members = 0;
}

/* The home keeps to the batch from now on, unless it or another has claimed it already. */
static void claim(vf_claims *claims, const vf_batch *batch)
{
    vf_word bit = vf_bits_bit(batch->number);
    if ((vf_fetch_or_relaxed(&batch->group->claimed, bit) & bit) != 0)
        return;
    if (batch->group != claims->group)
        give_up_claims(claims);
    claims->group = batch->group;
    claims->members |= bit;
}

/* The batch is not used for now. */
static void end_visit(const vf_batches *batches, vf_batch *batch)
{
    if (batch != NULL && !vf_listed_has_free(batches, batch))
        vf_listed_remove(batches, batch);
}

bool vf_home_move_on(const vf_batches *batches, vf_home *home, bool ask_others)
{
    size_t from = home->batch != NULL ? (size_t)home->batch->number + 1 : 0;
    end_visit(batches, home->batch);
    home->batch = vf_listed_next(batches, from, &home->claims);
    if (home->batch == NULL && ask_others)
        home->batch = vf_listed_next(batches, from, NULL);
    home->word = 0;
    if (home->batch != NULL)
        claim(&home->claims, home->batch);
    return home->batch != NULL;
}

void vf_home_leave(const vf_batches *batches, vf_home *home)
{
    end_visit(batches, home->batch);
    give_up_claims(&home->claims);
    *home = (vf_home){0};
}
