/* account.c: see account.h. */
#include "web/pages/account.h"

#include "base/err.h"
#include "identity/field_bounds.h"
#include "identity/password.h"
#include "identity/user.h"
#include "notices/notices.h"
#include "web/form.h"
#include "web/links.h"
#include "web/pages/identity_provider.h"
#include "web/pages/second_factor.h"
#include "web/view.h"

enum { NAME };
enum { CURRENT, NEW };

static const struct form_field name_fields[] = {
    [NAME] = {"name", "Name", FORM_TEXT, .required = true, .min = 1, .max = PERSON_NAME_MAX,
              .autocomplete = "name"},
};
static const struct form_field password_fields[] = {
    [CURRENT] = {"current_password", "Current password", FORM_PASSWORD, .required = true,
                 .max = 1024, .autocomplete = "current-password"},
    [NEW] = {"password", "New password", FORM_PASSWORD, .required = true, .min = PASSWORD_MIN,
             .max = PASSWORD_MAX,
             .help = "At least 12 characters. Everywhere else you will be signed out.",
             .autocomplete = "new-password"},
};

struct forms {
    struct form name, password;
    const struct form *factor, *provider; /* NULL: an empty one */
};

static int open_forms(struct web *w, struct forms *forms)
{
    int r = form_init(&forms->name, w->arena, name_fields, ARRAY_LEN(name_fields));

    forms->factor = forms->provider = NULL;
    if (r == 0)
        r = form_init(&forms->password, w->arena, password_fields, ARRAY_LEN(password_fields));
    form_set(&forms->name, NAME, w->session.name);
    return r;
}

static struct json_object *sessions_view(struct web *w, const struct session_page *page)
{
    struct json_object *list = json_new_array();

    for (size_t i = 0; i < page->n; i++) {
        const struct session_row *row = &page->v[i];
        struct json_object *o = json_new_object();

        json_set_str(o, "address", row->address);
        json_set_str(o, "user_agent", row->user_agent);
        view_time(o, "seen", row->seen_at_us, w->zone, w->now_us);
        view_time(o, "since", row->created_at_us, w->zone, w->now_us);
        json_set_bool(o, "this_one", row->id == w->session.id);
        json_set_str(o, "end_link", link_session(w->arena, row->id, "end"));
        json_push(list, o);
    }
    return list;
}

static int show(struct web *w, int status, const struct forms *forms)
{
    struct session_page sessions;
    struct json_object *view;
    int r = session_list(w->db, w->arena, w->session.user, &sessions);

    if (r != 0)
        return web_outcome(w, r);
    view = json_new_object();
    form_view(&forms->name, view, "name_form");
    form_view(&forms->password, view, "password_form");
    json_set(view, "sessions", sessions_view(w, &sessions));
    json_set_bool(view, "several", sessions.n > 1);
    json_set_bool(view, "no_team", w->session.team.v == 0);
    json_set_bool(view, "mails", notices_mail(w->services->notices));
    json_set_bool(view, "password_of_operators",
                  w->services->password_of_operators && !w->session.is_operator);
    r = factor_view(w, forms->factor, view);
    if (r == 0)
        r = provider_card(w, forms->provider, view);
    if (r < 0) {
        json_unref(view);
        return err_trace(r);
    }
    return web_render_as(w, status, "account", "Account", view);
}

int page_account(struct web *w)
{
    struct forms forms;
    int r = open_forms(w, &forms);

    return r ? web_outcome(w, r) : show(w, 200, &forms);
}

int account_show_factor(struct web *w, const struct form *form)
{
    struct forms forms;
    int r = open_forms(w, &forms);

    forms.factor = form;
    return r ? web_outcome(w, r) : show(w, 422, &forms);
}

int account_show_provider(struct web *w, const struct form *form)
{
    struct forms forms;
    int r = open_forms(w, &forms);

    forms.provider = form;
    return r ? web_outcome(w, r) : show(w, 422, &forms);
}

int page_account_rename(struct web *w)
{
    struct identity_fault fault = {0};
    struct forms forms;
    int r = open_forms(w, &forms);

    web_leave_tx(w);
    if (r == 0)
        r = web_begin(w, DB_SYSTEM); /* its audit row belongs to no team */
    if (r == 0)
        r = form_read(&forms.name, &w->submitted);
    if (r == 0 && !forms.name.wrong)
        r = user_rename(w->db, w->arena, &w->actor, w->session.user, forms.name.v[NAME].text,
                        &fault);
    if (r == IDENTITY_E_FAULT)
        form_fault(&forms.name, &fault);
    else if (r != 0)
        return web_outcome(w, r);
    if (forms.name.wrong)
        return show(w, 422, &forms);
    return web_redirect(w, link_to(LINK_account), "Saved.");
}

int page_account_password(struct web *w)
{
    struct session_from from = web_from(w);
    struct identity_fault fault = {0};
    struct session_made made;
    struct forms forms;
    int r = open_forms(w, &forms);

    if (r == 0)
        r = form_read(&forms.password, &w->submitted);
    if (r != 0)
        return web_outcome(w, r);
    web_leave_tx(w);
    if (!forms.password.wrong)
        r = user_change_password(w->db, w->arena, w->services->session_pepper, w->session.user,
                                 forms.password.v[CURRENT].text, forms.password.v[NEW].text, &from,
                                 &made, &fault);
    if (r == IDENTITY_E_FAULT)
        form_fault(&forms.password, &fault);
    else if (r != 0)
        return web_refused(w, r, &fault);
    if (forms.password.wrong) {
        r = web_again(w);
        return r ? web_outcome(w, r) : show(w, 422, &forms);
    }
    web_set_session(w, &made);
    return web_redirect(w, link_to(LINK_account), "Your new password is set.");
}

int page_account_end_session(struct web *w)
{
    int64_t id;
    int r;

    if (!web_param_id(w, 0, &id))
        return web_fail_code(w, PROBLEM_NOT_FOUND);
    r = session_end_one(w->db, w->session.user, id);
    return r ? web_outcome(w, r) : web_redirect(w, link_to(LINK_account), "Signed out there.");
}

int page_account_end_sessions(struct web *w)
{
    int r = session_end_all(w->db, w->session.user, w->session.id, NULL);

    return r ? web_outcome(w, r)
             : web_redirect(w, link_to(LINK_account), "Signed out everywhere else.");
}
