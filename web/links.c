/* links.c: see links.h. */
#include "web/links.h"

#include <inttypes.h>

#include "json/value.h"

#define LINK_PATH(name, path) path,
static const char *const paths[] = {LINKS(LINK_PATH)};
#undef LINK_PATH
#define LINK_NAME(name, path) #name,
static const char *const names[] = {LINKS(LINK_NAME)};
#undef LINK_NAME

struct str link_to(enum link link)
{
    assert(link < LINK_COUNT);
    return str_c(paths[link]);
}

struct json_object *links_view(void)
{
    struct json_object *o = json_new_object();

    for (size_t i = 0; i < LINK_COUNT; i++)
        json_set_cstr(o, names[i], paths[i]);
    return o;
}

static struct str thing(struct arena *a, enum link under, int64_t id, const char *action)
{
    return arena_strf(a, "%s/%" PRId64 "%s%s", paths[under], id, action ? "/" : "",
                      action ? action : "");
}

struct str link_key(struct arena *a, struct key_id id, const char *action)
{
    return thing(a, LINK_keys, id.v, action);
}

struct str link_call(struct arena *a, struct call_id id)
{
    char text[CALL_ID_TEXT];

    call_id_text(id, text);
    return arena_strf(a, "%s/%s", paths[LINK_log], text);
}

struct str link_order(struct arena *a, int64_t id, const char *action)
{
    return arena_strf(a, "/billing/orders/%" PRId64 "%s%s", id, action ? "/" : "",
                      action ? action : "");
}

struct str link_checkout(struct arena *a, int64_t order_id)
{
    return arena_strf(a, "/checkout/%" PRId64, order_id);
}

struct str link_transfer(struct arena *a, int64_t id)
{
    return thing(a, LINK_ledger, id, NULL);
}

struct str link_invoice(struct arena *a, int64_t id, const char *action)
{
    return arena_strf(a, "/billing/invoices/%" PRId64 "%s%s", id, action ? "/" : "",
                      action ? action : "");
}

struct str link_budget(struct arena *a, int64_t id, const char *action)
{
    return thing(a, LINK_budgets, id, action);
}

struct str link_own_key(struct arena *a, struct account_id id, const char *action)
{
    return thing(a, LINK_own_keys, id.v, action);
}

struct str link_guardrail(struct arena *a, int64_t id, const char *action)
{
    return thing(a, LINK_guardrails, id, action);
}

struct str link_member(struct arena *a, struct user_id id, const char *action)
{
    return thing(a, LINK_members, id.v, action);
}

struct str link_invite(struct arena *a, int64_t id, const char *action)
{
    return thing(a, LINK_invites, id, action);
}

struct str link_project(struct arena *a, struct project_id id, const char *action)
{
    return thing(a, LINK_projects, id.v, action);
}

struct str link_manage_key(struct arena *a, int64_t id, const char *action)
{
    return thing(a, LINK_manage_keys, id, action);
}

struct str link_session(struct arena *a, int64_t id, const char *action)
{
    return thing(a, LINK_sessions, id, action);
}

struct str link_join(struct arena *a, struct str token)
{
    return arena_strf(a, "/invite/%.*s", STR_FMT(token));
}

struct str link_reset(struct arena *a, struct str token)
{
    return arena_strf(a, "/reset/%.*s", STR_FMT(token));
}

/* --- the operator area --- */

struct str link_provider_account(struct arena *a, struct account_id id, const char *action)
{
    return thing(a, LINK_operator_accounts, id.v, action);
}

struct str link_model(struct arena *a, struct model_id id, const char *action)
{
    return thing(a, LINK_operator_models, id.v, action);
}

struct str link_target(struct arena *a, struct target_id id, const char *action)
{
    return arena_strf(a, "/operator/targets/%" PRId64 "%s%s", id.v, action ? "/" : "",
                      action ? action : "");
}

struct str link_rule(struct arena *a, struct rule_id id, const char *action)
{
    return arena_strf(a, "/operator/rules/%" PRId64 "%s%s", id.v, action ? "/" : "", action ? action : "");
}

struct str link_operator_team(struct arena *a, struct team_id id, const char *action)
{
    return thing(a, LINK_operator_teams, id.v, action);
}

struct str link_operator_user(struct arena *a, struct user_id id, const char *action)
{
    return thing(a, LINK_operator_users, id.v, action);
}

struct str link_operator_key(struct arena *a, int64_t id, const char *action)
{
    return thing(a, LINK_operator_keys, id, action);
}

struct str link_operator_call(struct arena *a, struct call_id id)
{
    char text[CALL_ID_TEXT];

    call_id_text(id, text);
    return arena_strf(a, "%s/%s", paths[LINK_operator_calls], text);
}

struct str link_operator_finding(struct arena *a, int64_t id, const char *action)
{
    return thing(a, LINK_operator_findings, id, action);
}

struct str link_operator_order(struct arena *a, int64_t id, const char *action)
{
    return thing(a, LINK_operator_orders, id, action);
}

struct str link_operator_payment(struct arena *a, int64_t id, const char *action)
{
    return arena_strf(a, "/operator/payments/%" PRId64 "%s%s", id, action ? "/" : "",
                      action ? action : "");
}

struct str link_operator_chargeback(struct arena *a, int64_t id, const char *action)
{
    return arena_strf(a, "/operator/chargebacks/%" PRId64 "/%s", id, action);
}

struct str link_operator_guardrail(struct arena *a, int64_t id, const char *action)
{
    return thing(a, LINK_operator_guardrails, id, action);
}

struct str link_operator_code(struct arena *a, int64_t id, const char *action)
{
    return thing(a, LINK_operator_codes, id, action);
}

struct str link_operator_invoice(struct arena *a, struct team_id team, int64_t id)
{
    return arena_strf(a, "%s/%" PRId64 "/invoices/%" PRId64, paths[LINK_operator_teams], team.v,
                      id);
}

struct str link_credit_note(struct arena *a, int64_t id, const char *action)
{
    return arena_strf(a, "/billing/credit-notes/%" PRId64 "%s%s", id, action ? "/" : "",
                      action ? action : "");
}
