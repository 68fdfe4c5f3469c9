/* timeline.c: see timeline.h. */
#include "web/timeline.h"

#include "web/view.h"

enum {
    WHOLE = 1000, /* the axis, in units of the drawing */
    LEAST = 3,    /* of a part: still to be seen */
    QUARTERS = 4,
};

struct scale {
    int64_t total_us;
};

static int64_t at(const struct scale *s, int64_t us)
{
    return MIN(MAX(us, (int64_t)0), s->total_us) * WHOLE / s->total_us;
}

static void add_part(struct json_object *parts, const struct scale *s, const char *kind,
                     int64_t from_us, int64_t to_us)
{
    int64_t x = MIN(at(s, from_us), (int64_t)WHOLE - LEAST);
    struct json_object *o;

    if (to_us <= from_us)
        return;
    o = json_new_object();
    json_set_cstr(o, "kind", kind);
    json_set_i64(o, "x", x);
    json_set_i64(o, "width", MAX(at(s, to_us) - x, (int64_t)LEAST));
    json_push(parts, o);
}

static struct json_object *row_view(const struct attempt_record *a, const struct scale *s)
{
    struct json_object *o = json_new_object(), *parts = json_new_array();
    int64_t began = a->started_us, end = began + a->latency_us;
    int64_t connected = began + MIN(a->connect_us, a->latency_us);
    int64_t first = a->ttfb_us ? began + MIN(a->ttfb_us, a->latency_us) : end;
    bool skipped = str_starts(a->reason, STR("skipped"));

    if (skipped) {
        add_part(parts, s, "skipped", began, began + MAX(s->total_us / 60, (int64_t)1));
    } else if (a->served) {
        add_part(parts, s, "connect", began, connected);
        add_part(parts, s, "wait", connected, first);
        add_part(parts, s, "stream", first, end);
    } else {
        add_part(parts, s, "connect", began, connected);
        add_part(parts, s, str_eq_c(a->reason, "client_gone") ? "wait" : "failed", connected,
                 MAX(end, connected + 1));
    }
    json_set(o, "parts", parts);
    json_set_i64(o, "ordinal", a->ordinal);
    json_set_str(o, "label", a->account_name.n ? a->account_name : a->provider);
    json_set_bool(o, "skipped", skipped);
    view_duration(o, "latency", a->latency_us);
    return o;
}

/* Where each quarter of the time begins. */
static struct json_object *ticks_view(const struct scale *s)
{
    struct json_object *ticks = json_new_array();

    for (int i = 0; i < QUARTERS; i++) {
        struct json_object *o = json_new_object();

        json_set_i64(o, "x", (int64_t)WHOLE * i / QUARTERS);
        if (i)
            view_duration(o, "text", s->total_us * i / QUARTERS);
        else
            json_set_cstr(o, "text", "0");
        json_push(ticks, o);
    }
    return ticks;
}

void timeline_view(const struct call_record *call, struct json_object *o, const char *key)
{
    size_t n = (size_t)MIN(MAX(call->attempts, 0), BOUND_ATTEMPTS);
    struct scale s = {.total_us = MAX(call->latency_us, (int64_t)1)};
    struct json_object *v, *rows;

    if (!n) {
        json_set_null(o, key);
        return;
    }
    v = json_new_object();
    rows = json_new_array();
    for (size_t i = 0; i < n; i++)
        s.total_us = MAX(s.total_us, call->attempt[i].started_us + call->attempt[i].latency_us);
    for (size_t i = 0; i < n; i++)
        json_push(rows, row_view(&call->attempt[i], &s));
    json_set_i64(v, "whole", WHOLE);
    json_set(v, "rows", rows);
    json_set(v, "ticks", ticks_view(&s));
    json_set(o, key, v);
}
