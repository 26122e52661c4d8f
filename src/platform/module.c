/* SPDX-License-Identifier: MIT */
/*
 * module.c - see module.h.
 */
#define _GNU_SOURCE /* dladdr, dl_iterate_phdr, program_invocation_name */

#include "module.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "system.h"

#if VF_SYSTEM == VF_SYSTEM_WINDOWS
#    define VF_MODULE_WINDOWS 1
#    include "win32.h"
#elif VF_SYSTEM == VF_SYSTEM_POSIX && defined(__has_include)
#    if __has_include(<dlfcn.h>) && !defined(__wasm__)
#        define VF_MODULE_DLADDR 1
#        include <dlfcn.h>
#    endif
#    if __has_include(<link.h>) && defined(__linux__)
#        define VF_MODULE_LINK 1
#        include <errno.h>
#        include <link.h>
#        include <unistd.h>
#    endif
#endif

#if defined(VF_MODULE_LINK)
typedef struct module {
    uintptr_t address;
    uintptr_t bias; /* what its addresses are above those in its file */
    bool later;     /* than the first, which is the executable */
    char *file;
    size_t size;
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
        snprintf(found->file, found->size, "%s", info->dlpi_name);
        return 1;
    }
    found->later = true;
    return 0;
}

static const char *own_name(void)
{
#    ifdef __ANDROID__
    return getprogname();
#    else
    return program_invocation_name;
#    endif
}

bool vf_module_file(uintptr_t address, char *file, size_t size, uintptr_t *in_file)
{
    module of = {.address = address, .file = file, .size = size};
    if (dl_iterate_phdr(look_at_module, &of) == 0)
        return false;
    *in_file = address - of.bias;
    if (!of.later) { /* the name that it was called by need not lead to it */
        ssize_t length = readlink("/proc/self/exe", file, size - 1);
        if (length > 0)
            file[length] = '\0';
        else
            snprintf(file, size, "%s", own_name());
    }
    return true;
}
#elif defined(VF_MODULE_DLADDR)
bool vf_module_file(uintptr_t address, char *file, size_t size, uintptr_t *in_file)
{
    Dl_info info;
    if (dladdr((void *)address, &info) == 0 || info.dli_fname == NULL)
        return false;
    snprintf(file, size, "%s", info.dli_fname);
    *in_file = address - (uintptr_t)info.dli_fbase;
    return true;
}
#elif defined(VF_MODULE_WINDOWS)
bool vf_module_file(uintptr_t address, char *file, size_t size, uintptr_t *in_file)
{
    HMODULE module;
    DWORD flags =
        GET_MODULE_HANDLE_EX_FLAG_FROM_ADDRESS | GET_MODULE_HANDLE_EX_FLAG_UNCHANGED_REFCOUNT;
    if (!GetModuleHandleExA(flags, (const char *)address, &module) ||
        GetModuleFileNameA(module, file, (DWORD)size) == 0)
        return false;
    *in_file = address - (uintptr_t)module;
    return true;
}
#else
bool vf_module_file(uintptr_t address, char *file, size_t size, uintptr_t *in_file)
{
    (void)address;
    (void)file;
    (void)size;
    (void)in_file;
    return false;
}
#endif

#if defined(VF_MODULE_DLADDR)
const char *vf_module_function(uintptr_t address, uintptr_t *begin)
{
    Dl_info info;
    if (dladdr((void *)address, &info) == 0)
        return NULL;
    *begin = (uintptr_t)info.dli_saddr;
    return info.dli_sname;
}
#else
const char *vf_module_function(uintptr_t address, uintptr_t *begin)
{
    (void)address;
    (void)begin;
    return NULL;
}
#endif
