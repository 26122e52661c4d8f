/* SPDX-License-Identifier: MIT */
/*
 * A logger whose thread sleeps while there is nothing to write.
 *
 *     build/demo/examples/logger [--threads N] [--lines N] [--room N] [--file NAME]
 *
 * Several threads log through one small buffer, which has room for so many lines in each of its two
 * banks. The logger's thread sleeps in S_wait; the first line of each idle period wakes it, and
 * while it writes no line makes a system call. What becomes of the lines when it is too slow is the
 * program's choice. This one makes all three in turn:
 *
 *     drop-newest    a line that is refused is counted, and gone
 *     drop-oldest    a thread that is refused takes the drainer's part, throws away all that is
 *                    waiting, and logs its own line after that
 *     wait-for-room  a thread that is refused sleeps until the logger has made room
 *
 * Prints for each how many lines were written and how many were dropped, how often the logger
 * slept, and that the lines of each thread came in order.
 */
#define _DEFAULT_SOURCE

#include <getopt.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#include "program.h"

struct line {
    uint32_t thread, number;
    char text[24];
};

#define VF_T    struct line
#define VF_N    62 /* a bank is 2 KiB */
#define VF_NAME lines
#define VF_FLIP
#define VF_CACHE_ALIGNED
#include <veryfast/smallbuf.h>

enum policy { DROP_NEWEST, DROP_OLDEST, WAIT_FOR_ROOM, POLICIES };
static const char *const policy_names[] = {"drop-newest", "drop-oldest", "wait-for-room"};

struct logger {
    lines buffer;
    vf_smallbuf_options options;
    enum policy policy;
    size_t lines_each;
    FILE *file;

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

/* ---- threads that log ---- */

/* All that waits is older than the line that finds no room. */
static void drop_oldest(struct logger *logger)
{
    struct line *oldest;
    pthread_mutex_lock(&logger->drainer);
    lines_drain drain = lines_flip(&logger->buffer);
    for (size_t n; (n = lines_drain_span(&drain, &oldest)) > 0;)
        atomic_fetch_add(&logger->dropped, n);
    lines_drain_end(&drain);
    pthread_mutex_unlock(&logger->drainer);
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
        if (lines_push(&logger->buffer, line))
            return;
        if (logger->policy == DROP_NEWEST) {
            atomic_fetch_add(&logger->dropped, 1);
            return;
        }
        if (logger->policy == DROP_OLDEST)
            drop_oldest(logger);
        else
            wait_for_room(logger, drains);
    }
}

static void log_all(void *context)
{
    struct logger *logger = context;
    struct line line = {.thread = atomic_fetch_add(&logger->next_thread, 1)};
    for (; line.number < logger->lines_each; line.number++) {
        snprintf(line.text, sizeof line.text, "line %u", (unsigned)line.number);
        log_line(logger, line);
    }
}

/* ---- the thread that writes ---- */

static void write_line(struct logger *logger, const struct line *line)
{
    fprintf(logger->file, "thread %u: %s\n", (unsigned)line->thread, line->text);
    logger->in_order &= line->number >= logger->next[line->thread];
    logger->next[line->thread] = line->number + 1;
    logger->written++;
}

/* Writes what is there; false: there was nothing. */
static bool write_some(struct logger *logger)
{
    size_t before = logger->written;
    struct line *some;
    pthread_mutex_lock(&logger->drainer);
    lines_drain drain = lines_flip(&logger->buffer);
    pthread_mutex_lock(&logger->lock);
    atomic_fetch_add(&logger->drains, 1);
    pthread_cond_broadcast(&logger->room); /* pushes go to the other bank */
    pthread_mutex_unlock(&logger->lock);
    for (size_t n; (n = lines_drain_span(&drain, &some)) > 0;) {
        for (size_t i = 0; i < n; i++)
            write_line(logger, &some[i]);
    }
    lines_drain_end(&drain);
    pthread_mutex_unlock(&logger->drainer);
    return logger->written > before;
}

static void *write_all(void *context)
{
    struct logger *logger = context;
    for (;;) {
        bool stop = atomic_load(&logger->stop); /* looked at before the lines that came before it */
        bool some = write_some(logger);
        if (stop && !some)
            return NULL;
        if (stop || some)
            continue;
        logger->sleeps++;
        lines_wait(&logger->buffer, -1); /* until a line comes, or the end */
    }
}

/* ---- the program ---- */

struct settings {
    size_t threads, lines, room;
    const char *file;
};

static bool parse(int count, char **arguments, struct settings *settings)
{
    static const struct option options[] = {{"threads", required_argument, NULL, 't'},
                                            {"lines", required_argument, NULL, 'l'},
                                            {"room", required_argument, NULL, 'r'},
                                            {"file", required_argument, NULL, 'f'},
                                            {NULL, 0, NULL, 0}};
    bool good = true;
    for (int option; (option = getopt_long(count, arguments, "", options, NULL)) != -1;) {
        if (option == 't')
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
        fprintf(stderr, "usage: logger [--threads N] [--lines N] [--room N] [--file NAME]\n");
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
    size_t threads = run_threads(settings->threads, log_all, logger, NULL);
    atomic_store(&logger->stop, true);
    lines_wake(&logger->buffer);
    pthread_join(writer, NULL);
    return report(logger, threads * settings->lines);
}

int main(int count, char **arguments)
{
    static struct logger logger = {.drainer = PTHREAD_MUTEX_INITIALIZER,
                                   .lock = PTHREAD_MUTEX_INITIALIZER,
                                   .room = PTHREAD_COND_INITIALIZER};
    struct settings settings = {4, 100000, 1000, "/dev/null"};
    if (!parse(count, arguments, &settings))
        return 2;
    double start = seconds();
    logger.file = fopen(settings.file, "w");
    if (logger.file == NULL) {
        perror(settings.file);
        return 1;
    }
    logger.options = (vf_smallbuf_options){.max_elements = settings.room};
    logger.lines_each = settings.lines;
    lines_init(&logger.buffer, &logger.options);
    bool good = true;
    for (logger.policy = DROP_NEWEST; good && logger.policy < POLICIES; logger.policy++)
        good = run(&logger, &settings);
    lines_destroy(&logger.buffer);
    good = fclose(logger.file) == 0 && good;
    print_end(seconds() - start);
    return good && !fflush(stdout) && !ferror(stdout) ? 0 : 1;
}
