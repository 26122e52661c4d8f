/* schedule.c - who runs next, and the enumeration of all such choices. */
#define _GNU_SOURCE
#include "internal.h"

#include <link.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "explore.h"

explorer *ex;
_Thread_local int self = -1;

enum { LEARN = 500 };

extern char __data_start[], _end[];

static uint64_t next_random(void)
{
    ex->seed ^= ex->seed << 13;
    ex->seed ^= ex->seed >> 7;
    ex->seed ^= ex->seed << 17;
    return ex->seed;
}

static int take(int n, int fresh)
{
    if (ex->position == CHOICES) {
        failure("too many choices", 0);
    }
    int at = ex->position++;
    if (at >= ex->planned) {
        ex->chosen[at] = (uint8_t)fresh;
    }
    ex->options[at] = (uint8_t)n;
    return ex->chosen[at];
}

int choose(int n)
{
    return n < 2 || ex->cut ? 0 : take(n, ex->random ? (int)(next_random() % (unsigned)n) : 0);
}

/* Option 0 is to go on as if alone: a random schedule that left it at each point would not be like
 * those that occur. */
int choose_mostly_first(int n)
{
    if (n < 2 || ex->cut || !ex->random || next_random() % 4 == 0) {
        return choose(n);
    }
    return take(n, 0);
}

void note(const char *what, uintptr_t address, uint64_t value)
{
    if (ex->threads == 1) {
        return; /* the preparation of the scenario */
    }
    if (ex->steps == STEPS) {
        failure("an execution does not end", 0);
    }
    ex->step[ex->steps].thread = self;
    ex->step[ex->steps].what = what;
    ex->step[ex->steps].address = address;
    ex->step[ex->steps++].value = value;
}

static void print_bounds(const char *verdict)
{
    printf("%s: %llu executions", verdict, (unsigned long long)ex->executions);
    if (ex->random) {
        printf(", random, --seed %llu", (unsigned long long)ex->first_seed);
    } else {
        printf(" in %d passes", ex->passes);
    }
    printf(", %d preemptions, %d stale reads\n", ex->preemptions_allowed, ex->stale_allowed);
}

_Noreturn void failure(const char *what, uintptr_t address)
{
    for (int i = 0; i < ex->steps; i++) {
        printf("  T%d %-12s %#lx %#llx\n", ex->step[i].thread, ex->step[i].what,
               (unsigned long)ex->step[i].address, (unsigned long long)ex->step[i].value);
    }
    printf("T%d: %s %#lx\n", self, what, (unsigned long)address);
    printf("--preemptions %d --stale %d --replay ", ex->preemptions_allowed, ex->stale_allowed);
    for (int i = 0; i < ex->position; i++) {
        putchar('0' + ex->chosen[i]);
    }
    putchar('\n');
    ex->executions++;
    print_bounds("failed");
    fflush(stdout);
    _exit(ex->must_fail ? 0 : 1);
}

static bool can_run(int i)
{
    switch (ex->thread[i].state) {
    case RUNS:
        return true;
    case JOINS:
        return ex->thread[ex->thread[i].joined].state == ENDED;
    case LOCKS:
        return mutex_is_free(ex->thread[i].mutex);
    default:
        return false;
    }
}

/* Those that can run: the ones that sleep only if there is no other. */
static int others(int *list, int n, bool asleep)
{
    for (int i = 0; i < ex->threads; i++) {
        if (i != self && can_run(i) && ex->thread[i].asleep == asleep) {
            list[n++] = i;
        }
    }
    return n;
}

int threads_alive(void)
{
    int n = 0;
    for (int i = 0; i < ex->threads; i++) {
        n += ex->thread[i].state != ENDED;
    }
    return n;
}

static void hand_on(int next)
{
    sem_post(&ex->thread[next].baton);
    sem_wait(&ex->thread[self].baton);
}

/*
 * A thread that was preempted before an operation sleeps until another does something that this
 * depends on: if it went on before that, the same would happen as if it had been preempted behind
 * the operation. Where only such threads are left, the rest has been, or will be, run in that way.
 * (Godefroid's sleep sets; they cost no preemption, so that the bounds mean what they say.)
 */
void schedule_wake(uintptr_t address, bool writes)
{
    for (int i = 0; i < ex->threads; i++) {
        bool same = address == 0 || ex->thread[i].pending == 0 || ex->thread[i].pending == address;
        if (i != self && same && (writes || ex->thread[i].pending_writes)) {
            ex->thread[i].asleep = false;
        }
    }
}

/* Before an operation on the address, 0: on all: another thread may go on here. */
void schedule_point(uintptr_t address, bool writes)
{
    int list[THREADS] = {self};
    if (ex->cut || ex->preemptions == ex->preemptions_allowed) {
        return;
    }
    int n = others(list, 1, false);
    if (n == 1) {
        return;
    }
    /* a choice in any case, so that --replay needs not know what was found to be contended */
    bool matters = ex->random || ex->replays || contended(address);
    int next = list[matters ? choose_mostly_first(n) : take(1, 0)];
    if (next != self) {
        ex->preemptions++;
        ex->thread[self].asleep = true;
        ex->thread[self].pending = address;
        ex->thread[self].pending_writes = writes;
        hand_on(next);
        ex->thread[self].asleep = false;
    }
}

/* One of the list, or of those that sleep; -1: none can run. */
static int choose_of(const int *awake, int n)
{
    int list[THREADS];
    if (n > 0) {
        return awake[choose(n)];
    }
    n = others(list, 0, true);
    ex->cut = ex->cut || (n > 0 && !ex->random && !ex->replays);
    return n > 0 ? list[choose(n)] : -1;
}

static int choose_other(void)
{
    int list[THREADS];
    return choose_of(list, others(list, 0, false));
}

/* This thread waits: another must go on, if there is one that can. */
void schedule_others(void)
{
    int next = choose_other();
    if (next >= 0) {
        hand_on(next);
    } else if (!can_run(self)) {
        failure("deadlock", 0);
    }
}

/* Those of the list that have not yielded. */
static int unyielded(int *list, int n)
{
    int kept = 0;
    for (int i = 0; i < n; i++) {
        if (!ex->thread[list[i]].yielded) {
            list[kept++] = list[i];
        }
    }
    return kept;
}

/* This thread has nothing to do until another has done something. Who has yielded has no turn by
   the yield of another until all have: otherwise two could hand on to each other for ever. */
void schedule_yield(void)
{
    int list[THREADS];
    note("yield", 0, 0);
    ex->thread[self].yielded = true;
    int awake = others(list, 0, false);
    int n = unyielded(list, awake);
    if (n == 0 && others(list, 0, true) == 0) {
        for (int i = 0; i < ex->threads; i++) {
            ex->thread[i].yielded = i == self;
        }
        n = others(list, 0, false);
    }
    int next = choose_of(list, n);
    if (next >= 0) {
        hand_on(next);
    }
}

void thread_ended(void)
{
    ex->thread[self].state = ENDED;
    int next = choose_other();
    if (next >= 0) {
        sem_post(&ex->thread[next].baton);
        return;
    }
    for (int i = 0; i < ex->threads; i++) {
        if (ex->thread[i].state != ENDED) {
            failure("deadlock", 0);
        }
    }
    sem_post(&ex->over);
}

/* Threads are kept from one execution to the next: making them takes longer than what they do. */
typedef struct worker {
    pthread_t handle;
    bool made;
    int number;
    void *(*call)(void *);
    void *argument;
} worker;
static worker *workers;

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
    memory_spawn(number);
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

static void *first_thread(void *argument)
{
    scenario();
    return argument;
}

static void execute(const char *saved)
{
    memcpy(__data_start, saved, (size_t)(_end - __data_start));
    ex->cut = false;
    ex->threads = ex->position = ex->preemptions = ex->stale = ex->steps = 0;
    memory_reset();
    libc_reset();
    thread_spawn(first_thread, NULL);
    sem_post(&ex->thread[0].baton);
    sem_wait(&ex->over);
    ex->executions++;
}

/* Depth first: the last choice that has an option left takes it, and what followed is open again.
 */
static bool next_choices(void)
{
    int n = ex->position;
    while (n > 0 && ex->chosen[n - 1] + 1 >= ex->options[n - 1]) {
        n--;
    }
    if (n > 0) {
        ex->chosen[n - 1]++;
    }
    ex->planned = n;
    return n > 0;
}

static bool next_plan(void)
{
    if (ex->replays) {
        return false;
    }
    if (ex->random) {
        return ex->executions < ex->limit;
    }
    if (next_choices()) {
        return true;
    }
    ex->passes++;
    return contended_learn();
}

/* Some schedules at random find most of what is contended, and save passes. */
static void learn_first(const char *saved)
{
    ex->random = true;
    for (int i = 0; i < LEARN; i++) {
        execute(saved);
    }
    ex->random = false;
    contended_learn();
}

static void read_arguments(int argc, char **argv)
{
    for (int i = 1; i < argc; i++) {
        const char *value = i + 1 < argc ? argv[i + 1] : "";
        if (strcmp(argv[i], "--must-fail") == 0) {
            ex->must_fail = true;
            continue;
        }
        if (strcmp(argv[i], "--preemptions") == 0) {
            ex->preemptions_allowed = atoi(value);
        } else if (strcmp(argv[i], "--stale") == 0) {
            ex->stale_allowed = atoi(value);
        } else if (strcmp(argv[i], "--random") == 0) {
            ex->random = true;
            ex->limit = strtoull(value, NULL, 0);
        } else if (strcmp(argv[i], "--seed") == 0) {
            ex->first_seed = strtoull(value, NULL, 0);
        } else if (strcmp(argv[i], "--replay") == 0) {
            ex->replays = true;
            ex->planned = (int)strnlen(value, CHOICES);
            for (int k = 0; k < ex->planned; k++) {
                ex->chosen[k] = (uint8_t)(value[k] - '0');
            }
        } else {
            fprintf(stderr, "unknown argument %s\n", argv[i]);
            exit(2);
        }
        i++;
    }
}

/* A seed of 0 stands for a fresh one. */
static void begin_random(void)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    if (ex->first_seed == 0) {
        ex->first_seed = (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
    }
    ex->seed = ex->first_seed;
}

/* Handing on is quicker on one processor, and nothing ever runs at the same time. */
static void stay_on_one_processor(void)
{
    cpu_set_t set;
    CPU_ZERO(&set);
    CPU_SET((size_t)sched_getcpu(), &set);
    sched_setaffinity(0, sizeof set, &set);
}

int main(int argc, char **argv)
{
    stay_on_one_processor();
    extern void *__real_calloc(size_t, size_t);
    ex = __real_calloc(1, sizeof *ex);
    workers = __real_calloc(THREADS, sizeof *workers);
    ex->preemptions_allowed = ex->stale_allowed = 2;
    ex->first_seed = 1;
    memory_create();
    contended_create();
    libc_create();
    sem_init(&ex->over, 0, 0);
    for (int i = 0; i < THREADS; i++) {
        sem_init(&ex->thread[i].baton, 0, 0);
    }
    read_arguments(argc, argv);
    begin_random();
    size_t size = (size_t)(_end - __data_start);
    char *saved = __real_calloc(1, size);
    memcpy(saved, __data_start, size);
    if (!ex->random && !ex->replays) {
        learn_first(saved);
    }
    do {
        execute(saved);
    } while (next_plan());
    print_bounds("no error");
    return ex->must_fail;
}
