/* SPDX-License-Identifier: MIT */
/*
 * caller.c - see caller.h. For a report or a list of leaks: what the process itself knows of a
 * caller. Its source line is known to a sanitizer's runtime only; the file and the offset are
 * what addr2line needs to find it later (tools/veryfast-where).
 */
#include "caller.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <veryfast/detail/config.h>

#include "../platform/compiler.h"
#include "../platform/module.h"

#define SYMBOL_MAX 128 /* bytes of a function's name; of a longer one the beginning is printed */
#define FILE_MAX   300 /* and of a file's, or a line with it: of a longer one the end is */
#define PATH_SIZE  4096

#ifdef __ELF__
extern void __sanitizer_symbolize_pc(void *pc, const char *format, char *out, size_t size) VF_WEAK;
#else
#    define __sanitizer_symbolize_pc ((void (*)(void *, const char *, char *, size_t))NULL)
#endif

/* "file+0x1234", or only "0x1234" where no file is mapped. */
static void print_offset(uintptr_t address, char *text, size_t size)
{
    char file[PATH_SIZE];
    uintptr_t in_file;
    if (!vf_module_file(address, file, sizeof file, &in_file)) {
        snprintf(text, size, "%#zx", (size_t)address);
        return;
    }
    size_t length = strlen(file);
    size_t skipped = length > FILE_MAX ? length - FILE_MAX : 0;
    snprintf(text, size, "%s%.*s+%#zx", skipped > 0 ? "..." : "", FILE_MAX, file + skipped,
             (size_t)in_file);
}

static VF_TLS bool no_lines;

void vf_caller_without_lines(void)
{
    no_lines = true;
}

/* "function at file:12", if the sanitizer's runtime knows all of it. */
static bool print_line(const void *caller, char *text, size_t size)
{
    if (__sanitizer_symbolize_pc == NULL || no_lines)
        return false;
    *text = '\0';
    __sanitizer_symbolize_pc((void *)(uintptr_t)caller, "%f at %s:%l", text, size);
    size_t length = strlen(text);
    return length > 2 && length < size - 1 && strcmp(text + length - 2, ":0") != 0 &&
           strstr(text, "<null>") == NULL && strstr(text, "??") == NULL;
}

void vf_caller_print(const void *caller, char *text, size_t size)
{
    /* The call is before the caller, two bytes long at least. With 32-bit ARM's instructions of 16
       bits the caller is an odd address, one more than that of the next instruction. */
    uintptr_t call = caller != NULL ? (uintptr_t)caller - 2 : 0;
    char where[FILE_MAX + 32];
    uintptr_t begin;
    const char *function = vf_module_function(call, &begin);
    if (!print_line(caller, where, sizeof where))
        print_offset(call, where, sizeof where);
    if (function != NULL)
        snprintf(text, size, "%.*s+%#zx (%s)", SYMBOL_MAX, function, (size_t)(call - begin), where);
    else
        snprintf(text, size, "%s", where);
}
