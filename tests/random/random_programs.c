/* SPDX-License-Identifier: MIT */
/*
 * random_programs.c - runs random programs (see program.h) that it makes from a seed, or files.
 *
 *     ./random_programs                  so many instructions, by VF_STRESS_SCALE, from VF_SEED, or
 *                                        one in VF_RANDOM_PART of these
 *     ./random_programs --program 123    one of these
 *     ./random_programs DIRECTORY        programs from files: what the fuzzer has found
 *     ./random_programs FILE...
 *
 * When it is stopped by a failure it says how to see that again.
 */
#include <dirent.h>
#include <signal.h>
#include <string.h>
#include <sys/time.h>
#include <unistd.h>

#include "../stress/stress.h"
#include "program.h"

#define LONGEST 1600

static char again[300]; /* what to type to repeat what is running now */

static void say_again(int number)
{
    (void)!write(STDERR_FILENO, again, (unsigned)strlen(again));
    signal(number, SIG_DFL);
    raise(number);
}

#ifdef _WIN32 /* no signal interrupts a call there */
static void interrupt_by(bool timer)
{
    (void)timer;
}
#else
static void do_nothing(int number)
{
    (void)number;
}

/* A signal each millisecond interrupts whatever waits in a call; in one program of four. */
static void interrupt_by(bool timer)
{
    const struct itimerval interval = {{0, timer ? 1000 : 0}, {0, timer ? 1000 : 0}};
    const struct sigaction action = {.sa_handler = do_nothing}; /* without SA_RESTART */
    CHECK(sigaction(SIGALRM, &action, NULL) == 0);
    CHECK(setitimer(ITIMER_REAL, &interval, NULL) == 0);
}
#endif

static size_t run_number(uint64_t number)
{
    static uint8_t bytes[LONGEST];
    uint64_t chance = stress_random_state(number);
    size_t size = 64 + stress_chance(&chance, LONGEST - 64);
    for (size_t i = 0; i < size; i++)
        bytes[i] = (uint8_t)(test_random(&chance) >> 32);
    snprintf(again, sizeof again, "to repeat: VF_SEED=%llu ./random_programs --program %llu\n",
             (unsigned long long)stress.seed, (unsigned long long)number);
    interrupt_by(number % 4 == 0);
    return program_run(bytes, size);
}

static void run_file(const char *path)
{
    static uint8_t bytes[1 << 16];
    FILE *file = fopen(path, "rb");
    CHECK(file != NULL);
    size_t size = fread(bytes, 1, sizeof bytes, file);
    CHECK(!ferror(file) && fclose(file) == 0);
    snprintf(again, sizeof again, "to repeat: ./random_programs %s\n", path);
    (void)program_run(bytes, size);
}

/* A file, or all in a directory. */
static size_t run_files(const char *path)
{
    size_t count = 0;
    DIR *directory = opendir(path);
    if (directory == NULL) {
        run_file(path);
        return 1;
    }
    for (const struct dirent *entry; (entry = readdir(directory)) != NULL;) {
        char file[500];
        snprintf(file, sizeof file, "%s/%s", path, entry->d_name);
        if (entry->d_name[0] != '.') {
            run_file(file);
            count++;
        }
    }
    closedir(directory);
    return count;
}

int main(int argc, char **argv)
{
    stress_begin("random_programs");
    const int signals[] = {SIGABRT, SIGSEGV, SIGFPE,
#ifdef SIGBUS
                           SIGBUS
#endif
    };
    for (size_t i = 0; i < sizeof signals / sizeof *signals; i++)
        signal(signals[i], say_again);
    if (argc == 3 && strcmp(argv[1], "--program") == 0) {
        (void)run_number(strtoull(argv[2], NULL, 0));
        return 0;
    }
    size_t files = 0;
    for (int i = 1; i < argc; i++)
        files += run_files(argv[i]);
    if (argc > 1) {
        CHECK(files > 0);
        printf("%zu programs\n", files);
        stress_passed("all programs from files");
        return stress_end();
    }
    size_t wanted = STRESS_ADDRESS_SANITIZER ? 1000000 : 10000000;
    wanted = IS_CHECKED ? stress_count(wanted / 10, 50000) : stress_count(wanted, 200000);
    wanted /= (size_t)test_setting("VF_RANDOM_PART", 1);
    size_t done = 0;
    uint64_t number = 0;
    while (done < wanted)
        done += run_number(number++);
    printf("%llu programs, %zu instructions\n", (unsigned long long)number, done);
    stress_passed("all did what the model says");
    return stress_end();
}
