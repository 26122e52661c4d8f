/*
 * checked_symbol.c - the source lines of places, for a report or a list of leaks: from a
 * sanitizer's runtime, where the program has one, and what that does not know from addr2line or
 * llvm-symbolizer, whichever PATH leads to.
 *
 * Those are other programs, and must not make it worse: they have a time in which to answer, are
 * ended if they do not, and not asked again. What they say is taken if it looks like lines. They
 * are the program's children for as long as that takes, as with system(). A program that is more
 * privileged than its user asks nobody, nor does one without PATH.
 */
#define _GNU_SOURCE /* dl_iterate_phdr, pipe2, secure_getenv */

#include <errno.h>
#include <fcntl.h>
#include <link.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "cancel.h"
#include "checked.h"

#define PATIENCE 2000 /* milliseconds */
#define AT_ONCE  16   /* places in one question */
#define OPTIONS  6    /* arguments before them, at most */
#define HEX_SIZE 20

extern void __sanitizer_symbolize_pc(void *pc, const char *format, char *out, size_t size)
    __attribute__((weak));

/* The executable or shared library that a place is in. */
typedef struct module {
    uintptr_t place;
    uintptr_t bias; /* what its addresses are above those in its file */
    char file[512];
} module;

static bool given_up; /* atomic: there was no answer in time, once */

/* ---- modules ---- */

static int look_at_module(struct dl_phdr_info *info, size_t size, void *context)
{
    module *found = context;
    (void)size;
    for (size_t i = 0; i < info->dlpi_phnum; i++) {
        const ElfW(Phdr) *part = &info->dlpi_phdr[i];
        uintptr_t begin = (uintptr_t)info->dlpi_addr + part->p_vaddr;
        if (part->p_type != PT_LOAD || found->place - begin >= part->p_memsz)
            continue;
        found->bias = info->dlpi_addr;
        snprintf(found->file, sizeof found->file, "%s", info->dlpi_name);
        return 1;
    }
    return 0;
}

static bool find_module(const void *place, module *found)
{
    *found = (module){.place = (uintptr_t)place};
    if (dl_iterate_phdr(look_at_module, found) == 0)
        return false;
    if (found->file[0] != '\0')
        return true;
    /* the executable: one that has been deleted has another name there, and is not found */
    ssize_t length = readlink("/proc/self/exe", found->file, sizeof found->file - 1);
    return length > 0;
}

/* ---- another program ---- */

static int64_t now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (int64_t)time.tv_sec * 1000 + time.tv_nsec / 1000000;
}

/* What it writes to its standard output is to be read from *from. -1: it could not be started. */
static pid_t start(char *const arguments[], char *path, const sigset_t *mask, int *from)
{
    int ends[2];
    pid_t child = -1;
    /* getenv points into the variable, whose name is before it */
    char *environment[] = {path - strlen("PATH="), (char[]){"LC_ALL=C"}, NULL};
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    if (pipe2(ends, O_CLOEXEC) != 0)
        return -1;
    posix_spawn_file_actions_init(&actions);
    posix_spawnattr_init(&attributes);
    if (posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO) != 0 ||
        posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0) != 0 ||
        posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0) != 0 ||
        posix_spawnattr_setsigmask(&attributes, mask) != 0 ||
        posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK) != 0 ||
        posix_spawnp(&child, arguments[0], &actions, &attributes, arguments, environment) != 0)
        child = -1;
    posix_spawnattr_destroy(&attributes);
    posix_spawn_file_actions_destroy(&actions);
    close(ends[1]);
    *from = ends[0];
    if (child < 0)
        close(ends[0]);
    return child;
}

/* Reads to the end, as far as there is room and time. */
static void listen_to(int from, int64_t deadline, char *answer, size_t size)
{
    size_t length = 0;
    while (length < size - 1) {
        struct pollfd end = {.fd = from, .events = POLLIN};
        int64_t left = deadline - now();
        int ready = left > 0 ? poll(&end, 1, (int)left) : 0;
        ssize_t n = ready > 0 ? read(from, answer + length, size - 1 - length) : -1;
        if (n > 0)
            length += (size_t)n;
        else if (ready == 0 || n == 0 || errno != EINTR)
            break;
    }
    answer[length] = '\0';
}

/*
 * Waits for its end, which is made sure of. Or somebody else does, who waits for all children of
 * the program. A program that the kernel cannot end is left behind.
 */
static void see_off(pid_t child, int64_t deadline)
{
    for (bool told = false; waitpid(child, NULL, WNOHANG) == 0; poll(NULL, 0, 1)) {
        if (now() < deadline)
            continue;
        if (told)
            return;
        kill(child, SIGKILL);
        vf_store_relaxed(&given_up, true);
        told = true;
        deadline += PATIENCE;
    }
}

/* Runs it. Its answer is cut off after so many bytes; empty: none. */
static void run(char *const arguments[], char *path, char *answer, size_t size)
{
    sigset_t child_ends, before;
    int from;
    int64_t deadline = now() + PATIENCE;
    *answer = '\0';
    sigemptyset(&child_ends);
    sigaddset(&child_ends, SIGCHLD);
    pthread_sigmask(SIG_BLOCK, &child_ends, &before); /* the child is gone when a handler looks */
    pid_t child = start(arguments, path, &before, &from);
    if (child > 0) {
        listen_to(from, deadline, answer, size);
        close(from); /* what has more to say ends now */
        see_off(child, deadline);
    }
    pthread_sigmask(SIG_SETMASK, &before, NULL);
}

/* ---- questions and answers ---- */

/* Takes "file:12", with something behind it or not. A long name is cut to the file's own. */
static void take_line(const char *text, size_t length, vf_source *source)
{
    const char *end = memchr(text, ' ', length);
    if (end == NULL)
        end = text + length;
    const char *number = end;
    while (number > text && number[-1] >= '0' && number[-1] <= '9')
        number--;
    if (number == end || *number == '0' || number - text < 2 || number[-1] != ':')
        return;
    while ((size_t)(end - text) >= sizeof source->line) {
        const char *slash = memchr(text, '/', (size_t)(end - text));
        if (slash == NULL)
            return;
        text = slash + 1;
    }
    snprintf(source->line, sizeof source->line, "%.*s", (int)(end - text), text);
}

/* Whether there was an answer. */
static bool ask(const char *const options[], char *file, char *path, vf_source *const sources[],
                size_t n, uintptr_t bias)
{
    char *arguments[OPTIONS + 1 + AT_ONCE + 1];
    char addresses[AT_ONCE][HEX_SIZE];
    char answer[4096];
    size_t count = 0;
    for (; options[count] != NULL; count++)
        arguments[count] = (char *)(uintptr_t)options[count];
    arguments[count++] = file;
    for (size_t i = 0; i < n; i++) {
        /* the instruction before, which is the call */
        snprintf(addresses[i], HEX_SIZE, "%#zx", (size_t)((uintptr_t)sources[i]->place - 1 - bias));
        arguments[count++] = addresses[i];
    }
    arguments[count] = NULL;
    run(arguments, path, answer, sizeof answer);
    const char *line = answer;
    for (size_t i = 0; i < n; i++) {
        const char *end = strchr(line, '\n');
        if (end == NULL)
            break;
        take_line(line, (size_t)(end - line), sources[i]);
        line = end + 1;
    }
    return *answer != '\0';
}

static void ask_any(module *of, char *path, vf_source *const sources[], size_t n)
{
    static const char *const addr2line[] = {"addr2line", "-e", NULL};
    static const char *const llvm[] = {
        "llvm-symbolizer", "--output-style=GNU", "--functions=none", "--no-inlines", "-e", NULL};
    if (!vf_load_relaxed(&given_up) && !ask(addr2line, of->file, path, sources, n, of->bias) &&
        !vf_load_relaxed(&given_up))
        (void)ask(llvm, of->file, path, sources, n, of->bias);
}

/* Asks for all from the first on that are in its module, as many as go into one question. */
static void find_with_first(vf_source *sources, size_t n, char *path, bool *asked)
{
    module of, other;
    vf_source *together[AT_ONCE];
    size_t count = 0;
    asked[0] = true;
    if (!find_module(sources[0].place, &of))
        return;
    for (size_t i = 0; i < n && count < AT_ONCE; i++) {
        if (i > 0 && asked[i])
            continue;
        if (!find_module(sources[i].place, &other) || strcmp(other.file, of.file) != 0)
            continue;
        asked[i] = true;
        together[count++] = &sources[i];
    }
    ask_any(&of, path, together, count);
}

/* What it does not know has the line 0, in a file and a function called <null> or ??. */
static void find_by_sanitizer(vf_source *sources, size_t n, bool *asked)
{
    for (size_t i = 0; i < n; i++) {
        char *line = sources[i].line;
        __sanitizer_symbolize_pc((void *)(uintptr_t)sources[i].place, "%f %s:%l", line,
                                 sizeof sources[i].line);
        size_t length = strlen(line);
        asked[i] = length > 2 && strcmp(line + length - 2, ":0") != 0 &&
                   strstr(line, "<null>") == NULL && strstr(line, "??") == NULL;
        if (!asked[i])
            line[0] = '\0';
    }
}

void vf_sources_find(vf_source *sources, size_t n)
{
    bool asked[VF_SOURCES_MOST] = {false};
    for (size_t i = 0; i < n; i++)
        sources[i].line[0] = '\0';
    if (__sanitizer_symbolize_pc != NULL)
        find_by_sanitizer(sources, n, asked);
    char *path = secure_getenv("PATH");
    if (path == NULL)
        return;
    int state = vf_cancel_off();
    for (size_t i = 0; i < n; i++) {
        if (!asked[i])
            find_with_first(&sources[i], n - i, path, &asked[i]);
    }
    vf_cancel_as_before(state);
}
