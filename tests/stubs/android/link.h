/* SPDX-License-Identifier: MIT */
/* link.h - see pthread.h. */
#pragma once
#include <stddef.h>
#include <stdint.h>
typedef struct Elf64_Phdr {
    uint32_t p_type;
    uint64_t p_vaddr, p_memsz;
} Elf64_Phdr;
#define ElfW(type) Elf64_##type
#define PT_LOAD    1
struct dl_phdr_info {
    uint64_t dlpi_addr;
    const char *dlpi_name;
    const Elf64_Phdr *dlpi_phdr;
    uint16_t dlpi_phnum;
};
int dl_iterate_phdr(int (*call)(struct dl_phdr_info *, size_t, void *), void *context);
