/* listing.c: see listing.h. */
#include "responses/listing.h"

#include <errno.h>

#include "base/err.h"
#include "json/value.h"
#include "json/write.h"
#include "translation/elements.h"
#include "translation/wire.h"

struct item {
    struct str raw, id;
};

struct items {
    struct item *v;
    size_t n;
};

/* The beginnings of OpenAI's own ids. */
static const char *id_kind(struct str item, struct json_span type)
{
    static const struct {
        const char *type, *kind;
    } kinds[] = {
        {"function_call", "fc"},        {"function_call_output", "fco"}, {"reasoning", "rs"},
        {"custom_tool_call", "ctc"},    {"custom_tool_call_output", "ctco"},
    };

    for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
        if (json_span_is(item, type, kinds[i].type))
            return kinds[i].kind;
    return wire_given(type) && !json_span_is(item, type, "message") ? "item" : "msg";
}

static int name_item(struct arena *a, struct call_id call, size_t at, struct item *item)
{
    struct json_watch w[] = {{.path = "id"}, {.path = "type"}};
    struct json_scan_result found;
    struct json_fault fault;
    char id[CALL_ID_TEXT];
    int r = 0;

    if (json_scan(item->raw, w, ARRAY_LEN(w), &found, &fault) == JSON_OK &&
        w[0].span.kind == JSON_STRING && w[0].span.n > 2)
        r = wire_text(a, item->raw, w[0].span, &item->id);
    if (r < 0 || item->id.p)
        return r;
    call_id_text(call, id);
    item->id = arena_strf(a, "%s_%s_%zu", id_kind(item->raw, w[1].span), strchr(id, '_') + 1, at);
    return item->id.p ? 0 : err_origin(-ENOMEM);
}

static size_t count(struct str rest)
{
    struct str item;
    size_t n = 0;

    while (element_next(&rest, &item))
        n++;
    return n;
}

static int split(struct arena *a, struct str input, struct call_id call, struct items *ret)
{
    struct str rest = elements_of(input);
    struct items items = {.v = arena_array(a, struct item, count(rest) + 1)};
    int r = items.v ? 0 : err_origin(-ENOMEM);

    while (r == 0 && element_next(&rest, &items.v[items.n].raw)) {
        r = name_item(a, call, items.n, &items.v[items.n]);
        items.n++;
    }
    *ret = items;
    return r < 0 ? err_trace(r) : 0;
}

static void set_word(struct json_object *o, const char *key, const char *word)
{
    if (!json_has(o, key))
        json_set_cstr(o, key, word);
}

/* A text alone as the list of one part that it stands for. */
static void spread_text(struct json_object *o)
{
    struct json_object *content = json_get(o, "content"), *part, *list;
    bool said = str_eq(json_text(json_get(o, "role")), STR("assistant"));

    if (json_kind(content) != JSON_STRING)
        return;
    part = json_new_object();
    json_set_cstr(part, "type", said ? "output_text" : "input_text");
    json_set_str(part, "text", json_text(content));
    if (said)
        json_set(part, "annotations", json_new_array());
    list = json_new_array();
    json_push(list, part);
    json_set(o, "content", list);
}

/* As the reference has the items of lists: with an id, messages with their type and parts. What a client
 * gave that is no object, or has a key twice somewhere within, which is not looked for where nothing is
 * read, is listed as it came. */
static int put_item(const struct item *item, struct buf *out)
{
    _cleanup_json_ struct json_object *o = NULL;
    struct json_fault fault;
    struct str type;
    int r = json_parse(item->raw, &o, &fault);

    if (r < 0)
        return err_trace(r);
    if (r != JSON_OK || json_kind(o) != JSON_OBJECT) {
        buf_put_str(out, item->raw);
        return 0;
    }
    json_set_str(o, "id", item->id);
    if (!json_has(o, "type"))
        json_set_cstr(o, "type", "message");
    type = json_text(json_get(o, "type"));
    if (str_eq(type, STR("message")))
        spread_text(o);
    if (!str_eq(type, STR("reasoning")) && !str_eq(type, STR("item_reference")))
        set_word(o, "status", "completed");
    return json_print(o, out);
}

static void put_end(struct json_writer *w, const char *key, const struct item *item)
{
    json_key(w, key);
    json_str(w, item ? item->id : STR(""));
}

int listing_put(struct arena *a, struct str input, struct call_id call,
                const struct listing_want *want, struct buf *out)
{
    size_t from = 0, n;
    struct items all;
    struct json_writer w;
    int r = split(a, input, call, &all);

    if (r < 0)
        return err_trace(r);
    for (size_t i = 0; !want->oldest_first && i < all.n / 2; i++) {
        struct item swap = all.v[i];

        all.v[i] = all.v[all.n - 1 - i];
        all.v[all.n - 1 - i] = swap;
    }
    while (want->after.p && from < all.n && !str_eq(all.v[from].id, want->after))
        from++;
    if (want->after.p && from++ == all.n)
        return LISTING_E_AFTER;
    n = MIN(all.n - from, (size_t)want->limit);
    json_begin(&w, out);
    json_open_object(&w);
    json_key(&w, "object");
    json_cstr(&w, "list");
    json_key(&w, "data");
    json_open_array(&w);
    for (size_t i = 0; r == 0 && i < n; i++) {
        json_raw(&w, STR("")); /* the comma */
        r = put_item(&all.v[from + i], out);
    }
    json_close_array(&w);
    put_end(&w, "first_id", n ? &all.v[from] : NULL);
    put_end(&w, "last_id", n ? &all.v[from + n - 1] : NULL);
    json_key(&w, "has_more");
    json_bool(&w, from + n < all.n);
    json_close_object(&w);
    return r < 0 ? err_trace(r) : LISTING_OK;
}
