/* frame.c: see frame.h. */
#include "web/frame.h"

#include "web/cookie.h"
#include "web/incident.h"
#include "web/links.h"
#include "web/rail.h"
#include "web/view.h"

static struct json_object *me_view(const struct web *w)
{
    struct json_object *o = json_new_object();

    json_set_str(o, "email", w->session.email);
    json_set_str(o, "name", w->session.name.n ? w->session.name : w->session.email);
    json_set_bool(o, "is_operator", w->session.is_operator);
    return o;
}

static struct json_object *team_view(const struct web *w)
{
    struct json_object *o = json_new_object();

    json_set_str(o, "name", w->session.team_name);
    json_set_cstr(o, "role", role_name(w->session.role));
    json_set_bool(o, "frozen", w->session.team_frozen);
    json_set_bool(o, "may_develop", web_role(w, ROLE_DEVELOPER));
    json_set_bool(o, "may_bill", web_role(w, ROLE_BILLING));
    json_set_bool(o, "may_admin", web_role(w, ROLE_ADMIN));
    return o;
}

static struct json_object *teams_view(const struct web *w)
{
    struct json_object *list = json_new_array();

    for (size_t i = 0; i < w->teams.n; i++) {
        struct json_object *o = json_new_object();

        json_set_i64(o, "id", w->teams.v[i].team.v);
        json_set_str(o, "name", w->teams.v[i].team_name);
        json_set_cstr(o, "role", role_name(w->teams.v[i].role));
        json_set_bool(o, "current", w->teams.v[i].team.v == w->session.team.v);
        json_push(list, o);
    }
    return list;
}

static void add_common(const struct services *services, const struct request *req,
                       const char *title, struct json_object *view)
{
    char id[CALL_ID_TEXT];

    call_id_text(req->id, id);
    json_set_cstr(view, "page_title", title);
    json_set_str(view, "theme", cookie_theme(req));
    json_set_str(view, "columns", cookie_columns(req));
    json_set_str(view, "assets",
                 arena_strf(req->arena, "/assets/%.*s", STR_FMT(site_version(services->site))));
    json_set(view, "links", links_view());
    json_set_str(view, "public_url", services->public_url);
    json_set_str(view, "version", services->version);
    json_set_cstr(view, "request_id", id);
    json_set_bool(view, "sandbox", services->sandbox_payments);
    json_set_bool(view, "signup_open", services_signup_open(services));
}

void frame_add_bare(const struct services *services, const struct request *req, const char *title,
                    struct json_object *view)
{
    add_common(services, req, title, view);
    json_set_null(view, "me");
    json_set_null(view, "team");
    json_set_null(view, "csrf");
    json_set_null(view, "flash");
    json_set_null(view, "zone");
    json_set(view, "teams", json_new_array());
    json_set(view, "rail", json_new_array());
    json_set(view, "incidents", json_new_array());
    json_set_bool(view, "any_incident", false);
    json_set_null(view, "findings_open");
}

void frame_add(struct web *w, const char *title, struct json_object *view)
{
    frame_add_bare(w->services, w->req, title, view);
    json_set_str(view, "flash", w->flash);
    json_set_str(view, "zone", zone_name(w->zone));
    if (!w->signed_in)
        return;
    json_set_str(view, "csrf", w->session.csrf);
    json_set(view, "me", me_view(w));
    if (w->session.team.v)
        json_set(view, "team", team_view(w));
    json_set(view, "teams", teams_view(w));
    json_set(view, "rail", rail_view(w));
    json_set(view, "incidents", incidents_view(w));
    json_set_bool(view, "any_incident", w->incidents.n > 0);
    if (w->findings)
        json_set_str(view, "findings_open", view_plural(w->arena, w->findings, "finding", NULL));
}

#define POLICY                                                                                     \
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "              \
    "font-src 'self'; connect-src 'self'; frame-ancestors 'none'; base-uri 'none'; "               \
    "form-action 'self'"

struct str frame_policy(struct arena *a, struct str origin)
{
    return arena_strf(a, POLICY " %.*s", STR_FMT(origin));
}

void frame_headers(const struct services *services, struct response *out)
{
    response_header(out, "content-security-policy",
                    services->page_policy.p ? services->page_policy : STR(POLICY));
    /* Not no-referrer: browsers would then send `Origin: null` with our own forms. */
    response_header(out, "referrer-policy", STR("same-origin"));
    response_header(out, "cross-origin-opener-policy", STR("same-origin"));
    response_header(out, "permissions-policy", STR("camera=(), geolocation=(), microphone=()"));
    if (services->public_https)
        response_header(out, "strict-transport-security", STR("max-age=31536000"));
}
