/* SPDX-License-Identifier: MIT */
/* unused.c - no warning if nothing of an instance is used. */
#include "instances.h"

int main(void)
{
    return 0;
}
