/* SPDX-License-Identifier: MIT */
/* signal.h - see pthread.h. */
#pragma once
#include_next <signal.h>
#define SIGABRT 6
#define SIGUSR1 30
#define SIG_DFL ((void (*)(int))0)
struct sigaction {
    void (*sa_handler)(int);
};
struct vf_stub_thread;
int sigaction(int signal, const struct sigaction *action, struct sigaction *before);
void (*signal(int number, void (*handler)(int)))(int);
int pthread_kill(struct vf_stub_thread *thread, int signal);
