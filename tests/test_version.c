/* SPDX-License-Identifier: MIT */
/*
 * test_version.c - the headers say which version they are of.
 */
#include "test_common.h"

Test(version, is_the_projects)
{
    cr_assert(strcmp(VF_VERSION, PROJECT_VERSION) == 0, "VF_VERSION is %s, the project's is %s",
              VF_VERSION, PROJECT_VERSION);
}
