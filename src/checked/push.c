/* SPDX-License-Identifier: MIT */
/*
 * push.c - pushes in flight, open writers and drains of small buffers, in a checked build:
 * what must not be there when a thread takes a buffer for itself, and when a drain goes on.
 *
 * A small buffer has no room to note that, so it is kept aside, by the buffer's address, as long as
 * it lasts. When out of memory, it goes unnoted.
 */
#include "push.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <veryfast/detail/smallbuf_core.h>

#include "../platform/mutex.h"
#include "caller.h"
#include "misuse.h"
#include "name.h"

#define CHAINS 256
#define TYPES  64

/* A thread's push into a buffer that is in flight; or a writer. */
typedef struct use {
    struct use *next;
    const void *buffer;
    const void *user; /* the writer, or the thread's own variable */
    bool is_writer;
    bool before_flip;   /* S_flip_begin has come since it began */
    const void *caller; /* where it began */
} use;

/* A drain that has yet to hand out elements, or its parts. */
typedef struct open_drain {
    struct open_drain *next;
    const void *spill; /* of its bank */
    size_t parts;      /* that have not ended, itself included */
    vf_buffer_call begun;
    bool current;       /* pushes go to its bank */
    bool over;          /* one has */
    const void *pushed; /* the caller of the first one */
} open_drain;

static vf_mutex lock = VF_MUTEX_INITIALIZER;
static use *chains[CHAINS];
static open_drain *drains[CHAINS];
static size_t drained; /* drains there are */

/* What this thread does here: a signal's handler that makes a call finds it half done. */
static VF_TLS struct {
    volatile bool busy;
    const void *volatile caller; /* of the call that it makes, or has made */
} this_thread;

static const vf_smallbuf_type *types[TYPES]; /* atomic: whose names were looked at, some of them */

void vf_push_lock(void)
{
    vf_mutex_lock(&lock);
}

void vf_push_unlock(void)
{
    vf_mutex_unlock(&lock);
}

/* Before the locks: a signal's handler that has interrupted the thread which holds them would wait
   for ever. */
static void begin_call(const char *name, const void *buffer, const void *caller)
{
    if (this_thread.busy) {
        char text[VF_CALLER_SIZE];
        this_thread.busy = false;
        vf_misuse_in_handler(); /* what was interrupted may hold other locks too */
        vf_caller_print(this_thread.caller, text, sizeof text);
        vf_misuse(name, buffer, caller,
                  "a signal's handler makes a call in the middle of another@, begun at %s", text);
    }
    this_thread.busy = true;
    this_thread.caller = caller;
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
    vf_name_look(call.name, &parameters, call.name, call.buffer, call.caller);
    vf_store_relaxed(seen, type);
}

static void enter_call(vf_buffer_call call)
{
    begin_call(call.name, call.buffer, call.caller);
    look_at_name(call);
    vf_mutex_lock(&lock);
}

/* The same, of a call that began another and has no type. */
static void enter_again(const void *buffer, const void *caller)
{
    begin_call("a small buffer", buffer, caller);
    vf_mutex_lock(&lock);
}

static void leave(void)
{
    vf_mutex_unlock(&lock);
    this_thread.busy = false;
}

static size_t chain_of(const void *address)
{
    return ((uintptr_t)address >> 4) % CHAINS;
}

/* Where the use hangs, or NULL hangs if there is none. */
static use **find_use(const void *buffer, const void *user)
{
    assert(vf_mutex_held(&lock));
    use **link = &chains[chain_of(buffer)];
    while (*link != NULL && ((*link)->buffer != buffer || (*link)->user != user))
        link = &(*link)->next;
    return link;
}

/* Where the drain of the bank hangs, or NULL hangs. */
static open_drain **find_drain(const void *spill)
{
    assert(vf_mutex_held(&lock));
    open_drain **link = &drains[chain_of(spill)];
    while (*link != NULL && (*link)->spill != spill)
        link = &(*link)->next;
    return link;
}

/* Drains of banks that are pushed to from here on are over. */
static void end_drains(vf_buffer_call call)
{
    assert(vf_mutex_held(&lock));
    for (size_t i = 0; drained != 0 && i < CHAINS; i++) {
        for (open_drain *each = drains[i]; each != NULL; each = each->next) {
            if (each->begun.buffer == call.buffer && each->current && !each->over) {
                each->over = true;
                each->pushed = call.caller;
            }
        }
    }
}

static void begin_use(vf_buffer_call call, const void *user, bool is_writer)
{
    int saved = errno;
    enter_call(call);
    end_drains(call);
    use **link = find_use(call.buffer, user);
    const void *outer = NULL;
    if (*link != NULL && !is_writer)
        outer = (*link)->caller;
    else if (*link == NULL && (*link = malloc(sizeof **link)) != NULL)
        **link = (use){.next = NULL, .buffer = call.buffer, .user = user, .is_writer = is_writer};
    if (*link != NULL)
        (*link)->caller = call.caller;
    leave();
    if (outer != NULL) {
        char text[VF_CALLER_SIZE];
        vf_misuse_in_handler();
        vf_caller_print(outer, text, sizeof text);
        vf_misuse(call.name, call.buffer, call.caller,
                  "a push in the middle of another (by a signal's handler, or the allocator)@, "
                  "begun at %s",
                  text);
    }
    errno = saved;
}

static void end_use(const void *buffer, const void *user)
{
    int saved = errno;
    enter_again(buffer, this_thread.caller);
    use **link = find_use(buffer, user);
    use *found = *link;
    if (found != NULL) {
        *link = found->next;
        free(found);
    }
    leave();
    errno = saved;
}

void vf_checked_push_begin(vf_buffer_call call)
{
    begin_use(call, (const void *)&this_thread, false);
}

void vf_checked_push_end(const void *buffer)
{
    end_use(buffer, (const void *)&this_thread);
}

void vf_checked_writer_open(const void *writer, vf_buffer_call call)
{
    begin_use(call, writer, true);
}

void vf_checked_writer_close(const void *writer, const void *buffer)
{
    end_use(buffer, writer);
}

/* Stops if the buffer is in use, or only if it has been since before the flip. */
static void look_at_uses(vf_buffer_call call, const char *what, bool before_flip)
{
    enter_call(call);
    if (strcmp(what, "S_push_exclusive") == 0)
        end_drains(call);
    const use *found = chains[chain_of(call.buffer)];
    while (found != NULL && (found->buffer != call.buffer || (before_flip && !found->before_flip)))
        found = found->next;
    const use known = found != NULL ? *found : (use){.caller = NULL};
    leave();
    if (found == NULL)
        return;
    char text[VF_CALLER_SIZE];
    vf_caller_print(known.caller, text, sizeof text);
    if (known.is_writer)
        vf_misuse(call.name, call.buffer, call.caller, "%s while writer %p is open@, opened at %s",
                  what, known.user, text);
    vf_misuse(call.name, call.buffer, call.caller, "%s while a push is in flight@, begun at %s",
              what, text);
}

void vf_checked_exclusive(vf_buffer_call call, const char *what)
{
    look_at_uses(call, what, false);
}

void vf_checked_flip_begin(vf_buffer_call call)
{
    enter_call(call);
    for (use *each = chains[chain_of(call.buffer)]; each != NULL; each = each->next)
        each->before_flip |= each->buffer == call.buffer;
    for (size_t i = 0; drained != 0 && i < CHAINS; i++) {
        for (open_drain *each = drains[i]; each != NULL; each = each->next)
            each->current ^= each->begun.buffer == call.buffer;
    }
    leave();
}

void vf_checked_flip_finish(vf_buffer_call call)
{
    look_at_uses(call, "S_flip_finish", true);
}

void vf_checked_fork_child(vf_buffer_call call)
{
    enter_call(call);
    for (use **link = &chains[chain_of(call.buffer)]; *link != NULL;) {
        use *each = *link;
        if (each->buffer != call.buffer) {
            link = &each->next;
            continue;
        }
        *link = each->next;
        free(each);
    }
    leave();
}

/* ---- drains ---- */

void vf_checked_drain_begin(vf_buffer_call call, const void *spill, bool current)
{
    int saved = errno;
    enter_call(call);
    open_drain **link = find_drain(spill);
    if (*link == NULL && (*link = malloc(sizeof **link)) != NULL) {
        (*link)->next = NULL;
        drained++;
    }
    if (*link != NULL) {
        open_drain *next = (*link)->next;
        **link = (open_drain){
            .next = next, .spill = spill, .parts = 1, .begun = call, .current = current};
    }
    leave();
    errno = saved;
}

void vf_checked_drain_use(const void *spill, const char *what, const void *caller)
{
    enter_again(spill, caller);
    const open_drain *found = *find_drain(spill);
    const open_drain known = found != NULL ? *found : (open_drain){.over = false};
    leave();
    if (!known.over)
        return;
    char text[VF_CALLER_SIZE];
    vf_caller_print(known.pushed, text, sizeof text);
    vf_misuse(known.begun.name, known.begun.buffer, caller,
              "%s goes on after a push to the buffer that is drained@, begun at %s", what, text);
}

void vf_checked_drain_end(const void *spill)
{
    int saved = errno;
    enter_again(spill, this_thread.caller);
    open_drain **link = find_drain(spill);
    open_drain *found = *link;
    if (found != NULL && --found->parts == 0) {
        *link = found->next;
        free(found);
        drained--;
    }
    leave();
    errno = saved;
}

void vf_checked_drain_share(const void *spill)
{
    enter_again(spill, this_thread.caller);
    open_drain *found = *find_drain(spill);
    if (found != NULL)
        found->parts++;
    leave();
}

void vf_checked_drain_trim(const void *spill, const void *caller)
{
    enter_again(spill, caller);
    const open_drain *found = *find_drain(spill);
    const open_drain known = found != NULL ? *found : (open_drain){.parts = 0};
    leave();
    if (known.parts > 0)
        vf_misuse(known.begun.name, known.begun.buffer, caller,
                  "S_drain_end_trim before all parts of the drain have ended@, %zu are left",
                  known.parts);
}
