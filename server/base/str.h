/* str.h: slices of memory that somebody else owns, and strict readings of them.
 *
 * A slice is not NUL-terminated and may hold any byte. Nothing here allocates. Any thread. */
#pragma once

#include "base/base.h"

struct str {
    const char *p;
    size_t n;
};

#define STR(lit) ((struct str){"" lit, sizeof(lit) - 1})
#define STR_NONE ((struct str){NULL, 0})
/* For "%.*s" */
#define STR_FMT(s) (int)(s).n, (s).p ? (s).p : ""

static inline struct str str_c(const char *z) /* NULL gives STR_NONE */
{
    return z ? (struct str){z, strlen(z)} : STR_NONE;
}
static inline struct str str_n(const char *p, size_t n)
{
    return (struct str){p, n};
}

/* Behind the last byte; NULL for STR_NONE, to which nothing may be added, not even 0. */
static inline const char *str_end(struct str s)
{
    return s.n ? s.p + s.n : s.p;
}

/* Most of what is compared differs in length, which is seen without a call. */
static inline bool str_eq(struct str a, struct str b)
{
    return a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0);
}
static inline bool str_eq_c(struct str a, const char *z)
{
    return str_eq(a, str_c(z));
}
bool str_is_folded(const char *a, const char *b, size_t n); /* of n > 0 bytes */
static inline bool str_ieq(struct str a, struct str b) /* ASCII case folded */
{
    return a.n == b.n && (a.n == 0 || str_is_folded(a.p, b.p, a.n));
}
bool str_is_token(struct str s); /* RFC 9110 5.6.2 */
bool str_is_field(struct str s); /* no control byte but the tab: what may stand in a header's value */
bool str_is_ascii(struct str s); /* no byte from 0x80 on: what is sent in one, beside that */
bool str_starts(struct str s, struct str prefix);
bool str_ends(struct str s, struct str suffix);
int str_cmp(struct str a, struct str b);
struct str str_trim(struct str s); /* space, tab, CR, LF at both ends */
/* Index of the first such byte, or -1. */
ssize_t str_find(struct str s, char c);
/* Index of the first CR or LF from there on, or s.n. */
size_t str_line_end(struct str s, size_t from);
/* Does part stand anywhere in s, letter case of ASCII ignored? */
bool str_ihas(struct str s, struct str part);
/* Takes the part before the next sep off *rest; false when *rest was exhausted (p == NULL). */
bool str_split(struct str *rest, char sep, struct str *ret_part);
/* True when every byte is well-formed UTF-8 without overlongs or surrogates. */
bool str_utf8(struct str s);
/* Bytes of the well-formed character at p, of which n > 0 bytes may be read; 0 if ill-formed. */
size_t str_utf8_length(const char *p, size_t n);

/* Whole-slice decimal readings: no sign but '-', no spaces, no leading '+', overflow refused. */
enum { STR_OK = 0, STR_E_SYNTAX = 1, STR_E_RANGE = 2 };
int str_u64(struct str s, uint64_t *ret) _must_use_;
int str_i64(struct str s, int64_t *ret) _must_use_;
int str_u32(struct str s, uint32_t *ret) _must_use_;
