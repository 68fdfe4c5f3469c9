/* figures.c: see figures.h. */
#include "translation/figures.h"

#include "base/bounds.h"

enum figure figure_read(struct str doc, const struct json_watch *w, int64_t *ret)
{
    uint64_t v;

    if (!w->span.n || w->span.kind == JSON_NULL)
        return FIGURE_ABSENT;
    if (!json_span_u64(doc, w->span, &v) || v > BOUND_USAGE_QUANTITY)
        return FIGURE_BROKEN;
    *ret = (int64_t)v;
    return FIGURE_GOOD;
}

int64_t figure_part(int64_t *whole, int64_t wanted)
{
    int64_t taken = MIN(*whole, wanted);

    *whole -= taken;
    return taken;
}

bool figure_round_up(struct str number, int64_t *ret)
{
    struct str whole, rest = number;
    int64_t n;
    bool part = false;

    if (number.n > 2 && number.p[0] == '"') /* of older transcriptions */
        rest = str_n(number.p + 1, number.n - 2);
    if (!str_split(&rest, '.', &whole) || str_i64(whole, &n) != STR_OK)
        return false;
    for (size_t i = 0; rest.p && i < rest.n; i++) {
        if (rest.p[i] < '0' || rest.p[i] > '9')
            return false;
        part = part || rest.p[i] != '0';
    }
    if (n < 0 || n >= BOUND_USAGE_QUANTITY)
        return false;
    *ret = n + part;
    return true;
}
