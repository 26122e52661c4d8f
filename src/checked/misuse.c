/* SPDX-License-Identifier: MIT */
/*
 * misuse.c - see misuse.h.
 */
#include "misuse.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <veryfast/checked.h>
#include <veryfast/detail/atomic.h>

#include "../platform/cancel.h"
#include "../platform/signals.h"
#include "caller.h"

/* atomic, both; set before the misuse that they are for */
static vf_misuse_handler *handler;
static void *handler_context;

void vf_checked_on_misuse(vf_misuse_handler *wanted, void *context)
{
    vf_store_relaxed(&handler_context, context);
    /* release: pairs with the acquire in vf_misuse: a handler's context comes before it */
    vf_store_release(&handler, wanted);
}

void vf_misuse_in_handler(void)
{
    vf_signals_block(); /* or it is interrupted again, and again */
    vf_caller_without_lines();
}

_Noreturn void vf_misuse(const char *owner, const void *address, const void *caller,
                         const char *sentence, ...)
{
    char where[VF_CALLER_SIZE];
    char what[3 * VF_CALLER_SIZE];
    char line[5 * VF_CALLER_SIZE];
    va_list arguments;
    (void)vf_cancel_off(); /* or the thread might end in caller of the process */
    va_start(arguments, sentence);
    vsnprintf(what, sizeof what, sentence, arguments);
    va_end(arguments);
    vf_caller_print(caller, where, sizeof where);
    /* the sentence has one '@' where the caller belongs: what follows it is of less weight */
    char *rest = strchr(what, '@');
    if (rest != NULL)
        *rest++ = '\0';
    snprintf(line, sizeof line, "%s %p: %s at %s%s", owner, address, what, where,
             rest != NULL ? rest : "");
    vf_misuse_handler *told = vf_load_acquire(&handler); /* pairs with vf_checked_on_misuse */
    if (told != NULL)
        told(line, vf_load_relaxed(&handler_context));
    fprintf(stderr, "veryfast: %s\n", line);
    abort();
}
