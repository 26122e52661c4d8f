/* SPDX-License-Identifier: MIT */
/*
 * template_begin.h - the prologue of every template: checks its parameters and makes its name.
 *
 * Included by pool.h and smallbuf.h only, once for each instance, hence no include guard. The
 * template has defined vf_kind, the first part of a derived name (pool_ or smallbuf_).
 *
 * Each mistake is reported by one sentence, and a stand-in takes the parameter's place, so that
 * the sentence is not lost among the errors that would follow.
 */
#ifndef vf_kind
#    error "template_begin.h is internal: include <veryfast/pool.h> or <veryfast/smallbuf.h>"
#endif

#ifndef VF_T
#    error "VF_T is not defined: define it as the type of the elements before this header"
#    define VF_T int
#endif

#ifdef vf_members /* VF_N is a parameter of a class template */
#elif !defined(VF_N)
#    error "VF_N is not defined: define it as a plain decimal number before this header"
#    define VF_N 64
#elif defined(VF_NAME)
#    define vf_any_n 1 /* no part of a name, so any constant expression will do */
#elif VF_IS_PAREN(VF_N)
#    error "VF_N is an expression: it becomes part of a name, so write a plain decimal number"
#    undef VF_N
#    define VF_N 64
#elif VF_N + 1 < 2
#    error "VF_N is less than 1 or not a number: define it as a plain decimal number"
#    undef VF_N
#    define VF_N 64
#elif VF_N - VF_N - 1 > 0
#    error "VF_N has a suffix: it becomes part of a name, so write a plain decimal number"
#    undef VF_N
#    define VF_N 64
#elif VF_N > 1073741824
#    error "VF_N is more than 1073741824: define a smaller one"
#    undef VF_N
#    define VF_N 64
/* A 0 pasted behind a plain decimal makes it ten times as much: 64 -> 640, but 0x10 -> 0x100. */
#elif VF_CAT(VF_N, 0) != (VF_N)*10
#    error "VF_N is not a plain decimal number, as it must be to become part of a name"
#    undef VF_N
#    define VF_N 64
/* A 1 pasted before it adds a power of ten: 64 -> 164, but 4*4 -> 14*4. */
#elif VF_IS_TEN_POWER(VF_CAT(1, VF_N) - VF_N)
#else
#    error "VF_N is not a plain decimal number, as it must be to become part of a name"
#    undef VF_N
#    define VF_N 64
#endif

VF_WORDS_BEGIN /* for clang, see VF_IS_WORD */
#ifndef VF_NAME
#    if VF_IS_WORD(VF_TAG(VF_T))
#        define VF_NAME VF_CAT(VF_CAT(VF_CAT(vf_kind, VF_TAG(VF_T)), _), VF_N)
#    else
#        error "VF_T is not one word (a pointer, say), so no name can be made of it: define VF_NAME"
#        define VF_NAME VF_CAT(vf_kind, of_no_name)
#    endif
#endif
VF_WORDS_END

#if defined(VF_DECLARE) && defined(VF_DEFINE)
#    error "VF_DECLARE and VF_DEFINE are both defined: one is for a header, one for a .c file"
#    undef VF_DECLARE
#    undef VF_DEFINE
#endif

/* For reports. */
#ifdef vf_members
#    define vf_self_text text()
#else
#    define vf_self_text VF_STRING(VF_NAME)
#endif

#ifndef VF_DROP
#    define vf_no_drop 1
#    define VF_DROP(p) ((void)(p))
#endif

/*
 * vf_fn begins each prototype and each body of the instance. By default all is static inline.
 * VF_DECLARE gives types and prototypes, VF_DEFINE the bodies to those that the same file has
 * declared. With VF_DEFINE_DECLARED a declaration has the bodies with it.
 */
#if defined(VF_DECLARE) && !defined(VF_DEFINE_DECLARED)
#    define vf_declarations 1
#    define vf_bodies       0
#    define vf_fn           VF_EXTERN_C
#elif defined(VF_DECLARE)
#    define vf_declarations 1
#    define vf_bodies       1
#    define vf_fn           VF_EXTERN_C VF_EXTERN_CALL
#elif defined(VF_DEFINE)
#    define vf_declarations 0
#    define vf_bodies       1
#    define vf_fn           VF_EXTERN_CALL
#else
#    define vf_declarations 1
#    define vf_bodies       1
#    define vf_fn           VF_STATIC_CALL
#endif

#if vf_declarations
/* An error here means that the file includes the same instance twice: see the template's head. */
enum { vf_self_once };

VF_STATIC_ASSERT(sizeof(VF_T) > 0, "VF_T is an incomplete type: declare it whole before");
#    ifdef vf_members
enum { vf_n = VF_N };
#    elif defined(vf_any_n)
VF_STATIC_ASSERT((VF_N) >= 1 && (VF_N) <= 1073741824,
                 "VF_N is less than 1 or more than 1073741824");
enum { vf_n = (VF_N) >= 1 && (VF_N) <= 1073741824 ? (VF_N) : 64 };
#    else
VF_STATIC_ASSERT(sizeof(VF_N) == sizeof(int),
                 "VF_N has a suffix: it becomes part of a name, so write a plain decimal number");
enum { vf_n = VF_N };
#    endif
#    ifdef __cplusplus
VF_STATIC_ASSERT((std::is_same<VF_T, std::decay_t<VF_T>>::value),
                 "VF_T is an array or qualified (const, volatile): give a plain type");
#    else
VF_STATIC_ASSERT(_Generic(*(VF_T *)0, VF_T : 1, default : 0),
                 "VF_T is an array or qualified (const, volatile): give a plain type");
#    endif
#    if defined(VF_DECLARE) && defined(__cplusplus)
VF_STATIC_ASSERT(std::is_trivially_copyable<VF_T>::value,
                 "VF_T is not trivially copyable, as it must be in C++ with VF_DECLARE");
#    elif defined(vf_no_drop) && defined(__cplusplus)
VF_STATIC_ASSERT(std::is_trivially_destructible<VF_T>::value,
                 "VF_T has a destructor: define VF_DROP(p) to call it, or as ((void)(p))");
#    endif
#endif

/*
 * vf_t is VF_T behind the templates' own names: a program may call its type value, index or buffer.
 */
#define vf_t VF_CAT(vf_t_of_, VF_NAME)
#if vf_declarations
typedef VF_T vf_t;
#endif

/*
 * What stores or returns a value is a template in C++, where it is inline, so that an instance may
 * have elements that can be neither moved nor copied. vf_generic begins its declaration, and
 * vf_generic_body its body. A push takes vf_moved there; it has a second form that takes vf_copied.
 */
#if defined(__cplusplus) && !defined(VF_DECLARE) && !defined(VF_DEFINE)
#    define vf_generic template <typename vf_value = vf_t>
#    ifdef vf_members
#        define vf_generic_body vf_generic
#    else
#        define vf_generic_body template <typename vf_value>
#    endif
#    define vf_exactly    typename vf_itself<vf_value>::type
#    define vf_moved      vf_exactly &&
#    define vf_copied     vf_exactly const &
#    define vf_address(x) VF_ADDRESS_OF(x) /* a class may have an operator & */
#else
#    define vf_generic
#    define vf_generic_body
#    define vf_value      vf_t
#    define vf_exactly    vf_t
#    define vf_moved      vf_t
#    define vf_address(x) (&(x))
#endif

/* The program may have given other things the names that parameters and variables have here. */
VF_NAMES_BEGIN
