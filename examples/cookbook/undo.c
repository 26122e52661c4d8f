/* SPDX-License-Identifier: MIT */
/*
 * undo.c - an undo stack: edits that own memory, so many at most, the oldest forgotten first.
 */
#define _DEFAULT_SOURCE

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct edit {
    struct edit *older, *newer;
    size_t at;
    char *removed; /* owned */
};

#define VF_T       struct edit
#define VF_N       128
#define VF_NAME    edits
#define VF_DROP(e) free((e)->removed) /* wherever the library destroys an edit */
#include <veryfast/pool.h>

struct history {
    edits *pool;
    struct edit *newest, *oldest;
};

static void forget_oldest(struct history *history)
{
    struct edit *oldest = history->oldest;
    history->oldest = oldest->newer;
    if (history->oldest != NULL)
        history->oldest->older = NULL;
    else
        history->newest = NULL;
    edits_free(history->pool, oldest);
}

/* At the cap the oldest makes room. NULL: out of memory, and nothing is recorded. */
static struct edit *record(struct history *history, size_t at, const char *removed)
{
    struct edit edit = {.at = at, .removed = strdup(removed)}, *recorded = NULL;
    while (edit.removed != NULL) {
        edit.older = history->newest;
        recorded = edits_push(history->pool, edit);
        if (recorded != NULL || history->oldest == NULL)
            break;
        forget_oldest(history);
    }
    if (recorded == NULL) {
        free(edit.removed); /* a push that fails drops nothing: the value is still ours */
        return NULL;
    }
    *(recorded->older ? &recorded->older->newer : &history->oldest) = recorded;
    return history->newest = recorded;
}

/* Takes the newest edit out, with what it owns. */
static struct edit undo(struct history *history)
{
    struct edit *newest = history->newest;
    history->newest = newest->older;
    *(newest->older ? &newest->older->newer : &history->oldest) = NULL;
    return edits_take(history->pool, newest);
}

int main(void)
{
    struct history history = {.pool = edits_new(&(vf_pool_options){.max_objects = 100})};
    if (history.pool == NULL)
        return 1;
    for (size_t i = 0; i < 1000; i++) {
        if (record(&history, i, i % 2 ? "odd" : "even") == NULL)
            return 1;
    }
    struct edit last = undo(&history);
    size_t kept = edits_stats(history.pool).live;
    printf("the last edit was at %zu, of \"%s\"; %zu more are kept\n", last.at, last.removed, kept);
    free(last.removed);
    edits_destroy(history.pool); /* drops each of them */
    return last.at == 999 && kept == 99 ? 0 : 1;
}
