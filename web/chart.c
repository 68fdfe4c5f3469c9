/* chart.c: see chart.h. */
#include "web/chart.h"

#include <errno.h>

#include "base/bounds.h"
#include "base/err.h"
#include "json/write.h"
#include "web/view.h"
#include "web/zone.h"

/* As many colours as can be told apart (--chart-1 ... in tokens.css); the last one is of all others. */
#define SHADES 8
/* Models that are told apart before the dearest are known; what comes later is of the others. */
#define SERIES 256

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

static struct series *series_add(struct arena *a, struct chart *c, struct str label)
{
    struct series *s = &c->v[c->n];

    *s = (struct series){.label = label, .values = arena_array(a, struct money, BOUND_CHART_DAYS)};
    return s->values ? &c->v[c->n++] : NULL;
}

/* The series of a model; the last one takes what has no place. */
static struct series *series_of(struct arena *a, struct chart *c, struct str label)
{
    for (size_t i = 0; i < c->n; i++)
        if (str_eq(c->v[i].label, label) || i == SERIES - 1)
            return &c->v[i];
    return series_add(a, c, label);
}

static int add_value(const struct chart *c, struct series *to, size_t day, struct money m)
{
    assert(day < c->n_days);
    if (money_add(to->values[day], m, &to->values[day]) != MONEY_OK ||
        money_add(to->total, m, &to->total) != MONEY_OK)
        return err_origin(-EOVERFLOW);
    return 0;
}

static int collect(struct arena *a, const struct usage_points *points, struct chart *c)
{
    for (size_t i = 0; i < points->n; i++) {
        const struct usage_point *p = &points->v[i];
        struct series *s = series_of(a, c, p->model);
        size_t day = 0;
        int r;

        if (!s)
            return err_origin(-ENOMEM);
        while (day < c->n_days && !str_eq(c->days[day], p->day))
            day++;
        if (day == c->n_days)
            continue;
        r = add_value(c, s, day, p->charge);
        if (r < 0)
            return r;
    }
    return 0;
}

static int by_total(const void *a, const void *b)
{
    const struct series *x = a, *y = b;

    return x->total.nano < y->total.nano ? 1 : x->total.nano > y->total.nano ? -1 : 0;
}

/* Dearest first; beyond the colours all are one, under their number. */
static int fold(struct arena *a, struct chart *c)
{
    struct series *others = &c->v[SHADES - 1];
    int r = 0;

    qsort(c->v, c->n, sizeof(c->v[0]), by_total);
    while (c->n && c->v[c->n - 1].total.nano <= 0)
        c->n--;
    if (c->n <= SHADES)
        return 0;
    for (size_t i = SHADES; r == 0 && i < c->n; i++)
        for (size_t day = 0; r == 0 && day < c->n_days; day++)
            r = add_value(c, others, day, c->v[i].values[day]);
    others->label = arena_strf(a, "%zu other models", c->n - SHADES + 1);
    c->n = SHADES;
    return r;
}

static struct str label_of(const struct series *s)
{
    return s->label.n ? s->label : STR(NO_MODEL);
}

static struct json_object *legend_view(const struct chart *c)
{
    struct json_object *list = json_new_array();
    struct money dearest = c->n ? c->v[0].total : MONEY_ZERO;

    for (size_t i = 0; i < c->n; i++) {
        struct json_object *o = json_new_object();

        json_set_str(o, "label", label_of(&c->v[i]));
        json_set_i64(o, "shade", (int64_t)i + 1);
        view_money(o, "total", c->v[i].total, view_decimals(dearest));
        json_push(list, o);
    }
    return list;
}

/* The figures of a day as the legend shows them; the numbers are only for the height of bars. */
static void write_texts(struct arena *a, const struct chart *c, const struct series *s,
                        struct json_writer *w)
{
    json_key(w, "texts");
    json_open_array(w);
    for (size_t day = 0; day < c->n_days; day++)
        json_str(w, view_money_text(a, s->values[day], view_decimals(s->values[day])));
    json_close_array(w);
}

static void write_chart(struct arena *a, const struct chart *c, struct buf *out)
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
        json_open_object(&w);
        json_key(&w, "label");
        json_str(&w, label_of(&c->v[i]));
        json_key(&w, "values");
        json_open_array(&w);
        for (size_t day = 0; day < c->n_days; day++)
            json_money_number(&w, c->v[i].values[day]);
        json_close_array(&w);
        write_texts(a, c, &c->v[i], &w);
        json_close_object(&w);
    }
    json_close_array(&w);
    json_close_object(&w);
}

int chart_spend(struct arena *a, const struct usage_points *points, struct str from_day,
                struct str to_day, struct json_object *o, const char *key)
{
    struct json_object *view;
    struct chart *chart = arena_alloc(a, sizeof(*chart));
    struct buf text;
    int r;

    if (!chart)
        return err_origin(-ENOMEM);
    *chart = (struct chart){0};
    r = list_days(a, from_day, to_day, chart);
    if (r == 0)
        r = collect(a, points, chart);
    if (r == 0)
        r = fold(a, chart);
    if (r < 0)
        return err_trace(r);
    buf_init(&text, MIB(1));
    write_chart(a, chart, &text);
    r = buf_finish(&text);
    if (r == 0) {
        view = json_new_object();
        json_set_str(view, "data", buf_str(&text));
        json_set(view, "legend", legend_view(chart));
        json_set_str(view, "span", arena_strf(a, "%.*s to %.*s", STR_FMT(from_day), STR_FMT(to_day)));
        json_set(o, key, view);
    }
    buf_done(&text);
    return r;
}

void chart_share(struct json_object *o, const char *key, struct money part, struct money whole)
{
    int64_t share = whole.nano > 0 ? (int64_t)((__int128)part.nano * 100 / whole.nano) : 0;

    json_set_i64(o, key, part.nano > 0 ? MAX(share, (int64_t)1) : 0);
}
