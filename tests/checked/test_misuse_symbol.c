/* SPDX-License-Identifier: MIT */
/*
 * test_misuse_symbol.c - places in reports and lists of leaks: the function, the file and the
 * offset in it. That these lead to the lines is for check_where.py to see.
 */
#define _GNU_SOURCE /* dladdr1 */

#include <dlfcn.h>
#include <limits.h>
#include <link.h>
#include <pthread.h>
#include <sys/stat.h>

#include "elsewhere.h"
#include "misuse.h"

static pool_int_64 *pool;

SCENE(frees_twice)
{
    pool = pool_int_64_new(NULL);
    int *number = pool_int_64_alloc(pool);
    pool_int_64_free(pool, number);
    pool_int_64_free(pool, number);
}

static size_t times_in(const char *text, const char *sentence)
{
    size_t times = 0;
    for (; (text = strstr(text, sentence)) != NULL; text++)
        times++;
    return times;
}

/* ---- what a place says ---- */

static void file_of(const struct link_map *map, char *file, size_t size)
{
    if (map->l_name[0] != '\0') {
        snprintf(file, size, "%s", map->l_name);
        return;
    }
    ssize_t length = readlink("/proc/self/exe", file, size - 1);
    cr_assert(length > 0);
    file[length] = '\0';
}

/* Each "function+0x12 (file+0x1234)" in the text: the file is the one that the function is in, and
   both offsets lead to one address. Returns how many there are, not counting one at the same
   address as the one before. */
static size_t check_places(const char *text, const char *function)
{
    Dl_info info;
    struct link_map *map;
    char begin[64], file[PATH_MAX];
    size_t count = 0, before = 0;
    void *address = dlsym(RTLD_DEFAULT, function);
    cr_assert(address != NULL && dladdr1(address, &info, (void **)&map, RTLD_DL_LINKMAP) != 0);
    file_of(map, file, sizeof file);
    snprintf(begin, sizeof begin, " at %s+", function);
    for (const char *place = text; (place = strstr(place, begin)) != NULL;) {
        char *end;
        place += strlen(begin);
        size_t in_function = strtoul(place, &end, 16);
        cr_assert(strncmp(end, " (", 2) == 0, "%s", text);
        cr_assert(strncmp(end + 2, file, strlen(file)) == 0, "no %s in: %s", file, text);
        end += 2 + strlen(file);
        cr_assert(*end == '+', "%s", text);
        size_t in_file = strtoul(end, &end, 16);
        cr_assert(*end == ')', "%s", text);
        check_equal(in_file, (uintptr_t)address - map->l_addr + in_function);
        count += in_function != before;
        before = in_function;
    }
    return count;
}

Test(misuse_symbol, of_every_place_in_a_report)
{
    int status;
    check_stops(frees_twice, "pool_int_64", "), allocated at frees_twice+0x");
    const char *text = test_output(frees_twice, &status);
    cr_assert(strstr(text, "), freed at frees_twice+0x") != NULL, "%s", text);
    check_equal(check_places(text, "frees_twice"), 3);
}

/* ---- leaks ---- */

static void leak_many(void)
{
    vf_checked_list_leaks(stderr);
    pool = pool_int_64_new(NULL);
}

SCENE(leaks_here_and_there)
{
    leak_many();
    for (int i = 0; i < 200; i++) {
        (void)pool_int_64_alloc(pool);
        (void)pool_int_64_alloc(pool);
    }
    pool_int_64_destroy(pool);
}

Test(misuse_symbol, of_leaks)
{
    const char *text = check_passes(leaks_here_and_there);
    check_equal(times_in(text, " is still live, allocated at leaks_here_and_there+0x"), 400);
    check_equal(check_places(text, "leaks_here_and_there"), 400);
}

#define ALLOC pool_int_64_alloc(pool)
#define FIVE  ALLOC, ALLOC, ALLOC, ALLOC, ALLOC

SCENE(leaks_at_many_places)
{
    leak_many();
    int *many[] = {FIVE, FIVE, FIVE, FIVE, FIVE, FIVE, FIVE,
                   FIVE, FIVE, FIVE, FIVE, FIVE, FIVE, FIVE};
    if (many[69] == NULL)
        _exit(1);
    pool_int_64_destroy(pool);
}

Test(misuse_symbol, of_many_places)
{
    const char *text = check_passes(leaks_at_many_places);
    check_equal(times_in(text, " is still live, allocated at leaks_at_many_places+0x"), 70);
    check_equal(check_places(text, "leaks_at_many_places"), 70);
}

SCENE(leaks_in_two_modules)
{
    leak_many();
    (void)pool_int_64_alloc(pool);
    leak_elsewhere(pool, pool_int_64_alloc);
    (void)pool_int_64_alloc(pool);
    leak_elsewhere_too(pool, pool_int_64_alloc);
    pool_int_64_destroy(pool);
}

Test(misuse_symbol, of_two_modules)
{
    const char *text = check_passes(leaks_in_two_modules);
    check_equal(check_places(text, "leaks_in_two_modules"), 2);
    check_equal(check_places(text, "leak_elsewhere"), 1);
    check_equal(check_places(text, "leak_elsewhere_too"), 1);
}

/* ---- names that are too long ---- */

static char long_name[PATH_MAX] = "/tmp/veryfast-symbol-XXXXXX";

#define LONG_PART "/a-directory-whose-name-makes-a-long-name-of-every-file-that-is-in-it"

SCENE(leaks_in_a_long_name)
{
    void *library = dlopen(long_name, RTLD_NOW);
    if (library == NULL)
        _exit(1);
    void (*leak)(pool_int_64 * pool, allocate * alloc);
    *(void **)&leak = dlsym(library, "leak_elsewhere");
    leak_many();
    leak(pool, pool_int_64_alloc);
    pool_int_64_destroy(pool);
}

/* Of the file's name the end is printed, and all of the offset. */
Test(misuse_symbol, of_a_long_name)
{
    Dl_info info;
    char command[2 * PATH_MAX];
    cr_assert(mkdtemp(long_name) != NULL &&
              dladdr(dlsym(RTLD_DEFAULT, "leak_elsewhere"), &info) != 0);
    size_t top = strlen(long_name);
    for (int i = 0; i < 5; i++) {
        strcat(long_name, LONG_PART);
        cr_assert(mkdir(long_name, 0700) == 0);
    }
    strcat(long_name, "/copy.so");
    snprintf(command, sizeof command, "cp '%s' '%s'", info.dli_fname, long_name);
    cr_assert(system(command) == 0);
    const char *text = check_passes(leaks_in_a_long_name);
    snprintf(command, sizeof command, "rm -r '%.*s'", (int)top, long_name);
    cr_assert(system(command) == 0);
    cr_assert(strstr(text, " at leak_elsewhere+0x") != NULL, "%s", text);
    cr_assert(strstr(text, " (...") != NULL && strstr(text, "/tmp") == NULL, "%s", text);
    const char *end = strstr(text, LONG_PART "/copy.so+0x");
    cr_assert(end != NULL && strcmp(strchr(end, ')'), ")\n") == 0, "%s", text);
}

/* ---- threads that are cancelled ---- */

static void *free_twice_cancelled(void *none)
{
    pthread_cancel(pthread_self());
    frees_twice();
    return none;
}

SCENE(frees_twice_while_cancelled)
{
    pthread_t thread;
    if (pthread_create(&thread, NULL, free_twice_cancelled, NULL) != 0)
        _exit(1);
    pthread_join(thread, NULL);
}

static void *leak_cancelled(void *none)
{
    pthread_cancel(pthread_self());
    leaks_here_and_there();
    return none;
}

SCENE(leaks_while_cancelled)
{
    pthread_t thread;
    if (pthread_create(&thread, NULL, leak_cancelled, NULL) != 0)
        _exit(1);
    pthread_join(thread, NULL);
}

Test(misuse_symbol, of_cancelled_threads)
{
    misuse_check(frees_twice_while_cancelled, "pool_int_64", "), allocated at frees_twice+0x",
                 "), freed at frees_twice+0x");
    const char *text = check_passes(leaks_while_cancelled);
    check_equal(times_in(text, " is still live, allocated at leaks_here_and_there+0x"), 400);
}
