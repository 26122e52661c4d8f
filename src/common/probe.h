/* SPDX-License-Identifier: MIT */
/*
 * probe.h - points that perf, bpftrace, SystemTap and gdb can watch: on the slow paths only, and
 * each is a nop while it is not watched. Where <sys/sdt.h> is not there, there are none.
 *
 *     pool_refill(name, slots)         a cache has got slots from the depot
 *     pool_overflow(name, slots)       a cache has given slots to the depot
 *     pool_flush(name, slots)          all that it had: its thread has ended, or called
 *                                      vf_thread_flush
 *     pool_grow(name, slots)           of new memory
 *     pool_refusal(name, bytes)        an alloc has failed; what the pool holds
 *     smallbuf_grow(directory, slots)  a buffer has allocated a chunk
 *     smallbuf_refusal(buffer, index)  a push has failed; the address is of the buffer's word spill
 *
 * Both are words: perf refuses a probe that stands in two places with arguments of different sizes.
 */
#ifndef VF_PROBE_H
#define VF_PROBE_H

#include <stddef.h>

#if defined(__has_include)
#    if __has_include(<sys/sdt.h>)
#        include <sys/sdt.h>
#        ifdef __clang__ /* sees what a macro of that header expands to as ours */
#            pragma clang diagnostic ignored "-Wgnu-zero-variadic-macro-arguments"
#            if __has_warning("-Wc23-extensions") /* the same, from clang 19 on */
#                pragma clang diagnostic ignored "-Wc23-extensions"
#            endif
#        endif
#        define VF_PROBE(name, what, number)                                                       \
            DTRACE_PROBE2(veryfast, name, (const void *)(what), (size_t)(number))
#    endif
#endif
#ifndef VF_PROBE
#    define VF_PROBE(name, what, number) ((void)(what), (void)(number))
#endif

#endif
