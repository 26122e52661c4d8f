/* SPDX-License-Identifier: MIT */
/*
 * checked.h - what a program can ask of a checked build, one with VF_CHECKED and veryfast-checked.
 *
 * A checked build stops a program that breaks the contract of pool.h or smallbuf.h, with one line:
 *
 *     veryfast: pool_job_64 0x55d0c0: double free of 0x55e1a0 at run_job+0x20
 *     (/home/you/job+0x1796), allocated at ...
 *
 * A call is reported by the executable or shared library that it is in, and the offset in that
 * file, as addr2line takes it. Before them is the function, if the file exports its name (link
 * the program with -rdynamic). The command veryfast-where turns file and offset into function and
 * line, if there is debug information. A program with a sanitizer in it knows these itself, and has
 * `(run_job at /home/you/job.c:31)` in the report. (Of a very long file name the end is printed,
 * and where no file is mapped, only the address.) Where a function ends with the call, the compiler
 * may make it a jump, and the report then has the caller's own call; -fno-optimize-sibling-calls
 * prevents that.
 *
 * What is found at once: the free or take of an object that is free, was never handed out, or is of
 * another pool or of none; the same of a pointer into an object; the use of a pool that was
 * released, or is gone; a small buffer that is drained, read, trimmed or the like while a push into
 * it is in flight or a writer of it is open; a drain that goes on after a push to what it drains; a
 * push by a signal handler, or an allocator, that has interrupted another push to the buffer; two
 * instances of one name with different parameters. (A writer is to be closed even if its buffer is
 * given up without a drain.) What is found at the free: writes to the 16 bytes behind an object.
 * What is found when a freed object leaves the quarantine, or is handed out again: writes to it.
 *
 * Objects are filled with 0xA5 when they are handed out, and with 0xDD when they are freed. A freed
 * object is kept back (the quarantine) until 256 KiB of its pool have been freed after it, or until
 * no other object is available: so max_objects can be live all the same.
 *
 * AddressSanitizer, clang's MemorySanitizer and Valgrind see each object as if it came from malloc:
 * they find reads and writes of a freed object, or behind one, and the use of what was never
 * written, where they happen. Only the program need be built for the sanitizer; the library is the
 * same. Of a small buffer nothing is hidden. (The ordinary library is for MemorySanitizer like any
 * other that was not built for it: what the library has written counts as never written.)
 *
 * VF_BYPASS, defined for a program of a checked build (-DVF_BYPASS; an error in any other), sends
 * every alloc and free of a pool to malloc. It is for tools that know malloc only (heap profilers,
 * Electric Fence, LeakSanitizer, glibc's MALLOC_PERTURB_), or to see whether a pool is at fault.
 * Each object is a block of its own with exactly the size of VF_T, and goes back when it is freed.
 * If the pool's options have an allocator, that is asked instead of malloc. A pool is bypassed or
 * not from its P_new on: files with and without the macro may use the same pool. What is different:
 *
 *   Nothing is filled, fenced or kept back: that is the task of the tool. What is found is the free
 *   or take of an object that is not live or is deferred, of a pointer into an object, or of an
 *   object of another pool; the use of a pool that was released; two instances of one name with
 *   different parameters. A double free is not told from a pointer of no pool, nor an address that
 *   malloc gives again from the object that was there before.
 *
 *   Objects lie anywhere, and a free one is gone: type-stable reads (pool.h) read freed memory.
 *
 *   P_reserve sets nothing aside, and is true where the cap allows for n. P_trim has nothing to
 * give back. P_owns knows the live objects. In P_stats there are no batches, capacity is the number
 * of live objects, and stride the size of VF_T. P_each needs memory for a pointer to each object.
 *   P_destroy drops in any order, and frees all objects when the last VF_DROP has run.
 *
 * A table of the live objects, from the same allocator, hides its pointers from tools that look for
 * leaks. Small buffers are as ever: their elements are not allocated one by one.
 *
 * Every call takes a lock. Objects lie further apart, as P_stats shows; nothing else in it changes.
 * Where the build is not checked, the functions below do nothing.
 */
#ifndef VF_CHECKED_H
#define VF_CHECKED_H

#include <veryfast/veryfast.h>

/* Is given a report, one line without its newline, before the program stops. */
typedef void vf_misuse_handler(const char *report, void *context);

VF_EXTERN_C_BEGIN
#ifdef VF_CHECKED

/*
 * Sets the handler that is called with each report, before it is printed and the program aborts;
 * NULL: none. It runs on the thread of the misuse, without a lock, and may end the process itself.
 * Any thread.
 */
VF_API void vf_checked_on_misuse(vf_misuse_handler *handler, void *context);

/*
 * Has P_release and P_destroy list the objects that are live, each on a line with the call that
 * allocated it; NULL, as it is at first: they list nothing. Any thread.
 */
VF_API void vf_checked_list_leaks(FILE *out);

/*
 * True: leaves the contents of objects alone, for a program that relies on type-stable reads
 * (pool.h). They are filled neither at alloc nor at free, nor hidden from sanitizers; writes to
 * freed objects are found all the same. Any thread; for objects that are allocated and freed from
 * then on.
 */
VF_API void vf_checked_keep_contents(bool keep);

/*
 * How many bytes of freed objects each pool keeps back, 256 KiB at first; 0: an object may be
 * handed out again at once. Any thread; each pool follows at its next free.
 */
VF_API void vf_checked_quarantine(size_t bytes);

#else
/* A program may call other things context or out. */
VF_NAMES_BEGIN

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

VF_NAMES_END
#endif
VF_EXTERN_C_END

#endif
