/*
 * test_epoch_refused.c - a filter of system calls that comes after the first P_new refuses
 * membarrier: nothing waits for it for ever, and what was deferred goes out.
 */
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "epoch_pool.h"

/* The filter is for this thread and those that it makes. */
static bool refuse_membarrier(int number)
{
    struct sock_filter steps[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, __NR_membarrier, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | (unsigned)number),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog filter = {sizeof steps / sizeof *steps, steps};
    return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
           prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter) == 0;
}

/* liburcu's thread is there before the filter, and goes on without it. */
Test(epoch_refused, all_goes_back)
{
    begin(0, 0);
    fill(100);
    defer(0, 60);
    numbers_epoch_barrier(pool);
    check_equal(dropped(), 60);
    if (!refuse_membarrier(EPERM)) {
        fprintf(stderr, "skipped: no filter of system calls here\n");
        numbers_destroy(pool);
        end();
        return;
    }
    defer(60, 65);
    numbers_epoch_barrier(pool);
    check_equal(dropped(), 65);
    defer(65, 70);
    numbers_free_n(pool, objects + 80, 20);
    errno = EXDEV;
    numbers_release(pool);
    cr_assert(errno == EXDEV);
    defer(70, 80);
    end();
    wait_until_back();
    check_equal(dropped(), 100);
}
