/*
 * checked.h - what a program can ask of a checked build, one with VF_CHECKED and veryfast-checked.
 *
 * A checked build stops a program that breaks the contract of pool.h or smallbuf.h, with one line:
 *
 *     veryfast: pool_job_64 0x55d0c0: double free of 0x55e1a0 at run_job+0x42, allocated at ...
 *
 * A place is the instruction behind the call: its function where the program's symbols tell it
 * (link with -rdynamic), otherwise the file and an offset, for addr2line. Its source line follows
 * if the program has a sanitizer in it, or debug information and a PATH to addr2line or
 * llvm-symbolizer, which is run then, for two seconds at most. (In a sandbox that kills whoever
 * starts another program, leave PATH unset.) Where a function ends with the call, the compiler may
 * make it a jump, and the place is then the caller's (not with -fno-optimize-sibling-calls).
 *
 * What is found at once: the free or take of an object that is free, was never handed out, is of
 * another pool or of none, or of a pointer into an object; the use of a pool that was released, or
 * is gone; a small buffer drained, read, trimmed or the like while a push into it is in flight or a
 * writer of it is open (which is to be closed even where its buffer is given up without a drain); a
 * drain that goes on after a push to what it drains; a push by a signal's handler, or an allocator,
 * that has interrupted another push to the buffer; two instances of one name with different
 * parameters. At the free: writes up to 16 bytes behind an object. When it leaves the quarantine, or
 * is handed out again: writes to a freed one.
 *
 * Objects are filled with 0xA5 when they are handed out, and with 0xDD when they are freed. A freed
 * one is kept back (the quarantine) until 256 KiB of its pool have been freed after it, or until no
 * other can be had: so as many as max_objects can be had all the same.
 *
 * AddressSanitizer, MemorySanitizer (clang's) and Valgrind see each object as if it were malloc'ed:
 * reads and writes of a freed one, or behind one, and the use of what nobody has written yet, are
 * found where they happen. Only the program need be built for it, and the library is the same. (The
 * ordinary library is for MemorySanitizer like any other that it was not built with: it reports
 * what that has written.) Of a small buffer nothing is hidden.
 *
 * VF_BYPASS, defined for a program of a checked build (-DVF_BYPASS; an error in any other), sends
 * every alloc and free of a pool to malloc: for tools that know malloc only (heap profilers,
 * Electric Fence, LeakSanitizer, glibc's MALLOC_PERTURB_), or to see whether a pool is at fault.
 * Each object is a block of its own with exactly the size of VF_T, and goes back when it is freed;
 * if the pool's options have an allocator, by that. It is the pool that is so or not, from its
 * P_new on: files with and without the macro may use the same one. What is different:
 *
 *   Nothing is filled, fenced or kept back: that is the tool's to do. What is found is the free or
 *   take of what is not out (a double free is not told from a pointer of no pool, and an address
 *   that malloc gives again not from the object that it was), of a deferred object, of a pointer
 *   into an object or of another pool; the use of a pool that was released; two instances of one
 *   name with different parameters.
 *
 *   Objects lie anywhere, and a free one is gone: type-stable reads (pool.h) read freed memory.
 *
 *   P_reserve sets nothing aside: true where the cap allows for n. P_trim has nothing to give back.
 *   P_owns knows the objects that are out. In P_stats there are no batches, capacity is what is
 *   live, and stride the size of VF_T. P_each needs memory for a pointer to each object. P_destroy
 *   drops in any order, and frees all when the last VF_DROP has run.
 *
 * A table of what is out, from the same allocator, hides its pointers from who looks for leaks.
 * Small buffers are as ever: their elements are not allocated one by one.
 *
 * Every call takes a lock. Objects lie further apart, and P_stats tells of that: nothing else in it
 * changes. Where the build is not checked, these functions do nothing.
 */
#ifndef VF_CHECKED_H
#define VF_CHECKED_H

#include <veryfast/veryfast.h>

/* Sees a report, one line without its end, before the program stops. */
typedef void vf_misuse_handler(const char *report, void *context);

VF_EXTERN_C_BEGIN
#ifdef VF_CHECKED

/*
 * Has handler called with each report, before it is printed and the program aborts; NULL: none. It
 * runs on the thread of the misuse, without a lock, and may end the process itself. Any thread.
 */
VF_API void vf_checked_on_misuse(vf_misuse_handler *handler, void *context);

/*
 * Has P_release and P_destroy list the objects that are out, each on a line with the place where it
 * was allocated (64 of these with source lines); NULL, as it is at first: they list nothing. Any
 * thread.
 */
VF_API void vf_checked_list_leaks(FILE *out);

/*
 * Leaves the contents of objects alone, neither filled at alloc nor at free nor hidden from
 * sanitizers, for a program that relies on type-stable reads (pool.h). Writes to freed objects are
 * found all the same. Any thread; for objects that are allocated and freed from then on.
 */
VF_API void vf_checked_keep_contents(bool keep);

/*
 * How many bytes of freed objects each pool keeps back, 256 KiB at first; 0: an object may be
 * handed out again at once. Any thread; a pool has as many when it next frees.
 */
VF_API void vf_checked_quarantine(size_t bytes);

#else
/* A program may call other things context or out. */
#    pragma GCC diagnostic push
#    pragma GCC diagnostic ignored "-Wshadow"

static inline VF_UNUSED void vf_checked_on_misuse(vf_misuse_handler *handler, void *context)
{
    (void)handler;
    (void)context;
}

static inline VF_UNUSED void vf_checked_list_leaks(FILE *out)
{
    (void)out;
}

static inline VF_UNUSED void vf_checked_keep_contents(bool keep)
{
    (void)keep;
}

static inline VF_UNUSED void vf_checked_quarantine(size_t bytes)
{
    (void)bytes;
}

#    pragma GCC diagnostic pop
#endif
VF_EXTERN_C_END

#endif
