/* keys.c: /api/v1/keys: a team's virtual keys. */
#include "admin/admin.h"

#include "base/bounds.h"
#include "base/clock.h"
#include "base/err.h"
#include "identity/field_bounds.h"
#include "identity/installation.h"
#include "identity/keyring.h"

#include <errno.h>

/* What a body may say; `seen` tells absent (stays) from null (clears). */
struct key_body {
    struct str name, expires_at, budget_window;
    int64_t project_id, rpm, tpm, concurrency;
    struct money budget;
    struct json_strs models, addresses;
    struct json_object *tags;
    int64_t cache_seconds;
    struct money cache_similarity; /* a cosine: as exact decimals as amounts are */
    bool disabled, cache_own;
    uint8_t saw_expires, saw_window, saw_project, saw_rpm, saw_tpm, saw_concurrency, saw_budget,
        saw_models, saw_addresses, saw_tags, saw_disabled, saw_name, saw_cache, saw_own,
        saw_similarity;
};

/* A cosine of 1 is 10000 hundredths of a percent. */
#define NANO_PER_BP INT64_C(100000)

#define AT(field) offsetof(struct key_body, field)
#define KEY_FIELDS(name_required)                                                                  \
    {                                                                                              \
        {"name", WANT_STR, name_required, 1, KEY_NAME_MAX, AT(name), AT(saw_name)},                \
        {"project_id", WANT_I64, false, 1, INT64_MAX, AT(project_id), AT(saw_project)},            \
        {"models", WANT_STRS, false, 0, BOUND_KEY_MODELS, AT(models), AT(saw_models)},             \
        {"addresses", WANT_STRS, false, 0, BOUND_KEY_ADDRESSES, AT(addresses), AT(saw_addresses)}, \
        {"expires_at", WANT_STR, false, 10, 40, AT(expires_at), AT(saw_expires)},                  \
        {"rpm", WANT_I64, false, 1, KEY_LIMIT_MAX, AT(rpm), AT(saw_rpm)},                          \
        {"tpm", WANT_I64, false, 1, KEY_LIMIT_MAX, AT(tpm), AT(saw_tpm)},                          \
        {"concurrency", WANT_I64, false, 1, KEY_LIMIT_MAX, AT(concurrency), AT(saw_concurrency)},  \
        {"budget", WANT_MONEY, false, 1, BUDGET_MAX_NANO, AT(budget), AT(saw_budget)},             \
        {"budget_window", WANT_STR, false, 1, 10, AT(budget_window), AT(saw_window)},              \
        {"tags", WANT_ANY, false, 0, 0, AT(tags), AT(saw_tags)},                                   \
        {"cache_seconds", WANT_I64, false, 0, KEY_CACHE_SECONDS_MAX, AT(cache_seconds),            \
         AT(saw_cache)},                                                                           \
        {"cache_own", WANT_BOOL, false, 0, 0, AT(cache_own), AT(saw_own)},                         \
        {"cache_similarity", WANT_MONEY, false, KEY_SIMILARITY_MIN_BP *NANO_PER_BP,                 \
         KEY_SIMILARITY_MAX_BP *NANO_PER_BP, AT(cache_similarity), AT(saw_similarity)},            \
        {"disabled", WANT_BOOL, false, 0, 0, AT(disabled), AT(saw_disabled)},                      \
    }

static const struct json_field mint_fields[] = KEY_FIELDS(true);
static const struct json_field change_fields[] = KEY_FIELDS(false);

static struct json_object *key_json(const struct key_view *k)
{
    const struct key_settings *s = &k->settings;
    struct json_object *o = json_new_object(), *tags = json_new_object();

    json_set_cstr(o, "object", "key");
    json_set_i64(o, "id", k->id.v);
    json_set_str(o, "name", s->name);
    json_set_str(o, "prefix", k->prefix);
    json_set_str(o, "last4", k->last4);
    admin_set_id(o, "project_id", s->project.v);
    json_set_str(o, "project", k->project_name);
    admin_set_id(o, "owner_id", k->owner.v);
    json_set(o, "models", admin_strings(s->models, s->n_models));
    json_set(o, "addresses", admin_strings(s->addresses, s->n_addresses));
    admin_set_time(o, "expires_at", s->expires_at_us);
    admin_set_id(o, "rpm", s->rpm);
    admin_set_id(o, "tpm", s->tpm);
    admin_set_id(o, "concurrency", s->concurrency);
    if (s->budget_window == KEY_WINDOW_NONE)
        json_set_null(o, "budget");
    else
        json_set_money(o, "budget", s->budget);
    json_set_cstr(o, "budget_window", key_window_name(s->budget_window));
    for (size_t i = 0; i < s->n_tags; i++) {
        char name[128];
        size_t n = MIN(s->tags[i].name.n, sizeof(name) - 1);

        memcpy(name, s->tags[i].name.p, n);
        name[n] = '\0';
        json_set_str(tags, name, s->tags[i].value);
    }
    json_set(o, "tags", tags);
    json_set_i64(o, "cache_seconds", s->cache_seconds);
    json_set_bool(o, "cache_own", s->cache_own);
    if (s->cache_similarity_bp)
        json_set_money_number(o, "cache_similarity",
                              (struct money){s->cache_similarity_bp * NANO_PER_BP});
    else
        json_set_null(o, "cache_similarity");
    json_set_bool(o, "disabled", k->disabled);
    json_set_bool(o, "expired", k->expired);
    json_set_money(o, "spent_today", k->spent_today);
    json_set_money(o, "spent_month", k->spent_month);
    json_set_money(o, "spent_total", k->spent_total);
    admin_set_time(o, "overlap_until", k->overlap_until_us);
    admin_set_time(o, "created_at", k->created_at_us);
    admin_set_time(o, "rotated_at", k->rotated_at_us);
    admin_set_time(o, "last_day", k->last_day_us);
    return o;
}

/* Gathers the members of "tags". */
struct tag_reader {
    struct arena *arena;
    struct key_tag *v;
    size_t n;
    bool bad;
};

static bool read_tag(void *ctx, const char *key, struct json_object *v)
{
    struct tag_reader *t = ctx;

    if (json_kind(v) != JSON_STRING) {
        t->bad = true;
        return false;
    }
    t->v[t->n].name = arena_str(t->arena, str_c(key));
    t->v[t->n++].value = json_text(v);
    return true;
}

static int merge_tags(struct admin *a, const struct key_body *b, struct key_settings *s)
{
    struct tag_reader reader = {.arena = a->arena};

    if (b->saw_tags == FIELD_ABSENT)
        return 0;
    s->tags = NULL;
    s->n_tags = 0;
    if (b->saw_tags == FIELD_NULL)
        return 0;
    if (json_kind(b->tags) != JSON_OBJECT)
        return admin_problem(a, PROBLEM_BAD_FIELD, "tags", "An object of strings is wanted.");
    reader.v = arena_array(a->arena, struct key_tag, json_length(b->tags) + 1);
    if (!reader.v)
        return err_origin(-ENOMEM);
    json_each(b->tags, read_tag, &reader);
    if (reader.bad)
        return admin_problem(a, PROBLEM_BAD_FIELD, "tags", "An object of strings is wanted.");
    s->tags = reader.v;
    s->n_tags = reader.n;
    return 0;
}

/* Absent stays, null clears. */
static void merge_limits(const struct key_body *b, struct key_settings *s)
{
    if (b->saw_project)
        s->project.v = b->project_id;
    if (b->saw_rpm)
        s->rpm = b->rpm;
    if (b->saw_tpm)
        s->tpm = b->tpm;
    if (b->saw_concurrency)
        s->concurrency = b->concurrency;
    if (b->saw_models) {
        s->models = b->models.v;
        s->n_models = b->models.n;
    }
    if (b->saw_addresses) {
        s->addresses = b->addresses.v;
        s->n_addresses = b->addresses.n;
    }
}

static int merge_budget(struct admin *a, const struct key_body *b, struct key_settings *s)
{
    if (b->saw_budget == FIELD_NULL || b->saw_window == FIELD_NULL) {
        s->budget_window = KEY_WINDOW_NONE;
        s->budget = MONEY_ZERO;
        return 0;
    }
    if (b->saw_budget == FIELD_GIVEN)
        s->budget = b->budget;
    if (b->saw_window == FIELD_GIVEN && !key_window_parse(b->budget_window, &s->budget_window))
        return admin_problem(a, PROBLEM_BAD_FIELD, "budget_window",
                             "One of day, week, month, lifetime is wanted.");
    if (b->saw_budget == FIELD_GIVEN && s->budget_window == KEY_WINDOW_NONE)
        s->budget_window = KEY_WINDOW_MONTH;
    return 0;
}

static int check_compared(struct admin *a)
{
    struct installation is;
    int r = admin_identity(a, installation_get(a->db, a->arena, &is), NULL);

    if (r || is.similarity_model.p)
        return r;
    return admin_problem(a, PROBLEM_BAD_FIELD, "cache_similarity",
                         "This installation names no model that compares questions.");
}

/* Who may see whose answers again, and to which questions, is for the team's admins to say; null: off. */
static int merge_cache(struct admin *a, const struct key_body *b, struct key_settings *s)
{
    int64_t seconds = b->saw_cache ? b->cache_seconds : s->cache_seconds;
    bool own = b->saw_own ? b->cache_own : s->cache_own;
    int32_t bp = b->saw_similarity ? (int32_t)(b->cache_similarity.nano / NANO_PER_BP)
                                   : s->cache_similarity_bp;
    bool compares = bp && bp != s->cache_similarity_bp;
    int r = seconds == s->cache_seconds && own == s->cache_own && bp == s->cache_similarity_bp
                ? 0
                : admin_need(a, ROLE_ADMIN);

    if (!r && b->cache_similarity.nano % NANO_PER_BP)
        r = admin_problem(a, PROBLEM_BAD_FIELD, "cache_similarity", "Four decimals at most.");
    if (!r && compares)
        r = check_compared(a);
    s->cache_seconds = seconds;
    s->cache_own = own;
    s->cache_similarity_bp = bp;
    return r;
}

static int merge(struct admin *a, const struct key_body *b, struct key_settings *s)
{
    int r;

    if (b->saw_name == FIELD_GIVEN)
        s->name = b->name;
    if (b->saw_expires == FIELD_NULL)
        s->expires_at_us = 0;
    if (b->saw_expires == FIELD_GIVEN && !clock_parse_rfc3339(b->expires_at, &s->expires_at_us))
        return admin_problem(a, PROBLEM_BAD_FIELD, "expires_at",
                             "A time such as 2026-11-21T06:27:33Z is wanted.");
    merge_limits(b, s);
    r = merge_budget(a, b, s);
    if (!r)
        r = merge_cache(a, b, s);
    return r ? r : merge_tags(a, b, s);
}

static int answer_key(struct admin *a, int status, struct key_id id, struct str secret)
{
    struct key_view view;
    struct json_object *o;
    int r = admin_identity(a, keyring_get(a->db, a->arena, a->team, id, &view), NULL);

    if (!r && view.deleted)
        r = admin_identity(a, IDENTITY_E_NONE, NULL);
    if (r)
        return r;
    o = key_json(&view);
    if (secret.p)
        json_set_str(o, "key", secret);
    return admin_reply(a, status, o);
}

int admin_keys_list(struct admin *a)
{
    struct key_page page;
    struct json_object *array;
    int r = admin_need(a, ROLE_VIEWER);

    if (!r)
        r = admin_query_known(a, NULL, 0);
    if (!r)
        r = admin_identity(a, keyring_list(a->db, a->arena, a->team, false, &page), NULL);
    if (r)
        return r;
    array = json_new_array();
    for (size_t i = 0; i < page.n; i++)
        json_push(array, key_json(&page.v[i]));
    return admin_reply(a, 200, admin_list(array));
}

int admin_keys_mint(struct admin *a)
{
    struct key_body body = {0};
    struct key_settings settings = {0};
    struct key_minted minted;
    struct identity_fault fault = {0};
    int r = admin_need(a, ROLE_DEVELOPER);

    if (!r)
        r = admin_body(a, mint_fields, ARRAY_LEN(mint_fields), &body);
    if (!r)
        r = merge(a, &body, &settings);
    if (!r)
        r = admin_identity(a,
                           keyring_mint(a->db, a->arena, a->services->key_pepper, &a->actor, a->team,
                                        (struct user_id){0}, &settings, &minted, &fault),
                           &fault);
    if (!r && body.saw_disabled == FIELD_GIVEN && body.disabled)
        r = admin_identity(
            a, keyring_set_disabled(a->db, a->arena, &a->actor, a->team, minted.id, true), NULL);
    return r ? r : answer_key(a, 201, minted.id, minted.secret);
}

int admin_keys_get(struct admin *a)
{
    struct key_id id;
    int r = admin_need(a, ROLE_VIEWER);

    if (!r)
        r = admin_path_id(a, 0, &id.v);
    return r ? r : answer_key(a, 200, id, STR_NONE);
}

int admin_keys_change(struct admin *a)
{
    struct key_body body = {0};
    struct key_view view;
    struct identity_fault fault = {0};
    struct key_id id;
    int r = admin_need(a, ROLE_DEVELOPER);

    if (!r)
        r = admin_path_id(a, 0, &id.v);
    if (!r)
        r = admin_body(a, change_fields, ARRAY_LEN(change_fields), &body);
    if (!r)
        r = admin_identity(a, keyring_get(a->db, a->arena, a->team, id, &view), NULL);
    if (!r)
        r = merge(a, &body, &view.settings);
    if (!r)
        r = admin_identity(a,
                           keyring_update(a->db, a->arena, &a->actor, a->team, id, &view.settings,
                                          &fault),
                           &fault);
    if (!r && body.saw_disabled == FIELD_GIVEN)
        r = admin_identity(
            a, keyring_set_disabled(a->db, a->arena, &a->actor, a->team, id, body.disabled), NULL);
    return r ? r : answer_key(a, 200, id, STR_NONE);
}

int admin_keys_delete(struct admin *a)
{
    struct key_id id;
    int r = admin_need(a, ROLE_DEVELOPER);

    if (!r)
        r = admin_path_id(a, 0, &id.v);
    if (!r)
        r = admin_identity(a, keyring_delete(a->db, a->arena, &a->actor, a->team, id), NULL);
    return r ? r : admin_deleted(a, "key", id.v);
}

struct rotate_body {
    int64_t overlap_hours;
};
static const struct json_field rotate_fields[] = {
    {"overlap_hours", WANT_I64, false, 0, 720, offsetof(struct rotate_body, overlap_hours), SIZE_MAX},
};

int admin_keys_rotate(struct admin *a)
{
    struct rotate_body body = {0};
    struct key_minted minted;
    struct identity_fault fault = {0};
    struct key_id id;
    int r = admin_need(a, ROLE_DEVELOPER);

    if (!r)
        r = admin_path_id(a, 0, &id.v);
    if (!r && a->req->body.n)
        r = admin_body(a, rotate_fields, ARRAY_LEN(rotate_fields), &body);
    if (!r)
        r = admin_identity(a,
                           keyring_rotate(a->db, a->arena, a->services->key_pepper, &a->actor,
                                          a->team, id, body.overlap_hours, &minted, &fault),
                           &fault);
    return r ? r : answer_key(a, 200, id, minted.secret);
}
