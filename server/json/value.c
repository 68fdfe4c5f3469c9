/* value.c: see value.h. The only file that knows json-c's names: some are ours elsewhere. */
#include "json/value.h"

#include <json-c/json.h>

#include "base/reserve.h"

struct json_object *json_new_object(void)
{
    return reserve_must(json_object_new_object());
}

struct json_object *json_new_array(void)
{
    return reserve_must(json_object_new_array());
}

struct json_object *json_new_str(struct str s)
{
    return reserve_must(json_object_new_string_len(s.p ? s.p : "", (int)s.n));
}

struct json_object *json_new_i64(int64_t v)
{
    return reserve_must(json_object_new_int64(v));
}

struct json_object *json_new_bool(bool v)
{
    return reserve_must(json_object_new_boolean(v));
}

struct json_object *json_new_number(const char *text)
{
    return reserve_must(json_object_new_double_s(0, text)); /* the text is what counts */
}

static struct json_object *new_money(struct money m, bool number)
{
    struct json_object *v;
    struct buf text;

    buf_init(&text, 32);
    money_put(&text, m, 0);
    buf_putc(&text, '\0');
    assert(buf_finish(&text) == 0);
    v = number ? json_new_number(text.p) : json_new_str(str_c(text.p));
    buf_done(&text);
    return v;
}

struct json_object *json_ref(struct json_object *v)
{
    return json_object_get(v);
}

void json_unref(struct json_object *v)
{
    (void)json_object_put(v);
}

void json_unrefp(struct json_object **v)
{
    json_unref(*v);
    *v = NULL;
}

void json_set(struct json_object *o, const char *key, struct json_object *v)
{
    int r;

    assert(json_kind(o) == JSON_OBJECT);
    r = json_object_object_add(o, key, v);
    if (r && reserve_use())
        r = json_object_object_add(o, key, v);
    assert(r == 0);
}

void json_set_str(struct json_object *o, const char *key, struct str s)
{
    json_set(o, key, json_new_str(s));
}

void json_set_cstr(struct json_object *o, const char *key, const char *z)
{
    json_set(o, key, z ? json_new_str(str_c(z)) : NULL);
}

void json_set_i64(struct json_object *o, const char *key, int64_t v)
{
    json_set(o, key, json_new_i64(v));
}

void json_set_bool(struct json_object *o, const char *key, bool v)
{
    json_set(o, key, json_new_bool(v));
}

void json_set_null(struct json_object *o, const char *key)
{
    json_set(o, key, NULL);
}

void json_set_money(struct json_object *o, const char *key, struct money m)
{
    json_set(o, key, new_money(m, false));
}

void json_set_money_number(struct json_object *o, const char *key, struct money m)
{
    json_set(o, key, new_money(m, true));
}

void json_push(struct json_object *array, struct json_object *v)
{
    int r;

    assert(json_kind(array) == JSON_ARRAY);
    r = json_object_array_add(array, v);
    if (r && reserve_use())
        r = json_object_array_add(array, v);
    assert(r == 0);
}

void json_push_str(struct json_object *array, struct str s)
{
    json_push(array, json_new_str(s));
}

void json_push_i64(struct json_object *array, int64_t v)
{
    json_push(array, json_new_i64(v));
}

enum json_kind json_kind(const struct json_object *v)
{
    static const enum json_kind kinds[] = {
        [json_type_null] = JSON_NULL,     [json_type_boolean] = JSON_BOOL,
        [json_type_double] = JSON_NUMBER, [json_type_int] = JSON_INT,
        [json_type_object] = JSON_OBJECT, [json_type_array] = JSON_ARRAY,
        [json_type_string] = JSON_STRING,
    };

    return kinds[json_object_get_type(v)];
}

struct json_object *json_get(const struct json_object *o, const char *key)
{
    struct json_object *v = NULL;

    if (json_kind(o) == JSON_OBJECT)
        (void)json_object_object_get_ex(o, key, &v);
    return v;
}

bool json_has(const struct json_object *o, const char *key)
{
    return json_kind(o) == JSON_OBJECT && json_object_object_get_ex(o, key, NULL);
}

struct json_object *json_at(const struct json_object *array, size_t i)
{
    return json_kind(array) == JSON_ARRAY ? json_object_array_get_idx(array, i) : NULL;
}

size_t json_length(const struct json_object *array_or_object)
{
    if (json_kind(array_or_object) == JSON_ARRAY)
        return json_object_array_length(array_or_object);
    if (json_kind(array_or_object) == JSON_OBJECT)
        return (size_t)json_object_object_length(array_or_object);
    return 0;
}

struct str json_text(const struct json_object *v)
{
    /* json-c prints numbers into the object itself, hence its missing const. */
    struct json_object *mutable = (struct json_object *)v;
    enum json_kind kind = json_kind(v);

    if (kind == JSON_STRING)
        return str_n(json_object_get_string(mutable), (size_t)json_object_get_string_len(v));
    if (kind == JSON_INT || kind == JSON_NUMBER)
        return str_c(json_object_get_string(mutable));
    return STR("");
}

int64_t json_i64(const struct json_object *v)
{
    return json_kind(v) == JSON_INT ? json_object_get_int64(v) : 0;
}

bool json_true(const struct json_object *v)
{
    return json_kind(v) == JSON_BOOL && json_object_get_boolean(v);
}

void json_each(const struct json_object *o,
               bool (*fn)(void *ctx, const char *key, struct json_object *v), void *ctx)
{
    if (json_kind(o) != JSON_OBJECT)
        return;
    json_object_object_foreach ((struct json_object *)o, key, v)
        if (!fn(ctx, key, v))
            return;
}
