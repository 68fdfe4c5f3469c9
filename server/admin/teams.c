/* teams.c: /api/v1/teams: the teams that a management key may see; operators make and freeze them. */
#include "admin/admin.h"

#include "base/err.h"
#include "identity/field_bounds.h"
#include "identity/team.h"

#define TEAM_PAGE 100

static struct json_object *team_json(const struct team *t)
{
    struct json_object *o = json_new_object();
    const struct team_settings *s = &t->settings;

    json_set_cstr(o, "object", "team");
    json_set_i64(o, "id", t->id.v);
    json_set_str(o, "name", s->name);
    json_set_str(o, "time_zone", s->time_zone);
    json_set_bool(o, "frozen", t->frozen);
    json_set_str(o, "frozen_reason", t->frozen_reason);
    json_set_str(o, "legal_name", s->legal_name);
    json_set_str(o, "address", s->address);
    json_set_str(o, "country", s->country);
    json_set_str(o, "tax_id", s->tax_id);
    json_set_str(o, "billing_email", s->billing_email);
    json_set_i64(o, "response_days", s->response_days);
    json_set_bool(o, "shadow_opt_out", s->shadow_opt_out);
    json_set_i64(o, "members", t->member_count);
    json_set_i64(o, "keys", t->key_count);
    admin_set_time(o, "created_at", t->created_at_us);
    return o;
}

static int answer_team(struct admin *a, int status, struct team_id id)
{
    struct team team;
    int r = admin_identity(a, team_get(a->db, a->arena, id, &team), NULL);

    return r ? r : admin_reply(a, status, team_json(&team));
}

int admin_teams_list(struct admin *a)
{
    static const char *const known[] = {"q", "before"};
    struct team_page page;
    struct team own;
    struct json_object *array;
    struct str text = request_query(a->req, "q");
    int64_t before = 0;
    int r = admin_query_known(a, known, ARRAY_LEN(known));

    if (!r)
        r = admin_query_i64(a, "before", &before);
    if (r)
        return r;
    if (a->is_operator) {
        r = team_search(a->db, a->arena, text.p ? text : STR(""), before, TEAM_PAGE, &page);
    } else {
        r = team_get(a->db, a->arena, a->team, &own);
        page = (struct team_page){.v = &own, .n = 1};
    }
    r = admin_identity(a, r, NULL);
    if (r)
        return r;
    array = json_new_array();
    for (size_t i = 0; i < page.n; i++)
        json_push(array, team_json(&page.v[i]));
    return admin_reply(a, 200, admin_list(array));
}

/* The {id} of the path, which has to be the key's own team unless the key is an operator's. */
static int path_team(struct admin *a, struct team_id *ret)
{
    int r = admin_path_id(a, 0, &ret->v);

    if (!r && !a->is_operator && ret->v != a->team.v)
        return admin_problem(a, PROBLEM_NOT_FOUND, NULL, NULL);
    return r;
}

int admin_teams_get(struct admin *a)
{
    struct team_id id;
    int r = path_team(a, &id);

    return r ? r : answer_team(a, 200, id);
}

struct team_body {
    struct str name, time_zone, legal_name, address, country, tax_id, billing_email, frozen_reason;
    int64_t response_days;
    bool shadow_opt_out, frozen;
    uint8_t saw_name, saw_time_zone, saw_legal_name, saw_address, saw_country, saw_tax_id,
        saw_billing_email, saw_response_days, saw_shadow_opt_out, saw_frozen;
};

#define AT(field) offsetof(struct team_body, field)
#define TEXT_FIELD(field, max)                                                                     \
    {                                                                                              \
        #field, WANT_STR, false, 0, max, AT(field), AT(saw_##field)                                \
    }

static const struct json_field change_fields[] = {
    TEXT_FIELD(name, TEAM_NAME_MAX),
    TEXT_FIELD(time_zone, 60),
    TEXT_FIELD(legal_name, PARTY_NAME_MAX),
    TEXT_FIELD(address, PARTY_ADDRESS_MAX),
    TEXT_FIELD(country, 2),
    TEXT_FIELD(tax_id, PARTY_TAX_ID_MAX),
    TEXT_FIELD(billing_email, EMAIL_MAX),
    {"response_days", WANT_I64, false, 0, TEAM_RESPONSE_DAYS_MAX, AT(response_days),
     AT(saw_response_days)},
    {"shadow_opt_out", WANT_BOOL, false, 0, 0, AT(shadow_opt_out), AT(saw_shadow_opt_out)},
    {"frozen", WANT_BOOL, false, 0, 0, AT(frozen), AT(saw_frozen)},
    {"frozen_reason", WANT_STR, false, 0, 200, AT(frozen_reason), SIZE_MAX},
};
static const struct json_field create_fields[] = {
    {"name", WANT_STR, true, 1, TEAM_NAME_MAX, AT(name), SIZE_MAX},
    {"time_zone", WANT_STR, false, 0, 60, AT(time_zone), SIZE_MAX},
};

/* Absent stays, null empties. */
static void merge_text(uint8_t saw, struct str given, struct str *to)
{
    if (saw != FIELD_ABSENT)
        *to = saw == FIELD_GIVEN ? given : STR("");
}

static int freeze(struct admin *a, struct team_id id, const struct team_body *b)
{
    struct identity_fault fault = {0};
    int r = admin_need_operator(a);

    if (r)
        return r;
    if (b->frozen)
        r = team_freeze(a->db, a->arena, &a->actor, id, b->frozen_reason, &fault);
    else
        r = team_unfreeze(a->db, a->arena, &a->actor, id);
    return admin_identity(a, r, &fault);
}

/* The team of the path, whose admins may. */
static int path_admin(struct admin *a, struct team_id *ret)
{
    int r = path_team(a, ret);

    if (r)
        return r;
    a->team = *ret;
    return admin_need(a, ROLE_ADMIN);
}

int admin_teams_change(struct admin *a)
{
    struct team_body b = {0};
    struct team team;
    struct identity_fault fault = {0};
    struct team_id id;
    int r = path_admin(a, &id);

    if (!r)
        r = admin_body(a, change_fields, ARRAY_LEN(change_fields), &b);
    if (!r)
        r = admin_identity(a, team_get(a->db, a->arena, id, &team), NULL);
    if (r)
        return r;
    merge_text(b.saw_name, b.name, &team.settings.name);
    merge_text(b.saw_time_zone, b.time_zone, &team.settings.time_zone);
    merge_text(b.saw_legal_name, b.legal_name, &team.settings.legal_name);
    merge_text(b.saw_address, b.address, &team.settings.address);
    merge_text(b.saw_country, b.country, &team.settings.country);
    merge_text(b.saw_tax_id, b.tax_id, &team.settings.tax_id);
    merge_text(b.saw_billing_email, b.billing_email, &team.settings.billing_email);
    if (b.saw_response_days != FIELD_ABSENT)
        team.settings.response_days = b.response_days; /* null: 0 */
    if (b.saw_shadow_opt_out != FIELD_ABSENT)
        team.settings.shadow_opt_out = b.shadow_opt_out; /* null: false */
    r = admin_identity(
        a, team_update(a->db, a->arena, &a->actor, id, &team.settings, &fault), &fault);
    if (!r && b.saw_frozen == FIELD_GIVEN && b.frozen != team.frozen)
        r = freeze(a, id, &b);
    return r ? r : answer_team(a, 200, id);
}

int admin_teams_clear_cache(struct admin *a)
{
    struct team_id id;
    int r = path_admin(a, &id);

    if (!r)
        r = admin_identity(a, team_clear_cache(a->db, a->arena, &a->actor, id), NULL);
    return r ? r : admin_deleted(a, "cache", id.v);
}

int admin_teams_create(struct admin *a)
{
    struct team_body b = {0};
    struct identity_fault fault = {0};
    struct team_id id;
    int r = admin_need_operator(a);

    if (!r)
        r = admin_body(a, create_fields, ARRAY_LEN(create_fields), &b);
    if (!r)
        r = admin_identity(a,
                           team_create(a->db, a->arena, &a->actor, (struct user_id){0}, b.name,
                                       b.time_zone.p ? b.time_zone : STR(""), &id, &fault),
                           &fault);
    return r ? r : answer_team(a, 201, id);
}
