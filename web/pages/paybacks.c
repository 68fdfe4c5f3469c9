/* paybacks.c: see paybacks.h. */
#include "web/pages/paybacks.h"

#include "base/err.h"
#include "web/links.h"
#include "web/view.h"

static void kind_view(const struct payback *p, struct json_object *o)
{
    static const struct {
        const char *text;
        enum view_tone tone;
    } kinds[] = {
        [PAYBACK_REFUND] = {"Refund", VIEW_INFO},
        [PAYBACK_CHARGEBACK] = {"Chargeback", VIEW_BAD},
        [PAYBACK_REVERSAL] = {"Chargeback reversed", VIEW_GOOD},
    };

    view_badge(o, "kind", kinds[p->kind].tone, p->of_refund ? "Refund failed" : kinds[p->kind].text);
}

static struct json_object *payback_view(struct web *w, const struct payback *p)
{
    struct json_object *o = json_new_object();
    bool back = p->kind == PAYBACK_REVERSAL;

    kind_view(p, o);
    view_money(o, "amount", (struct money){back ? p->amount.nano : -p->amount.nano}, VIEW_DOLLARS);
    json_set_str(o, "reason", p->reason);
    json_set_str(o, "reference", p->reference);
    json_set_str(o, "by", p->by);
    json_set_str(o, "link", link_transfer(w->arena, p->transfer_id));
    json_set_bool(o, "may_reverse", p->kind == PAYBACK_CHARGEBACK && !p->reversed);
    json_set_i64(o, "id", p->id);
    json_set_str(o, "reverse_link", link_operator_chargeback(w->arena, p->id, "reverse"));
    view_time(o, "at", p->at_us, w->zone, w->now_us);
    return o;
}

int paybacks_view(struct web *w, struct team_id team, int64_t order_id, struct json_object *view)
{
    struct json_object *list = json_new_array();
    struct payback_page page = {0};
    int r = payback_list(w->db, w->arena, team, order_id, &page);

    for (size_t i = 0; r == 0 && i < page.n; i++)
        json_push(list, payback_view(w, &page.v[i]));
    json_set(view, "paybacks", list);
    json_set_bool(view, "any_payback", page.n > 0);
    return r;
}
