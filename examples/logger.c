/* SPDX-License-Identifier: MIT */
/*
 * A logger whose thread sleeps while there is nothing to write.
 *
 *     build/demo/examples/logger [--mutex] [--threads N] [--lines N] [--room N] [--file NAME]
 *
 * Several threads log through one small buffer, which has room for so many lines in each of its two
 * banks, and keeps what they push off one another's cache lines (VF_LANES). The logger's thread
 * sleeps in S_wait; the first line of each idle period wakes it, and while it writes no line makes
 * a system call. What becomes of the lines when it is too slow is the program's choice. This one
 * makes all three in turn:
 *
 *     drop-newest    a line that is refused is counted, and gone
 *     drop-oldest    a thread that is refused takes the drainer's part, throws away all that is
 *                    waiting, and logs its own line after that
 *     wait-for-room  a thread that is refused sleeps until the logger has made room
 *
 * Prints for each how many lines were written and how many were dropped, how often the logger
 * slept, and that the lines of each thread came in order; and the time that threads took to log.
 * With --mutex there are two arrays under a mutex instead of the small buffer, and a condition
 * variable to sleep on, for comparison.
 */
#define _DEFAULT_SOURCE

#include <getopt.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#include "program.h"

struct line {
    uint32_t thread, number;
    const char *text; /* is put together with the numbers when it is written */
};

#define VF_T    struct line
#define VF_N    62 /* a bank is 2 KiB */
#define VF_NAME lines
#define VF_FLIP
#define VF_LANES
#define VF_CACHE_ALIGNED
#include <veryfast/smallbuf.h>

enum policy { DROP_NEWEST, DROP_OLDEST, WAIT_FOR_ROOM, POLICIES };
static const char *const policy_names[] = {"drop-newest", "drop-oldest", "wait-for-room"};

/* For comparison: one array is filled while the other one is written. */
struct locked {
    pthread_mutex_t mutex;
    pthread_cond_t some; /* there are lines, or the logger is woken */
    struct line *arrays[2];
    int filled; /* which one is */
    size_t count, room;
    bool woken;
};

struct logger {
    bool use_mutex;
    struct locked locked;
    lines buffer;
    vf_smallbuf_options options;
    enum policy policy;
    size_t lines_each;
    FILE *file;
    double time; /* that threads took to log */

    pthread_mutex_t drainer; /* there is one at a time */
    pthread_mutex_t lock;
    pthread_cond_t room;   /* signalled behind each drain */
    atomic_size_t drains;  /* how many there were */
    atomic_size_t dropped; /* lines */
    atomic_uint next_thread;
    atomic_bool stop;

    /* the logger's thread */
    size_t written, sleeps;
    bool in_order;
    uint32_t next[MOST_THREADS]; /* the least number that a line of that thread may have */
};

/* ---- lines that wait ---- */

static bool push_locked(struct locked *locked, struct line line)
{
    pthread_mutex_lock(&locked->mutex);
    bool fits = locked->count < locked->room;
    if (fits) {
        locked->arrays[locked->filled][locked->count++] = line;
        if (locked->count == 1)
            pthread_cond_signal(&locked->some);
    }
    pthread_mutex_unlock(&locked->mutex);
    return fits;
}

/* False: there is no room for it. */
static bool push(struct logger *logger, struct line line)
{
    return logger->use_mutex ? push_locked(&logger->locked, line)
                             : lines_push(&logger->buffer, line);
}

/* From here on there is room. */
static void announce_room(struct logger *logger)
{
    pthread_mutex_lock(&logger->lock);
    atomic_fetch_add(&logger->drains, 1);
    pthread_cond_broadcast(&logger->room);
    pthread_mutex_unlock(&logger->lock);
}

typedef void lines_visitor(struct logger *logger, const struct line *some, size_t n);

static void take_locked(struct logger *logger, lines_visitor *visit)
{
    struct locked *locked = &logger->locked;
    pthread_mutex_lock(&locked->mutex);
    const struct line *taken = locked->arrays[locked->filled];
    size_t n = locked->count;
    locked->count = 0;
    locked->filled = 1 - locked->filled;
    pthread_mutex_unlock(&locked->mutex);
    announce_room(logger);
    visit(logger, taken, n);
}

/* Takes all lines out. */
static void take(struct logger *logger, lines_visitor *visit)
{
    pthread_mutex_lock(&logger->drainer);
    if (logger->use_mutex) {
        take_locked(logger, visit);
    } else {
        lines_drain drain = lines_flip(&logger->buffer);
        announce_room(logger); /* pushes go to the other bank */
        struct line *some;
        for (size_t n; (n = lines_drain_span(&drain, &some)) > 0;)
            visit(logger, some, n);
        lines_drain_end(&drain);
    }
    pthread_mutex_unlock(&logger->drainer);
}

/* Sleeps until there are lines, or the logger is woken. */
static void sleep_until_some(struct logger *logger)
{
    struct locked *locked = &logger->locked;
    if (!logger->use_mutex) {
        lines_wait(&logger->buffer, -1);
        return;
    }
    pthread_mutex_lock(&locked->mutex);
    while (locked->count == 0 && !locked->woken)
        pthread_cond_wait(&locked->some, &locked->mutex);
    locked->woken = false;
    pthread_mutex_unlock(&locked->mutex);
}

static void wake(struct logger *logger)
{
    if (!logger->use_mutex) {
        lines_wake(&logger->buffer);
        return;
    }
    pthread_mutex_lock(&logger->locked.mutex);
    logger->locked.woken = true;
    pthread_cond_signal(&logger->locked.some);
    pthread_mutex_unlock(&logger->locked.mutex);
}

/* ---- threads that log ---- */

/* All that waits is older than the line that finds no room. */
static void drop_lines(struct logger *logger, const struct line *oldest, size_t n)
{
    (void)oldest;
    atomic_fetch_add(&logger->dropped, n);
}

/* Until a drain that has begun after the line was refused, or is at work now. */
static void wait_for_room(struct logger *logger, size_t drains)
{
    pthread_mutex_lock(&logger->lock);
    while (atomic_load(&logger->drains) == drains)
        pthread_cond_wait(&logger->room, &logger->lock);
    pthread_mutex_unlock(&logger->lock);
}

static void log_line(struct logger *logger, struct line line)
{
    for (;;) {
        size_t drains = atomic_load(&logger->drains);
        if (push(logger, line))
            return;
        if (logger->policy == DROP_NEWEST) {
            atomic_fetch_add(&logger->dropped, 1);
            return;
        }
        if (logger->policy == DROP_OLDEST)
            take(logger, drop_lines);
        else
            wait_for_room(logger, drains);
    }
}

static void log_all(void *context)
{
    struct logger *logger = context;
    struct line line = {.thread = atomic_fetch_add(&logger->next_thread, 1)};
    for (; line.number < logger->lines_each; line.number++) {
        line.text = "line";
        log_line(logger, line);
    }
}

/* ---- the thread that writes ---- */

static void write_line(struct logger *logger, const struct line *line)
{
    fprintf(logger->file, "thread %u: %s %u\n", (unsigned)line->thread, line->text,
            (unsigned)line->number);
    logger->in_order &= line->number >= logger->next[line->thread];
    logger->next[line->thread] = line->number + 1;
    logger->written++;
}

static void write_lines(struct logger *logger, const struct line *some, size_t n)
{
    for (size_t i = 0; i < n; i++)
        write_line(logger, &some[i]);
}

/* Writes what is there; false: there was nothing. */
static bool write_some(struct logger *logger)
{
    size_t before = logger->written;
    take(logger, write_lines);
    return logger->written > before;
}

static void *write_all(void *context)
{
    struct logger *logger = context;
    for (;;) {
        bool stop = atomic_load(&logger->stop); /* first: lines before it are taken */
        bool some = write_some(logger);
        if (stop && !some)
            return NULL;
        if (stop || some)
            continue;
        logger->sleeps++;
        sleep_until_some(logger);
    }
}

/* ---- the program ---- */

struct settings {
    bool use_mutex;
    size_t threads, lines, room;
    const char *file;
};

static bool parse(int count, char **arguments, struct settings *settings)
{
    static const struct option options[] = {
        {"mutex", no_argument, NULL, 'm'},       {"threads", required_argument, NULL, 't'},
        {"lines", required_argument, NULL, 'l'}, {"room", required_argument, NULL, 'r'},
        {"file", required_argument, NULL, 'f'},  {NULL, 0, NULL, 0}};
    bool good = true;
    for (int option; (option = getopt_long(count, arguments, "", options, NULL)) != -1;) {
        if (option == 'm')
            settings->use_mutex = true;
        else if (option == 't')
            good &= parse_number(optarg, 1, MOST_THREADS, &settings->threads);
        else if (option == 'l')
            good &= parse_number(optarg, 1, UINT32_MAX, &settings->lines);
        else if (option == 'r')
            good &= parse_number(optarg, 1, SIZE_MAX, &settings->room);
        else if (option == 'f')
            settings->file = optarg;
        else
            good = false;
    }
    if (!good || optind != count)
        fprintf(stderr, "usage: logger [--mutex] [--threads N] [--lines N] [--room N] "
                        "[--file NAME]\n");
    return good && optind == count;
}

/* Of all lines so many were logged; false: they do not add up. */
static bool report(const struct logger *logger, size_t all)
{
    printf("%s: %zu lines written, %zu dropped, %s; the logger slept %zu times\n",
           policy_names[logger->policy], logger->written, (size_t)logger->dropped,
           logger->in_order ? "in order" : "OUT OF ORDER", logger->sleeps);
    return logger->in_order && logger->written + logger->dropped == all;
}

/* False: it cannot be, or lines are lost. */
static bool run(struct logger *logger, const struct settings *settings)
{
    pthread_t writer;
    memset(logger->next, 0, sizeof logger->next);
    logger->written = logger->sleeps = 0;
    logger->in_order = true;
    atomic_store(&logger->dropped, 0);
    atomic_store(&logger->next_thread, 0);
    atomic_store(&logger->stop, false);
    if (pthread_create(&writer, NULL, write_all, logger) != 0)
        return false;
    double begin = seconds();
    size_t threads = run_threads(settings->threads, log_all, logger, NULL);
    logger->time += seconds() - begin;
    atomic_store(&logger->stop, true);
    wake(logger);
    pthread_join(writer, NULL);
    return report(logger, threads * settings->lines);
}

/* Room for so many lines in each bank, or array; false: out of memory. */
static bool make(struct logger *logger, const struct settings *settings)
{
    logger->use_mutex = settings->use_mutex;
    logger->lines_each = settings->lines;
    logger->options = (vf_smallbuf_options){.max_elements = settings->room};
    lines_init(&logger->buffer, &logger->options);
    logger->locked.room = settings->room;
    if (!settings->use_mutex)
        return true;
    for (int i = 0; i < 2; i++)
        logger->locked.arrays[i] = calloc(settings->room, sizeof *logger->locked.arrays[i]);
    return logger->locked.arrays[0] != NULL && logger->locked.arrays[1] != NULL;
}

static void drop(struct logger *logger)
{
    lines_destroy(&logger->buffer);
    free(logger->locked.arrays[0]);
    free(logger->locked.arrays[1]);
}

int main(int count, char **arguments)
{
    static struct logger logger = {
        .drainer = PTHREAD_MUTEX_INITIALIZER,
        .lock = PTHREAD_MUTEX_INITIALIZER,
        .room = PTHREAD_COND_INITIALIZER,
        .locked = {.mutex = PTHREAD_MUTEX_INITIALIZER, .some = PTHREAD_COND_INITIALIZER}};
    struct settings settings = {false, 4, 100000, 1000, "/dev/null"};
    if (!parse(count, arguments, &settings))
        return 2;
    logger.file = fopen(settings.file, "w");
    if (logger.file == NULL || !make(&logger, &settings)) {
        perror(settings.file);
        return 1;
    }
    bool good = true;
    for (logger.policy = DROP_NEWEST; good && logger.policy < POLICIES; logger.policy++)
        good = run(&logger, &settings);
    drop(&logger);
    good = fclose(logger.file) == 0 && good;
    print_end(logger.time);
    return good && !fflush(stdout) && !ferror(stdout) ? 0 : 1;
}
