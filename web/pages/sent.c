/* sent.c: see sent.h. */
#include "web/pages/sent.h"

#include "notices/trial.h"
#include "web/view.h"

struct json_object *sent_view(struct web *w, const struct outbox_page *page)
{
    struct json_object *list = json_new_array();

    for (size_t i = 0; i < page->n; i++) {
        const struct outbox_row *v = &page->v[i];
        struct json_object *o = json_new_object();

        json_set_str(o, "to", v->recipient);
        json_set_str(o, "subject", v->subject);
        json_set_str(o, "outcome", v->outcome);
        view_time(o, "at", v->created_at_us, w->zone, w->now_us);
        if (v->sent_at_us)
            view_badge(o, "state", VIEW_GOOD, "Sent");
        else if (v->given_up_at_us)
            view_badge(o, "state", VIEW_BAD, "Given up");
        else
            view_badge(o, "state", v->tries ? VIEW_WARN : VIEW_NEUTRAL,
                       v->tries ? "Tried, waits" : "Waits");
        json_push(list, o);
    }
    return list;
}

struct json_object *trial_view(const struct trial *trial)
{
    struct json_object *o = trial ? json_new_object() : NULL;

    if (!o)
        return NULL;
    json_set_str(o, "to", trial->to);
    json_set_bool(o, "delivered", trial->delivered);
    json_set_str(o, "answer", trial->said);
    return o;
}
