/* SPDX-License-Identifier: MIT */
/*
 * test_smallbuf_type.h - tests for a small buffer of any type, stamped out per type like the
 * buffer itself.
 *
 * Parameters: TYPE (a struct of nothing but its bytes), N and NAME as VF_T, VF_N and VF_NAME; SIZE,
 * what sizeof must give. The buffer's optional parameters are given as they are.
 */
#ifdef VF_FLIP
#    define FLIPS
#endif
#define VF_T    TYPE
#define VF_N    N
#define VF_NAME NAME
#include <veryfast/smallbuf.h>

#define CALL(function) VF_CAT(NAME, function)
#define COUNT          (N + 700)

static NAME CALL(_first), CALL(_second); /* all zero bytes */

/* By all calls in turn. */
static bool CALL(_push_somehow)(NAME *buffer, size_t number)
{
    TYPE value;
    size_t index;
    set_number(value.bytes, sizeof value.bytes, number);
    switch (number % 5) {
    case 0:
        return CALL(_push)(buffer, value);
    case 1:
        return CALL(_push_index)(buffer, value, &index) && index == number;
    case 2:
        return CALL(_push_n)(buffer, &value, 1) == 1;
    case 3:
        return CALL(_push_exclusive)(buffer, value);
    default:
#ifdef FLIPS
        return CALL(_push)(buffer, value);
#else
    {
        TYPE *slot = CALL(_push_slot)(buffer, &index);
        *slot = value;
        return index == number;
    }
#endif
    }
}

static const TYPE *CALL(_at)(const NAME *buffer, size_t number)
{
    const TYPE *element;
    cr_assert(CALL(_span)(buffer, number, &element) > 0, "there is no element %zu", number);
    return element;
}

static void CALL(_check_elements)(const NAME *buffer, const TYPE *const where[], size_t count)
{
    check_equal(CALL(_count)(buffer), count);
    check_equal(CALL(_refused)(buffer), 0);
    for (size_t i = 0; i < count; i++) {
        const TYPE *element = CALL(_at)(buffer, i);
        cr_assert(where == NULL || element == where[i], "element %zu has moved", i);
        cr_assert(has_number(element->bytes, sizeof element->bytes, i), "element %zu", i);
        check_equal((uintptr_t)element % _Alignof(TYPE), 0);
    }
    const TYPE *none;
    check_equal(CALL(_span)(buffer, count, &none), 0);
}

/* By spans and one by one in turn, if that is what is wanted. */
static void CALL(_drain_all)(NAME *buffer, size_t count, bool mixed)
{
    CALL(_drain) drain = CALL(_drain_begin)(buffer);
    size_t seen = 0;
    TYPE *span, value;
    for (size_t n; (n = CALL(_drain_span)(&drain, &span)) > 0;) {
        for (size_t i = 0; i < n; i++)
            cr_assert(has_number(span[i].bytes, sizeof span->bytes, seen + i));
        seen += n;
        if (mixed && CALL(_drain_next)(&drain, &value)) {
            cr_assert(has_number(value.bytes, sizeof value.bytes, seen));
            seen++;
        }
    }
    CALL(_drain_end)(&drain);
    check_equal(seen, count);
    check_equal(CALL(_count)(buffer), 0);
}

Test(smallbuf_layout, NAME)
{
    check_equal(sizeof(NAME), SIZE);
    size_t alignment = _Alignof(TYPE) > 8 ? _Alignof(TYPE) : 8;
    cr_assert(_Alignof(NAME) >= alignment);
    CALL(_check_elements)(&CALL(_first), NULL, 0);
    check_equal(CALL(_capacity)(&CALL(_first)), N);
    CALL(_drain_all)(&CALL(_first), 0, false);
    check_equal(CALL(_trim)(&CALL(_first), 0), 0);
    CALL(_destroy)(&CALL(_first));
}

Test(smallbuf_elements, NAME)
{
    test_allocator own = {0};
    vf_smallbuf_options options = {.allocator = test_allocator_hook(&own)};
    NAME *buffer = &CALL(_first);
    const TYPE **where = test_memory(COUNT, sizeof *where);
    CALL(_init)(buffer, &options);
    for (size_t i = 0; i < COUNT; i++) {
        size_t room = CALL(_capacity)(buffer);
        size_t calls = own.calls;
        cr_assert(CALL(_push_somehow)(buffer, i));
        where[i] = CALL(_at)(buffer, i);
        cr_assert(own.calls - calls == (i >= room), "element %zu allocates", i);
        cr_assert(i >= N ||
                  (const char *)where[i] - (const char *)buffer < (ptrdiff_t)sizeof *buffer);
    }
    CALL(_check_elements)(buffer, where, COUNT);
    cr_assert(own.calls < 20, "%zu calls of the allocator", (size_t)own.calls);
    cr_assert(all_apart(where, COUNT, sizeof(TYPE)));
    free(where);

    size_t room = CALL(_capacity)(buffer);
    for (int round = 0; round < 3; round++) {
        size_t calls = own.calls;
        CALL(_drain_all)(buffer, COUNT, round % 2 == 0);
        for (size_t i = 0; i < COUNT; i++)
            cr_assert(CALL(_push_somehow)(buffer, i));
        CALL(_check_elements)(buffer, NULL, COUNT);
        check_equal(own.calls, calls);
        check_equal(CALL(_capacity)(buffer), room);
    }
    CALL(_destroy)(buffer);
    check_all_back(&own);
    check_equal(CALL(_capacity)(buffer), N);
}

/* To and fro, while it is empty, full, and beyond that. */
Test(smallbuf_moved, NAME)
{
    test_allocator own = {0};
    vf_smallbuf_options options = {.allocator = test_allocator_hook(&own)};
    NAME *buffer = &CALL(_first), *other = &CALL(_second);
    CALL(_init)(buffer, &options);
    for (size_t count = 0; count < 2 * COUNT; count++) {
        if (count % (N > 100 ? 99 : 10) == 0) {
            memcpy(other, buffer, sizeof *other);
            memset(buffer, 0xFF, sizeof *buffer);
            NAME *moved = other;
            other = buffer;
            buffer = moved;
            CALL(_check_elements)(buffer, NULL, count % COUNT);
        }
        cr_assert(CALL(_push_somehow)(buffer, count % COUNT));
        if (count + 1 == COUNT)
            CALL(_drain_all)(buffer, COUNT, true);
    }
    CALL(_drain_all)(buffer, COUNT, true);
    CALL(_destroy)(buffer);
    check_all_back(&own);
}

#undef CALL
#undef COUNT
#undef TYPE
#undef N
#undef NAME
#undef SIZE
#undef FLIPS
