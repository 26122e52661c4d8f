/* SPDX-License-Identifier: MIT */
/*
 * child.h - a scene in a process of its own, which may end there.
 */
#ifndef TESTS_SUPPORT_CHILD_H
#define TESTS_SUPPORT_CHILD_H

#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../test_common.h"

/* Memory with all that a scene wrote to stderr; *status is how it ended. */
static inline char *test_output(void (*scene)(void), int *status)
{
    static char text[1 << 18];
    int ends[2];
    cr_assert(pipe(ends) == 0);
    fflush(NULL);
    pid_t child = fork();
    cr_assert(child >= 0);
    if (child == 0) {
        signal(SIGABRT, SIG_DFL);
        dup2(ends[1], STDERR_FILENO);
        scene();
        _exit(0);
    }
    close(ends[1]);
    size_t length = 0;
    for (ssize_t n; (n = read(ends[0], text + length, sizeof text - 1 - length)) > 0;)
        length += (size_t)n;
    text[length] = '\0';
    close(ends[0]);
    cr_assert(waitpid(child, status, 0) == child);
    return text;
}

#endif
