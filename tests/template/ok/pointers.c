/* SPDX-License-Identifier: MIT */
/* pointers.c - small buffers of pointers, whose star and const must bind to the element. */
#define VF_T    char *
#define VF_N    4
#define VF_NAME names
#define VF_DECLARE
#include <veryfast/smallbuf.h>
#define VF_T    char *
#define VF_N    4
#define VF_NAME names
#define VF_DEFINE
#include <veryfast/smallbuf.h>
#define VF_T    const char *
#define VF_N    4
#define VF_NAME texts
#define VF_FLIP
#include <veryfast/smallbuf.h>
#define VF_T    struct unknown *
#define VF_N    4
#define VF_NAME unknowns
#include <veryfast/smallbuf.h>

size_t look(const names *words, const texts *lines, const unknowns *others);
size_t look(const names *words, const texts *lines, const unknowns *others)
{
    char *const *word;
    const char *const *line;
    struct unknown *const *other;
    return names_span(words, 0, &word) + texts_span(lines, 0, &line) +
           unknowns_span(others, 0, &other);
}
