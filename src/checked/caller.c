/* SPDX-License-Identifier: MIT */
/*
 * caller.c - see caller.h. For a report or a list of leaks: what the process itself knows of a
 * caller. Its source line is known to a sanitizer's runtime only; the file and the offset are
 * what addr2line needs to find it later (tools/veryfast-where).
 */
#define _GNU_SOURCE /* dladdr, dl_iterate_phdr, program_invocation_name */

#include "caller.h"

#include <dlfcn.h>
#include <errno.h>
#include <limits.h>
#include <link.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <veryfast/detail/config.h>

#include "../platform/compiler.h"

#define SYMBOL_MAX 128 /* bytes of a function's name; of a longer one the beginning is printed */
#define FILE_MAX   300 /* and of a file's, or a line with it: of a longer one the end is */

extern void __sanitizer_symbolize_pc(void *pc, const char *format, char *out, size_t size) VF_WEAK;

/* The executable or shared library that an address is in. */
typedef struct module {
    uintptr_t address;
    uintptr_t bias; /* what its addresses are above those in its file */
    bool later;     /* than the first, which is the executable */
    char file[PATH_MAX];
} module;

static int look_at_module(struct dl_phdr_info *info, size_t size, void *context)
{
    module *found = context;
    (void)size;
    for (size_t i = 0; i < info->dlpi_phnum; i++) {
        const ElfW(Phdr) *part = &info->dlpi_phdr[i];
        uintptr_t begin = (uintptr_t)info->dlpi_addr + part->p_vaddr;
        if (part->p_type != PT_LOAD || found->address - begin >= part->p_memsz)
            continue;
        found->bias = info->dlpi_addr;
        snprintf(found->file, sizeof found->file, "%s", info->dlpi_name);
        return 1;
    }
    found->later = true;
    return 0;
}

/* "file+0x1234", or only "0x1234" where no file is mapped. */
static void print_offset(uintptr_t address, char *text, size_t size)
{
    module of = {.address = address};
    if (dl_iterate_phdr(look_at_module, &of) == 0) {
        snprintf(text, size, "%#zx", (size_t)address);
        return;
    }
    if (!of.later) { /* the name that it was called by need not lead to it */
        ssize_t length = readlink("/proc/self/exe", of.file, sizeof of.file - 1);
        if (length > 0)
            of.file[length] = '\0';
        else
            snprintf(of.file, sizeof of.file, "%s", program_invocation_name);
    }
    size_t length = strlen(of.file);
    size_t skipped = length > FILE_MAX ? length - FILE_MAX : 0;
    snprintf(text, size, "%s%.*s+%#zx", skipped > 0 ? "..." : "", FILE_MAX, of.file + skipped,
             (size_t)(address - of.bias));
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
    Dl_info info;
    if (!print_line(caller, where, sizeof where))
        print_offset(call, where, sizeof where);
    if (dladdr((void *)call, &info) != 0 && info.dli_sname != NULL)
        snprintf(text, size, "%.*s+%#zx (%s)", SYMBOL_MAX, info.dli_sname,
                 (size_t)(call - (uintptr_t)info.dli_saddr), where);
    else
        snprintf(text, size, "%s", where);
}
