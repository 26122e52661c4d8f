/* SPDX-License-Identifier: MIT */
/*
 * smallbuf_members.hpp - smallbuf.h as members of class templates: the instances that smallbuf.hpp
 * is made of. Their functions are static members, and their parameters those of the template.
 */
#ifndef VF_DETAIL_SMALLBUF_MEMBERS_HPP
#define VF_DETAIL_SMALLBUF_MEMBERS_HPP

/* all that smallbuf.h includes, since it is included within a class here */
#include <string.h>
#include <veryfast/detail/name.h>
#include <veryfast/detail/names.h>
#include <veryfast/detail/object.hpp>
#include <veryfast/detail/smallbuf_core.h>
#include <veryfast/detail/smallbuf_lane_flip.h>

namespace veryfast
{

template <typename T, std::size_t N, int Kind> class small_buffer;

namespace detail
{

template <typename T, std::size_t N, int Kind> const char *buffer_text() noexcept
{
    static constexpr auto name = name_of<small_buffer<T, N, Kind>, T>();
    return name.data();
}

// clang-format off: it does not understand a class that includes its members
/* Without a further parameter, with VF_FLIP, with VF_LANES, and with both. */
template <typename vf_type, std::size_t vf_number, int> struct buffer_members {
    static const char *text() noexcept
    {
        return buffer_text<vf_type, vf_number, 0>();
    }

#define vf_members
#define VF_T       vf_type
#define VF_N       vf_number
#define VF_NAME    self
#define VF_DROP(p) (p)->~vf_type()
#include <veryfast/smallbuf.h>
};

template <typename vf_type, std::size_t vf_number> struct buffer_members<vf_type, vf_number, 1> {
    static const char *text() noexcept
    {
        return buffer_text<vf_type, vf_number, 1>();
    }

#define VF_T       vf_type
#define VF_N       vf_number
#define VF_NAME    self
#define VF_DROP(p) (p)->~vf_type()
#define VF_FLIP
#include <veryfast/smallbuf.h>
};

template <typename vf_type, std::size_t vf_number> struct buffer_members<vf_type, vf_number, 2> {
    static const char *text() noexcept
    {
        return buffer_text<vf_type, vf_number, 2>();
    }

#define VF_T       vf_type
#define VF_N       vf_number
#define VF_NAME    self
#define VF_DROP(p) (p)->~vf_type()
#define VF_LANES
#include <veryfast/smallbuf.h>
};

template <typename vf_type, std::size_t vf_number> struct buffer_members<vf_type, vf_number, 3> {
    static const char *text() noexcept
    {
        return buffer_text<vf_type, vf_number, 3>();
    }

#define VF_T       vf_type
#define VF_N       vf_number
#define VF_NAME    self
#define VF_DROP(p) (p)->~vf_type()
#define VF_FLIP
#define VF_LANES
#include <veryfast/smallbuf.h>
#undef vf_members
};
// clang-format on

} // namespace detail
} // namespace veryfast

#endif
