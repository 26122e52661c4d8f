/* SPDX-License-Identifier: MIT */
// expect: needs C++17
// standards: c99 c++14
#include <veryfast/veryfast.hpp>
