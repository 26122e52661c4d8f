/* SPDX-License-Identifier: MIT */
/*
 * same_name.h - uses of instances: each of one name in both, with another parameter.
 */
#ifndef TESTS_CHECKED_SAME_NAME_H
#define TESTS_CHECKED_SAME_NAME_H

#define SAME_NAMES(side)                                                                           \
    void side##_size(void);                                                                        \
    void side##_alignment(void);                                                                   \
    void side##_number(void);                                                                      \
    void side##_inside(void);                                                                      \
    void side##_element(void);                                                                     \
    void side##_unit(void);                                                                        \
    void side##_line(void);                                                                        \
    void side##_flip(void);                                                                        \
    void side##_writer(void);                                                                      \
    void side##_count(void)

SAME_NAMES(one);
SAME_NAMES(other);

#endif
