/* row_value.c: see row_value.h. */
#include "ledger/row_value.h"

#include <endian.h>

#include "base/id.h"

/* 2000-01-01 in Unix microseconds: where PostgreSQL's timestamps begin. */
#define PG_EPOCH_US INT64_C(946684800000000)

void row_put_u32(struct buf *out, uint32_t v)
{
    v = htobe32(v);
    buf_put(out, &v, sizeof(v));
}

static void put_number(struct buf *out, int64_t v)
{
    struct {
        uint32_t size;
        uint64_t v;
    } __attribute__((packed)) p = {htobe32(8), htobe64((uint64_t)v)};

    buf_put(out, &p, sizeof(p));
}

void row_put_absent(struct buf *out)
{
    row_put_u32(out, UINT32_MAX);
}

#define REPLACEMENT "\xEF\xBF\xBD" /* U+FFFD */

static void put_clean(struct buf *out, struct str s)
{
    while (s.n) {
        size_t n = *s.p ? str_utf8_length(s.p, s.n) : 0;

        if (n)
            buf_put(out, s.p, n);
        else
            buf_puts(out, REPLACEMENT);
        n = MAX(n, (size_t)1);
        s = str_n(s.p + n, s.n - n);
    }
}

void row_close(struct buf *out, size_t at)
{
    uint32_t size = htobe32((uint32_t)(out->n - at - sizeof(size)));

    if (!buf_finish(out))
        memcpy(out->p + at, &size, sizeof(size));
}

static void put_text(struct buf *out, struct str s)
{
    size_t at = out->n;

    row_put_u32(out, (uint32_t)s.n);
    if (!s.n || (str_utf8(s) && !memchr(s.p, 0, s.n))) {
        buf_put_str(out, s);
        return;
    }
    put_clean(out, s);
    row_close(out, at);
}

/* An escaped NUL is as little text as a bare one. */
static void replace_nuls(char *p, size_t n)
{
    for (size_t i = 0; i + 6 <= n; i++) {
        if (p[i] != '\\')
            continue;
        if (memcmp(p + i, "\\u0000", 6) == 0)
            memcpy(p + i + 2, "fffd", 4);
        i++; /* what follows a backslash is no backslash of its own */
    }
}

static void put_json(struct buf *out, struct str s)
{
    size_t at = out->n;

    row_put_u32(out, 0);
    put_clean(out, s);
    row_close(out, at);
    if (!buf_finish(out))
        replace_nuls(out->p + at, out->n - at);
}

static void put_time(struct buf *out, int64_t us)
{
    put_number(out, us == INT64_MIN ? us : us - PG_EPOCH_US); /* which is -infinity on both sides */
}

bool row_value_absent(enum row_value kind, const void *p)
{
    switch (kind) {
    case VALUE_UUID:
        return !call_id_given(*(const struct call_id *)p);
    case VALUE_TEXT:
        return !((const struct str *)p)->p;
    case VALUE_JSON:
        return !((const struct str *)p)->n;
    case VALUE_ID:
    case VALUE_TIME:
    case VALUE_I64:
    case VALUE_MONEY: /* what is absent is 0 to whoever reads it; the sums take no notice */
        return *(const int64_t *)p == 0;
    case VALUE_I32:
        return *(const int32_t *)p == 0;
    case VALUE_BOOL:
        return !*(const bool *)p;
    case VALUE_WINDOW:
    case VALUE_ROWS:
        break;
    }
    return false;
}

bool row_value_same(enum row_value kind, const void *a, const void *b)
{
    switch (kind) {
    case VALUE_TEXT:
        return str_eq(*(const struct str *)a, *(const struct str *)b);
    case VALUE_I32:
        return *(const int32_t *)a == *(const int32_t *)b;
    case VALUE_ID:
    case VALUE_I64:
    case VALUE_MONEY:
        return *(const int64_t *)a == *(const int64_t *)b;
    case VALUE_UUID:
    case VALUE_TIME:
    case VALUE_BOOL:
    case VALUE_JSON:
    case VALUE_WINDOW:
    case VALUE_ROWS:
        break;
    }
    return false;
}

void row_put_value(struct buf *out, enum row_value kind, const void *p)
{
    switch (kind) {
    case VALUE_UUID:
        row_put_u32(out, sizeof(struct call_id));
        buf_put(out, p, sizeof(struct call_id));
        break;
    case VALUE_I32:
        row_put_u32(out, 4);
        row_put_u32(out, *(const uint32_t *)p);
        break;
    case VALUE_BOOL:
        row_put_u32(out, 1);
        buf_putc(out, *(const bool *)p);
        break;
    case VALUE_TEXT:
        put_text(out, *(const struct str *)p);
        break;
    case VALUE_JSON:
        put_json(out, *(const struct str *)p);
        break;
    case VALUE_TIME:
    case VALUE_WINDOW:
        put_time(out, *(const int64_t *)p);
        break;
    case VALUE_ID:
    case VALUE_I64:
    case VALUE_MONEY: /* one int64_t */
        put_number(out, *(const int64_t *)p);
        break;
    case VALUE_ROWS:
        break;
    }
}
