/* SPDX-License-Identifier: MIT */
/*
 * fuzz_programs.c - random programs (see program.h) as libFuzzer finds them.
 */
#include "program.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    (void)program_run(bytes, size);
    return 0;
}
