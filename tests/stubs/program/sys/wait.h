/* SPDX-License-Identifier: MIT */
/* wait.h - see pthread.h. */
#pragma once
#include <unistd.h>
#define WIFSIGNALED(status) (((status)&127) != 0)
#define WTERMSIG(status)    ((status)&127)
pid_t waitpid(pid_t process, int *status, int options);
