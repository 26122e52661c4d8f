/* SPDX-License-Identifier: MIT */
/*
 * stress_smallbuf_huge.c - a small buffer with more than 2^32 elements of a byte each: counted, and
 * looked at. Takes about 5 GiB of memory, so only where VF_HUGE is set:
 *
 *     VF_HUGE=1 ./stress_smallbuf_huge
 */
#include <string.h>

#include "stress.h"

#define VF_T uint8_t
#define VF_N 16
#include <veryfast/smallbuf.h>

#define BORDER ((uint64_t)1 << 32)
#define BEFORE 5000   /* elements before the border that two threads push, by one call each */
#define BLOCK  65521  /* elements pushed at once, up to there; a prime, so that blocks are cut */
#define EACH   100000 /* by each of the threads */

static smallbuf_uint8_t_16 buffer;

static uint8_t value_of(uint64_t index)
{
    return (uint8_t)(index * 7 >> 3) & 0x7F;
}

static void fill_to(uint64_t end)
{
    static uint8_t block[BLOCK];
    for (uint64_t index = 0; index < end;) {
        size_t n = end - index < BLOCK ? (size_t)(end - index) : BLOCK;
        for (size_t i = 0; i < n; i++)
            block[i] = value_of(index + i);
        CHECK(smallbuf_uint8_t_16_push_n(&buffer, block, n) == n);
        index += n;
    }
}

static void *cross(void *mark)
{
    smallbuf_uint8_t_16_writer writer;
    uint8_t value = *(uint8_t *)mark;
    for (size_t i = 0; i < EACH; i++)
        CHECK(smallbuf_uint8_t_16_push(&buffer, value));
    smallbuf_uint8_t_16_writer_open(&writer, &buffer);
    for (size_t i = 0; i < EACH; i++)
        CHECK(smallbuf_uint8_t_16_writer_push(&writer, value));
    smallbuf_uint8_t_16_writer_close(&writer);
    return NULL;
}

/* All that was pushed before by one, and as many marks as two have left behind it. */
static void check(uint64_t before)
{
    uint64_t seen = 0, marks[2] = {0, 0};
    uint8_t *span;
    smallbuf_uint8_t_16_drain drain = smallbuf_uint8_t_16_drain_begin(&buffer);
    for (size_t n; (n = smallbuf_uint8_t_16_drain_span(&drain, &span)) > 0; seen += n) {
        for (size_t i = 0; i < n; i++) {
            if (seen + i < before) {
                CHECK(span[i] == value_of(seen + i));
            } else {
                CHECK(span[i] == 0x80 || span[i] == 0x81);
                marks[span[i] & 1]++;
            }
        }
    }
    smallbuf_uint8_t_16_drain_end(&drain);
    CHECK(seen == before + 4 * EACH);
    CHECK(marks[0] == 2 * EACH && marks[1] == 2 * EACH);
}

int main(void)
{
    uint8_t marks[2] = {0x80, 0x81};
    stress_begin("stress_smallbuf_huge");
    if (test_setting("VF_HUGE", 0) == 0) {
        printf("stress_smallbuf_huge: skipped: VF_HUGE is not set\n");
        return STRESS_SKIPPED;
    }
    fill_to(BORDER - BEFORE);
    test_run_threads(2, cross, (void *[]){&marks[0], &marks[1]});
    CHECK(smallbuf_uint8_t_16_count(&buffer) == BORDER - BEFORE + 4 * EACH);
    const uint8_t *element;
    CHECK(smallbuf_uint8_t_16_span(&buffer, (size_t)BORDER, &element) > 0 && *element >= 0x80);
    check(BORDER - BEFORE);
    CHECK(smallbuf_uint8_t_16_trim(&buffer, 0) > BORDER);
    stress_passed("2^32 elements and more");
    return stress_end();
}
