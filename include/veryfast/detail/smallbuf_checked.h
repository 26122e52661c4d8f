/*
 * smallbuf_checked.h - the checked side of smallbuf_core.h: who uses a buffer, and from what place
 * of the program (pool_places.h).
 */
#ifndef VF_DETAIL_SMALLBUF_CHECKED_H
#define VF_DETAIL_SMALLBUF_CHECKED_H

#include <veryfast/detail/config.h>

VF_EXTERN_C_BEGIN

VF_API void vf_checked_push_begin(const void *buffer, const void *place);
VF_API void vf_checked_push_end(const void *buffer);
VF_API void vf_checked_writer_open(const void *writer, const void *buffer, const void *place);
VF_API void vf_checked_writer_close(const void *writer, const void *buffer);

/* Stops where a push into the buffer is in flight or a writer of it is open. */
VF_API void vf_checked_exclusive(const void *buffer, const char *name, const char *what,
                                 const void *place);

VF_EXTERN_C_END

#define vf_push_begin(buffer)        vf_checked_push_begin(buffer, __builtin_return_address(0))
#define vf_push_end(buffer)          vf_checked_push_end(buffer)
#define vf_writer_opened(writer, of) vf_checked_writer_open(writer, of, __builtin_return_address(0))
#define vf_writer_closed(writer, of) vf_checked_writer_close(writer, of)
#define vf_exclusive(buffer, name, what)                                                           \
    vf_checked_exclusive(buffer, name, what, __builtin_return_address(0))

#endif
