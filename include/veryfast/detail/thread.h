/* SPDX-License-Identifier: MIT */
/*
 * thread.h - the number by which the calling thread is known to pools and lanes, its index.
 *
 * vf_thread_own(): 0 before the thread has one, 1 after its exit. No two living threads have the
 * same beyond these, and one that begins with the index of one that has ended comes after it.
 *
 * It is a thread-local variable; but a program may have numbers of its own for its threads, and
 * Windows' linkers do not see such a variable of another module.
 */
#ifndef VF_DETAIL_THREAD_H
#define VF_DETAIL_THREAD_H

#include <veryfast/detail/config.h>

VF_EXTERN_C_BEGIN

#if defined(VF_THREAD_INDEX)
static inline VF_UNUSED uint32_t vf_thread_own(void)
{
    return (uint32_t)(VF_THREAD_INDEX) + 2;
}
#elif defined(VF_DLL)
extern VF_TLS uint32_t vf_thread_index;
VF_API uint32_t vf_thread_own(void);
#else
extern VF_API VF_TLS uint32_t vf_thread_index;
static inline VF_UNUSED uint32_t vf_thread_own(void)
{
    return vf_thread_index;
}
#endif

/*
 * vf_thread_lane(): the number of the calling thread's lanes, 0 before it has pushed beyond N to a
 * buffer with VF_LANES. Its index, so that another thread goes on where it ends; or, where it could
 * not have one right then, a number that no other thread gets: it must not go on in a run with
 * slots before one that it has filled already. (So it is not vf_thread_own(), which may come
 * later.)
 */
#if defined(VF_THREAD_INDEX)
static inline VF_UNUSED uint64_t vf_thread_lane(void)
{
    return vf_thread_own();
}
#elif defined(VF_DLL)
VF_API uint64_t vf_thread_lane(void);
#else
extern VF_API VF_TLS uint64_t vf_thread_lane_number;
static inline VF_UNUSED uint64_t vf_thread_lane(void)
{
    return vf_thread_lane_number;
}
#endif

/* Gives the calling thread a number for lanes, if it has none; the number. For the core. */
uint64_t vf_thread_lane_begin(void);

VF_EXTERN_C_END

#endif
