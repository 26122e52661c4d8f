/* SPDX-License-Identifier: MIT */
/*
 * cplusplus.h - what the templates need in C++ only.
 */
#ifndef VF_DETAIL_CPLUSPLUS_H
#define VF_DETAIL_CPLUSPLUS_H
#ifdef __cplusplus

/* first: it looks for namespaces around it */
#    include <veryfast/detail/config.h>

#    include <cstddef>
#    include <new>
#    include <type_traits>

/* A program may call other things pool or slot. */
VF_NAMES_BEGIN

/* A parameter of this type is not deduced: what is passed, be it {1, 2} or NULL, is converted. */
template <typename vf_type> struct vf_itself {
    typedef vf_type type;
};

/* Room for elements that are constructed one by one. What contains it cannot be copied. */
template <std::size_t vf_size, std::size_t vf_alignment> struct vf_room {
    vf_room() = default;
    vf_room(const vf_room &) = delete;
    vf_room &operator=(const vf_room &) = delete;

    alignas(vf_alignment) unsigned char bytes[vf_size];
};

/* Puts a slot back whose object was not made, since its constructor has thrown. vf_put_back is the
   instance's, found by the type of its pool. */
template <typename vf_pool, typename vf_object> struct vf_unmade {
    vf_unmade(vf_pool *of, vf_object *slot) : pool(of), object(slot)
    {
    }
    vf_unmade(const vf_unmade &) = delete;
    vf_unmade &operator=(const vf_unmade &) = delete;
    ~vf_unmade()
    {
        if (object != nullptr)
            vf_put_back(pool, object);
    }
    void made()
    {
        object = nullptr;
    }

    vf_pool *pool;
    vf_object *object;
};

VF_NAMES_END
#endif
#endif
