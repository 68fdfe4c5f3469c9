/* members.c: see members.h. */
#include "web/pages/members.h"

#include "base/err.h"
#include "identity/field_bounds.h"
#include "identity/invite.h"
#include "notices/notice.h"
#include "web/form.h"
#include "web/links.h"
#include "web/view.h"

enum { EMAIL, ROLE };

static const struct form_field fields[] = {
    [EMAIL] = {"email", "E-mail", FORM_EMAIL, .max = EMAIL_MAX,
               .help = "Only this address may use the link then. Empty: anybody who has it.",
               .autocomplete = "off"},
    [ROLE] = {"role", "Role", FORM_CHOICE},
};

static const struct {
    enum role role;
    const char *says;
} roles[] = {
    {ROLE_VIEWER, "sees usage, requests and keys"},
    {ROLE_DEVELOPER, "mints and changes keys and projects"},
    {ROLE_BILLING, "tops up, sees invoices"},
    {ROLE_ADMIN, "all of that, members and settings"},
    {ROLE_OWNER, "all of that, other owners"},
};

static bool may_give(const struct web *w, enum role role)
{
    return role != ROLE_OWNER || web_role(w, ROLE_OWNER);
}

static int open_form(struct web *w, struct form *form)
{
    int r = form_init(form, w->arena, fields, ARRAY_LEN(fields));

    for (size_t i = 0; r == 0 && i < ARRAY_LEN(roles); i++)
        if (may_give(w, roles[i].role))
            form_option(form, ROLE, str_c(role_name(roles[i].role)),
                        arena_strf(w->arena, "%s: %s", role_name(roles[i].role), roles[i].says));
    form_set(form, ROLE, STR("developer"));
    return r;
}

static struct json_object *role_options(const struct web *w, enum role now)
{
    struct json_object *options = json_new_array();

    for (size_t i = 0; i < ARRAY_LEN(roles); i++)
        if (may_give(w, roles[i].role) || roles[i].role == now)
            view_choice(options, str_c(role_name(roles[i].role)),
                        str_c(role_name(roles[i].role)), roles[i].role == now);
    return options;
}

static struct json_object *members_view(struct web *w, const struct member_page *members)
{
    struct json_object *list = json_new_array();

    for (size_t i = 0; i < members->n; i++) {
        const struct member *m = &members->v[i];
        struct json_object *o = json_new_object();
        bool self = m->user.v == w->session.user.v;

        json_set_i64(o, "id", m->user.v);
        json_set_str(o, "name", m->name.n ? m->name : m->email);
        json_set_str(o, "email", m->email);
        json_set_cstr(o, "role", role_name(m->role));
        json_set(o, "roles", role_options(w, m->role));
        json_set_bool(o, "disabled", m->disabled);
        json_set_bool(o, "second_factor", m->second_factor);
        json_set_bool(o, "self", self);
        json_set_bool(o, "may_change",
                      web_role(w, ROLE_ADMIN) && may_give(w, m->role));
        view_time(o, "joined", m->joined_at_us, w->zone, w->now_us);
        json_set_str(o, "role_link", link_member(w->arena, m->user, "role"));
        json_set_str(o, "remove_link", link_member(w->arena, m->user, "remove"));
        json_push(list, o);
    }
    return list;
}

static struct json_object *invites_view(struct web *w, const struct invite_page *invites)
{
    struct json_object *list = json_new_array();

    for (size_t i = 0; i < invites->n; i++) {
        const struct invite *v = &invites->v[i];
        struct json_object *o = json_new_object();

        json_set_str(o, "email", v->email.n ? v->email : STR("anybody with the link"));
        json_set_cstr(o, "role", role_name(v->role));
        json_set_str(o, "inviter", v->inviter);
        view_time(o, "expires", v->expires_at_us, w->zone, w->now_us);
        json_set_str(o, "revoke_link", link_invite(w->arena, v->id, "revoke"));
        json_push(list, o);
    }
    return list;
}

/* secret: the link of an invitation just made, and whom it was mailed to; fault: of a change to a member. */
static int show(struct web *w, int status, const struct form *form, struct str secret,
                struct str mailed_to, const char *fault)
{
    struct member_page members;
    struct invite_page invites;
    struct json_object *view;
    int r = member_list(w->db, w->arena, w->session.team, &members);

    if (r == 0)
        r = invite_list(w->db, w->arena, w->session.team, &invites);
    if (r != 0)
        return web_outcome(w, r);
    view = json_new_object();
    json_set(view, "members", members_view(w, &members));
    json_set(view, "invites", invites_view(w, &invites));
    json_set_bool(view, "any_invites", invites.n > 0);
    json_set_str(view, "summary", view_plural(w->arena, (int64_t)members.n, "member", NULL));
    json_set_str(view, "secret", secret);
    json_set_str(view, "mailed_to", mailed_to);
    json_set_bool(view, "mails", notices_mail(w->services->notices));
    json_set_cstr(view, "fault", fault);
    form_view(form, view, "form");
    return web_render_as(w, status, "members", "Members", view);
}

static int show_plain(struct web *w, int status, const char *fault)
{
    struct form form;
    int r = open_form(w, &form);

    return r ? web_outcome(w, r) : show(w, status, &form, STR(""), STR(""), fault);
}

int page_members(struct web *w)
{
    return show_plain(w, 200, NULL);
}

static int mail_invitation(struct web *w, enum role role, struct str to, struct str link)
{
    const struct notice_invitation v = {.team = w->session.team,
                                        .to = str_trim(to),
                                        .link = link,
                                        .team_name = w->session.team_name,
                                        .inviter = w->session.name,
                                        .role = role};

    return notice_invite(w->db, w->arena, w->services->notices, &v);
}

int page_invite_make(struct web *w)
{
    struct identity_fault fault = {0};
    enum role role = ROLE_VIEWER;
    struct form form;
    struct str token, to, link;
    int r = open_form(w, &form);

    if (r == 0)
        r = form_read(&form, &w->submitted);
    if (r == 0 && !form.wrong && role_parse(form.v[ROLE].text, &role))
        r = invite_make(w->db, w->arena, w->services->session_pepper, &w->actor, w->session.role,
                        w->session.team, role, form.v[EMAIL].text, &token, &fault);
    if (r == IDENTITY_E_FAULT)
        form_fault(&form, &fault);
    else if (r != 0)
        return web_outcome(w, r);
    if (form.wrong)
        return show(w, 422, &form, STR(""), STR(""), NULL);
    to = form.v[EMAIL].text;
    link = web_url(w, link_join(w->arena, token));
    if (to.n && notices_mail(w->services->notices))
        r = mail_invitation(w, role, to, link);
    if (r == 0)
        r = open_form(w, &form);
    if (r != 0)
        return web_outcome(w, r);
    return show(w, 200, &form, link, notices_mail(w->services->notices) ? to : STR(""), NULL);
}

int page_invite_revoke(struct web *w)
{
    int64_t id;
    int r = IDENTITY_E_NONE;

    if (web_param_id(w, 0, &id))
        r = invite_revoke(w->db, w->arena, &w->actor, w->session.team, id);
    return r ? web_outcome(w, r)
             : web_redirect(w, link_to(LINK_members), "The invitation is taken back.");
}

int page_member_role(struct web *w)
{
    struct identity_fault fault = {0};
    struct user_id user;
    enum role role;
    int r = IDENTITY_E_NONE;

    if (!role_parse(pairs_get(&w->submitted, "role"), &role))
        return web_fail_code(w, PROBLEM_BAD_FIELD);
    if (web_param_id(w, 0, &user.v))
        r = member_set_role(w->db, w->arena, &w->actor, w->session.role, w->session.team, user,
                            role, &fault);
    if (r == IDENTITY_E_FAULT)
        return show_plain(w, 422, fault.sentence);
    return r ? web_outcome(w, r) : web_redirect(w, link_to(LINK_members), "The role is changed.");
}

/* Everybody may leave; removing others is for admins. */
int page_member_remove(struct web *w)
{
    struct identity_fault fault = {0};
    bool disable_keys = pairs_get(&w->submitted, "disable_keys").p != NULL;
    struct user_id user;
    bool self;
    int r;

    if (!web_param_id(w, 0, &user.v))
        return web_fail_code(w, PROBLEM_NOT_FOUND);
    self = user.v == w->session.user.v;
    if (!self && !web_role(w, ROLE_ADMIN))
        return web_fail_code(w, PROBLEM_FORBIDDEN);
    r = member_remove(w->db, w->arena, &w->actor, w->session.role, w->session.team, user,
                      disable_keys, &fault);
    if (r == IDENTITY_E_FAULT)
        return show_plain(w, 422, fault.sentence);
    if (r != 0)
        return web_outcome(w, r);
    return web_redirect(w, link_to(self ? LINK_account : LINK_members),
                        self ? "You have left the team." : "The member is removed.");
}
