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
