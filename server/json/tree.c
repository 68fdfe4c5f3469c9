/* tree.c: trees to text and back, declared in value.h. The reader checks nothing: json_check() has
 * accepted the text before, so json-c's own lax parser is never met. */
#include "json/value.h"

#include "base/err.h"
#include "base/reserve.h"
#include "json/scan.h"
#include "json/text.h"
#include "json/write.h"

struct reader {
    const char *p, *end;
    struct buf scratch; /* keys and numbers as C strings, strings with escapes decoded */
};

static void print(struct json_writer *w, const struct json_object *v);

static bool print_member(void *ctx, const char *key, struct json_object *v)
{
    struct json_writer *w = ctx;

    json_key(w, key);
    print(w, v);
    return true;
}

/* Recursion is bounded by what built the tree: BOUND_JSON_DEPTH when it was read. */
static void print(struct json_writer *w, const struct json_object *v)
{
    switch (json_kind(v)) {
    case JSON_NULL:
        json_null(w);
        break;
    case JSON_BOOL:
        json_bool(w, json_true(v));
        break;
    case JSON_INT:
        json_int(w, json_i64(v));
        break;
    case JSON_NUMBER:
        json_raw(w, json_text(v));
        break;
    case JSON_STRING:
        json_str(w, json_text(v));
        break;
    case JSON_ARRAY:
        json_open_array(w);
        for (size_t i = 0; i < json_length(v); i++)
            print(w, json_at(v, i));
        json_close_array(w);
        break;
    case JSON_OBJECT:
        json_open_object(w);
        json_each(v, print_member, w);
        json_close_object(w);
        break;
    }
}

int json_print(const struct json_object *v, struct buf *out)
{
    struct json_writer w;
    int r;

    json_begin(&w, out);
    print(&w, v);
    r = buf_finish(out);
    return r < 0 ? err_origin(r) : 0;
}

static void skip_space(struct reader *d)
{
    while (*d->p == ' ' || *d->p == '\n' || *d->p == '\t' || *d->p == '\r')
        d->p++;
}

/* The decoded string whose opening quote d->p stands on; lives until the next one is read. */
static struct str read_text(struct reader *d)
{
    const char *start = ++d->p;
    bool escaped = false;
    struct str text;

    for (;;) {
        d->p = text_wide_end(text_plain_end(d->p, d->end), d->end);
        if (*d->p == '"')
            break;
        if (*d->p == '\\') {
            escaped = true;
            d->p += 2;
        }
    }
    text = str_n(start, (size_t)(d->p - start));
    d->p++;
    if (escaped) {
        char *to = buf_reserve(&d->scratch, text.n);
        bool fits = to && text_decode(text, to, text.n, &text);

        assert(fits); /* escapes only get shorter; memory as the header says */
    }
    return text;
}

/* The same as a C string, also for what has no quotes. */
static const char *c_string(struct reader *d, struct str s)
{
    char *to;

    if (s.n && s.p == d->scratch.p) { /* decoded there already */
        d->scratch.n = s.n;
    } else {
        d->scratch.n = 0;
        buf_put_str(&d->scratch, s);
    }
    buf_putc(&d->scratch, '\0');
    assert(buf_finish(&d->scratch) == 0);
    to = d->scratch.p;
    d->scratch.n = 0;
    return to;
}

static struct json_object *read_number(struct reader *d)
{
    const char *start = d->p;
    struct str text;
    int64_t v;

    while (d->p < d->end && strchr("+-.0123456789Ee", *d->p))
        d->p++;
    text = str_n(start, (size_t)(d->p - start));
    if (str_i64(text, &v) == STR_OK && !str_eq_c(text, "-0"))
        return json_new_i64(v);
    return json_new_number(c_string(d, text));
}

static struct json_object *read_value(struct reader *d);

static struct json_object *read_array(struct reader *d)
{
    struct json_object *array = json_new_array();

    d->p++;
    for (skip_space(d); *d->p != ']'; skip_space(d)) {
        d->p += *d->p == ',';
        json_push(array, read_value(d));
    }
    d->p++;
    return array;
}

static struct json_object *read_object(struct reader *d)
{
    struct json_object *o = json_new_object();

    d->p++;
    for (skip_space(d); *d->p != '}'; skip_space(d)) {
        _cleanup_(freep) char *key = NULL;
        const char *name;

        if (*d->p == ',') {
            d->p++;
            skip_space(d);
        }
        name = c_string(d, read_text(d));
        key = reserve_must(strdup(name));
        skip_space(d);
        d->p++; /* the colon */
        json_set(o, key, read_value(d));
    }
    d->p++;
    return o;
}

/* Recursion is bounded by BOUND_JSON_DEPTH, which json_check() has enforced. */
static struct json_object *read_value(struct reader *d)
{
    skip_space(d);
    switch (*d->p) {
    case '{':
        return read_object(d);
    case '[':
        return read_array(d);
    case '"':
        return json_new_str(read_text(d));
    case 't':
        d->p += 4;
        return json_new_bool(true);
    case 'f':
        d->p += 5;
        return json_new_bool(false);
    case 'n':
        d->p += 4;
        return NULL;
    default:
        return read_number(d);
    }
}

int json_parse(struct str text, struct json_object **ret, struct json_fault *fault)
{
    struct reader d = {.p = text.p, .end = str_end(text)};
    int r = json_check(text, fault);

    if (r)
        return r < 0 ? err_trace(r) : r;
    buf_init(&d.scratch, text.n + 1);
    *ret = read_value(&d);
    buf_done(&d.scratch);
    return JSON_OK;
}

static void unref(void *json)
{
    json_unref(json);
}

int json_parse_object(struct arena *a, struct str text, struct json_object **ret)
{
    struct json_object *o = NULL;
    struct json_fault fault;
    int r = json_parse(text, &o, &fault);

    *ret = NULL;
    if (r == JSON_E_FAULT)
        return 0;
    if (r == 0 && json_kind(o) != JSON_OBJECT) {
        json_unref(o);
        return 0;
    }
    if (r == 0)
        r = arena_defer(a, unref, o);
    if (r < 0) {
        json_unref(o);
        return err_trace(r);
    }
    *ret = o;
    return 0;
}
