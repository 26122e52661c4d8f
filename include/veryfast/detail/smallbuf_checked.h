/* SPDX-License-Identifier: MIT */
/*
 * smallbuf_checked.h - the checked side of smallbuf_core.h: which calls use a buffer, and from what
 * place of the program (see pool_checked.h).
 */
#ifndef VF_DETAIL_SMALLBUF_CHECKED_H
#define VF_DETAIL_SMALLBUF_CHECKED_H

#include <veryfast/veryfast.h>

VF_EXTERN_C_BEGIN

struct vf_smallbuf_type;

/* A call: on which buffer, of what instance, and from what place. */
typedef struct vf_buffer_call {
    const void *buffer;
    const struct vf_smallbuf_type *type;
    size_t size; /* of the buffer's struct */
    const char *name;
    const void *caller;
} vf_buffer_call;

VF_API void vf_checked_push_begin(vf_buffer_call call);
VF_API void vf_checked_push_end(const void *buffer);
VF_API void vf_checked_writer_open(const void *writer, vf_buffer_call call);
VF_API void vf_checked_writer_close(const void *writer, const void *buffer);

/* Stops where a push into the buffer is in flight or a writer of it is open. */
VF_API void vf_checked_exclusive(vf_buffer_call call, const char *what);

/* Stops where a push is in flight at the end that was at the beginning. */
VF_API void vf_checked_flip_begin(vf_buffer_call call);
VF_API void vf_checked_flip_finish(vf_buffer_call call);

/* In the child of a fork: pushes of other threads are in flight no more. */
VF_API void vf_checked_fork_child(vf_buffer_call call);

/* A drain of a bank, which its word spill stands for: one that goes on after the bank was pushed to
   is stopped. current: pushes go to the bank. */
VF_API void vf_checked_drain_begin(vf_buffer_call call, const void *spill, bool current);
VF_API void vf_checked_drain_use(const void *spill, const char *what, const void *caller);
VF_API void vf_checked_drain_end(const void *spill);
/* Another drain of the bank has a part of it, and ends too. */
VF_API void vf_checked_drain_share(const void *spill);
/* Stops where one has not ended. */
VF_API void vf_checked_drain_trim(const void *spill, const void *caller);

/* A program may call other things buffer or size. */
VF_NAMES_BEGIN
static inline VF_UNUSED vf_buffer_call vf_buffer_call_of(const void *buffer,
                                                         const struct vf_smallbuf_type *type,
                                                         size_t size, const char *name,
                                                         const void *caller)
{
    vf_buffer_call call = {buffer, type, size, name, caller};
    return call;
}
VF_NAMES_END

VF_EXTERN_C_END

/* For the functions of an instance only: its type and name, and the place it returns to. */
#define vf_call_on(buffer)                                                                         \
    vf_buffer_call_of(buffer, &vf_self_type, sizeof *(buffer), vf_self_text, VF_RETURN_ADDRESS)

#define vf_push_begin(buffer)        vf_checked_push_begin(vf_call_on(buffer))
#define vf_push_end(buffer)          vf_checked_push_end(buffer)
#define vf_writer_opened(writer, of) vf_checked_writer_open(writer, vf_call_on(of))
#define vf_writer_closed(writer, of) vf_checked_writer_close(writer, of)
#define vf_exclusive(buffer, what)   vf_checked_exclusive(vf_call_on(buffer), what)
#define vf_flip_began(buffer)        vf_checked_flip_begin(vf_call_on(buffer))
#define vf_flip_finished(buffer)     vf_checked_flip_finish(vf_call_on(buffer))
#define vf_forked(buffer)            vf_checked_fork_child(vf_call_on(buffer))
#define vf_drain_began(buffer, drain, current)                                                     \
    ((drain)->over = false,                                                                        \
     vf_checked_drain_begin(vf_call_on(buffer), (drain)->core.spill, current))
#define vf_drain_used(drain, what)                                                                 \
    vf_checked_drain_use((drain)->core.spill, what, VF_RETURN_ADDRESS)
#define vf_drain_over(drain)                                                                       \
    ((drain)->over ? (void)0 : ((drain)->over = true, vf_checked_drain_end((drain)->core.spill)))
#define vf_drain_goes_behind(drain) ((drain)->over = false)
#define vf_drain_shared(drain)      vf_checked_drain_share((drain)->core.spill)
#define vf_drain_trims(drain)                                                                      \
    (vf_checked_drain_trim((drain)->first, VF_RETURN_ADDRESS),                                     \
     vf_checked_drain_trim((drain)->core.spill, VF_RETURN_ADDRESS))

#endif
