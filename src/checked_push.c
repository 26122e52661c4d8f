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

#include <veryfast/detail/smallbuf_checked.h>

#include "checked.h"

#define CHAINS 256

/* The pushes into a buffer that are in flight, or one writer of it. */
typedef struct use {
    struct use *next;
    const void *buffer;
    const void *writer; /* NULL: pushes */
    size_t count;
    const void *place; /* of the one that began last */
} use;

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static use *chains[CHAINS];

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
static use **find(const void *buffer, const void *writer)
{
    use **link = chain_of(buffer);
    while (*link != NULL && ((*link)->buffer != buffer || (*link)->writer != writer))
        link = &(*link)->next;
    return link;
}

static void begin(const void *buffer, const void *writer, const void *place)
{
    vf_checked_begin();
    int saved = errno;
    pthread_mutex_lock(&lock);
    use **link = find(buffer, writer);
    if (*link == NULL && (*link = malloc(sizeof **link)) != NULL)
        **link = (use){.buffer = buffer, .writer = writer};
    if (*link != NULL) {
        (*link)->count += writer == NULL || (*link)->count == 0;
        (*link)->place = place;
    }
    pthread_mutex_unlock(&lock);
    errno = saved;
}

static void end(const void *buffer, const void *writer)
{
    int saved = errno;
    pthread_mutex_lock(&lock);
    use **link = find(buffer, writer);
    use *found = *link;
    if (found != NULL && --found->count == 0) {
        *link = found->next;
        free(found);
    }
    pthread_mutex_unlock(&lock);
    errno = saved;
}

void vf_checked_push_begin(const void *buffer, const void *place)
{
    begin(buffer, NULL, place);
}

void vf_checked_push_end(const void *buffer)
{
    end(buffer, NULL);
}

void vf_checked_writer_open(const void *writer, const void *buffer, const void *place)
{
    begin(buffer, writer, place);
}

void vf_checked_writer_close(const void *writer, const void *buffer)
{
    end(buffer, writer);
}

void vf_checked_exclusive(const void *buffer, const char *name, const char *what, const void *place)
{
    pthread_mutex_lock(&lock);
    const use *found = *chain_of(buffer);
    while (found != NULL && found->buffer != buffer)
        found = found->next;
    const void *writer = found != NULL ? found->writer : NULL;
    const void *begun = found != NULL ? found->place : NULL;
    pthread_mutex_unlock(&lock);
    if (begun == NULL)
        return;
    char text[256];
    vf_place_print(begun, text, sizeof text);
    if (writer != NULL)
        vf_misuse(name, buffer, place, "%s while writer %p is open@, opened at %s", what, writer,
                  text);
    vf_misuse(name, buffer, place, "%s while a push is in flight@, begun at %s", what, text);
}
