/* read.c: see read.h. */
#include "json/read.h"

#include <errno.h>
#include <stdio.h>

#include "base/err.h"

struct reading {
    struct arena *a;
    const struct json_field *fields;
    size_t n;
    struct json_fault *fault;
    int r; /* of check_known's walk */
};

static int refuse(struct json_fault *fault, const char *name, const char *reason)
{
    struct json_fault f = {0};

    (void)snprintf(f.path, sizeof(f.path), "%s", name);
    (void)snprintf(f.reason, sizeof(f.reason), "%s", reason);
    *fault = f;
    return JSON_E_FAULT;
}

static int refuse_bounds(const struct json_field *f, const char *what, struct json_fault *fault)
{
    char reason[sizeof(fault->reason)];

    if (f->max == INT64_MAX)
        (void)snprintf(reason, sizeof(reason), "%s at least %lld", what, (long long)f->min);
    else
        (void)snprintf(reason, sizeof(reason), "%s between %lld and %lld", what, (long long)f->min,
                       (long long)f->max);
    return refuse(fault, f->name, reason);
}

static bool within(const struct json_field *f, int64_t v)
{
    return (f->min == 0 && f->max == 0) || (v >= f->min && v <= f->max);
}

static int64_t characters(struct str s)
{
    int64_t n = 0;

    for (size_t i = 0; i < s.n; i++)
        n += (s.p[i] & 0xc0) != 0x80;
    return n;
}

static int read_str(struct reading *g, const struct json_field *f, const struct json_object *v,
                    void *to)
{
    struct str s = json_text(v);

    if (json_kind(v) != JSON_STRING)
        return refuse(g->fault, f->name, "must be a string");
    if (str_find(s, '\0') >= 0)
        return refuse(g->fault, f->name, "must not contain a NUL character");
    if (!within(f, characters(s)))
        return refuse_bounds(f, "length must be", g->fault);
    s = arena_str(g->a, s);
    if (!s.p)
        return err_origin(-ENOMEM);
    *(struct str *)to = s;
    return JSON_OK;
}

static int read_i64(struct reading *g, const struct json_field *f, const struct json_object *v,
                    void *to)
{
    if (json_kind(v) != JSON_INT)
        return refuse(g->fault, f->name, "must be an integer");
    if (!within(f, json_i64(v)))
        return refuse_bounds(f, "must be", g->fault);
    *(int64_t *)to = json_i64(v);
    return JSON_OK;
}

static int read_bool(struct reading *g, const struct json_field *f, const struct json_object *v,
                     void *to)
{
    if (json_kind(v) != JSON_BOOL)
        return refuse(g->fault, f->name, "must be true or false");
    *(bool *)to = json_true(v);
    return JSON_OK;
}

/* "must be between 0.01 and 100" in dollars, as the caller writes them. */
static int refuse_amount(const struct json_field *f, struct json_fault *fault)
{
    struct buf text;
    int r;

    buf_init(&text, sizeof(fault->reason) - 1);
    buf_puts(&text, "must be between ");
    money_put(&text, (struct money){f->min}, 0);
    buf_puts(&text, " and ");
    money_put(&text, (struct money){f->max}, 0);
    buf_putc(&text, '\0');
    r = buf_finish(&text) ? err_origin(buf_finish(&text)) : refuse(fault, f->name, text.p);
    buf_done(&text);
    return r;
}

static int read_money(struct reading *g, const struct json_field *f, const struct json_object *v,
                      void *to)
{
    enum json_kind kind = json_kind(v);
    struct money m;
    int r;

    if (kind != JSON_STRING && kind != JSON_INT && kind != JSON_NUMBER)
        return refuse(g->fault, f->name, "must be an amount such as \"12.50\"");
    r = money_parse(json_text(v), &m);
    if (r == MONEY_E_DIGITS)
        return refuse(g->fault, f->name, "must have at most 9 decimals");
    if (r == MONEY_E_OVERFLOW)
        return refuse(g->fault, f->name, "is too large an amount");
    if (r)
        return refuse(g->fault, f->name, "must be an amount such as \"12.50\"");
    if (!within(f, m.nano))
        return refuse_amount(f, g->fault);
    *(struct money *)to = m;
    return JSON_OK;
}

static int read_strs(struct reading *g, const struct json_field *f, const struct json_object *v,
                     void *to)
{
    struct json_strs strs = {.n = json_length(v)};

    if (json_kind(v) != JSON_ARRAY)
        return refuse(g->fault, f->name, "must be a list of strings");
    if (!within(f, (int64_t)strs.n))
        return refuse_bounds(f, "number of entries must be", g->fault);
    strs.v = arena_array(g->a, struct str, strs.n);
    if (!strs.v)
        return err_origin(-ENOMEM);
    for (size_t i = 0; i < strs.n; i++) {
        char name[sizeof(g->fault->path)];
        struct json_field element = {.name = name};
        int r;

        (void)snprintf(name, sizeof(name), "%s[%zu]", f->name, i);
        r = read_str(g, &element, json_at(v, i), &strs.v[i]);
        if (r)
            return r < 0 ? err_trace(r) : r;
    }
    *(struct json_strs *)to = strs;
    return JSON_OK;
}

static int read_any(struct reading *g, const struct json_field *f, const struct json_object *v,
                    void *to)
{
    *(const struct json_object **)to = v;
    return JSON_OK;
}

static int read_field(struct reading *g, const struct json_field *f, const struct json_object *v,
                      void *to)
{
    static int (*const readers[])(struct reading *, const struct json_field *,
                                  const struct json_object *, void *) = {
        [WANT_STR] = read_str,     [WANT_I64] = read_i64,   [WANT_BOOL] = read_bool,
        [WANT_MONEY] = read_money, [WANT_STRS] = read_strs, [WANT_ANY] = read_any,
    };

    return readers[f->want](g, f, v, to);
}

static bool check_known(void *ctx, const char *key, struct json_object *v)
{
    struct reading *g = ctx;

    for (size_t i = 0; i < g->n; i++)
        if (strcmp(g->fields[i].name, key) == 0)
            return true;
    g->r = refuse(g->fault, key, "is not a known field");
    return false;
}

static enum json_seen seen_in(const struct json_object *o, const char *name)
{
    if (json_get(o, name))
        return FIELD_GIVEN;
    return json_has(o, name) ? FIELD_NULL : FIELD_ABSENT;
}

int json_read(struct arena *a, const struct json_object *o, const struct json_field *fields,
              size_t n, void *dest, struct json_fault *fault)
{
    struct reading g = {.a = a, .fields = fields, .n = n, .fault = fault};

    if (json_kind(o) != JSON_OBJECT)
        return refuse(fault, "", "must be an object");
    json_each(o, check_known, &g);
    if (g.r)
        return g.r;
    for (size_t i = 0; i < n; i++) {
        const struct json_field *f = &fields[i];
        enum json_seen seen = seen_in(o, f->name);
        int r = 0;

        if (f->required && seen != FIELD_GIVEN)
            return refuse(fault, f->name, seen ? "must not be null" : "is required");
        if (seen == FIELD_GIVEN)
            r = read_field(&g, f, json_get(o, f->name), (char *)dest + f->offset);
        if (r)
            return r < 0 ? err_trace(r) : r;
        if (f->seen_offset != SIZE_MAX)
            *((uint8_t *)dest + f->seen_offset) = (uint8_t)seen;
    }
    return JSON_OK;
}
