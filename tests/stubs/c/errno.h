/* SPDX-License-Identifier: MIT */
/* errno.h - as much of it as the library needs, of any C library. */
#pragma once
int *vf_stub_errno(void);
#define errno     (*vf_stub_errno())
#define ESRCH     3
#define EINTR     4
#define EAGAIN    11
#define ENOMEM    12
#define EINVAL    22
#define ETIMEDOUT 60
#define ERANGE    34
