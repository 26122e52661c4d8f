/* SPDX-License-Identifier: MIT */
/*
 * program.c - runs a random program: turns, the threads that take part in them, forks, and a thread
 * that has been cancelled and must not notice.
 */
#include "program.h"

#include <semaphore.h>
#if !defined(_WIN32) && !defined(__EMSCRIPTEN__)
#    include <sys/wait.h>
#    include <unistd.h>
#endif

#define FORK 63 /* an instruction for a container, and then this byte */

/* Windows and WebAssembly know no fork, and ThreadSanitizer does not go through one with threads.
 */
#if defined(_WIN32) || defined(__EMSCRIPTEN__) || defined(__SANITIZE_THREAD__)
#    define MAY_FORK false
#elif defined(__has_feature)
#    if __has_feature(thread_sanitizer)
#        define MAY_FORK false
#    endif
#endif
#ifndef MAY_FORK
#    define MAY_FORK true
#endif

/* The hand whose cancellation is pending during all of its calls: a call that were a cancellation
   point would end its thread, and the program would wait for it for ever. */
#define CANCELLED 2

struct hand {
    unsigned number;
    bool working; /* it has a thread; that of hand 0 always has */
    pthread_t thread;
    sem_t go, done;
    program_bytes part; /* of the turn; a NULL begin: the thread shall end */
};

static struct {
    struct hand hands[HANDS];
    bool alone;     /* of the turn */
    bool releasing; /* a pool, by the first hand of the turn */
    unsigned first; /* that hand */
    bool forked;    /* once is enough for a program */
    uint8_t mask;
} program;

/* ---- forks ---- */

#if defined(_WIN32) || defined(__EMSCRIPTEN__)
static void fork_once(void)
{
}
#else
/* The child of one who is alone knows of every object and element: all can be given back. */
static void live_on_in_child(void)
{
    if (program.alone) {
        pools_check();
        buffers_check();
        pools_end();
        buffers_end();
    }
    _exit(0);
}

static void fork_once(void)
{
    pid_t child = fork();
    CHECK(child >= 0);
    if (child == 0)
        live_on_in_child();
    int status = -1;
    while (waitpid(child, &status, 0) != child)
        CHECK(errno == EINTR);
    CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}
#endif

/* ---- hands ---- */

static void follow(unsigned hand, unsigned code, unsigned how)
{
    instruction it = {hand, program.alone, code / 64 % 2, code % 64, how};
    if (code == FORK && how < 16) {
        if (MAY_FORK && hand == 0 && !program.forked && pools_may_fork()) {
            program.forked = true;
            fork_once();
        }
    } else if (code < 128) {
        pools_follow(&it);
    } else {
        buffers_follow(&it);
    }
}

/* A signal, the fuzzer's alarm for one, ends a wait too soon. */
static void wait_for(sem_t *semaphore)
{
    while (sem_wait(semaphore) != 0)
        CHECK(errno == EINTR);
}

static void do_part(struct hand *hand)
{
    if (program.releasing && hand->number == program.first)
        pools_release();
    while (hand->part.at < hand->part.end) {
        unsigned code = program_byte(&hand->part);
        follow(hand->number, code, program_byte(&hand->part));
    }
}

static void *work(void *argument)
{
    struct hand *hand = argument;
    int state;
    pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &state);
    if (hand->number == CANCELLED)
        pthread_cancel(pthread_self());
    for (;;) {
        wait_for(&hand->go);
        if (hand->part.at == NULL)
            return NULL;
        pthread_setcancelstate(PTHREAD_CANCEL_ENABLE, &state);
        do_part(hand);
        pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &state);
        CHECK(sem_post(&hand->done) == 0);
    }
}

static void begin_work(struct hand *hand)
{
    if (!hand->working)
        CHECK(pthread_create(&hand->thread, NULL, work, hand) == 0);
    hand->working = true;
    CHECK(sem_post(&hand->go) == 0);
}

static void end_thread(struct hand *hand)
{
    if (!hand->working)
        return;
    hand->part = (program_bytes){NULL, NULL};
    CHECK(sem_post(&hand->go) == 0);
    CHECK(pthread_join(hand->thread, NULL) == 0);
    hand->working = false;
}

/* ---- turns ---- */

static void work_together(void)
{
    for (unsigned i = 1; i < HANDS; i++) {
        if (program.mask >> i & 1)
            begin_work(&program.hands[i]);
    }
    if (program.mask & 1)
        do_part(&program.hands[0]);
    for (unsigned i = 1; i < HANDS; i++) {
        if (program.mask >> i & 1)
            wait_for(&program.hands[i].done);
    }
}

/* Cuts the hands' parts off the program; how many instructions they have. */
static size_t deal(program_bytes *bytes, size_t most)
{
    size_t count = 0;
    for (unsigned i = 0; i < HANDS; i++) {
        if ((program.mask >> i & 1) == 0)
            continue;
        size_t left = (size_t)(bytes->end - bytes->at);
        size_t n = left < most ? left : most;
        program.hands[i].part = (program_bytes){bytes->at, bytes->at + n};
        bytes->at += n;
        count += n / 2;
    }
    return count;
}

/* Half of the turns are hand 0's, a quarter another hand's, the rest of several. */
static uint8_t choose_hands(unsigned how)
{
    if (how % 4 < 2)
        return 1;
    if (how % 4 == 2)
        return (uint8_t)(1u << how / 4 % HANDS);
    return (uint8_t)(how / 4 % 16 | 1);
}

static size_t turn(program_bytes *bytes)
{
    const size_t lengths[] = {16, 32, 64, 192};
    unsigned who = program_byte(bytes);
    unsigned how = program_byte(bytes);
    program.mask = choose_hands(who);
    program.alone = (program.mask & (program.mask - 1)) == 0;
    program.releasing = !program.alone && how / 4 % 8 == 0;
    program.first = (unsigned)__builtin_ctz(program.mask);
    if (how / 32 == 1)
        pools_rotate();
    if (how / 32 == 2)
        end_thread(&program.hands[1 + who / 4 % (HANDS - 1)]);
    if (program.releasing)
        pools_turn(who / 64);
    buffers_turn(program.alone);
    size_t count = deal(bytes, lengths[how % 4]);
    work_together();
    pools_check();
    buffers_check();
    return count;
}

size_t program_run(const uint8_t *bytes, size_t size)
{
    program_bytes rest = {bytes, bytes + size};
    program.forked = false;
    program.alone = true;
    for (unsigned i = 0; i < HANDS; i++) {
        struct hand *hand = &program.hands[i];
        hand->number = i;
        CHECK(sem_init(&hand->go, 0, 0) == 0 && sem_init(&hand->done, 0, 0) == 0);
    }
    pools_begin(&rest);
    buffers_begin(&rest);
    size_t count = 0;
    while (rest.at < rest.end)
        count += turn(&rest);
    for (unsigned i = 0; i < HANDS; i++)
        end_thread(&program.hands[i]);
    pools_end();
    buffers_end();
    for (unsigned i = 0; i < HANDS; i++) {
        sem_destroy(&program.hands[i].go);
        sem_destroy(&program.hands[i].done);
    }
    return count;
}
