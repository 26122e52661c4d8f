/* SPDX-License-Identifier: MIT */
/*
 * stress_plugins.c - a plug-in that uses the library is loaded and unloaded over and over, while
 * threads that have used it live on, and end after it is gone.
 *
 *     main:     load   use   unload   load ...                     (more often than there are keys)
 *     threads:            use             end
 *
 * The shared core stays mapped, with its exit hook. A core inside the plug-in goes with it, and
 * must have given up the hook, and the key: after PTHREAD_KEYS_MAX loads there would be none, and
 * each thread that ends would call what is not there.
 */
#include <dlfcn.h>
#include <limits.h>
#include <pthread.h>
#include <unistd.h>
#ifdef __GLIBC__
#    include <malloc.h>
#endif

#include "stress.h"

#define THREADS 4

static struct {
    bool (*use)(void);
    atomic_size_t uses; /* by threads that live on */
    pthread_barrier_t turn;
} test;

/* Uses each plug-in once; ends while none is loaded. */
static void *live(void *rounds)
{
    for (size_t i = 0; i < *(const size_t *)rounds; i++) {
        pthread_barrier_wait(&test.turn); /* it is loaded */
        CHECK(test.use());
        atomic_fetch_add(&test.uses, 1);
        pthread_barrier_wait(&test.turn); /* it may go */
    }
    pthread_barrier_wait(&test.turn); /* the last one is gone */
    return NULL;
}

static void *symbol(void *plugin, const char *name)
{
    void *found = dlsym(plugin, name);
    CHECK(found != NULL);
    return found;
}

/* One load, with threads that use it, or by this thread only. */
static void round_of(const char *path, bool threads)
{
    void *plugin = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    if (plugin == NULL)
        fprintf(stderr, "%s\n", dlerror());
    CHECK(plugin != NULL);
    bool (*begin)(void);
    void (*end)(void);
    *(void **)&begin = symbol(plugin, "plugin_begin");
    *(void **)&test.use = symbol(plugin, "plugin_use");
    *(void **)&end = symbol(plugin, "plugin_end");
    CHECK(begin() && test.use());
    if (threads) {
        pthread_barrier_wait(&test.turn);
        pthread_barrier_wait(&test.turn);
    }
    end();
    CHECK(dlclose(plugin) == 0);
}

static size_t keys_left(void)
{
    static pthread_key_t keys[PTHREAD_KEYS_MAX];
    size_t count = 0;
    while (count < PTHREAD_KEYS_MAX && pthread_key_create(&keys[count], NULL) == 0)
        count++;
    for (size_t i = 0; i < count; i++)
        CHECK(pthread_key_delete(keys[i]) == 0);
    return count;
}

/* Threads that live through some loads. */
static void run_threads(const char *path, size_t loads)
{
    pthread_t threads[THREADS];
    for (size_t i = 0; i < THREADS; i++)
        CHECK(pthread_create(&threads[i], NULL, live, &loads) == 0);
    for (size_t i = 0; i < loads; i++)
        round_of(path, true);
    pthread_barrier_wait(&test.turn);
    for (size_t i = 0; i < THREADS; i++)
        CHECK(pthread_join(threads[i], NULL) == 0);
}

/* Bytes in use; 0 where nobody can say. */
static size_t memory_in_use(void)
{
#if defined(__GLIBC__) && (__GLIBC__ > 2 || __GLIBC_MINOR__ >= 33)
    return mallinfo2().uordblks;
#else
    return 0;
#endif
}

/* Bytes of addresses in use; 0 where nobody can say. */
static size_t addresses_in_use(void)
{
    size_t pages = 0;
    FILE *file = fopen("/proc/self/statm", "r");
    if (file == NULL)
        return 0;
    CHECK(fscanf(file, "%zu", &pages) == 1);
    fclose(file);
    return pages * (size_t)sysconf(_SC_PAGESIZE);
}

static void run(const char *path)
{
    CHECK(pthread_barrier_init(&test.turn, NULL, THREADS + 1) == 0);
    round_of(path, false); /* what is done once in a process */
    run_threads(path, 5);
    size_t keys = keys_left();
    size_t bytes = memory_in_use(), addresses = addresses_in_use();
    for (size_t loads = 0; loads < PTHREAD_KEYS_MAX + 100; loads += 10) {
        run_threads(path, 10);
        round_of(path, false);
    }
    CHECK(atomic_load(&test.uses) > THREADS * PTHREAD_KEYS_MAX);
    pthread_barrier_destroy(&test.turn);
    CHECK(keys_left() == keys);
    /* of a thousand loads none leaves anything behind: what the C library has for its threads is
       far below a megabyte for each load */
    CHECK(memory_in_use() < bytes + 65536);
    CHECK(addresses_in_use() < addresses + ((size_t)PTHREAD_KEYS_MAX << 20));
}

int main(int argc, char **argv)
{
    stress_begin("stress_plugins");
    CHECK(argc == 2);
    run(argv[1]);
    stress_passed("threads outlive plug-ins that they have used");
    return stress_end();
}
