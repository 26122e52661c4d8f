/* SPDX-License-Identifier: MIT */
/*
 * test_misuse_name.c - two instances of one name with different parameters.
 */
#include "misuse.h"
#include "same_name.h"

#define NAME(by, use)                                                                              \
    {                                                                                              \
        one_##use, other_##use, #by, " at other_" #use "+0x"                                       \
    }

static const struct {
    void (*one)(void), (*other)(void);
    const char *name, *place;
} uses[] = {
    NAME(by_size, size),     NAME(by_alignment, alignment), NAME(by_number, number),
    NAME(by_inside, inside), NAME(by_element, element),     NAME(by_unit, unit),
    NAME(by_line, line),     NAME(by_flip, flip),           NAME(by_inside, writer),
    NAME(by_inside, count),
};
#define USES (sizeof uses / sizeof *uses)

static void (*one)(void), (*other)(void);

SCENE(uses_one_and_other)
{
    one();
    other();
}

Test(misuse_name, stands_for_one_set_of_parameters)
{
    for (size_t i = 0; i < USES; i++) {
        char says[64];
        snprintf(says, sizeof says, ": second instance named %s with other", uses[i].name);
        one = uses[i].one;
        other = uses[i].other;
        misuse_check(uses_one_and_other, uses[i].name, says, uses[i].place);
        misuse_check(uses_one_and_other, uses[i].name, "parameters (size ", "; before: size ");
        other = one;
        cr_assert(check_passes(uses_one_and_other)[0] == '\0');
    }
}
