/* tree.c: trees to text and back, declared in value.h. */
#include "json/value.h"

#include "base/err.h"
#include "json/write.h"

static void print(struct json_writer *w, const struct json_object *v);

static bool print_member(void *ctx, const char *key, struct json_object *v)
{
    struct json_writer *w = ctx;

    json_key(w, key);
    print(w, v);
    return true;
}

/* Recursion is bounded by the writer, which asserts its depth. */
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
