/*
 * test_misuse_symbol.c - source lines in reports and lists of leaks: from the programs that know
 * them, and from others in their place that do what they should not.
 */
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "elsewhere.h"
#include "misuse.h"

static char directory[] = "/tmp/veryfast-symbol-XXXXXX";
static char *path; /* as it was */

static void file_name(const char *name, char *text, size_t size)
{
    snprintf(text, size, "%s/%s", directory, name);
}

static void setup(void)
{
    path = strdup(getenv("PATH"));
    cr_assert(path != NULL && mkdtemp(directory) != NULL && setenv("PATH", directory, 1) == 0);
}

static void teardown(void)
{
    static const char *const names[] = {"addr2line", "llvm-symbolizer", "asked"};
    for (size_t i = 0; i < 3; i++) {
        char name[64];
        file_name(names[i], name, sizeof name);
        (void)unlink(name);
    }
    (void)rmdir(directory);
    free(path);
}

/* A program of that name that notes its arguments, on a line, and goes on by this script. */
static void make_program(const char *name, const char *script)
{
    char file[64], asked[64];
    file_name(name, file, sizeof file);
    file_name("asked", asked, sizeof asked);
    FILE *out = fopen(file, "w");
    cr_assert(out != NULL);
    fprintf(out, "#!/bin/sh\necho \"$0 $*\" >>%s\n%s\n", asked, script);
    cr_assert(fclose(out) == 0 && chmod(file, 0700) == 0);
}

/* How many lines of questions there are, and the first in *line. */
static size_t questions(char *line, int size)
{
    char name[64], next[4096];
    size_t count = 0;
    file_name("asked", name, sizeof name);
    FILE *in = fopen(name, "r");
    if (in == NULL)
        return 0;
    for (; fgets(next, sizeof next, in) != NULL; count++) {
        if (count == 0)
            snprintf(line, (size_t)size, "%s", next);
    }
    fclose(in);
    return count;
}

/* Says made.c:101, made.c:102, ... of the addresses, which are what begins with 0x. */
#define ANSWERS                                                                                    \
    "n=100\n"                                                                                      \
    "for word; do\n"                                                                               \
    "    case $word in 0x*) n=$((n + 1)); echo \"/made/made.c:$n (discriminator 3)\" ;; esac\n"    \
    "done"

static pool_int_64 *pool;

static const int second_free = __LINE__ + 7;

SCENE(frees_twice)
{
    pool = pool_int_64_new(NULL);
    int *number = pool_int_64_alloc(pool);
    pool_int_64_free(pool, number);
    pool_int_64_free(pool, number);
}

static void check_plain(void)
{
    int status;
    check_stops(frees_twice, "pool_int_64", ": double free of 0x");
    const char *text = misuse_output(frees_twice, &status);
    cr_assert(strchr(text, '(') == NULL, "%s", text);
}

/* ---- answers ---- */

Test(misuse_symbol, of_every_place_in_a_report, .init = setup, .fini = teardown)
{
    char first[4096], expected[4096];
    make_program("addr2line", ANSWERS);
    check_stops(frees_twice, "pool_int_64", " (/made/made.c:101), allocated at frees_twice+0x");
    misuse_check(frees_twice, "pool_int_64", " (/made/made.c:101), freed at frees_twice+0x",
                 " (/made/made.c:101)\n");
    check_equal(questions(first, sizeof first), 6);
    snprintf(expected, sizeof expected, "%s/addr2line -e /", directory);
    cr_assert(strncmp(first, expected, strlen(expected)) == 0, "%s", first);
}

Test(misuse_symbol, of_the_second_program, .init = setup, .fini = teardown)
{
    make_program("llvm-symbolizer", ANSWERS);
    check_stops(frees_twice, "pool_int_64", " (/made/made.c:101), allocated at frees_twice+0x");
    make_program("addr2line", "echo '??:0'");
    check_plain();
    make_program("addr2line", "exit 1");
    check_stops(frees_twice, "pool_int_64", " (/made/made.c:101), allocated at frees_twice+0x");
}

/* The call's own line, by the programs that are there. */
Test(misuse_symbol, of_the_call, .init = setup, .fini = teardown)
{
    static const char *const names[] = {"addr2line", "llvm-symbolizer"};
    for (size_t i = 0; i < 2; i++) {
        char command[4096], expected[64];
        snprintf(command, sizeof command, "PATH='%s'; rm -f %s/*; ln -s \"$(command -v %s)\" %s",
                 path, directory, names[i], directory);
        if (system(command) != 0)
            continue;
        snprintf(expected, sizeof expected, "/test_misuse_symbol.c:%d), allocated", second_free);
        misuse_check(frees_twice, "pool_int_64", expected, " at frees_twice+0x");
    }
}

/* ---- none ---- */

Test(misuse_symbol, nobody_to_ask, .init = setup, .fini = teardown)
{
    check_plain();
    cr_assert(unsetenv("PATH") == 0);
    check_plain();
}

Test(misuse_symbol, what_is_no_line, .init = setup, .fini = teardown)
{
    static const char *const scripts[] = {
        "echo; echo",
        "echo file.c",
        "echo file.c:",
        "echo :12",
        "echo file.c:0",
        "echo file.c:x1",
        "printf file.c:12",
        "kill -9 $$",
        "n=a; for i in 1 2 3 4 5 6; do n=$n$n$n; done; echo $n.c:7",
        "while :; do echo a very long line; done", /* until nobody reads it */
    };
    for (size_t i = 0; i < sizeof scripts / sizeof *scripts; i++) {
        make_program("addr2line", scripts[i]);
        check_plain();
    }
}

/* Of a long name the end is printed, beginning with the name of a directory. */
Test(misuse_symbol, a_long_name, .init = setup, .fini = teardown)
{
    make_program("addr2line", "n=/a; for i in 1 2 3 4 5 6; do n=$n$n$n; done; echo $n/file.c:7");
    check_stops(frees_twice, "pool_int_64", "/a/file.c:7), allocated at ");
    misuse_check(frees_twice, "pool_int_64", " (a/a", ", freed at ");
}

SCENE(has_no_file_left)
{
    struct rlimit none = {STDERR_FILENO + 1, STDERR_FILENO + 1};
    for (int i = STDERR_FILENO + 1; i < 64; i++)
        close(i);
    if (setrlimit(RLIMIT_NOFILE, &none) != 0)
        _exit(1);
    frees_twice();
}

Test(misuse_symbol, no_file_left, .init = setup, .fini = teardown)
{
    char first[4096];
    int status;
    make_program("addr2line", ANSWERS);
    const char *text = misuse_output(has_no_file_left, &status); /* gcov adds lines of its own */
    cr_assert(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT, "%s", text);
    cr_assert(strncmp(text, "veryfast: pool_int_64 0x", 24) == 0, "%s", text);
    cr_assert(strstr(text, ", freed at frees_twice+0x") != NULL, "%s", text);
    check_equal(questions(first, sizeof first), 0);
}

/* It is waited for once; what comes too late in the next report as well is not asked for. */
Test(misuse_symbol, no_answer, .init = setup, .fini = teardown)
{
    char first[4096];
    make_program("addr2line", "exec /bin/sleep 1000");
    misuse_check(frees_twice, "pool_int_64", " at frees_twice+0x", ", freed at frees_twice+0x");
    check_equal(questions(first, sizeof first), 1);
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

static size_t lines_with(const char *text, const char *sentence)
{
    size_t lines = 0;
    for (; (text = strstr(text, sentence)) != NULL; text++)
        lines++;
    return lines;
}

Test(misuse_symbol, of_leaks, .init = setup, .fini = teardown)
{
    char first[4096];
    make_program("addr2line", ANSWERS);
    const char *text = check_passes(leaks_here_and_there);
    check_equal(lines_with(text, " is out, allocated at leaks_here_and_there+0x"), 400);
    check_equal(lines_with(text, " (/made/made.c:101)\n"), 200);
    check_equal(lines_with(text, " (/made/made.c:102)\n"), 200);
    check_equal(questions(first, sizeof first), 1);
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

/* Bounded: four questions of 16 places each. */
Test(misuse_symbol, of_many_places, .init = setup, .fini = teardown)
{
    char first[4096];
    make_program("addr2line", ANSWERS);
    const char *text = check_passes(leaks_at_many_places);
    check_equal(lines_with(text, " is out, allocated at leaks_at_many_places+0x"), 70);
    check_equal(lines_with(text, " (/made/made.c:1"), 64);
    check_equal(lines_with(text, " (/made/made.c:116)\n"), 4);
    check_equal(questions(first, sizeof first), 4);
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

/* A question for each. */
Test(misuse_symbol, of_two_modules, .init = setup, .fini = teardown)
{
    char first[4096];
    make_program("addr2line", ANSWERS);
    const char *text = check_passes(leaks_in_two_modules);
    check_equal(lines_with(text, " (/made/made.c:101)\n"), 2);
    check_equal(lines_with(text, " (/made/made.c:102)\n"), 2);
    check_equal(questions(first, sizeof first), 2);
}

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

Test(misuse_symbol, of_cancelled_threads, .init = setup, .fini = teardown)
{
    make_program("addr2line", ANSWERS);
    misuse_check(frees_twice_while_cancelled, "pool_int_64", " (/made/made.c:101), allocated",
                 ", freed at frees_twice+0x");
    const char *text = check_passes(leaks_while_cancelled);
    check_equal(lines_with(text, " (/made/made.c:101)\n"), 200);
    check_equal(lines_with(text, " (/made/made.c:102)\n"), 200);
}

/* ---- the program's own children ---- */

static volatile sig_atomic_t ends, found;

static void on_child(int signal)
{
    (void)signal;
    ends++;
    found += waitpid(-1, NULL, WNOHANG) > 0;
}

SCENE(watches_its_children)
{
    signal(SIGCHLD, on_child);
    errno = 0;
    leaks_here_and_there();
    if (ends > 1 || found != 0 || errno != 0 || waitpid(-1, NULL, 0) != -1 || errno != ECHILD)
        _exit(1);
}

SCENE(ignores_its_children)
{
    signal(SIGCHLD, SIG_IGN);
    leaks_here_and_there();
    if (waitpid(-1, NULL, 0) != -1 || errno != ECHILD)
        _exit(1);
}

Test(misuse_symbol, leaves_no_child, .init = setup, .fini = teardown)
{
    make_program("addr2line", ANSWERS);
    const char *text = check_passes(watches_its_children);
    check_equal(lines_with(text, " (/made/made.c:101)\n"), 200);
    text = check_passes(ignores_its_children);
    check_equal(lines_with(text, " (/made/made.c:101)\n"), 200);
}
