/* timeline.c: see timeline.h. */
#include "web/timeline.h"

#include "web/view.h"

/* In the units of the drawing's own coordinates. */
enum {
    WIDTH = 960,
    LABELS = 210, /* the names at the left */
    RIGHT = 70,   /* the durations at the right */
    ROW = 30,
    BAR = 12,
    TOP = 8,
    AXIS = 24,
    TICKS = 4,
};

struct scale {
    int64_t total_us;
};

static int64_t at(const struct scale *s, int64_t us)
{
    int64_t room = WIDTH - LABELS - RIGHT;

    return LABELS + MIN(MAX(us, (int64_t)0), s->total_us) * room / s->total_us;
}

static void add_part(struct json_object *parts, const struct scale *s, const char *kind,
                     int64_t from_us, int64_t to_us, int64_t y)
{
    struct json_object *o;

    if (to_us <= from_us)
        return;
    o = json_new_object();
    json_set_cstr(o, "kind", kind);
    json_set_i64(o, "x", at(s, from_us));
    json_set_i64(o, "y", y);
    json_set_i64(o, "width", MAX(at(s, to_us) - at(s, from_us), (int64_t)2));
    json_set_i64(o, "height", BAR);
    json_push(parts, o);
}

static struct json_object *row_view(const struct attempt_record *a, const struct scale *s,
                                    size_t row)
{
    struct json_object *o = json_new_object(), *parts = json_new_array();
    int64_t y = TOP + (int64_t)row * ROW, began = a->started_us, end = began + a->latency_us;
    int64_t connected = began + MIN(a->connect_us, a->latency_us);
    int64_t first = a->ttfb_us ? began + MIN(a->ttfb_us, a->latency_us) : end;
    bool skipped = str_starts(a->reason, STR("skipped"));

    if (skipped) {
        add_part(parts, s, "skipped", began, began + MAX(s->total_us / 60, (int64_t)1), y);
    } else if (a->served) {
        add_part(parts, s, "connect", began, connected, y);
        add_part(parts, s, "wait", connected, first, y);
        add_part(parts, s, "stream", first, end, y);
    } else {
        add_part(parts, s, "connect", began, connected, y);
        add_part(parts, s, str_eq_c(a->reason, "client_gone") ? "wait" : "failed", connected,
                 MAX(end, connected + 1), y);
    }
    json_set(o, "parts", parts);
    json_set_i64(o, "text_y", y + BAR - 2);
    json_set_i64(o, "ordinal", a->ordinal);
    json_set_str(o, "label", a->account_name.n ? a->account_name : a->provider);
    json_set_i64(o, "end_x", at(s, end) + 8);
    json_set_bool(o, "skipped", skipped);
    view_duration(o, "latency", a->latency_us);
    return o;
}

static struct json_object *ticks_view(const struct scale *s, int64_t height)
{
    struct json_object *ticks = json_new_array();

    for (int i = 0; i <= TICKS; i++) {
        struct json_object *o = json_new_object();
        int64_t us = s->total_us * i / TICKS;

        json_set_i64(o, "x", at(s, us));
        json_set_i64(o, "bottom", height - AXIS);
        json_set_i64(o, "text_y", height - AXIS + 16);
        if (i)
            view_duration(o, "text", us);
        else
            json_set_cstr(o, "text", "0");
        json_push(ticks, o);
    }
    return ticks;
}

void timeline_view(const struct call_record *call, struct json_object *o, const char *key)
{
    size_t n = (size_t)MIN(MAX(call->attempts, 0), BOUND_ATTEMPTS);
    int64_t height = TOP + (int64_t)n * ROW + AXIS;
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
        json_push(rows, row_view(&call->attempt[i], &s, i));
    json_set_i64(v, "width", WIDTH);
    json_set_i64(v, "height", height);
    json_set(v, "rows", rows);
    json_set(v, "ticks", ticks_view(&s, height));
    json_set(o, key, v);
}
