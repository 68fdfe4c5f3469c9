/* base.h: the attributes and small macros that every file may use.
 *
 * Nothing here allocates or has state. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>

#define _must_use_ __attribute__((warn_unused_result))
#define _printf_(fmt, args) __attribute__((format(printf, fmt, args)))
#define _cleanup_(fn) __attribute__((cleanup(fn)))
#define _noreturn_ __attribute__((noreturn))
#define _unused_ __attribute__((unused))

#define ARRAY_LEN(a) (sizeof(a) / sizeof((a)[0]))
/* Each argument once; numbered names, so that one may stand in another. */
#define MIN(a, b) PICK_(a, b, <, __COUNTER__)
#define MAX(a, b) PICK_(a, b, >, __COUNTER__)
#define PICK_(a, b, op, n) PICK_AS_(a, b, op, n)
#define PICK_AS_(a, b, op, n) \
    ({ __auto_type a_##n = (a); __auto_type b_##n = (b); a_##n op b_##n ? a_##n : b_##n; })
#define container_of(ptr, type, member) \
    ((type *)((char *)(ptr) - offsetof(type, member)))

/* Takes the value out of an lvalue pointer and leaves NULL: hands ownership over. */
#define steal(pp) ({ __auto_type pp_ = (pp); __auto_type v_ = *pp_; *pp_ = NULL; v_; })

/* Cleanup for malloc'ed memory: _cleanup_(freep) char *p = NULL; */
static inline void freep(void *p)
{
    free(*(void **)p);
}

/* Always on, also in release. For programmer errors, state edges, thread ownership and money
 * invariants; never for input. Logs the sentence and aborts. */
#undef assert
#define assert(expr) ((expr) ? (void)0 : base_assert_fail(#expr, __FILE__, __LINE__))
_noreturn_ void base_assert_fail(const char *expr, const char *file, int line);
