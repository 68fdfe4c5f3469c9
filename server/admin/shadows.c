/* shadows.c: /api/v1/routes/{id}/shadow: which model a share of a route's calls is asked of too, for
 * comparison, and what came of it; for operators. */
#include "admin/routes.h"

#include "base/clock.h"
#include "base/err.h"
#include "catalog/shadows.h"
#include "logs/shadows.h"

#define USUAL_SPAN_US (INT64_C(7) * 86400 * 1000000)
#define PAIRS_MAX 200

/* --- as it is answered --- */

static struct json_object *side_json(const struct shadow_side *s)
{
    struct json_object *o = json_new_object();

    json_set_i64(o, "calls", s->calls);
    json_set_i64(o, "ok", s->ok);
    json_set_i64(o, "prompt_tokens", s->prompt_tokens);
    json_set_i64(o, "completion_tokens", s->output_tokens);
    json_set_i64(o, "ttfb_us_p50", s->ttfb_us[0]);
    json_set_i64(o, "ttfb_us_p95", s->ttfb_us[1]);
    json_set_i64(o, "latency_us_p50", s->latency_us[0]);
    json_set_i64(o, "latency_us_p95", s->latency_us[1]);
    json_set_money(o, "cost", s->cost);
    return o;
}

static struct json_object *words_json(const struct shadow_word *words, size_t n, bool errors)
{
    struct json_object *array = json_new_array();

    for (size_t i = 0; i < n; i++) {
        struct json_object *o;

        if (words[i].is_error != errors)
            continue;
        o = json_new_object();
        admin_set_text(o, errors ? "error" : "finish_reason", words[i].word);
        json_set_i64(o, "original", words[i].n[SHADOW_ORIGINAL]);
        json_set_i64(o, "shadow", words[i].n[SHADOW_SHADOW]);
        json_push(array, o);
    }
    return array;
}

static int comparison_json(struct admin *a, const struct shadow_span *span, struct json_object **ret)
{
    struct shadow_comparison c;
    struct shadow_word *words;
    struct json_object *o;
    size_t n;
    int r = shadow_compare(a->db, span, &c);

    if (!r)
        r = shadow_words(a->db, a->arena, span, &words, &n);
    if (r)
        return r;
    o = json_new_object();
    json_set_str(o, "to_model", span->to);
    admin_set_time(o, "from", span->from_us);
    admin_set_time(o, "to", span->to_us);
    json_set(o, "original", side_json(&c.side[SHADOW_ORIGINAL]));
    json_set(o, "shadow", side_json(&c.side[SHADOW_SHADOW]));
    json_set_i64(o, "finish_reasons_told", c.told);
    json_set_i64(o, "finish_reasons_equal", c.same);
    json_set(o, "finish_reasons", words_json(words, n, false));
    json_set(o, "errors", words_json(words, n, true));
    *ret = o;
    return 0;
}

/* The span of the query, seven days where it names none, and the model that is compared with: the
 * query's, else the rule's, else the last one there was; to.p NULL: there was none. */
static int read_span(struct admin *a, struct model_id route, struct str usual, struct shadow_span *ret)
{
    struct shadow_span span = {.model = route, .to_us = clock_wall_us()};
    struct str *models;
    size_t n = 0;
    int r = admin_query_time(a, "to", &span.to_us);

    span.from_us = span.to_us - USUAL_SPAN_US;
    if (!r)
        r = admin_query_time(a, "from", &span.from_us);
    span.to = request_query(a->req, "model");
    if (!span.to.p)
        span.to = usual;
    if (!r && !span.to.p) {
        r = shadow_models(a->db, a->arena, &span, &models, &n);
        span.to = n ? models[0] : STR_NONE;
    }
    *ret = span;
    return r;
}

static struct json_object *rule_json(struct model_id route, const struct shadow_rule *rule)
{
    struct json_object *o = json_new_object();

    json_set_cstr(o, "object", "shadow");
    json_set_i64(o, "route_id", route.v);
    admin_set_id(o, "to_model_id", rule->to.v);
    admin_set_text(o, "to_model", rule->to_name);
    json_set_i64(o, "share_permille", rule->permille);
    if (rule->day.nano)
        json_set_money(o, "day_ceiling", rule->day);
    else
        json_set_null(o, "day_ceiling");
    json_set_money(o, "cost_today", rule->cost_today);
    json_set_money(o, "held_now", rule->taken_today);
    return o;
}

/* No rule: share 0, and what there was before is compared all the same. */
static int answer(struct admin *a, struct model_id route)
{
    struct shadow_rule rule = {.permille = 0};
    struct json_object *o, *comparison = NULL;
    struct shadow_span span;
    int r = shadow_rule_get(a->db, a->arena, route, &rule);

    if (r == CHANGE_E_NONE)
        r = 0;
    if (!r)
        r = read_span(a, route, rule.to_name, &span);
    if (!r && span.to.p)
        r = comparison_json(a, &span, &comparison);
    if (r)
        return r;
    o = rule_json(route, &rule);
    json_set(o, "comparison", comparison);
    return admin_reply(a, 200, o);
}

/* --- the handlers --- */

static int route_of(struct admin *a, const char *const *known, size_t n, struct model_id *ret)
{
    struct model_row row;
    int r = admin_route_of_path(a, ret);

    if (!r)
        r = admin_query_known(a, known, n);
    if (!r)
        r = admin_identity(a, model_get(a->db, a->arena, *ret, &row), NULL);
    return r;
}

int admin_shadow_get(struct admin *a)
{
    static const char *const known[] = {"from", "to", "model"};
    struct model_id route;
    int r = route_of(a, known, ARRAY_LEN(known), &route);

    return r ? r : answer(a, route);
}

struct shadow_body {
    struct str to_model;
    int64_t permille;
    struct money day;
};

#define AT(field) offsetof(struct shadow_body, field)
static const struct json_field fields[] = {
    {"to_model", WANT_STR, true, 1, 128, AT(to_model), SIZE_MAX},
    {"share_permille", WANT_I64, true, 1, 1000, AT(permille), SIZE_MAX},
    {"day_ceiling", WANT_MONEY, false, 1, INT64_C(1000000000000000), AT(day), SIZE_MAX},
};

int admin_shadow_set(struct admin *a)
{
    struct identity_fault fault = {0};
    struct shadow_body b = {.permille = 0};
    struct shadow_rule rule;
    struct model_row to;
    struct model_id route;
    int r = route_of(a, NULL, 0, &route);

    if (!r)
        r = admin_body(a, fields, ARRAY_LEN(fields), &b);
    if (r)
        return r;
    r = model_by_name(a->db, a->arena, b.to_model, &to);
    if (r == CHANGE_E_NONE)
        return admin_problem(a, PROBLEM_BAD_FIELD, "to_model", "There is no such model.");
    if (r)
        return r;
    rule = (struct shadow_rule){.to = to.id, .permille = (int32_t)b.permille, .day = b.day};
    r = admin_identity(a, shadow_rule_set(a->db, &a->actor, route, &rule, &fault), &fault);
    return r ? r : answer(a, route);
}

int admin_shadow_end(struct admin *a)
{
    struct model_id route;
    int r = route_of(a, NULL, 0, &route);

    if (!r)
        r = admin_identity(a, shadow_rule_end(a->db, &a->actor, route), NULL);
    return r ? r : admin_deleted(a, "shadow", route.v);
}

static struct json_object *half_json(const struct shadow_half *h)
{
    struct json_object *o = json_new_object();

    admin_set_call_id(o, "id", h->id);
    admin_set_text(o, "model", h->model);
    admin_set_text(o, "provider", h->provider);
    admin_set_text(o, "account_name", h->account);
    json_set_i64(o, "status", h->status);
    admin_set_text(o, "outcome", h->outcome);
    admin_set_text(o, "error_code", h->error_code);
    admin_set_text(o, "finish_reason", h->finish_reason);
    json_set_i64(o, "attempts", h->attempts);
    json_set_i64(o, "prompt_tokens", h->prompt_tokens);
    json_set_i64(o, "completion_tokens", h->output_tokens);
    json_set_i64(o, "ttfb_us", h->ttfb_us);
    json_set_i64(o, "latency_us", h->latency_us);
    json_set_money(o, "cost", h->cost);
    return o;
}

int admin_shadow_pairs(struct admin *a)
{
    static const char *const known[] = {"from", "to", "model", "limit"};
    struct json_object *array = json_new_array();
    struct shadow_pair *pairs = NULL;
    struct shadow_span span;
    struct model_id route;
    int64_t limit = 50;
    size_t n = 0;
    int r = route_of(a, known, ARRAY_LEN(known), &route);

    if (!r)
        r = admin_query_i64(a, "limit", &limit);
    if (!r && (limit < 1 || limit > PAIRS_MAX))
        r = admin_problem(a, PROBLEM_BAD_FIELD, "limit", "1 to 200 are wanted.");
    if (!r)
        r = read_span(a, route, STR_NONE, &span);
    if (!r && span.to.p)
        r = shadow_pairs(a->db, a->arena, &span, (int32_t)limit, &pairs, &n);
    for (size_t i = 0; !r && i < n; i++) {
        struct json_object *o = json_new_object();

        json_set_cstr(o, "object", "shadow_pair");
        json_set_i64(o, "team_id", pairs[i].team.v);
        json_set_bool(o, "stream", pairs[i].stream);
        admin_set_time(o, "posted_at", pairs[i].posted_us);
        json_set(o, "original", half_json(&pairs[i].half[SHADOW_ORIGINAL]));
        json_set(o, "shadow", half_json(&pairs[i].half[SHADOW_SHADOW]));
        json_push(array, o);
    }
    if (!r)
        return admin_reply(a, 200, admin_list(array));
    json_unref(array);
    return r;
}
