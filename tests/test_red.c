/* SPDX-License-Identifier: MIT */
/*
 * test_red.c - a test that fails, as it should: it shows that a failure is seen.
 */
#include "test_common.h"

Test(red, an_assertion_that_is_false)
{
    cr_assert(1 + 1 == 3, "this is not the number that was expected");
}
