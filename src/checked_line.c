/*
 * checked_line.c - the report of a misuse, and the stop.
 */
#define _GNU_SOURCE /* dladdr */

#include <dlfcn.h>
#include <signal.h>
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

/* The place as text: function+0x12, or file+0x1234, or 0x1234; and (line) if that is known. */
void vf_place_print_with(const void *place, const char *line, char *text, size_t size)
{
    Dl_info info;
    uintptr_t address = (uintptr_t)place;
    /* the instruction before: a call that never returns may be its function's last */
    if (place == NULL || dladdr((void *)(address - 1), &info) == 0)
        snprintf(text, size, "%#zx", (size_t)address);
    else if (info.dli_sname != NULL)
        snprintf(text, size, "%s+%#zx", info.dli_sname,
                 (size_t)(address - (uintptr_t)info.dli_saddr));
    else
        snprintf(text, size, "%s+%#zx", info.dli_fname,
                 (size_t)(address - (uintptr_t)info.dli_fbase));
    size_t length = strlen(text);
    if (*line != '\0' && strlen(line) + sizeof " ()" <= size - length)
        snprintf(text + length, size - length, " (%s)", line);
}

static VF_TLS bool lines_off;

void vf_misuse_in_handler(void)
{
    sigset_t all;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, NULL); /* or it is interrupted again, and again */
    lines_off = true;
}

void vf_place_print(const void *place, char *text, size_t size)
{
    vf_source source = {.place = place};
    if (!lines_off)
        vf_sources_find(&source, 1);
    vf_place_print_with(place, source.line, text, size);
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
