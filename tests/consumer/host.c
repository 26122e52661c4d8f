/* SPDX-License-Identifier: MIT */
/*
 * host.c - a program of somebody else's that opens a plug-in, both with pools of their own.
 *
 *     host PLUGIN own | shared: the plug-in has another library than the program, or the same
 */
#include <dlfcn.h>
#include <stdio.h>
#include <string.h>

#define VF_T int
#define VF_N 100
#include <veryfast/pool.h>

#define VF_T    int
#define VF_N    10
#define VF_NAME tallies
#define VF_SHARED
#include <veryfast/pool.h>

static void *find(void *plugin, const char *name)
{
    void *symbol = dlsym(plugin, name);
    if (symbol == NULL)
        puts(dlerror());
    return symbol;
}

static int use(void *plugin, int own)
{
    const char *(*run)(void);
    const void *(*core)(void), *(*shared)(void);
    *(void **)&run = find(plugin, "plugin_run");
    *(void **)&core = find(plugin, "plugin_core");
    *(void **)&shared = find(plugin, "plugin_shared");
    if (run == NULL || core == NULL || shared == NULL)
        return 1;
    const char *wrong = run();
    if (wrong == NULL && (core() != &vf_interface_1) != own)
        wrong = own ? "it has the program's library" : "it has a library of its own";
    if (wrong == NULL && (shared() != tallies_shared()) != own)
        wrong = own ? "its shared pool is the program's" : "its shared pool is another";
    puts(wrong == NULL ? "fine" : wrong);
    return wrong != NULL;
}

int main(int argc, char **argv)
{
    pool_int_100 *pool = pool_int_100_new(NULL);
    int *number = pool == NULL ? NULL : pool_int_100_push(pool, 7);
    void *plugin = argc == 3 ? dlopen(argv[1], RTLD_NOW | RTLD_LOCAL) : NULL;
    if (number == NULL || plugin == NULL) {
        puts(argc == 3 ? dlerror() : "usage: host PLUGIN own|shared");
        return 1;
    }
    int failed = use(plugin, strcmp(argv[2], "own") == 0);
    failed |= *number != 7;
    pool_int_100_free(pool, number);
    pool_int_100_release(pool);
    return failed;
}
