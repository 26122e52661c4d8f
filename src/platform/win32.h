/* SPDX-License-Identifier: MIT */
/*
 * win32.h - the system's own header, with as little of it as can be. For .c files only: it takes
 * many a name away.
 */
#ifndef VF_WIN32_H
#define VF_WIN32_H

#ifndef WIN32_LEAN_AND_MEAN
#    define WIN32_LEAN_AND_MEAN
#endif
#ifndef NOMINMAX
#    define NOMINMAX
#endif
#include <windows.h>

#endif
