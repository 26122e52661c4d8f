/* SPDX-License-Identifier: MIT */
/*
 * test_misuse_life.c - misuse of pools as wholes and of caches held by callers, and lists of leaks.
 */
#include "misuse.h"

typedef struct job {
    char text[20];
} job;

#define VF_T job
#define VF_N 64
#include <veryfast/pool.h>

static pool_job_64 *pool;

static void setup(void)
{
    pool = pool_job_64_new(NULL);
    cr_assert(pool != NULL);
    vf_checked_quarantine(256 << 10);
    vf_checked_keep_contents(false);
}

static void teardown(void)
{
    pool_job_64_destroy(pool);
}

/* ---- released pools ---- */

SCENE(allocates_from_what_is_gone)
{
    pool_job_64_release(pool);
    (void)pool_job_64_alloc(pool);
}

job *release_with_one_out(void);
__attribute__((noinline)) job *release_with_one_out(void)
{
    job *object = pool_job_64_alloc(pool);
    pool_job_64_release(pool);
    return object;
}

SCENE(allocates_after_release)
{
    (void)release_with_one_out();
    (void)pool_job_64_alloc(pool);
}

SCENE(releases_twice)
{
    (void)release_with_one_out();
    pool_job_64_release(pool);
}

SCENE(destroys_after_release)
{
    (void)release_with_one_out();
    pool_job_64_destroy(pool);
}

SCENE(reads_stats_after_destroy)
{
    pool_job_64_destroy(pool);
    (void)pool_job_64_stats(pool);
}

SCENE(frees_to_what_is_gone)
{
    job *object = release_with_one_out();
    pool_job_64_free(pool, object);
    pool_job_64_free(pool, object);
}

SCENE(uses_what_is_no_pool)
{
    (void)pool_job_64_alloc((pool_job_64 *)(void *)&pool);
}

/* Each other call but those that free. */
static void (*call)(void);

static void alloc_several(void)
{
    job *objects[2];
    (void)pool_job_64_alloc_n(pool, objects, 2);
}

static void push(void)
{
    (void)pool_job_64_push(pool, (job){"new"});
}

static void reserve(void)
{
    (void)pool_job_64_reserve(pool, 1);
}

static void ask_owner(void)
{
    (void)pool_job_64_owns(pool, pool);
}

static void see(job *object, void *context)
{
    (void)object;
    (void)context;
}

static void see_each(void)
{
    pool_job_64_each(pool, see, NULL);
}

static void begin_walk(void)
{
    (void)pool_job_64_walk_begin(pool);
}

static void trim(void)
{
    (void)pool_job_64_trim(pool);
}

static void make_cache(void)
{
    (void)pool_job_64_cache_new(pool);
}

SCENE(calls_after_release)
{
    (void)release_with_one_out();
    call();
}

Test(misuse_life, every_call_after_release, .init = setup, .fini = teardown)
{
    static const struct {
        void (*call)(void);
        const char *says;
    } calls[] = {
        {alloc_several, ": alloc with a released pool at "},
        {push, ": alloc with a released pool at "},
        {reserve, ": P_reserve with a released pool at "},
        {ask_owner, ": P_owns with a released pool at "},
        {see_each, ": P_each with a released pool at "},
        {begin_walk, ": P_walk_begin with a released pool at "},
        {trim, ": P_trim with a released pool at "},
        {make_cache, ": P_cache_new with a released pool at "},
    };
    for (size_t i = 0; i < sizeof calls / sizeof *calls; i++) {
        call = calls[i].call;
        misuse_check(calls_after_release, "pool_job_64", calls[i].says,
                     ", released at release_with_one_out+0x");
    }
}

SCENE(frees_after_release)
{
    pool_job_64_free(pool, release_with_one_out());
}

Test(misuse_life, released_pools, .init = setup, .fini = teardown)
{
    check_stops(allocates_from_what_is_gone, "pool_job_64", ": alloc with a released pool");
    misuse_check(allocates_from_what_is_gone, "pool_job_64", " at allocates_from_what_is_gone+0x",
                 ", released at allocates_from_what_is_gone+0x");
    check_stops(allocates_after_release, "pool_job_64", ": alloc with a released pool");
    check_stops(releases_twice, "pool_job_64", ": P_release with a released pool");
    check_stops(destroys_after_release, "pool_job_64", ": P_destroy with a released pool");
    check_stops(reads_stats_after_destroy, "pool_job_64", ": P_stats with a released pool");
    check_stops(frees_to_what_is_gone, "pool_job_64", ": free with a released pool");
    check_stops(uses_what_is_no_pool, "a pool", ": alloc with what is no pool");
    cr_assert(check_passes(frees_after_release)[0] == '\0');
}

/* ---- caches ---- */

SCENE(frees_twice_by_cache)
{
    pool_job_64_cache *cache = pool_job_64_cache_new(pool);
    job *object = pool_job_64_cache_alloc(cache);
    pool_job_64_cache_free(cache, object);
    pool_job_64_cache_free(cache, object);
}

SCENE(frees_by_cache_and_pool)
{
    pool_job_64_cache *cache = pool_job_64_cache_new(pool);
    job *object = pool_job_64_alloc(pool);
    pool_job_64_cache_free(cache, object);
    pool_job_64_free(pool, object);
}

SCENE(frees_to_a_cache_of_another)
{
    pool_job_64 *other = pool_job_64_new(&(vf_pool_options){.name = "other"});
    pool_job_64_cache_free(pool_job_64_cache_new(other), pool_job_64_alloc(pool));
}

SCENE(uses_a_released_cache)
{
    pool_job_64_cache *cache = pool_job_64_cache_new(pool);
    pool_job_64_cache_release(cache);
    (void)pool_job_64_cache_alloc(cache);
}

SCENE(releases_a_cache_twice)
{
    pool_job_64_cache *cache = pool_job_64_cache_new(pool);
    pool_job_64_release(pool);
    pool_job_64_cache_release(cache);
    pool_job_64_cache_release(cache);
}

SCENE(allocates_by_cache_after_release)
{
    pool_job_64_cache *cache = pool_job_64_cache_new(pool);
    pool_job_64_release(pool);
    (void)pool_job_64_cache_alloc(cache);
}

Test(misuse_life, caches, .init = setup, .fini = teardown)
{
    check_stops(frees_twice_by_cache, "pool_job_64", ": double free of 0x");
    check_stops(frees_by_cache_and_pool, "pool_job_64", ": double free of 0x");
    check_stops(frees_to_a_cache_of_another, "other", " of another pool, pool_job_64,");
    check_stops(uses_a_released_cache, "a cache", ": P_cache_alloc with a released cache");
    check_stops(releases_a_cache_twice, "a cache", ": P_cache_release with a released cache");
    check_stops(allocates_by_cache_after_release, "pool_job_64",
                ": P_cache_alloc with a released pool");
}

/* ---- leaks ---- */

static size_t lines_in(const char *text)
{
    size_t lines = 0;
    for (; *text != '\0'; text++)
        lines += *text == '\n';
    return lines;
}

SCENE(leaks_three)
{
    vf_checked_list_leaks(stderr);
    job *objects[5];
    (void)pool_job_64_alloc_n(pool, objects, 5);
    pool_job_64_free(pool, objects[1]);
    pool_job_64_free(pool, objects[3]);
}

/* And says which. */
SCENE(leaks_known)
{
    vf_checked_list_leaks(stderr);
    job *first = pool_job_64_alloc(pool);
    job *second = pool_job_64_push(pool, (job){"second"});
    pool_job_64_free(pool, pool_job_64_alloc(pool));
    pool_job_64_release(pool);
    fprintf(stderr, "%p %p\n", (void *)first, (void *)second);
}

SCENE(leaks_and_releases)
{
    leaks_three();
    pool_job_64_release(pool);
}

SCENE(leaks_and_destroys)
{
    leaks_three();
    pool_job_64_destroy(pool);
}

SCENE(leaks_nothing)
{
    leaks_three();
    pool_job_64_destroy(pool_job_64_new(NULL));
}

Test(misuse_life, leaks_are_listed, .init = setup, .fini = teardown)
{
    void (*const scenes[])(void) = {leaks_and_releases, leaks_and_destroys};
    for (size_t i = 0; i < 2; i++) {
        const char *text = check_passes(scenes[i]);
        check_equal(lines_in(text), 3);
        cr_assert(strstr(text, " is still live, allocated at leaks_three+0x") != NULL, "%s", text);
        cr_assert(strncmp(text, "veryfast: pool_job_64 0x", 24) == 0, "%s", text);
    }
    cr_assert(check_passes(leaks_nothing)[0] == '\0');
}

/* Line by line: which, and where from. */
Test(misuse_life, leaks_are_those_that_are_out, .init = setup, .fini = teardown)
{
    const char *text = check_passes(leaks_known);
    char said[2][32], known[2][32];
    check_equal(lines_in(text), 3);
    cr_assert(sscanf(text, "%*s %*s %*s %31s %*[^\n] %*s %*s %*s %31s %*[^\n] %31s %31s", said[0],
                     said[1], known[0], known[1]) == 4,
              "%s", text);
    cr_assert(strcmp(said[0], known[0]) == 0 && strcmp(said[1], known[1]) == 0, "%s", text);
    cr_assert(strstr(text, " is still live, allocated at leaks_known+0x") != NULL, "%s", text);
    cr_assert(strstr(strchr(text, '\n'), " is still live, allocated at leaks_known+0x") != NULL,
              "%s", text);
}

/* ---- handler ---- */

static void leave(const char *report, void *context)
{
    fprintf(stderr, "%s|%s\n", report, (const char *)context);
    _exit(0);
}

SCENE(has_a_handler)
{
    vf_checked_on_misuse(leave, "context");
    pool_job_64_release(pool);
    pool_job_64_release(pool);
}

static void say(const char *report, void *context)
{
    fprintf(stderr, "%s: %s\n", (const char *)context, report);
}

SCENE(has_a_handler_that_returns)
{
    static char first[] = "first";
    vf_checked_on_misuse(say, first);
    pool_job_64_release(pool);
    pool_job_64_release(pool);
}

SCENE(has_no_handler_any_more)
{
    vf_checked_on_misuse(leave, NULL);
    vf_checked_on_misuse(NULL, NULL);
    pool_job_64_release(pool);
    pool_job_64_release(pool);
}

/* The same report, and then the line and the stop. */
Test(misuse_life, a_handler_that_returns, .init = setup, .fini = teardown)
{
    int status;
    const char *text = test_output(has_a_handler_that_returns, &status);
    cr_assert(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT, "%s", text);
    const char *line = strchr(text, '\n');
    check_equal(lines_in(text), 2);
    cr_assert(strncmp(text, "first: pool_job_64 0x", 21) == 0, "%s", text);
    cr_assert(strncmp(line, "\nveryfast: ", 11) == 0, "%s", text);
    cr_assert(strncmp(text + 7, line + 11, (size_t)(line - text) - 7) == 0, "%s", text);
    check_stops(has_no_handler_any_more, "pool_job_64", ": P_release with a released pool");
}

Test(misuse_life, a_handler_sees_the_report_first, .init = setup, .fini = teardown)
{
    const char *text = check_passes(has_a_handler);
    cr_assert(strncmp(text, "pool_job_64 0x", 14) == 0 && strstr(text, "|context\n") != NULL, "%s",
              text);
    check_equal(lines_in(text), 1);
}
