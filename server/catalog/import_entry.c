/* import_entry.c: collecting the entries of a file, and comparing one's price with what is there.
 */
#include "catalog/import_entry.h"

#include <errno.h>

#include "base/err.h"
#include "catalog/import_known.h"

int import_put(struct import_entries *entries, const struct import_entry *e)
{
    if (entries->n == entries->cap) {
        size_t cap = entries->cap ? entries->cap * 2 : 256;
        struct import_entry *v = arena_array(entries->a, struct import_entry, cap);

        if (!v)
            return err_origin(-ENOMEM);
        if (entries->n)
            memcpy(v, entries->v, entries->n * sizeof(*v));
        entries->v = v;
        entries->cap = cap;
    }
    entries->v[entries->n++] = *e;
    return 0;
}

static void judge(struct import_entry *e, struct str reason, bool refused)
{
    if (e->reason.p)
        return; /* the first reason is the one to tell */
    e->reason = reason.p ? reason : STR("memory is short");
    e->refused = refused;
}

void import_refuse(struct import_entry *e, struct str reason)
{
    judge(e, reason, true);
}

void import_skip(struct import_entry *e, struct str reason)
{
    judge(e, reason, false);
}

int import_figure(struct arena *a, struct import_entry *e, const struct price_figure *f)
{
    if (!e->figures)
        e->figures = arena_array(a, struct price_figure, PRICE_FIGURES);
    if (!e->figures)
        return err_origin(-ENOMEM);
    if (e->n_figures == PRICE_FIGURES) {
        import_refuse(e, STR("it has too many prices"));
        return 0;
    }
    e->figures[e->n_figures] = *f;
    e->figures[e->n_figures++].cost = f->charge;
    return 0;
}

static const struct price_figure *figure_at(const struct price_figure *v, size_t n,
                                            const struct price_figure *like)
{
    for (size_t i = 0; i < n; i++)
        if (v[i].service == like->service && v[i].unit == like->unit &&
            v[i].above_input_tokens == like->above_input_tokens &&
            strcmp(v[i].visual_kind, like->visual_kind) == 0)
            return &v[i];
    return NULL;
}

bool import_same_price(const struct import_entry *e, const struct known_offer *offer)
{
    if (e->n_figures != offer->n_figures)
        return false;
    for (size_t i = 0; i < e->n_figures; i++) {
        const struct price_figure *there =
            figure_at(offer->figures, offer->n_figures, &e->figures[i]);

        if (!there || there->charge != e->figures[i].charge || there->cost != e->figures[i].cost)
            return false;
    }
    return true;
}

static void put_figure(struct buf *b, const struct price_figure *f)
{
    if (f)
        money_put(b, (struct money){f->charge}, 2);
    else
        buf_puts(b, "none");
}

static void put_difference(struct buf *b, const struct price_figure *from,
                           const struct price_figure *to)
{
    const struct price_figure *any = from ? from : to;

    if (from && to && from->charge == to->charge && from->cost == to->cost)
        return;
    if (b->n)
        buf_puts(b, ", ");
    if (any->service != SERVICE_STANDARD) {
        buf_puts(b, service_tier_name(any->service));
        buf_putc(b, ' ');
    }
    buf_puts(b, usage_unit_info(any->unit)->name);
    if (any->visual_kind[0]) {
        buf_putc(b, ' ');
        buf_puts(b, any->visual_kind);
    }
    if (any->above_input_tokens) {
        buf_puts(b, " above ");
        buf_put_i64(b, any->above_input_tokens);
    }
    buf_putc(b, ' ');
    put_figure(b, from);
    buf_puts(b, " -> ");
    put_figure(b, to);
}

struct str import_differences(struct arena *a, const struct import_entry *e,
                              const struct known_offer *offer)
{
    struct str text;
    struct buf b;

    buf_init(&b, KIB(16));
    for (size_t i = 0; i < e->n_figures; i++)
        put_difference(&b, figure_at(offer->figures, offer->n_figures, &e->figures[i]),
                       &e->figures[i]);
    for (size_t i = 0; i < offer->n_figures; i++)
        if (!figure_at(e->figures, e->n_figures, &offer->figures[i]))
            put_difference(&b, &offer->figures[i], NULL);
    buf_puts(&b, " USD per million");
    text = arena_str(a, buf_finish(&b) == 0 ? buf_str(&b) : STR("the price"));
    buf_done(&b);
    return text;
}

void import_mark_up(struct import_entry *e, int32_t markup_bp)
{
    const __int128 whole = 10000;

    for (size_t i = 0; i < e->n_figures; i++) {
        struct price_figure *f = &e->figures[i];
        __int128 charge = f->cost * (whole + markup_bp);

        charge = charge / whole + (charge % whole > 0);
        f->charge = charge > BOUND_PRICE_ABSURD_NANO ? BOUND_PRICE_ABSURD_NANO : (int64_t)charge;
    }
}

void import_check_price(struct import_entry *e)
{
    const struct price_draft draft = {.figures = e->figures, .n_figures = e->n_figures};
    struct identity_fault fault;

    if (price_draft_check(&draft, e->kind, &fault) != CHANGE_OK)
        import_refuse(e, str_c(fault.sentence));
}
