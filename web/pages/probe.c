/* probe.c: see probe.h. */
#include "web/pages/probe.h"

#include "web/view.h"

void probe_view(struct web *w, const struct operate_probe *p, struct json_object *view)
{
    struct json_object *o;

    if (!p) {
        json_set_null(view, "probe");
        return;
    }
    o = json_new_object();
    json_set_bool(o, "ok", p->ok);
    if (p->status)
        json_set_i64(o, "status", p->status);
    else
        json_set_null(o, "status");
    view_duration(o, "latency", p->latency_us);
    json_set_str(o, "error", p->error);
    json_set_str(o, "models",
                 p->models >= 0 ? view_plural(w->arena, p->models, "model", NULL) : STR(""));
    json_set(view, "probe", o);
}
