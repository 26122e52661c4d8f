/*
 * same_name.h - makes a pool of an instance that has another one's name.
 */
#ifndef TESTS_CHECKED_SAME_NAME_H
#define TESTS_CHECKED_SAME_NAME_H

void make_pool_of_same_name(void);

#endif
