/* SPDX-License-Identifier: MIT */
/*
 * smallbuf_copies.h - the pushes once more, for values that are copied: in C++ only. The copy is
 * made before anything else: its constructor may throw. Included by smallbuf_body.h.
 */
#ifndef vf_kind
#    error "smallbuf_copies.h is internal: include <veryfast/smallbuf.h>"
#endif

#define vf_make_copy                                                                               \
    VF_STATIC_ASSERT(std::is_copy_constructible<vf_value>::value,                                  \
                     "VF_T cannot be copied: give a push what may be moved (std::move)");          \
    vf_value copy(value)

vf_generic vf_fn bool vf_self_push(vf_self *buffer, vf_copied value)
{
    vf_make_copy;
    size_t index;
    return vf_self_put(buffer, vf_address(copy), &index);
}

vf_generic vf_fn bool vf_self_push_index(vf_self *buffer, vf_copied value, size_t *index)
{
    vf_make_copy;
    size_t taken;
    bool pushed = vf_self_put(buffer, vf_address(copy), &taken);
    if (index != NULL)
        *index = taken;
    return pushed;
}

vf_generic vf_fn bool vf_self_push_exclusive(vf_self *buffer, vf_copied value)
{
    vf_make_copy;
    return vf_self_put_exclusive(buffer, vf_address(copy));
}

#ifndef VF_FLIP
vf_generic vf_fn bool vf_self_writer_push(vf_self_writer *writer, vf_copied value)
{
    vf_make_copy;
    return vf_self_writer_put(writer, vf_address(copy));
}

vf_generic vf_fn bool vf_self_writer_push_index(vf_self_writer *writer, vf_copied value,
                                                size_t *index)
{
    vf_make_copy;
    bool pushed = vf_self_writer_put(writer, vf_address(copy));
    if (index != NULL)
        *index = vf_self_writer_index(writer);
    return pushed;
}
#endif
#undef vf_make_copy
