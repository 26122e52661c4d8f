/* SPDX-License-Identifier: MIT */
/*
 * criterion.h - a stand-in for Criterion, for where it is missing or cannot run (it stops under
 * ThreadSanitizer). The part of Criterion that these tests use: all tests run one after another in
 * one process, so a crash ends the program there, and the first failed cr_assert ends its test; on
 * WASI, which has no longjmp, the program.
 *
 * Included by one .c file of a program, which thereby gets its main().
 */
#ifndef SHIM_CRITERION_H
#define SHIM_CRITERION_H

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#ifdef __wasi__
#    include <stdlib.h>
typedef int jmp_buf;
#    define setjmp(where)        (0)
#    define longjmp(where, code) exit(code)
#else
#    include <setjmp.h>
#endif

struct shim_test {
    const char *suite, *name;
    void (*body)(void);
    void (*init)(void), (*fini)(void);
    const char *description;
    int end; /* takes the place of no further field */
    struct shim_test *next;
};

static struct shim_test *shim_tests;
static jmp_buf shim_leave;
static bool shim_failed;

/* Registered by constructors, so that tests run in the order of the file; where mingw-w64 makes the
   program, the last constructor runs first. */
static inline void shim_register(struct shim_test *test)
{
    struct shim_test **link = &shim_tests;
#ifndef _WIN32
    while (*link != NULL)
        link = &(*link)->next;
#endif
    test->next = *link;
    *link = test;
}

#define Test(...) SHIM_TEST(__VA_ARGS__, .end = 0)
#define SHIM_TEST(group, title, ...)                                                               \
    static void group##_##title(void);                                                             \
    __attribute__((constructor)) static void group##_##title##_register(void)                      \
    {                                                                                              \
        static struct shim_test test = {                                                           \
            .suite = #group, .name = #title, .body = group##_##title, __VA_ARGS__};                \
        shim_register(&test);                                                                      \
    }                                                                                              \
    static void group##_##title(void)

/* The arguments behind the condition are a format and its values, or nothing. */
static inline void shim_fail(bool leave, const char *file, int line, const char *condition, ...)
{
    va_list arguments;
    va_start(arguments, condition);
    const char *format = va_arg(arguments, const char *);
    fprintf(stderr, "[----] %s:%d: Assertion failed: ", file, line);
    if (format != NULL)
        vfprintf(stderr, format, arguments);
    else
        fprintf(stderr, "not true: %s", condition);
    fprintf(stderr, "\n");
    va_end(arguments);
    shim_failed = true;
    if (leave)
        longjmp(shim_leave, 1);
}

#define SHIM_CHECK(leave, condition, ...)                                                          \
    ((condition) ? (void)0 : shim_fail(leave, __FILE__, __LINE__, #condition, __VA_ARGS__))
#define cr_assert(...) SHIM_CHECK(true, __VA_ARGS__, (const char *)NULL)
#define cr_expect(...) SHIM_CHECK(false, __VA_ARGS__, (const char *)NULL)

static bool shim_run(const struct shim_test *test)
{
    shim_failed = false;
    if (setjmp(shim_leave) == 0) {
        if (test->init != NULL)
            test->init();
        test->body();
    }
    if (setjmp(shim_leave) == 0 && test->fini != NULL)
        test->fini();
    if (shim_failed)
        fprintf(stderr, "[FAIL] %s::%s\n", test->suite, test->name);
    return !shim_failed;
}

int main(void)
{
    size_t tested = 0, failing = 0;
    for (const struct shim_test *test = shim_tests; test != NULL; test = test->next) {
        tested++;
        failing += !shim_run(test);
    }
    fprintf(stderr, "[====] Synthesis: Tested: %zu | Passing: %zu | Failing: %zu | Crashing: 0\n",
            tested, tested - failing, failing);
    return failing > 0;
}

#endif
