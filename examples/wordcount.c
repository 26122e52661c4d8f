/* SPDX-License-Identifier: MIT */
/*
 * Counts the words in every file below a directory.
 *
 *     build/demo/examples/wordcount [--malloc] [--threads N] [--top N] DIRECTORY
 *
 * Prints the N most frequent words (20), each with how often it occurs and in how many files; then
 * totals, what the pool holds and the time taken. A word is a run of letters A to Z, in lower case,
 * so that the counts are those of
 *
 *     LC_ALL=C tr -cs 'A-Za-z' '\n' | tr 'A-Z' 'a-z' | grep . | sort | uniq -c | sort -rn
 *
 * What it shows: one pool shared by all threads. Each thread counts a file at a time into a table
 * of that file's words, whose nodes it takes from the pool. Finished tables are merged into one:
 * nodes of new words move there, the others go back to the pool, from whichever thread is merging.
 * With --malloc the nodes come from malloc instead, for comparison.
 *
 * What cannot be read is reported and skipped, and the exit status is then 1. Symbolic links are
 * not followed. Memory does not depend on the size of the files, only on the words in them.
 */
#define _GNU_SOURCE /* nftw */

#include <fcntl.h>
#include <ftw.h>
#include <getopt.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "program.h"

enum {
    TEXT_INSIDE = 32,      /* letters that a node has room for */
    FIRST_BUCKETS = 256,   /* of a table; a power of two */
    READ_SIZE = 64 * 1024, /* bytes read at a time */
    MOST_WAITING = 64,     /* tables that wait to be merged */
    OPEN_FOLDERS = 64      /* while the tree is walked */
};

/* ---- words: the nodes of the tables ---- */

struct word {
    struct word *next; /* in the same bucket */
    uint64_t count;
    size_t length;
    uint32_t hash;
    uint32_t files; /* in how many it occurs */
    union {
        char inside[TEXT_INSIDE];
        char *outside; /* from malloc: the few words that are longer */
    } text;
};

static void word_drop(struct word *word)
{
    if (word->length > TEXT_INSIDE)
        free(word->text.outside);
}

#define VF_T       struct word
#define VF_N       4096
#define VF_DROP(w) word_drop(w)
#include <veryfast/pool.h>

/* A new word that occurs once in one file, or NULL. Without a pool its memory is malloc's. */
static struct word *word_new(pool_word_4096 *pool, const char *text, size_t length, uint32_t hash)
{
    char *outside = NULL;
    if (length > TEXT_INSIDE && !(outside = malloc(length)))
        return NULL;
    struct word *word = pool ? pool_word_4096_alloc(pool) : malloc(sizeof *word);
    if (!word) {
        free(outside);
        return NULL;
    }
    word->next = NULL;
    word->count = 1;
    word->length = length;
    word->hash = hash;
    word->files = 1;
    if (outside)
        word->text.outside = outside;
    memcpy(outside ? outside : word->text.inside, text, length);
    return word;
}

static void word_free(pool_word_4096 *pool, struct word *word)
{
    if (pool) {
        pool_word_4096_free(pool, word);
    } else {
        word_drop(word);
        free(word);
    }
}

static const char *word_text(const struct word *word)
{
    return word->length > TEXT_INSIDE ? word->text.outside : word->text.inside;
}

/* ---- tables of words, each used by one thread at a time ---- */

struct table {
    struct word **buckets;
    size_t mask;        /* the number of buckets, a power of two, less one */
    size_t size;        /* different words */
    uint64_t words;     /* all words */
    uint64_t bytes;     /* that they were read from */
    uint64_t made;      /* nodes, here and in the tables merged into this one */
    size_t files;       /* that they were read from */
    struct table *next; /* of those that wait to be merged */
};

static struct table *table_new(void)
{
    struct table *table = calloc(1, sizeof *table);
    if (!table)
        return NULL;
    table->buckets = calloc(FIRST_BUCKETS, sizeof(struct word *));
    table->mask = FIRST_BUCKETS - 1;
    if (!table->buckets) {
        free(table);
        return NULL;
    }
    return table;
}

/* Takes any one word out of bucket `at`; NULL when it is empty. */
static struct word *table_pop(struct table *table, size_t at)
{
    struct word *word = table->buckets[at];
    if (word)
        table->buckets[at] = word->next;
    return word;
}

static void table_free(struct table *table, pool_word_4096 *pool)
{
    if (!table)
        return;
    for (size_t at = 0; at <= table->mask; at++) {
        for (struct word *word; (word = table_pop(table, at));)
            word_free(pool, word);
    }
    free(table->buckets);
    free(table);
}

/* Where the pointer to this word is, or, if that points to nothing, where it belongs. */
static struct word **table_find(struct table *table, const char *text, size_t length, uint32_t hash)
{
    struct word **link = &table->buckets[hash & table->mask];
    for (struct word *word; (word = *link); link = &word->next) {
        if (word->hash == hash && word->length == length && !memcmp(word_text(word), text, length))
            break;
    }
    return link;
}

/* Doubles the buckets. Without memory for it the table goes on as it is, only slower. */
static void table_grow(struct table *table)
{
    size_t mask = 2 * table->mask + 1;
    struct word **buckets = calloc(mask + 1, sizeof *buckets);
    if (!buckets)
        return;
    for (size_t at = 0; at <= table->mask; at++) {
        for (struct word *word; (word = table_pop(table, at));) {
            word->next = buckets[word->hash & mask];
            buckets[word->hash & mask] = word;
        }
    }
    free(table->buckets);
    table->buckets = buckets;
    table->mask = mask;
}

/* Puts a word where table_find found nothing. */
static void table_put(struct table *table, struct word **link, struct word *word)
{
    word->next = NULL;
    *link = word;
    if (++table->size > table->mask)
        table_grow(table);
}

/* Counts one occurrence of a word; false when out of memory. */
static bool table_count(struct table *table, pool_word_4096 *pool, const char *text, size_t length,
                        uint32_t hash)
{
    struct word **link = table_find(table, text, length, hash);
    if (*link) {
        (*link)->count++;
    } else {
        struct word *word = word_new(pool, text, length, hash);
        if (!word)
            return false;
        table_put(table, link, word);
        table->made++;
    }
    table->words++;
    return true;
}

/* Adds one table to another and frees it. Needs no memory: new words change tables as they are. */
static void table_merge(struct table *into, struct table *from, pool_word_4096 *pool)
{
    for (size_t at = 0; at <= from->mask; at++) {
        for (struct word *word; (word = table_pop(from, at));) {
            struct word **link = table_find(into, word_text(word), word->length, word->hash);
            if (*link) {
                (*link)->count += word->count;
                (*link)->files += word->files;
                word_free(pool, word);
            } else {
                table_put(into, link, word);
            }
        }
    }
    into->words += from->words;
    into->bytes += from->bytes;
    into->made += from->made;
    into->files += from->files;
    table_free(from, pool);
}

/* ---- the work, shared by all threads ---- */

struct work {
    pool_word_4096 *pool; /* NULL: malloc */
    char **paths;
    size_t path_count;
    atomic_size_t next_path;
    atomic_size_t skipped;
    atomic_bool out_of_memory;

    pthread_mutex_t lock;
    pthread_cond_t merged;
    struct table *waiting; /* to be merged into total; never any unless somebody is merging */
    size_t waiting_count;
    bool merging;
    struct table *total; /* belongs to the thread that is merging */
};

/*
 * Hands over the table of one file. A thread that finds no other merging does it, for the others
 * too, until no table waits; the others go back to their files at once, unless they are far ahead.
 */
static void work_submit(struct work *work, struct table *table)
{
    pthread_mutex_lock(&work->lock);
    while (work->waiting_count == MOST_WAITING)
        pthread_cond_wait(&work->merged, &work->lock);
    table->next = work->waiting;
    work->waiting = table;
    work->waiting_count++;
    if (!work->merging) {
        work->merging = true;
        while ((table = work->waiting)) {
            work->waiting = table->next;
            work->waiting_count--;
            pthread_cond_signal(&work->merged);
            pthread_mutex_unlock(&work->lock);
            table_merge(work->total, table, work->pool);
            pthread_mutex_lock(&work->lock);
        }
        work->merging = false;
    }
    pthread_mutex_unlock(&work->lock);
}

/* ---- reading ---- */

struct reader {
    pool_word_4096 *pool;
    char *buffer;
    size_t capacity;
    size_t kept; /* letters at the front of the buffer: a word that may go on in the next block */
};

/* The letter in lower case, or 0 if it is none. In ASCII only one bit tells the cases apart. */
static unsigned char fold(char byte)
{
    unsigned char lower = (unsigned char)(byte | 0x20);
    return lower >= 'a' && lower <= 'z' ? lower : 0;
}

/* Counts the words that end within the first `size` bytes of the buffer, keeps an open one. */
static bool count_block(struct reader *reader, size_t size, struct table *table)
{
    const uint32_t basis = 2166136261, prime = 16777619; /* of the hash function FNV-1a */
    char *buffer = reader->buffer;
    size_t start = 0;
    uint32_t hash = basis;
    for (size_t i = 0; i < size; i++) {
        unsigned char letter = fold(buffer[i]);
        if (letter) {
            buffer[i] = (char)letter;
            hash = (hash ^ letter) * prime;
            continue;
        }
        if (i > start && !table_count(table, reader->pool, buffer + start, i - start, hash))
            return false;
        start = i + 1;
        hash = basis;
    }
    reader->kept = size - start;
    memmove(buffer, buffer + start, reader->kept);
    return true;
}

/* Makes room to read at least one byte more: only a word as long as the buffer needs any. */
static bool make_room(struct reader *reader)
{
    if (reader->kept < reader->capacity)
        return true;
    char *buffer = realloc(reader->buffer, 2 * reader->capacity);
    if (!buffer)
        return false;
    reader->buffer = buffer;
    reader->capacity *= 2;
    return true;
}

/* Counts the words of an open file; 0 or an error number. */
static int count_words(struct reader *reader, int file, struct table *table)
{
    reader->kept = 0;
    for (;;) {
        if (!make_room(reader))
            return ENOMEM;
        ssize_t got = read(file, reader->buffer + reader->kept, reader->capacity - reader->kept);
        if (got < 0)
            return errno;
        size_t size = reader->kept + (size_t)got;
        if (got == 0)
            reader->buffer[size++] = '\n'; /* ends the last word; there is room, see above */
        if (!count_block(reader, size, table))
            return ENOMEM;
        if (got == 0)
            return 0;
        table->bytes += (uint64_t)got;
    }
}

/* The same for a path. A file that turned into a pipe since the tree was walked must not block. */
static int count_file(struct reader *reader, const char *path, struct table *table)
{
    int file = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    if (file < 0)
        return errno;
    int error = count_words(reader, file, table);
    close(file);
    table->files = 1;
    return error;
}

static void complain(const char *about, int error)
{
    fprintf(stderr, "wordcount: %s: %s\n", about, strerror(error));
}

/* Reads one file and hands its words over; a file that fails half way does not count at all. */
static void work_do(struct work *work, struct reader *reader, const char *path)
{
    struct table *table = table_new();
    int error = table ? count_file(reader, path, table) : ENOMEM;
    if (!error) {
        work_submit(work, table);
        return;
    }
    table_free(table, work->pool);
    if (error == ENOMEM) {
        atomic_store(&work->out_of_memory, true);
    } else {
        complain(path, error);
        atomic_fetch_add(&work->skipped, 1);
    }
}

static void work_run(void *context)
{
    struct work *work = context;
    struct reader reader = {.pool = work->pool, .buffer = malloc(READ_SIZE), .capacity = READ_SIZE};
    if (!reader.buffer)
        atomic_store(&work->out_of_memory, true);
    while (!atomic_load(&work->out_of_memory)) {
        size_t next = atomic_fetch_add(&work->next_path, 1);
        if (next >= work->path_count)
            break;
        work_do(work, &reader, work->paths[next]);
    }
    free(reader.buffer);
}

/* ---- finding the files ---- */

/* What nftw() found: it hands no context to its callback. */
static struct {
    char **paths;
    size_t count, capacity, skipped;
} found;

static bool found_add(const char *path)
{
    if (found.count == found.capacity) {
        size_t capacity = found.capacity ? 2 * found.capacity : 1024;
        char **paths = realloc(found.paths, capacity * sizeof *paths);
        if (!paths)
            return false;
        found.paths = paths;
        found.capacity = capacity;
    }
    if (!(found.paths[found.count] = strdup(path)))
        return false;
    found.count++;
    return true;
}

static int found_visit(const char *path, const struct stat *status, int kind, struct FTW *place)
{
    (void)place;
    if (kind == FTW_DNR || kind == FTW_NS) {
        fprintf(stderr, "wordcount: %s: cannot be read\n", path);
        found.skipped++;
    } else if (kind == FTW_F && S_ISREG(status->st_mode) && !found_add(path)) {
        return ENOMEM;
    }
    return 0;
}

/* Lists the files below a directory. The root may be a symbolic link, nothing below it. */
static bool find_files(const char *root)
{
    char *real = realpath(root, NULL);
    int error = real ? nftw(real, found_visit, OPEN_FOLDERS, FTW_PHYS) : -1;
    if (error < 0)
        error = errno;
    free(real);
    if (error)
        complain(root, error);
    return !error;
}

static void found_free(void)
{
    for (size_t i = 0; i < found.count; i++)
        free(found.paths[i]);
    free(found.paths);
}

/* ---- printing ---- */

/* Most frequent first, then by the alphabet. */
static int compare_words(const void *left, const void *right)
{
    const struct word *a = *(struct word *const *)left, *b = *(struct word *const *)right;
    if (a->count != b->count)
        return a->count < b->count ? 1 : -1;
    size_t shorter = a->length < b->length ? a->length : b->length;
    int order = memcmp(word_text(a), word_text(b), shorter);
    return order ? order : (a->length > b->length) - (a->length < b->length);
}

static bool print_top(const struct table *table, size_t top)
{
    struct word **words = malloc((table->size + 1) * sizeof *words); /* never 0 bytes */
    if (!words)
        return false;
    size_t count = 0;
    for (size_t at = 0; at <= table->mask; at++) {
        for (struct word *word = table->buckets[at]; word; word = word->next)
            words[count++] = word;
    }
    qsort(words, count, sizeof *words, compare_words);
    printf("     count    files  word\n");
    for (size_t i = 0; i < count && i < top; i++) {
        printf("%10" PRIu64 " %8" PRIu32 "  ", words[i]->count, words[i]->files);
        fwrite(word_text(words[i]), 1, words[i]->length, stdout);
        putchar('\n');
    }
    free(words);
    return true;
}

static void print_totals(const struct work *work, size_t threads)
{
    const struct table *total = work->total;
    printf("%" PRIu64 " words, %zu different, in %zu files of %" PRIu64 " bytes\n", total->words,
           total->size, total->files, total->bytes);
    printf("%" PRIu64 " nodes from %s, %zu threads\n", total->made, work->pool ? "pool" : "malloc",
           threads);
    if (work->pool) {
        vf_pool_stats stats = pool_word_4096_stats(work->pool);
        vf_pool_stats_print(stdout, "words", &stats);
    }
}

/* ---- the program ---- */

struct settings {
    bool use_malloc;
    size_t threads, top;
    const char *root;
};

static bool parse(int count, char **arguments, struct settings *settings)
{
    static const struct option options[] = {{"malloc", no_argument, NULL, 'm'},
                                            {"threads", required_argument, NULL, 't'},
                                            {"top", required_argument, NULL, 'n'},
                                            {NULL, 0, NULL, 0}};
    bool good = true;
    for (int option; (option = getopt_long(count, arguments, "", options, NULL)) != -1;) {
        if (option == 'm')
            settings->use_malloc = true;
        else if (option == 't')
            good &= parse_number(optarg, 1, MOST_THREADS, &settings->threads);
        else if (option == 'n')
            good &= parse_number(optarg, 0, SIZE_MAX, &settings->top);
        else
            good = false;
    }
    if (!good || optind + 1 != count) {
        fprintf(stderr, "usage: wordcount [--malloc] [--threads N] [--top N] DIRECTORY\n");
        return false;
    }
    settings->root = arguments[optind];
    return true;
}

/* Counts and prints; false when out of memory. The files were found already. */
static bool run(const struct settings *settings, struct work *work)
{
    work->pool = settings->use_malloc ? NULL : pool_word_4096_new(NULL);
    work->total = table_new();
    bool good = (work->pool || settings->use_malloc) && work->total;
    if (good) {
        size_t threads = run_threads(settings->threads, work_run, work, NULL);
        good = !work->out_of_memory && print_top(work->total, settings->top);
        if (good)
            print_totals(work, threads);
    }
    table_free(work->total, work->pool);
    pool_word_4096_release(work->pool);
    return good;
}

int main(int count, char **arguments)
{
    struct settings settings = {.threads = processors(), .top = 20};
    if (!parse(count, arguments, &settings))
        return 2;
    bool good = find_files(settings.root);
    if (good) {
        struct work work = {.paths = found.paths,
                            .path_count = found.count,
                            .lock = PTHREAD_MUTEX_INITIALIZER,
                            .merged = PTHREAD_COND_INITIALIZER};
        double start = seconds();
        good = run(&settings, &work);
        if (good)
            print_end(seconds() - start);
        else
            complain("counting", ENOMEM);
        good &= work.skipped == 0 && found.skipped == 0;
    }
    found_free();
    return good && !fflush(stdout) && !ferror(stdout) ? 0 : 1;
}
