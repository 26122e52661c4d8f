/* SPDX-License-Identifier: MIT */
/*
 * readers.h - tells ThreadSanitizer what a grace period orders: it does not see into liburcu.
 *
 * The end of a read section releases, and VF_DROP acquires: what was read before the end comes
 * before the drop. A reader that is still in its section has not released, so that a drop too early
 * is still a race.
 */
#ifndef TESTS_SUPPORT_READERS_H
#define TESTS_SUPPORT_READERS_H

#if defined(__SANITIZE_THREAD__)
#    define READERS_SEEN 1
#elif defined(__has_feature)
#    if __has_feature(thread_sanitizer)
#        define READERS_SEEN 1
#    endif
#endif
#ifdef READERS_SEEN
#    include <sanitizer/tsan_interface.h>
void AnnotateIgnoreWritesBegin(const char *file, int line);
void AnnotateIgnoreWritesEnd(const char *file, int line);
#endif

static char readers_token;

/* Before a read section ends, or a quiescent state. */
static inline void readers_leave(void)
{
#ifdef READERS_SEEN
    __tsan_release(&readers_token);
#else
    (void)readers_token;
#endif
}

/* In VF_DROP. */
static inline void readers_have_left(void)
{
#ifdef READERS_SEEN
    __tsan_acquire(&readers_token);
#endif
}

#endif
