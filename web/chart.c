/* chart.c: see chart.h. */
#include "web/chart.h"

#include <errno.h>

#include "base/bounds.h"
#include "base/err.h"
#include "json/write.h"
#include "web/zone.h"

#define SERIES 12

struct series {
    struct str label;
    struct money total;
    struct money *values; /* one a day */
};

struct chart {
    struct str *days;
    size_t n_days;
    struct series v[SERIES];
    size_t n;
};

static int list_days(struct arena *a, struct str from_day, struct str to_day, struct chart *c)
{
    struct civil day, last;

    c->days = arena_array(a, struct str, BOUND_CHART_DAYS);
    if (!c->days)
        return err_origin(-ENOMEM);
    if (!civil_parse_day(from_day, &day) || !civil_parse_day(to_day, &last))
        return 0;
    for (; c->n_days < BOUND_CHART_DAYS; day = civil_plus_days(&day, 1)) {
        struct str text = civil_day(a, &day);

        if (str_cmp(text, to_day) > 0)
            break;
        c->days[c->n_days++] = text;
    }
    return 0;
}

/* The series of a model; the last one takes what has no place. */
static struct series *series_of(struct arena *a, struct chart *c, struct str label)
{
    for (size_t i = 0; i < c->n; i++)
        if (str_eq(c->v[i].label, label) || i == SERIES - 1)
            return &c->v[i];
    c->v[c->n] = (struct series){.label = label,
                                 .values = arena_array(a, struct money, BOUND_CHART_DAYS)};
    return c->v[c->n].values ? &c->v[c->n++] : NULL;
}

static int collect(struct arena *a, const struct usage_points *points, struct chart *c)
{
    for (size_t i = 0; i < points->n; i++) {
        const struct usage_point *p = &points->v[i];
        struct series *s = series_of(a, c, p->model);
        size_t day = 0;

        if (!s)
            return err_origin(-ENOMEM);
        while (day < c->n_days && !str_eq(c->days[day], p->day))
            day++;
        if (day == c->n_days)
            continue;
        if (money_add(s->values[day], p->charge, &s->values[day]) != MONEY_OK ||
            money_add(s->total, p->charge, &s->total) != MONEY_OK)
            return err_origin(-EOVERFLOW);
    }
    return 0;
}

static int by_total(const void *a, const void *b)
{
    const struct series *x = a, *y = b;

    return x->total.nano < y->total.nano ? 1 : x->total.nano > y->total.nano ? -1 : 0;
}

static void write_chart(const struct chart *c, struct buf *out)
{
    struct json_writer w;

    json_begin(&w, out);
    json_open_object(&w);
    json_key(&w, "unit");
    json_cstr(&w, "usd");
    json_key(&w, "days");
    json_open_array(&w);
    for (size_t i = 0; i < c->n_days; i++)
        json_str(&w, c->days[i]);
    json_close_array(&w);
    json_key(&w, "series");
    json_open_array(&w);
    for (size_t i = 0; i < c->n; i++) {
        if (c->v[i].total.nano <= 0)
            continue;
        json_open_object(&w);
        json_key(&w, "label");
        json_str(&w, c->v[i].label.n ? c->v[i].label : STR("(none)"));
        json_key(&w, "values");
        json_open_array(&w);
        for (size_t day = 0; day < c->n_days; day++)
            json_money_number(&w, c->v[i].values[day]);
        json_close_array(&w);
        json_close_object(&w);
    }
    json_close_array(&w);
    json_close_object(&w);
}

int chart_spend(struct arena *a, const struct usage_points *points, struct str from_day,
                struct str to_day, struct json_object *o, const char *key)
{
    struct chart chart = {0};
    struct buf text;
    int r = list_days(a, from_day, to_day, &chart);

    if (r == 0)
        r = collect(a, points, &chart);
    if (r < 0)
        return err_trace(r);
    qsort(chart.v, chart.n, sizeof(chart.v[0]), by_total);
    buf_init(&text, MIB(1));
    write_chart(&chart, &text);
    r = buf_finish(&text);
    if (r == 0)
        json_set_str(o, key, buf_str(&text));
    buf_done(&text);
    return r;
}

void chart_share(struct json_object *o, const char *key, struct money part, struct money whole)
{
    int64_t share = whole.nano > 0 ? (int64_t)((__int128)part.nano * 100 / whole.nano) : 0;

    json_set_i64(o, key, part.nano > 0 ? MAX(share, (int64_t)1) : 0);
}
