/* SPDX-License-Identifier: MIT */
/*
 * template_end.h - the epilogue of every template: undefines what begins with VF_ or vf_ and
 * belongs to the instance. Included by pool.h and smallbuf.h only, once for each instance.
 */
#ifndef vf_kind
#    error "template_end.h is internal: include <veryfast/pool.h> or <veryfast/smallbuf.h>"
#endif

VF_NAMES_END

#ifdef vf_no_drop
#    undef vf_no_drop
#    undef VF_DROP
#endif
#ifndef VF_KEEP
#    undef VF_T
#    undef VF_N
#    undef VF_DROP
#endif
#undef VF_KEEP
#undef VF_NAME
#undef VF_CACHE_ALIGNED
#undef VF_ALIGN
#undef VF_ON_ALLOC
#undef VF_ON_FREE
#undef VF_EPOCH
#undef VF_HANDLE
#undef VF_SHARED
#undef VF_FLIP
#undef VF_LANES
#undef VF_DECLARE
#undef VF_DEFINE
#undef vf_kind
#undef vf_any_n
#undef vf_declarations
#undef vf_bodies
#undef vf_fn
#undef vf_t
#undef vf_self_text
#undef vf_generic
#undef vf_generic_body
#undef vf_value
#undef vf_exactly
#undef vf_moved
#undef vf_copied
#undef vf_address
