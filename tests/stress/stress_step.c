/* SPDX-License-Identifier: MIT */
/*
 * stress_step.c - what another does to a stack between any two instructions of a pop or a push.
 *
 *     the one               the other
 *     k instructions
 *                           an interlude: removes some, puts some back
 *     the rest
 *
 * for k = 0, 1, 2, ... until the one is done within k instructions. Then each element must be in
 * one place: with the one, with the other, or on the stack. The one is a process of its own, on
 * the same memory, because processes can be stepped (ptrace). Built without a tag
 * (-DVF_TAG_BITS=0) this must fail.
 *
 * The elements are the slots of a capped pool, a pop is an alloc and a push is a free.
 */
#define _GNU_SOURCE /* MAP_ANONYMOUS */

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

#include "stress.h"

#define VF_T    long
#define VF_N    8
#define VF_NAME slots
#include <veryfast/pool.h>

#define STACKED  3 /* elements 0 .. 2, the last of them on top */
#define SPARE    3 /* with the other at first */
#define OWN      4 /* with the one, if it pushes */
#define ELEMENTS 5

/* Shared by the two, at one address. */
static struct heap {
    _Alignas(4096) char memory[1 << 16]; /* of the pool */
    size_t used, blocks;
    void *popped;     /* by the one */
    atomic_bool done; /* the one is */
} * heap;

static void *elements[ELEMENTS];

/* With the other. */
static void *hands[ELEMENTS];
static size_t hand_count;

/* ---- the stack ---- */

static slots *pool;

static void *memory_alloc(void *none, size_t size, size_t alignment)
{
    (void)none;
    size_t begin = (heap->used + alignment - 1) / alignment * alignment;
    CHECK(alignment <= 4096 && begin + size <= sizeof heap->memory);
    heap->used = begin + size;
    heap->blocks++;
    return heap->memory + begin;
}

static void memory_dealloc(void *none, void *memory, size_t size, size_t alignment)
{
    (void)none, (void)memory, (void)size, (void)alignment;
    heap->blocks--;
}

/* Empty, all elements being in nobody's hands. */
static void open_stack(void)
{
    vf_pool_options options = {.allocator = {memory_alloc, memory_dealloc, NULL},
                               .max_objects = ELEMENTS};
    CHECK((pool = slots_new(&options)) != NULL);
    for (size_t i = 0; i < ELEMENTS; i++)
        CHECK((elements[i] = slots_alloc(pool)) != NULL);
}

static void push(void *element)
{
    slots_free(pool, element);
}

/* NULL: it is empty. */
static void *pop(void)
{
    return slots_alloc(pool);
}

/* As it was at first. */
static void close_stack(void)
{
    CHECK(pop() == NULL);
    for (size_t i = 0; i < ELEMENTS; i++)
        push(elements[i]);
    slots_release(pool);
    CHECK(heap->blocks == 0);
}

/* ---- interludes: what the other does, with what it has and what the one has left ---- */

static void take(void)
{
    void *element = pop();
    if (element != NULL)
        hands[hand_count++] = element;
}

/* What was taken so many takes ago. */
static void put(size_t ago)
{
    CHECK(ago < hand_count);
    size_t i = hand_count - 1 - ago;
    void *element = hands[i];
    memmove(&hands[i], &hands[i + 1], ago * sizeof(hands[0]));
    hand_count--;
    push(element);
}

static void take_one(void)
{
    take();
}

static void take_all(void)
{
    for (size_t i = 0; i < ELEMENTS; i++)
        take();
}

static void put_spare_on_top(void)
{
    put(0);
}

static void take_second(void)
{
    take();
    take();
    put(1);
}

static void take_and_put_back(void)
{
    take();
    put(0);
}

static void slip_spare_under_top(void)
{
    take();
    put(1);
    put(0);
}

static void turn_round(void)
{
    take();
    take();
    put(1);
    put(0);
}

/* ---- what the one does ---- */

static void pop_one(void)
{
    heap->popped = pop();
}

static void push_one(void)
{
    push(elements[OWN]);
}

_Noreturn static void run_the_one(void (*operation)(void))
{
    if (ptrace(PTRACE_TRACEME, 0, NULL, NULL) != 0)
        _exit(STRESS_SKIPPED);
    raise(SIGSTOP);
    operation();
    atomic_store(&heap->done, true);
    _exit(0);
}

/* ---- both ---- */

/* Waits for the one; false: it has ended, *code says how. */
static bool wait_for(pid_t one, int *code)
{
    int status;
    while (waitpid(one, &status, 0) != one)
        CHECK(errno == EINTR);
    CHECK(!WIFSIGNALED(status));
    if (WIFEXITED(status))
        *code = WEXITSTATUS(status);
    return WIFSTOPPED(status);
}

static void begin(bool pushes)
{
    memset(heap, 0, sizeof *heap);
    open_stack();
    for (size_t i = 0; i < STACKED; i++)
        push(elements[i]);
    hand_count = 0;
    hands[hand_count++] = elements[SPARE];
    if (!pushes) /* so that nobody misses it */
        hands[hand_count++] = elements[OWN];
}

static void see(unsigned *seen, const void *element)
{
    size_t i = 0;
    while (i < ELEMENTS && elements[i] != element)
        i++;
    CHECK(i < ELEMENTS && seen[i]++ == 0);
}

static void check_places(void)
{
    unsigned seen[ELEMENTS] = {0};
    if (heap->popped != NULL)
        see(seen, heap->popped);
    for (size_t i = 0; i < hand_count; i++)
        see(seen, hands[i]);
    for (void *rest; (rest = pop()) != NULL;)
        see(seen, rest);
    for (size_t i = 0; i < ELEMENTS; i++)
        CHECK(seen[i] == 1);
    close_stack();
}

/* An interlude after k instructions; true: the operation was done before it. */
static bool step(void (*operation)(void), void (*interlude)(void), size_t k)
{
    int code = 0;
    begin(operation == push_one);
    pid_t one = fork();
    CHECK(one >= 0);
    if (one == 0)
        run_the_one(operation);
    bool runs = wait_for(one, &code);
    if (code == STRESS_SKIPPED) {
        puts("stress_step: processes may not be traced here");
        exit(STRESS_SKIPPED);
    }
    for (size_t i = 0; i < k && runs && !atomic_load(&heap->done); i++) {
        CHECK(ptrace(PTRACE_SINGLESTEP, one, NULL, NULL) == 0);
        runs = wait_for(one, &code);
    }
    bool was_done = atomic_load(&heap->done);
    interlude();
    while (runs) {
        CHECK(ptrace(PTRACE_CONT, one, NULL, NULL) == 0);
        runs = wait_for(one, &code);
    }
    CHECK(code == 0 && atomic_load(&heap->done));
    check_places();
    return was_done;
}

/* All interludes at all places; how many. */
static size_t step_through(void (*operation)(void))
{
    static void (*const interludes[])(void) = {
        take_one,          take_all,   put_spare_on_top,
        take_second,       turn_round, slip_spare_under_top,
        take_and_put_back,
    };
    size_t steps = 0;
    for (size_t n = 0; n < sizeof interludes / sizeof *interludes; n++) {
        size_t k = 0;
        while (!step(operation, interludes[n], k))
            k++;
        CHECK(k > 5); /* or the operation did nothing */
        steps += k;
    }
    return steps;
}

int main(void)
{
    stress_begin("stress_step");
    heap = mmap(NULL, sizeof *heap, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    CHECK(heap != MAP_FAILED);
    printf("%zu interludes between two instructions\n",
           step_through(pop_one) + step_through(push_one));
    stress_passed("a pop and a push, with the stack changed in between");
    return stress_end();
}
