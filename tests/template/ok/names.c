/* SPDX-License-Identifier: MIT */
/*
 * names.c - instances that are called as the templates call what they work with, in all forms; and
 * a VF_N that is any constant expression, since it is no part of these names.
 */
enum { COUNT = 3, slots = 2 };
struct thing {
    long number[COUNT];
};

#define NAMED options
#include "names.h"
#define NAMED buffer
#include "names.h"
#define NAMED writer
#include "names.h"
#define NAMED value
#include "names.h"
#define NAMED pool
#include "names.h"
#define NAMED object
#include "names.h"
#define NAMED objects
#include "names.h"
#define NAMED cache
#include "names.h"
#define NAMED walk
#include "names.h"
#define NAMED visitor
#include "names.h"
#define NAMED core
#include "names.h"
#define NAMED n
#include "names.h"

int main(void)
{
    return 0;
}
