/* own.c: what the holder of a key may ask about it, in the shapes of OpenRouter's API (its
 * /api/v1/key, /credits and /generation, as its public documentation describes them), where amounts
 * are JSON numbers. */
#include "admin/admin.h"

#include "base/err.h"
#include "identity/keyring.h"
#include "ledger/statement.h"
#include "logs/search.h"

static int answer_data(struct admin *a, struct json_object *data)
{
    struct json_object *o = json_new_object();

    json_set(o, "data", data);
    return admin_reply(a, 200, o);
}

static int need_team(struct admin *a)
{
    if (a->team.v)
        return 0;
    return admin_problem(a, PROBLEM_BAD_FIELD, "team",
                         "An installation key names the team with ?team=ID.");
}

static struct json_object *rate_limit(const struct key_settings *s)
{
    struct json_object *o = json_new_object();

    json_set_i64(o, "requests", s->rpm ? s->rpm : -1);
    json_set_cstr(o, "interval", "1m");
    return o;
}

int admin_own_key(struct admin *a)
{
    struct key_view view;
    struct json_object *o;
    bool budget;
    int r = need_team(a);

    if (!r && !a->key)
        r = admin_problem(a, PROBLEM_FORBIDDEN, NULL, "This is for virtual keys (tg-...).");
    if (!r)
        r = admin_identity(a, keyring_get(a->db, a->arena, a->team, a->key->key, &view), NULL);
    if (r)
        return r;
    budget = view.settings.budget_window != KEY_WINDOW_NONE;
    o = json_new_object();
    json_set_str(o, "label", view.settings.name);
    json_set_money_number(o, "usage", view.spent_total);
    json_set_money_number(o, "usage_daily", view.spent_today);
    json_set_money_number(o, "usage_weekly", view.spent_week);
    json_set_money_number(o, "usage_monthly", view.spent_month);
    if (budget) {
        struct money used = key_spent_in_window(&view);
        struct money left = {MAX(view.settings.budget.nano - used.nano, INT64_C(0))};

        json_set_money_number(o, "limit", view.settings.budget);
        json_set_money_number(o, "limit_remaining", left);
    } else {
        json_set_null(o, "limit");
        json_set_null(o, "limit_remaining");
    }
    json_set_cstr(o, "limit_reset", key_window_name(view.settings.budget_window));
    json_set_bool(o, "is_free_tier", false);
    json_set_bool(o, "is_management_key", false);
    admin_set_time(o, "expires_at", view.settings.expires_at_us);
    json_set(o, "rate_limit", rate_limit(&view.settings));
    return answer_data(a, o);
}

int admin_own_credits(struct admin *a)
{
    struct balance b;
    struct json_object *o;
    int r = need_team(a);

    if (!r)
        r = balance_read(a->db, a->arena, a->team, &b);
    if (r == STATEMENT_E_NONE)
        return admin_problem(a, PROBLEM_NOT_FOUND, NULL, NULL);
    if (r)
        return r;
    o = json_new_object();
    json_set_money_number(o, "total_credits", b.credits);
    json_set_money_number(o, "total_usage", b.debits);
    return answer_data(a, o);
}

static struct json_object *generation_json(const struct call_record *c)
{
    struct json_object *o = json_new_object();

    admin_set_call_id(o, "id", c->call_id);
    json_set_str(o, "model", c->served_model);
    json_set_str(o, "provider_name", c->provider);
    json_set_bool(o, "streamed", c->stream);
    json_set_bool(o, "cancelled", c->client_gone_at != 0);
    admin_set_time(o, "created_at", c->started_at);
    json_set_money_number(o, "total_cost", c->charge_nano);
    json_set_money_number(o, "usage", c->charge_nano);
    json_set_i64(o, "tokens_prompt", call_record_tokens(c, USAGE_COVERS_PROMPT));
    json_set_i64(o, "tokens_completion", call_record_tokens(c, USAGE_COVERS_OUTPUT));
    json_set_i64(o, "native_tokens_cached", c->cached_input_tokens);
    json_set_i64(o, "native_tokens_reasoning", c->reasoning_tokens);
    json_set_i64(o, "latency", c->ttfb_us / 1000);
    json_set_i64(o, "generation_time", (c->latency_us - c->ttfb_us) / 1000);
    json_set_str(o, "finish_reason", c->finish_reason);
    json_set_str(o, "upstream_id", c->upstream_request_id);
    return o;
}

int admin_own_generation(struct admin *a)
{
    static const char *const known[] = {"id"};
    struct str text = request_query(a->req, "id");
    struct log_row row;
    struct call_id id;
    int r = need_team(a);

    if (!r)
        r = admin_query_known(a, known, ARRAY_LEN(known));
    if (!r && (!text.p || !call_id_parse(text, &id)))
        r = admin_problem(a, PROBLEM_BAD_FIELD, "id", "The x-tollgate-request-id of a call is wanted.");
    if (!r)
        r = log_get(a->db, a->arena, a->team, id, &row);
    if (r == LOG_E_NONE || (!r && a->key && row.call.key_id != a->key->key.v))
        return admin_problem(a, PROBLEM_NOT_FOUND, NULL, "There is no such call yet.");
    return r ? r : answer_data(a, generation_json(&row.call));
}
