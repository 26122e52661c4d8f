/* SPDX-License-Identifier: MIT */
/*
 * name.h - how an instance gets its name: the one clever file.
 *
 * The tag of VF_T is VF_T without a leading struct, union or enum. A preprocessor cannot compare
 * words, but it can paste one to a prefix and see whether the result is a macro:
 *
 *     VF_T               pasted to vf_tag_       then the second of
 *     int                vf_tag_int              (vf_tag_int, int, ~)            -> int
 *     struct particle    vf_tag_struct particle  (, particle, struct particle, ~)  -> particle
 */
#ifndef VF_DETAIL_NAME_H
#define VF_DETAIL_NAME_H

#if defined(__GNUC__) || defined(__clang__)
#    pragma GCC system_header
#endif

#define VF_CAT_(a, b) a##b
#define VF_CAT(a, b)  VF_CAT_(a, b)

#define VF_STRING_(...) #__VA_ARGS__
#define VF_STRING(...)  VF_STRING_(__VA_ARGS__)

#define VF_SECOND_(a, b, ...) b
#define VF_SECOND(...)        VF_SECOND_(__VA_ARGS__)

#define vf_tag_struct ,
#define vf_tag_union  ,
#define vf_tag_enum   ,
#define VF_TAG(type)  VF_SECOND(VF_CAT(vf_tag_, type), type, ~)

/*
 * VF_IS_WORD(tag), in #if: is the tag one word, fit to be part of a name? Pasted to vf_word_ it
 * becomes an unknown word, hence 0, and the sum is 1. With more tokens behind the first the sum
 * comes out differently, without an error for the common mistakes:
 *
 *     int              vf_word_int + 1          =  0 + 1           = 1, yes
 *     char *           vf_word_char * + 1       =  0 * (+1)        = 0, no
 *     unsigned         -1 + 2 * + 1             = -1 + 2 * (+1)    = 1, yes
 *     unsigned long    -1 + 2 * long + 1        = -1 + 2 * 0 + 1   = 0, no
 *
 * The unknown word is -Wundef's to report. g++ before 13 heeds no pragma against that but the one
 * at the head of this file, which holds nothing but macros.
 */
#define VF_IS_WORD(tag)  (VF_CAT(vf_word_, tag) + 1 == 1)
#define vf_word_unsigned -1 + 2 *
#define vf_word_signed   -1 + 2 *
#define vf_word_short    -1 + 2 *
#define vf_word_long     -1 + 2 *
#define vf_word_const    -1 + 2 *
#define vf_word_volatile -1 + 2 *

/* VF_IS_PAREN(x), in #if: does x begin with a parenthesis? Only then is the word before called. */
#define vf_paren(...)  ~, 1
#define VF_IS_PAREN(x) VF_SECOND(vf_paren x, 0, ~)

/* In #if: 10, 100, ... 10^10. The argument is an expression without parentheses, on purpose: the
   VF_N that it is made of may be one too, and must then give another result. */
#define VF_IS_TEN_POWER(x)                                                                         \
    (x == 10 || x == 100 || x == 1000 || x == 10000 || x == 100000 || x == 1000000 ||              \
     x == 10000000 || x == 100000000 || x == 1000000000 || x == 10000000000)

#endif
