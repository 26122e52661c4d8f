/* SPDX-License-Identifier: MIT */
/*
 * test_version.c - the headers and the library say which version they are of.
 */
#include "test_common.h"

Test(version, is_the_projects)
{
    cr_assert(strcmp(VF_VERSION, PROJECT_VERSION) == 0, "VF_VERSION is %s, the project's is %s",
              VF_VERSION, PROJECT_VERSION);
}

Test(version, is_a_number_too)
{
    unsigned major, minor, patch;
    cr_assert(sscanf(VF_VERSION, "%u.%u.%u", &major, &minor, &patch) == 3);
    cr_assert(VF_VERSION_NUMBER == major * 1000000 + minor * 1000 + patch);
}

Test(version, of_the_library_is_that_of_its_headers)
{
    cr_assert(vf_version() == VF_VERSION_NUMBER);
}
