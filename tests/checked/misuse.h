/* SPDX-License-Identifier: MIT */
/*
 * misuse.h - tests of what a checked build stops: a scene runs in a child, which must abort with
 * one line that has the sentence, and names the scene as the place of the call.
 *
 * A scene is a function of the program's dynamic symbols (linked with -rdynamic), for dladdr.
 */
#ifndef TESTS_CHECKED_MISUSE_H
#define TESTS_CHECKED_MISUSE_H

#include "../support/child.h"

#define SCENE(name)                                                                                \
    void name(void);                                                                               \
    __attribute__((noinline)) void name(void)

/* For an allocator of which only what it does besides matters. */
static inline void *misuse_alloc(size_t size, size_t alignment)
{
    return aligned_alloc(alignment, (size + alignment - 1) / alignment * alignment);
}

static inline void misuse_dealloc(void *context, void *memory, size_t size, size_t alignment)
{
    (void)context;
    (void)size;
    (void)alignment;
    free(memory);
}

static inline bool is_one_line(const char *text)
{
    const char *end = strchr(text, '\n');
    return end != NULL && end[1] == '\0';
}

/* The scene stops with a line that begins with the pool's name and has both sentences in it. */
static inline void misuse_check(void (*scene)(void), const char *pool, const char *sentence,
                                const char *place)
{
    int status;
    const char *text = test_output(scene, &status);
    char begin[64];
    snprintf(begin, sizeof begin, "veryfast: %s 0x", pool);
    cr_assert(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT, "not stopped; it says: %s", text);
    cr_assert(is_one_line(text), "more or less than a line: %s", text);
    cr_assert(strncmp(text, begin, strlen(begin)) == 0, "no %s in: %s", begin, text);
    cr_assert(strstr(text, sentence) != NULL, "no \"%s\" in: %s", sentence, text);
    cr_assert(strstr(text, place) != NULL, "no \"%s\" in: %s", place, text);
}
#define check_stops(scene, pool, sentence) misuse_check(scene, pool, sentence, " at " #scene "+0x")

/* The scene does not stop; what it says. */
static inline const char *check_passes(void (*scene)(void))
{
    int status;
    const char *text = test_output(scene, &status);
    cr_assert(WIFEXITED(status) && WEXITSTATUS(status) == 0, "stopped; it says: %s", text);
    return text;
}

#endif
