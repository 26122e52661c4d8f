/* SPDX-License-Identifier: MIT */
/*
 * version.c - which version the library is of.
 */
#include <veryfast/veryfast.h>

unsigned vf_version(void)
{
    return VF_VERSION_NUMBER;
}
