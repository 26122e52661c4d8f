/*
 * checked_push.c - pushes in flight and open writers of small buffers, in a checked build: what
 * must not be there when somebody takes a buffer to himself.
 *
 * A small buffer has no room to note that, so it is kept aside, by the buffer's address, as long as
 * it lasts. Where memory is spent a push goes unnoted.
 */
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>

#include <veryfast/detail/smallbuf_core.h>

#include "checked.h"

#define CHAINS 256
#define TYPES  64

/* The pushes of a thread into a buffer that are in flight, one within the other; or a writer. */
typedef struct use {
    struct use *next;
    const void *buffer;
    const void *user; /* the writer, or the thread's own variable */
    bool is_writer;
    bool before_flip; /* S_flip_begin has come since it began */
    size_t depth;
    const void *place; /* of the one that began last */
} use;

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static use *chains[CHAINS];
static VF_TLS char this_thread;

static const vf_smallbuf_type *types[TYPES]; /* atomic: whose names were looked at, some of them */

void vf_checked_push_lock(void)
{
    pthread_mutex_lock(&lock);
}

void vf_checked_push_unlock(void)
{
    pthread_mutex_unlock(&lock);
}

static use **chain_of(const void *buffer)
{
    return &chains[((uintptr_t)buffer >> 4) % CHAINS];
}

/* Where the use hangs, or NULL hangs if there is none. The lock. */
static use **find(const void *buffer, const void *user)
{
    use **link = chain_of(buffer);
    while (*link != NULL && ((*link)->buffer != buffer || (*link)->user != user))
        link = &(*link)->next;
    return link;
}

/* Does the name stand for this type only? Instances in several files have a type each. */
static void look_at_name(vf_buffer_call call)
{
    const vf_smallbuf_type *type = call.type;
    const vf_smallbuf_type **seen = &types[((uintptr_t)type >> 4) % TYPES];
    if (vf_load_relaxed(seen) == type) /* relaxed: nothing is read behind it */
        return;
    vf_parameters parameters = {.size = type->size,
                                .alignment = type->alignment,
                                .number = (size_t)type->inside,
                                .is_buffer = true,
                                .buffer_size = call.size};
    vf_checked_name(call.name, &parameters, call.name, call.buffer, call.place);
    vf_store_relaxed(seen, type);
}

static void begin(vf_buffer_call call, const void *user, bool is_writer)
{
    vf_checked_begin();
    look_at_name(call);
    int saved = errno;
    pthread_mutex_lock(&lock);
    use **link = find(call.buffer, user);
    if (*link == NULL && (*link = malloc(sizeof **link)) != NULL)
        **link = (use){.buffer = call.buffer, .user = user, .is_writer = is_writer};
    if (*link != NULL) {
        (*link)->depth += !is_writer || (*link)->depth == 0;
        (*link)->place = call.place;
    }
    pthread_mutex_unlock(&lock);
    errno = saved;
}

static void end(const void *buffer, const void *user)
{
    int saved = errno;
    pthread_mutex_lock(&lock);
    use **link = find(buffer, user);
    use *found = *link;
    if (found != NULL && --found->depth == 0) {
        *link = found->next;
        free(found);
    }
    pthread_mutex_unlock(&lock);
    errno = saved;
}

void vf_checked_push_begin(vf_buffer_call call)
{
    begin(call, &this_thread, false);
}

void vf_checked_push_end(const void *buffer)
{
    end(buffer, &this_thread);
}

void vf_checked_writer_open(const void *writer, vf_buffer_call call)
{
    begin(call, writer, true);
}

void vf_checked_writer_close(const void *writer, const void *buffer)
{
    end(buffer, writer);
}

/* Stops if anybody uses the buffer, or only if he has done so since before the flip. */
static void look_at_uses(vf_buffer_call call, const char *what, bool before_flip)
{
    vf_checked_begin();
    look_at_name(call);
    pthread_mutex_lock(&lock);
    const use *found = *chain_of(call.buffer);
    while (found != NULL && (found->buffer != call.buffer || (before_flip && !found->before_flip)))
        found = found->next;
    const use known = found != NULL ? *found : (use){.place = NULL};
    pthread_mutex_unlock(&lock);
    if (found == NULL)
        return;
    char text[VF_PLACE_SIZE];
    vf_place_print(known.place, text, sizeof text);
    if (known.is_writer)
        vf_misuse(call.name, call.buffer, call.place, "%s while writer %p is open@, opened at %s",
                  what, known.user, text);
    vf_misuse(call.name, call.buffer, call.place, "%s while a push is in flight@, begun at %s",
              what, text);
}

void vf_checked_exclusive(vf_buffer_call call, const char *what)
{
    look_at_uses(call, what, false);
}

void vf_checked_flip_begin(const void *buffer)
{
    pthread_mutex_lock(&lock);
    for (use *each = *chain_of(buffer); each != NULL; each = each->next)
        each->before_flip |= each->buffer == buffer;
    pthread_mutex_unlock(&lock);
}

void vf_checked_flip_finish(vf_buffer_call call)
{
    look_at_uses(call, "S_flip_finish", true);
}
