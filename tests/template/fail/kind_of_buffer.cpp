/* SPDX-License-Identifier: MIT */
// expect: the third parameter of a small_buffer is veryfast::flip or veryfast::lanes

#include <veryfast/veryfast.hpp>

veryfast::small_buffer<int, 4, 4> numbers;
