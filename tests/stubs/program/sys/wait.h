/* SPDX-License-Identifier: MIT */
/* wait.h - see pthread.h. */
#pragma once
typedef int pid_t;
#define WIFSIGNALED(status) (((status)&127) != 0)
#define WTERMSIG(status)    ((status)&127)
pid_t waitpid(pid_t process, int *status, int options);
