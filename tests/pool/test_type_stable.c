/* SPDX-License-Identifier: MIT */
/*
 * test_type_stable.c - reads of objects that may be free, or others by now, by the rule in pool.h:
 * hold, then check. Each test does what another thread might do at the worst moment.
 */
#include "test_common.h"

struct account {
    uint64_t key;     /* atomic */
    uint32_t holders; /* atomic; 0: free */
    int32_t balance;  /* of who holds it */
};

#define VF_T struct account
#define VF_N 10
#include <veryfast/pool.h>

static pool_account_10 *pool;
static void (*meanwhile)(void); /* between the look and the hold */
static struct account *published;

static struct account *open_account(uint64_t key, int32_t balance)
{
    struct account *account = pool_account_10_alloc(pool);
    cr_assert(account != NULL);
    account->balance = balance;
    __atomic_store_n(&account->key, key, __ATOMIC_RELAXED);
    __atomic_store_n(&account->holders, 1, __ATOMIC_RELEASE);
    return account;
}

static void let_go(struct account *account)
{
    if (__atomic_sub_fetch(&account->holders, 1, __ATOMIC_ACQ_REL) == 0)
        pool_account_10_free(pool, account);
}

static bool hold(struct account *account)
{
    uint32_t holders = __atomic_load_n(&account->holders, __ATOMIC_RELAXED);
    while (holders != 0) {
        if (__atomic_compare_exchange_n(&account->holders, &holders, holders + 1, true,
                                        __ATOMIC_ACQUIRE, __ATOMIC_RELAXED))
            return true;
    }
    return false;
}

/* The published account, held, if it has this key. */
static struct account *find(uint64_t key, bool check)
{
    struct account *account = published;
    if (account == NULL || __atomic_load_n(&account->key, __ATOMIC_RELAXED) != key)
        return NULL;
    meanwhile();
    if (!hold(account))
        return NULL;
    if (check && __atomic_load_n(&account->key, __ATOMIC_RELAXED) != key) {
        let_go(account);
        return NULL;
    }
    return account;
}

static void nothing(void)
{
}

static void free_it(void)
{
    struct account *account = published;
    published = NULL;
    let_go(account);
}

static void reuse_it(void)
{
    struct account *before = published;
    free_it();
    published = open_account(2, 200);
    cr_assert(published == before, "the slot was to be reused");
}

static void begin(void)
{
    pool = pool_account_10_new(NULL);
    cr_assert(pool != NULL);
    published = open_account(1, 100);
}

static void end(void)
{
    if (published != NULL)
        let_go(published);
    check_equal(pool_account_10_stats(pool).live, 0);
    pool_account_10_release(pool);
}

Test(type_stable, found, .init = begin, .fini = end)
{
    meanwhile = nothing;
    struct account *account = find(1, true);
    cr_assert(account != NULL && account->balance == 100);
    free_it();
    cr_assert(account->key == 1 && account->balance == 100, "freed while it was held");
    let_go(account);
}

Test(type_stable, freed_meanwhile, .init = begin, .fini = end)
{
    meanwhile = free_it;
    cr_assert(find(1, true) == NULL);
}

Test(type_stable, reused_meanwhile, .init = begin, .fini = end)
{
    meanwhile = reuse_it;
    cr_assert(find(1, true) == NULL);
}

Test(type_stable, without_the_check_another_account_is_found, .init = begin, .fini = end)
{
    meanwhile = reuse_it;
    struct account *account = find(1, false);
    cr_assert(account != NULL && account->key == 2 && account->balance == 200);
    let_go(account);
}
