/*
 * stress_step.c - what another does to a stack between any two instructions of a pop or a push.
 *
 *     the one               the other
 *     k instructions
 *                           an interlude: removes some, puts some back
 *     the rest
 *
 * for k = 0, 1, 2, ... until the one is done within k instructions. Then each magazine must be in
 * one place: with the one, with the other, or on the stack. The one is a process of its own, on
 * the same memory, because processes can be stepped (ptrace). Built without a tag
 * (-DVF_TAG_BITS=0) this must fail.
 */
#define _GNU_SOURCE /* MAP_ANONYMOUS */

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../../src/depot.h"
#include "stress.h"

#define STACKED   3 /* magazines 0 .. 2, this one's number less 1 on top */
#define SPARE     3 /* with the other at first */
#define OWN       4 /* with the one, if it pushes */
#define MAGAZINES 5

/* Shared by the two, at one address. */
static struct heap {
    vf_depot depot;
    vf_magazine *chunks[1];
    vf_magazine magazines[VF_CHUNK_MAGAZINES];
    vf_magazine *popped; /* by the one, chained */
    uint32_t popped_count;
    atomic_bool done; /* the one is */
} * heap;

/* With the other. */
static vf_magazine *hands[MAGAZINES];
static size_t hand_count;

static vf_stack *stack(void)
{
    return &heap->depot.shelves[0].full;
}

static void take(void)
{
    uint32_t one;
    vf_magazine *magazine = vf_stack_pop(&heap->depot, stack(), 1, &one);
    if (magazine != NULL)
        hands[hand_count++] = magazine;
}

/* What was taken so many takes ago. */
static void put(size_t ago)
{
    CHECK(ago < hand_count);
    size_t i = hand_count - 1 - ago;
    vf_magazine *magazine = hands[i];
    memmove(&hands[i], &hands[i + 1], ago * sizeof(hands[0]));
    hand_count--;
    vf_stack_push(stack(), magazine, magazine);
}

/* ---- interludes: what the other does, with what it has and what the one has left ---- */

static void take_one(void)
{
    take();
}

static void take_all(void)
{
    for (size_t i = 0; i < MAGAZINES; i++)
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
    heap->popped = vf_stack_pop(&heap->depot, stack(), 1, &heap->popped_count);
}

static void pop_two(void)
{
    heap->popped = vf_stack_pop(&heap->depot, stack(), 2, &heap->popped_count);
}

static void push(void)
{
    vf_stack_push(stack(), &heap->magazines[OWN], &heap->magazines[OWN]);
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
    heap->chunks[0] = heap->magazines;
    heap->depot.levels[0] = heap->chunks;
    hand_count = 0;
    for (uint32_t i = 0; i < MAGAZINES; i++) {
        heap->magazines[i].index = i + 1;
        if (i < STACKED)
            vf_stack_push(stack(), &heap->magazines[i], &heap->magazines[i]);
    }
    hands[hand_count++] = &heap->magazines[SPARE];
    if (!pushes) /* so that nobody misses it */
        hands[hand_count++] = &heap->magazines[OWN];
}

static void see(unsigned *seen, const vf_magazine *magazine)
{
    CHECK(magazine >= heap->magazines && magazine < heap->magazines + MAGAZINES);
    CHECK(seen[magazine - heap->magazines]++ == 0);
}

static void see_chain(unsigned *seen, const vf_magazine *magazine, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        CHECK(magazine != NULL);
        see(seen, magazine);
        uint32_t link = vf_load_relaxed(&magazine->link);
        magazine = link != 0 ? vf_magazine_at(&heap->depot, link) : NULL;
    }
}

static void check_places(void)
{
    unsigned seen[MAGAZINES] = {0};
    uint32_t count = 0;
    if (heap->popped != NULL)
        see_chain(seen, heap->popped, heap->popped_count);
    for (size_t i = 0; i < hand_count; i++)
        see(seen, hands[i]);
    vf_magazine *rest = vf_stack_pop(&heap->depot, stack(), MAGAZINES + 1, &count);
    if (rest != NULL)
        see_chain(seen, rest, count);
    for (size_t i = 0; i < MAGAZINES; i++)
        CHECK(seen[i] == 1);
}

/* An interlude after k instructions; true: the operation was done before it. */
static bool step(void (*operation)(void), void (*interlude)(void), size_t k)
{
    int code = 0;
    begin(operation == push);
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

int main(void)
{
    static void (*const operations[])(void) = {pop_one, pop_two, push};
    static void (*const interludes[])(void) = {
        take_one,          take_all,   put_spare_on_top,
        take_second,       turn_round, slip_spare_under_top,
        take_and_put_back,
    };
    stress_begin("stress_step");
    heap = mmap(NULL, sizeof *heap, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    CHECK(heap != MAP_FAILED);
    size_t steps = 0;
    for (size_t i = 0; i < sizeof operations / sizeof operations[0]; i++) {
        for (size_t n = 0; n < sizeof interludes / sizeof interludes[0]; n++) {
            for (size_t k = 0; !step(operations[i], interludes[n], k); k++)
                steps++;
        }
    }
    printf("%zu interludes between two instructions\n", steps);
    CHECK(steps > 100);
    stress_passed("a pop of one, of two, and a push, with the stack changed in between");
    return stress_end();
}
