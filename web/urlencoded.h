/* urlencoded.h: the fields of a submitted form (application/x-www-form-urlencoded). */
#pragma once

#include "base/arena.h"

struct pair {
    struct str name, value;
};
struct pairs {
    const struct pair *v;
    size_t n;
};

/* Decodes every pair, in order. PAIRS_E_BROKEN: wrong encoding, no UTF-8, a NUL, or more than
 * BOUND_FORM_PAIRS. */
enum { PAIRS_OK = 0, PAIRS_E_BROKEN = 1 };
int pairs_parse(struct arena *a, struct str body, struct pairs *ret) _must_use_;
/* The first value of a name; p NULL: there is none. */
struct str pairs_get(const struct pairs *p, const char *name);
/* All values of a name, for check boxes. */
int pairs_all(struct arena *a, const struct pairs *p, const char *name, struct str **ret,
              size_t *ret_n) _must_use_;

/* Appends name=value to a query, percent-encoded, after ? or & as it needs; nothing for an empty
 * value. */
struct buf;
void query_put(struct buf *url, const char *name, struct str value);
/* Everything but unreserved characters is encoded. */
void query_encode(struct buf *url, struct str text);
