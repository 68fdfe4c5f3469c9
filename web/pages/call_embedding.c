/* call_embedding.c: see call_embedding.h. */
#include "web/pages/call_embedding.h"

#include "logs/search.h"
#include "web/links.h"
#include "web/view.h"

static struct str link_of(struct web *w, struct call_id id, bool for_operator)
{
    return for_operator ? link_operator_call(w->arena, id) : link_call(w->arena, id);
}

int call_embedding_view(struct web *w, const struct call_record *call, bool for_operator,
                        struct json_object *view)
{
    struct log_embedding made;
    struct json_object *o;
    int r = LOG_E_NONE;

    json_set_str(view, "made_for", call_id_given(call->for_call_id)
                                       ? link_of(w, call->for_call_id, for_operator)
                                       : STR_NONE);
    json_set_null(view, "embedding");
    if (call->cache.n) /* of no other call is the question compared */
        r = log_embedding_of(w->db, w->arena, (struct team_id){call->team_id}, call->call_id, &made);
    if (r != LOG_OK)
        return r == LOG_E_NONE ? 0 : r;
    o = json_new_object();
    json_set_str(o, "link", link_of(w, made.id, for_operator));
    json_set_bool(o, "failed", !str_eq_c(made.outcome, "ok"));
    view_money(o, "charge", made.charge, VIEW_CALL);
    view_money(o, "cost", made.cost, VIEW_CALL);
    json_set(view, "embedding", o);
    return 0;
}
