/* SPDX-License-Identifier: MIT */
/* type_names.c - a type may be called as anything is called inside the templates. */
typedef struct {
    long number;
} something;

typedef something object;
#define VF_T object
#include "named.h"

typedef something objects;
#define VF_T objects
#include "named.h"

typedef something pool;
#define VF_T pool
#include "named.h"

typedef something cache;
#define VF_T cache
#include "named.h"

typedef something value;
#define VF_T value
#include "named.h"

typedef something values;
#define VF_T values
#include "named.h"

typedef something buffer;
#define VF_T buffer
#include "named.h"

typedef something slot;
#define VF_T slot
#include "named.h"

typedef something slots;
#define VF_T slots
#include "named.h"

typedef something element;
#define VF_T element
#include "named.h"

typedef something elements;
#define VF_T elements
#include "named.h"

typedef something drain;
#define VF_T drain
#include "named.h"

typedef something run;
#define VF_T run
#include "named.h"

typedef something span;
#define VF_T span
#include "named.h"

typedef something tail;
#define VF_T tail
#include "named.h"

typedef something bank;
#define VF_T bank
#include "named.h"

typedef something writer;
#define VF_T writer
#include "named.h"

typedef something core;
#define VF_T core
#include "named.h"

typedef something visitor;
#define VF_T visitor
#include "named.h"

typedef something context;
#define VF_T context
#include "named.h"

typedef something options;
#define VF_T options
#include "named.h"

typedef something stats;
#define VF_T stats
#include "named.h"

typedef something type;
#define VF_T type
#include "named.h"

typedef something visit;
#define VF_T visit
#include "named.h"

typedef something given;
#define VF_T given
#include "named.h"

typedef something size;
#define VF_T size
#include "named.h"

typedef something count;
#define VF_T count
#include "named.h"

typedef something at;
#define VF_T at
#include "named.h"

typedef something stop;
#define VF_T stop
#include "named.h"

typedef something expected;
#define VF_T expected
#include "named.h"

typedef something n;
#define VF_T n
#include "named.h"

typedef something i;
#define VF_T i
#include "named.h"

int main(void)
{
    return sizeof(value) != sizeof(something);
}
