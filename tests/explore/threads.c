/* SPDX-License-Identifier: MIT */
/*
 * threads.c - the real threads that run the scenario's, one at a time: each waits for its baton,
 * a semaphore that the one before posts when it hands on (schedule.c). They are real ones so that
 * thread-local variables are what they are in a program.
 */
#define _GNU_SOURCE
#include "internal.h"

#include <link.h>
#include <pthread.h>
#include <string.h>

/* Threads are kept from one execution to the next: making them takes longer than what they do. */
typedef struct worker {
    pthread_t handle;
    bool made;
    int number;
    void *(*call)(void *);
    void *argument;
} worker;
static worker *workers;

void threads_create(void)
{
    workers = __real_calloc(THREADS, sizeof *workers);
    for (int i = 0; i < THREADS; i++) {
        sem_init(&ex->thread[i].baton, 0, 0);
    }
}

/* Sets this thread's thread-local variables back to what they begin with. */
static int reset_thread_locals(struct dl_phdr_info *program, size_t size, void *unused)
{
    (void)size, (void)unused;
    for (int i = 0; i < program->dlpi_phnum; i++) {
        const ElfW(Phdr) *part = &program->dlpi_phdr[i];
        if (part->p_type == PT_TLS) {
            memset(program->dlpi_tls_data, 0, part->p_memsz);
            memcpy(program->dlpi_tls_data, (void *)(program->dlpi_addr + part->p_vaddr),
                   part->p_filesz);
        }
    }
    return 1; /* the first is the program itself, and the others' are not asked for */
}

static void *work(void *argument)
{
    worker *it = argument;
    for (;;) {
        sem_wait(&ex->thread[it->number].baton);
        dl_iterate_phdr(reset_thread_locals, NULL);
        self = it->number;
        it->call(it->argument);
        libc_thread_exit();
        thread_ended();
    }
    return NULL;
}

int thread_spawn(void *(*call)(void *), void *argument)
{
    int number = ex->threads++;
    if (number == THREADS) {
        failure("too many threads", 0);
    }
    ex->thread[number].state = RUNS;
    ex->thread[number].asleep = ex->thread[number].yielded = false;
    knowledge_spawn(number);
    worker *it = &workers[number];
    it->number = number;
    it->call = call;
    it->argument = argument;
    if (!it->made) {
        extern int __real_pthread_create(pthread_t *, const pthread_attr_t *, void *(*)(void *),
                                         void *);
        it->made = __real_pthread_create(&it->handle, NULL, work, it) == 0;
    }
    return number;
}
