/* installation_alerts.c: /api/v1/installation/alerts: what was raised of the installation, and what its operators
 * want to hear of. */
#include "admin/alerts.h"

#include <errno.h>

#include "base/err.h"
#include "notices/alarm.h"
#include "notices/webhook.h"

#define ALERTS_ANSWERED 200
#define DELIVERIES_ANSWERED 100

static const struct team_id installation = {0};

static struct json_object *alarm_json(struct admin *a, const struct alarm *v)
{
    struct json_object *o = json_new_object();

    json_set_cstr(o, "object", "installation_alert");
    json_set_i64(o, "id", v->id);
    json_set_str(o, "kind", v->kind);
    json_set_str(o, "subject", v->subject);
    json_set_str(o, "name", v->name);
    json_set_str(o, "title", alarm_title(a->arena, v));
    json_set_str(o, "detail", v->detail);
    admin_set_time(o, "raised_at", v->raised_at_us);
    admin_set_time(o, "ended_at", v->ended_at_us);
    return o;
}

int admin_installation_alerts_list(struct admin *a)
{
    struct json_object *array;
    struct alarm_page page;
    int r = admin_need_operator(a);

    if (!r)
        r = admin_query_known(a, NULL, 0);
    if (!r)
        r = alarm_list(a->db, a->arena, ALERTS_ANSWERED, &page);
    if (r)
        return r;
    array = json_new_array();
    for (size_t i = 0; i < page.n; i++)
        json_push(array, alarm_json(a, &page.v[i]));
    return admin_reply(a, 200, admin_list(array));
}

static struct json_object *delivery_json(const struct outbox_row *v)
{
    struct json_object *o = json_new_object();

    json_set_cstr(o, "object", "delivery");
    json_set_i64(o, "id", v->id);
    json_set_str(o, "channel", v->channel);
    json_set_str(o, "kind", v->kind);
    json_set_str(o, "to", v->recipient);
    json_set_str(o, "subject", v->subject);
    json_set_cstr(o, "state", v->sent_at_us ? "sent" : v->given_up_at_us ? "given_up" : "waiting");
    json_set_i64(o, "tries", v->tries);
    admin_set_text(o, "answer", v->outcome);
    admin_set_time(o, "created_at", v->created_at_us);
    admin_set_time(o, "sent_at", v->sent_at_us);
    admin_set_time(o, "given_up_at", v->given_up_at_us);
    return o;
}

int admin_installation_deliveries(struct admin *a)
{
    struct json_object *array;
    struct outbox_page page;
    int r = admin_need_operator(a);

    if (!r)
        r = admin_query_known(a, NULL, 0);
    if (!r)
        r = outbox_list(a->db, a->arena, installation, DELIVERIES_ANSWERED, &page);
    if (r)
        return r;
    array = json_new_array();
    for (size_t i = 0; i < page.n; i++)
        json_push(array, delivery_json(&page.v[i]));
    return admin_reply(a, 200, admin_list(array));
}

static int answer_settings(struct admin *a)
{
    struct json_object *o, *kinds, *users;
    struct str url = STR_NONE;
    struct alarm_settings s;
    int r = webhook_read(a->db, a->arena, installation, &url);

    if (r == 0 || r == IDENTITY_E_NONE)
        r = alarm_settings_read(a->db, a->arena, &s);
    if (r)
        return r;
    o = json_new_object();
    kinds = json_new_array();
    users = json_new_array();
    for (int k = 0; k < ALARM_KINDS; k++)
        if (s.kinds[k])
            json_push_str(kinds, str_c(alarm_kind_name((enum alarm_kind)k)));
    for (size_t i = 0; i < s.n_operators; i++)
        if (s.operators[i].mailed)
            json_push_i64(users, s.operators[i].id);
    json_set_cstr(o, "object", "installation_alert_settings");
    json_set(o, "kinds", kinds);
    json_set_i64(o, "account_after_seconds", s.account_after_s);
    json_set(o, "recipients", users);
    admin_set_text(o, "webhook_url", url);
    json_set_bool(o, "mails", notices_mail(a->services->notices));
    return admin_reply(a, 200, o);
}

int admin_installation_alert_settings_get(struct admin *a)
{
    int r = admin_need_operator(a);

    if (!r)
        r = admin_query_known(a, NULL, 0);
    return r ? r : answer_settings(a);
}

struct settings_body {
    int64_t after_s;
    struct json_object *kinds, *recipients;
    uint8_t saw_after, saw_kinds, saw_recipients;
};

#define AT(field) offsetof(struct settings_body, field)

static const struct json_field settings_fields[] = {
    {"kinds", WANT_ANY, false, 0, 0, AT(kinds), AT(saw_kinds)},
    {"account_after_seconds", WANT_I64, false, 0, ALARM_AFTER_MAX_S, AT(after_s), AT(saw_after)},
    {"recipients", WANT_ANY, false, 0, 0, AT(recipients), AT(saw_recipients)},
};

static int read_kinds(struct admin *a, const struct json_object *v, struct alarm_settings *s)
{
    static const char *const says =
        "This is a list of books, account, database, journal, mail and price, or of some of them.";

    memset(s->kinds, 0, sizeof(s->kinds));
    if (json_kind(v) != JSON_ARRAY)
        return admin_problem(a, PROBLEM_BAD_FIELD, "kinds", says);
    for (size_t i = 0; i < json_length(v); i++) {
        bool known = false;

        for (int k = 0; k < ALARM_KINDS; k++)
            if (json_kind(json_at(v, i)) == JSON_STRING &&
                str_eq_c(json_text(json_at(v, i)), alarm_kind_name((enum alarm_kind)k)))
                known = s->kinds[k] = true;
        if (!known)
            return admin_problem(a, PROBLEM_BAD_FIELD, "kinds", says);
    }
    return 0;
}

struct recipients {
    int64_t *v;
    size_t n;
};

static int same_recipients(struct admin *a, const struct alarm_settings *s, struct recipients *ret)
{
    *ret = (struct recipients){.v = arena_array(a->arena, int64_t, s->n_operators + 1)};
    if (!ret->v)
        return err_origin(-ENOMEM);
    for (size_t i = 0; i < s->n_operators; i++)
        if (s->operators[i].mailed)
            ret->v[ret->n++] = s->operators[i].id;
    return 0;
}

/* What is absent stays. */
int admin_installation_alert_settings_set(struct admin *a)
{
    struct identity_fault fault = {0};
    struct settings_body b = {0};
    struct recipients to = {0};
    struct alarm_settings s;
    int r = admin_need_operator(a);

    if (!r)
        r = admin_body(a, settings_fields, ARRAY_LEN(settings_fields), &b);
    if (!r)
        r = alarm_settings_read(a->db, a->arena, &s);
    if (!r && b.saw_after != FIELD_ABSENT)
        s.account_after_s = (int32_t)b.after_s;
    if (!r && b.saw_kinds != FIELD_ABSENT)
        r = read_kinds(a, b.kinds, &s);
    if (!r)
        r = b.saw_recipients != FIELD_ABSENT
                ? admin_read_people(a, b.recipients, "This is a list of the user ids of operators.",
                                    &to.v, &to.n)
                : same_recipients(a, &s, &to);
    if (!r)
        r = admin_identity(
            a, alarm_settings_save(a->db, a->arena, &a->actor, &s, to.v, to.n, &fault), &fault);
    return r ? r : answer_settings(a);
}

int admin_installation_webhook_set(struct admin *a)
{
    int r = admin_need_operator(a);

    return r ? r : admin_set_webhook(a, installation);
}

int admin_installation_webhook_drop(struct admin *a)
{
    int r = admin_need_operator(a);

    if (!r)
        r = admin_identity(a, webhook_drop(a->db, a->arena, &a->actor, installation), NULL);
    return r ? r : admin_deleted(a, "alert_webhook", 1);
}

int admin_installation_webhook_test(struct admin *a)
{
    int r = admin_need_operator(a);

    return r ? r : admin_test_webhook(a, installation);
}

struct mail_body {
    int64_t user;
};
static const struct json_field mail_fields[] = {
    {"user_id", WANT_I64, true, 1, INT64_MAX, offsetof(struct mail_body, user), SIZE_MAX},
};

/* To an operator only: this is no way to mail anybody. */
int admin_installation_mail_test(struct admin *a)
{
    struct alarm_settings s;
    struct mail_body b = {0};
    struct str to = STR_NONE;
    int r = admin_need_operator(a);

    if (!r)
        r = admin_body(a, mail_fields, ARRAY_LEN(mail_fields), &b);
    if (!r)
        r = alarm_settings_read(a->db, a->arena, &s);
    for (size_t i = 0; !r && i < s.n_operators; i++)
        if (s.operators[i].id == b.user)
            to = s.operators[i].email;
    if (r)
        return r;
    if (!to.p)
        return admin_problem(a, PROBLEM_BAD_FIELD, "user_id", "This is no operator.");
    return admin_test_mail(a, to);
}
