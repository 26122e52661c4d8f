/* SPDX-License-Identifier: MIT */
/*
 * listed.c - see listed.h.
 *
 * No free slot gets lost. A batch is listed before it is forgotten, in whatever order the two run:
 *
 *     giver                                taker that has found the batch empty
 *     old = free[w] += bits                listed &= ~batch
 *     old == 0 and not listed?             any bit in free[]?
 *     then listed |= batch                 then listed |= batch
 *
 * All four are sequentially consistent: either the giver finds the batch unlisted and lists it, or
 * the taker finds the bit and does. Where old is not 0, a thread that set a bit before lists the
 * batch, or has. If that thread is stopped in between, or one is that has taken a batch off the
 * list, slots are not found meanwhile; before an alloc is refused, vf_depot_get_any looks at all
 * records. In the same way, a group is listed in the group above it.
 */
#include "listed.h"

/* ---- on and off the list ---- */

/* Lists this member of the group, and the group above, if they are not listed. */
static void list(vf_group *group, size_t member)
{
    while (group != NULL) {
        vf_word bit = vf_bits_bit(member);
        /* seq_cst: see the table above; and release, for a thread that follows the bit */
        if ((vf_load_seq_cst(&group->listed) & bit) != 0 ||
            vf_fetch_or_seq_cst(&group->listed, bit) != 0)
            return;
        member = group->in_parent;
        /* seq_cst, there too: where this finds no group above, vf_listed_remove has not found one
           that it takes this group off; pairs with the store in add_level, which lists it again */
        group = vf_load_seq_cst(&group->parent);
    }
}

void vf_listed_add(vf_batch *batch)
{
    list(batch->group, batch->number % VF_WORD_BITS);
}

bool vf_listed_has_free(const vf_batches *batches, const vf_batch *batch)
{
    for (size_t w = 0; w < batches->shape.words; w++) {
        if (vf_load_seq_cst(&batch->free[w]) != 0)
            return true;
    }
    return false;
}

/* And the groups that are empty by that. */
void vf_listed_remove(const vf_batches *batches, vf_batch *batch)
{
    vf_group *group = batch->group;
    vf_word bit = vf_bits_bit(batch->number);
    if ((vf_load_relaxed(&group->listed) & bit) == 0)
        return;
    bool others = (vf_fetch_and_seq_cst(&group->listed, ~bit) & ~bit) != 0;
    if (vf_listed_has_free(batches, batch)) {
        vf_listed_add(batch);
        return;
    }
    vf_group *parent;
    /* seq_cst: as in list */
    for (; !others && (parent = vf_load_seq_cst(&group->parent)) != NULL; group = parent) {
        bit = vf_bits_bit(group->in_parent);
        others = (vf_fetch_and_seq_cst(&parent->listed, ~bit) & ~bit) != 0;
        if (vf_load_seq_cst(&group->listed) != 0) {
            list(parent, group->in_parent);
            return;
        }
    }
}

/* ---- the next one ---- */

/* The batches of the group that others have claimed. */
static vf_word claimed_by_others(const vf_group *group, const vf_claims *claims)
{
    if (claims == NULL)
        return 0;
    /* relaxed: a preference, which orders nothing */
    vf_word claimed = vf_load_relaxed(&group->claimed);
    return group == claims->group ? claimed & ~claims->members : claimed;
}

/* The listed batch with the lowest number from `from` on, within the group; NULL: none. */
static vf_batch *next_in(vf_group *group, size_t from, const vf_claims *claims)
{
    unsigned shift = group->height * VF_WORD_LOG2;
    size_t first = (from >> shift) % VF_WORD_BITS;
    /* acquire: pairs with the OR in list, which comes after the member was made */
    vf_word word = vf_load_acquire(&group->listed) & VF_WORD_ALL << first;
    if (group->height == 0) {
        word &= ~claimed_by_others(group, claims);
        return word != 0 ? group->members[vf_bits_first(word)] : NULL;
    }
    for (; word != 0; word &= word - 1) {
        size_t i = vf_bits_first(word);
        vf_batch *batch = next_in(group->members[i], i == first ? from : 0, claims);
        if (batch != NULL)
            return batch;
    }
    return NULL;
}

vf_batch *vf_listed_next(const vf_batches *batches, size_t from, const vf_claims *claims)
{
    /* acquire: pairs with the release in add_level */
    vf_group *root = vf_load_acquire(&batches->root);
    if (root == NULL)
        return NULL;
    bool inside = from >> root->height * VF_WORD_LOG2 < VF_WORD_BITS;
    vf_batch *batch = inside ? next_in(root, from, claims) : NULL;
    return batch != NULL || from == 0 ? batch : next_in(root, 0, claims);
}

/* ---- forks ---- */

/* Lists the batch in its group, and each group in the one above, whether they are or not: a thread
   that did not come along over a fork may have got half way. */
void vf_listed_after_fork(const vf_batches *batches, vf_batch *batch)
{
    size_t member = batch->number % VF_WORD_BITS;
    vf_store_relaxed(&batch->group->claimed, (vf_word)0);
    if (!vf_listed_has_free(batches, batch))
        return;
    for (vf_group *group = batch->group; group != NULL;) {
        group->listed |= vf_bits_bit(member);
        member = group->in_parent;
        group = group->parent;
    }
}
