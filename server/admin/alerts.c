/* alerts.c: /api/v1/alerts: what was raised for a team, and what it wants to hear of. */
#include "admin/alerts.h"

#include <errno.h>

#include "base/bounds.h"
#include "base/err.h"
#include "notices/trial.h"
#include "notices/webhook.h"

#define ALERTS_ANSWERED 200

static struct json_object *alert_json(const struct alert *v)
{
    bool of_budget = str_eq_c(v->kind, "budget");
    struct json_object *o = json_new_object();

    json_set_cstr(o, "object", "alert");
    json_set_i64(o, "id", v->id);
    json_set_str(o, "kind", v->kind);
    json_set_str(o, "scope", v->scope);
    json_set_i64(o, "scope_id", v->scope_id);
    json_set_str(o, "name", v->name);
    if (of_budget)
        json_set_i64(o, "percent", v->mark);
    else
        json_set_null(o, "percent");
    json_set_money(o, "amount", v->amount);
    json_set_money(o, of_budget ? "spent" : "balance", v->used);
    json_set_null(o, of_budget ? "balance" : "spent");
    admin_set_text(o, "window", v->window);
    admin_set_time(o, "raised_at", v->raised_at_us);
    admin_set_time(o, "ended_at", v->ended_at_us);
    return o;
}

int admin_alerts_list(struct admin *a)
{
    struct json_object *array;
    struct alert_page page;
    int r = admin_need(a, ROLE_VIEWER);

    if (!r)
        r = admin_query_known(a, NULL, 0);
    if (!r)
        r = admin_identity(a, alert_list(a->db, a->arena, a->team, false, ALERTS_ANSWERED, &page),
                           NULL);
    if (r)
        return r;
    array = json_new_array();
    for (size_t i = 0; i < page.n; i++)
        json_push(array, alert_json(&page.v[i]));
    return admin_reply(a, 200, admin_list(array));
}

static int answer_settings(struct admin *a)
{
    struct json_object *o, *marks, *users;
    struct str url = STR_NONE;
    struct alert_settings s;
    int r = webhook_read(a->db, a->arena, a->team, &url);

    if (r == 0 || r == IDENTITY_E_NONE)
        r = alert_settings_read(a->db, a->arena, a->team, &s);
    r = admin_identity(a, r, NULL);
    if (r)
        return r;
    o = json_new_object();
    marks = json_new_array();
    users = json_new_array();
    for (size_t i = 0; i < ALERT_MARKS; i++)
        if (s.marks[i])
            json_push_i64(marks, alert_marks[i]);
    for (size_t i = 0; i < s.n_recipients; i++)
        json_push_i64(users, s.recipients[i]);
    json_set_cstr(o, "object", "alert_settings");
    json_set(o, "budget_percents", marks);
    if (s.balance_below.nano)
        json_set_money(o, "balance_below", s.balance_below);
    else
        json_set_null(o, "balance_below");
    json_set(o, "recipients", users);
    admin_set_text(o, "webhook_url", url);
    return admin_reply(a, 200, o);
}

int admin_alert_settings_get(struct admin *a)
{
    int r = admin_need(a, ROLE_VIEWER);

    if (!r)
        r = admin_query_known(a, NULL, 0);
    return r ? r : answer_settings(a);
}

struct settings_body {
    struct money balance_below;
    struct json_object *marks, *recipients;
    uint8_t saw_balance, saw_marks, saw_recipients;
};

#define AT(field) offsetof(struct settings_body, field)

static const struct json_field settings_fields[] = {
    {"balance_below", WANT_MONEY, false, 0, INT64_C(1000000000000000000), AT(balance_below),
     AT(saw_balance)},
    {"budget_percents", WANT_ANY, false, 0, 0, AT(marks), AT(saw_marks)},
    {"recipients", WANT_ANY, false, 0, 0, AT(recipients), AT(saw_recipients)},
};

static int read_marks(struct admin *a, const struct json_object *v, struct alert_settings *s)
{
    static const char *const says = "This is a list of 50, 80 and 100, or of some of them.";

    memset(s->marks, 0, sizeof(s->marks));
    if (json_kind(v) != JSON_ARRAY)
        return admin_problem(a, PROBLEM_BAD_FIELD, "budget_percents", says);
    for (size_t i = 0; i < json_length(v); i++) {
        bool known = false;

        for (size_t k = 0; k < ALERT_MARKS; k++)
            if (json_kind(json_at(v, i)) == JSON_INT && json_i64(json_at(v, i)) == alert_marks[k])
                known = s->marks[k] = true;
        if (!known)
            return admin_problem(a, PROBLEM_BAD_FIELD, "budget_percents", says);
    }
    return 0;
}

int admin_read_people(struct admin *a, const struct json_object *v, const char *says, int64_t **ret,
                      size_t *ret_n)
{
    size_t n = json_kind(v) == JSON_ARRAY ? json_length(v) : 0;
    int64_t *ids = arena_array(a->arena, int64_t, n + 1);

    if (json_kind(v) != JSON_ARRAY || n > BOUND_MEMBERS_PER_TEAM)
        return admin_problem(a, PROBLEM_BAD_FIELD, "recipients", says);
    if (!ids)
        return err_origin(-ENOMEM);
    for (size_t i = 0; i < n; i++) {
        if (json_kind(json_at(v, i)) != JSON_INT)
            return admin_problem(a, PROBLEM_BAD_FIELD, "recipients", says);
        ids[i] = json_i64(json_at(v, i));
    }
    *ret = ids;
    *ret_n = n;
    return 0;
}

/* What is absent stays; null takes the balance's limit away. */
int admin_alert_settings_set(struct admin *a)
{
    struct identity_fault fault = {0};
    struct settings_body b = {0};
    struct alert_settings s;
    int r = admin_need(a, ROLE_ADMIN);

    if (!r)
        r = admin_body(a, settings_fields, ARRAY_LEN(settings_fields), &b);
    if (!r)
        r = admin_identity(a, alert_settings_read(a->db, a->arena, a->team, &s), NULL);
    if (!r && b.saw_balance != FIELD_ABSENT)
        s.balance_below = b.balance_below;
    if (!r && b.saw_marks != FIELD_ABSENT)
        r = read_marks(a, b.marks, &s);
    if (!r && b.saw_recipients != FIELD_ABSENT)
        r = admin_read_people(a, b.recipients, "This is a list of the user ids of members.",
                              &s.recipients, &s.n_recipients);
    if (!r)
        r = admin_identity(
            a, alert_settings_save(a->db, a->arena, &a->actor, a->team, &s, &fault), &fault);
    return r ? r : answer_settings(a);
}

struct webhook_body {
    struct str url;
};
static const struct json_field webhook_fields[] = {
    {"url", WANT_STR, true, 1, 2000, offsetof(struct webhook_body, url), SIZE_MAX},
};

/* A test follows, so that it is seen whether it arrives. */
int admin_set_webhook(struct admin *a, struct team_id team)
{
    struct identity_fault fault = {0};
    struct webhook_body b = {0};
    struct json_object *o;
    struct str secret;
    int r = admin_body(a, webhook_fields, ARRAY_LEN(webhook_fields), &b);

    if (!r)
        r = admin_identity(a,
                           webhook_set(a->db, a->arena, a->services->notices, &a->actor, team, b.url,
                                       &secret, &fault),
                           &fault);
    if (!r)
        r = admin_identity(a, webhook_test(a->db, a->arena, a->services->notices, team), NULL);
    if (r)
        return r;
    o = json_new_object();
    json_set_cstr(o, "object", "alert_webhook");
    json_set_str(o, "url", str_trim(b.url));
    json_set_str(o, "secret", secret);
    return admin_reply(a, 201, o);
}

int admin_alert_webhook_set(struct admin *a)
{
    int r = admin_need(a, ROLE_ADMIN);

    return r ? r : admin_set_webhook(a, a->team);
}

static int answer_trial(struct admin *a, const char *channel, const struct trial *trial)
{
    struct json_object *o = json_new_object();

    json_set_cstr(o, "object", "alert_test");
    json_set_cstr(o, "channel", channel);
    json_set_str(o, "to", trial->to);
    json_set_bool(o, "delivered", trial->delivered);
    json_set_str(o, "answer", trial->said);
    return admin_reply(a, 200, o);
}

/* Others' servers are waited for, so no transaction stays open meanwhile. */
int admin_test_webhook(struct admin *a, struct team_id team)
{
    struct trial trial;
    int r;

    admin_leave_tx(a);
    r = trial_webhook(a->db, a->arena, a->services->notices, team, &trial);
    if (r == TRIAL_E_NONE)
        return admin_problem(a, PROBLEM_NOT_FOUND, NULL, "There is no webhook.");
    if (!r)
        r = admin_again(a);
    return r ? r : answer_trial(a, "webhook", &trial);
}

int admin_test_mail(struct admin *a, struct str to)
{
    struct trial trial;
    int r;

    admin_leave_tx(a);
    r = trial_mail(a->db, a->arena, a->services->notices, to, &trial);
    if (r == TRIAL_E_NONE)
        return admin_problem(a, PROBLEM_NOT_FOUND, NULL,
                             "No mail server is set: SMTP_URL and MAIL_FROM.");
    if (!r)
        r = admin_again(a);
    return r ? r : answer_trial(a, "mail", &trial);
}

int admin_alert_webhook_test(struct admin *a)
{
    int r = admin_need(a, ROLE_ADMIN);

    return r ? r : admin_test_webhook(a, a->team);
}

int admin_alert_webhook_drop(struct admin *a)
{
    int r = admin_need(a, ROLE_ADMIN);

    if (!r)
        r = admin_identity(a, webhook_drop(a->db, a->arena, &a->actor, a->team), NULL);
    return r ? r : admin_deleted(a, "alert_webhook", a->team.v);
}
