/* SPDX-License-Identifier: MIT */
/*
 * module.h - the executables and libraries of the process: for reports.
 */
#ifndef VF_MODULE_H
#define VF_MODULE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The file that is mapped where an address is, and the address in the file; false: none is, or the
   system does not tell. */
bool vf_module_file(uintptr_t address, char *file, size_t size, uintptr_t *in_file);

/* The function that an address is in, where the process knows its name, and where it begins; NULL:
   it does not. */
const char *vf_module_function(uintptr_t address, uintptr_t *begin);

#endif
