/* SPDX-License-Identifier: MIT */
/* assert.h - as much of it as the library needs, of any C library. */
void vf_stub_assert(int holds);
#undef assert
#define assert(condition) vf_stub_assert(!!(condition))
