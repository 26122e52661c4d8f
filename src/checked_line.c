/*
 * checked_line.c - the report of a misuse, and the stop.
 */
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "cancel.h"
#include "checked.h"

/* atomic, both; set before the misuse that they are for */
static vf_misuse_handler *handler;
static void *handler_context;

void vf_checked_on_misuse(vf_misuse_handler *wanted, void *context)
{
    vf_store_relaxed(&handler_context, context);
    /* release: pairs with the acquire in vf_misuse: a handler's context comes before it */
    vf_store_release(&handler, wanted);
}

_Noreturn void vf_misuse(const char *pool_name, const void *pool, const void *place,
                         const char *sentence, ...)
{
    char where[VF_PLACE_SIZE];
    char what[3 * VF_PLACE_SIZE];
    char line[5 * VF_PLACE_SIZE];
    va_list arguments;
    (void)vf_cancel_off(); /* or the thread might end in place of the process */
    va_start(arguments, sentence);
    vsnprintf(what, sizeof what, sentence, arguments);
    va_end(arguments);
    vf_place_print(place, where, sizeof where);
    /* the sentence has one '@' where the place belongs: what follows it is of less weight */
    char *rest = strchr(what, '@');
    if (rest != NULL)
        *rest++ = '\0';
    snprintf(line, sizeof line, "%s %p: %s at %s%s", pool_name, pool, what, where,
             rest != NULL ? rest : "");
    vf_misuse_handler *told = vf_load_acquire(&handler); /* pairs with vf_checked_on_misuse */
    if (told != NULL)
        told(line, vf_load_relaxed(&handler_context));
    fprintf(stderr, "veryfast: %s\n", line);
    abort();
}
