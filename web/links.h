/* links.h: every URL of the dashboard. Pages and templates write no other paths; routes.c answers
 * these. Templates get the fixed ones as {{links.NAME}}. */
#pragma once

#include "base/arena.h"
#include "base/id.h"

/* X(name, path) */
#define LINKS(X)                                                                                   \
    X(home, "/")                                                                                   \
    X(pricing, "/pricing")                                                                         \
    X(quickstart, "/quickstart")                                                                   \
    X(reference, "/reference")                                                                     \
    X(sign_in, "/sign-in")                                                                         \
    X(sign_in_code, "/sign-in/code")                                                               \
    X(sign_in_provider, "/sign-in/provider")                                                       \
    X(provider_callback, "/sign-in/provider/callback")                                             \
    X(forgot, "/forgot")                                                                           \
    X(sign_up, "/sign-up")                                                                         \
    X(sign_out, "/sign-out")                                                                       \
    X(show_team, "/team")                                                                          \
    X(overview, "/overview")                                                                       \
    X(keys, "/keys")                                                                               \
    X(new_key, "/keys/new")                                                                        \
    X(log, "/log")                                                                                 \
    X(log_export, "/log/export")                                                                   \
    X(usage, "/usage")                                                                             \
    X(usage_export, "/usage/export")                                                               \
    X(billing, "/billing")                                                                         \
    X(ledger, "/billing/ledger")                                                                   \
    X(ledger_export, "/billing/ledger/export")                                                     \
    X(top_up, "/billing/top-up")                                                                   \
    X(preview, "/billing/preview")                                                                 \
    X(redeem, "/billing/redeem")                                                                   \
    X(budgets, "/budgets")                                                                         \
    X(guardrails, "/guardrails")                                                                   \
    X(alerts, "/alerts")                                                                           \
    X(webhook, "/alerts/webhook")                                                                  \
    X(webhook_drop, "/alerts/webhook/drop")                                                        \
    X(webhook_test, "/alerts/webhook/test")                                                        \
    X(own_keys, "/provider-keys")                                                                  \
    X(new_own_key, "/provider-keys/new")                                                           \
    X(members, "/members")                                                                         \
    X(invites, "/members/invites")                                                                 \
    X(settings, "/settings")                                                                       \
    X(buyer, "/settings/buyer")                                                                    \
    X(responses, "/settings/responses")                                                            \
    X(shadows, "/settings/shadows")                                                                \
    X(clear_cache, "/settings/cache/clear")                                                        \
    X(projects, "/settings/projects")                                                              \
    X(manage_keys, "/settings/management-keys")                                                    \
    X(account, "/account")                                                                         \
    X(password, "/account/password")                                                               \
    X(sessions, "/account/sessions")                                                               \
    X(second_factor, "/account/second-factor")                                                     \
    X(confirm_factor, "/account/second-factor/confirm")                                            \
    X(renew_codes, "/account/second-factor/codes")                                                 \
    X(end_factor, "/account/second-factor/end")                                                    \
    X(provider_link, "/account/provider")                                                          \
    X(provider_go, "/account/provider/go")                                                         \
    X(provider_unlink, "/account/provider/unlink")                                                 \
    X(operator_home, "/operator")                                                                  \
    X(operator_accounts, "/operator/accounts")                                                     \
    X(operator_new_account, "/operator/accounts/new")                                              \
    X(operator_incidents, "/operator/incidents")                                                   \
    X(operator_alerts, "/operator/alerts")                                                         \
    X(operator_mail_test, "/operator/alerts/mail/test")                                            \
    X(operator_webhook, "/operator/alerts/webhook")                                                \
    X(operator_webhook_drop, "/operator/alerts/webhook/drop")                                      \
    X(operator_webhook_test, "/operator/alerts/webhook/test")                                      \
    X(operator_findings, "/operator/findings")                                                     \
    X(operator_models, "/operator/models")                                                         \
    X(operator_new_model, "/operator/models/new")                                                  \
    X(operator_teams, "/operator/teams")                                                           \
    X(operator_users, "/operator/users")                                                           \
    X(operator_keys, "/operator/management-keys")                                                  \
    X(operator_calls, "/operator/calls")                                                           \
    X(operator_orders, "/operator/orders")                                                         \
    X(operator_codes, "/operator/codes")                                                           \
    X(operator_guardrails, "/operator/guardrails")                                                 \
    X(operator_audit, "/operator/audit")                                                           \
    X(operator_installation, "/operator/installation")

#define LINK_ENUM(name, path) LINK_##name,
enum link { LINKS(LINK_ENUM) LINK_COUNT };
#undef LINK_ENUM

struct json_object;

struct str link_to(enum link link);
/* {name: path} of all of them. */
struct json_object *links_view(void);

/* What has an id: "/keys/12", "/keys/12/rotate"; action NULL: the thing itself. */
struct str link_key(struct arena *a, struct key_id id, const char *action);
struct str link_call(struct arena *a, struct call_id id);
struct str link_order(struct arena *a, int64_t id, const char *action);
/* As payments/sandbox.c sends the customer there. */
struct str link_checkout(struct arena *a, int64_t order_id);
struct str link_transfer(struct arena *a, int64_t id);
struct str link_invoice(struct arena *a, int64_t id, const char *action);
struct str link_credit_note(struct arena *a, int64_t id, const char *action);
struct str link_budget(struct arena *a, int64_t id, const char *action);
struct str link_own_key(struct arena *a, struct account_id id, const char *action);
struct str link_guardrail(struct arena *a, int64_t id, const char *action);
struct str link_member(struct arena *a, struct user_id id, const char *action);
struct str link_invite(struct arena *a, int64_t id, const char *action);
struct str link_project(struct arena *a, struct project_id id, const char *action);
struct str link_manage_key(struct arena *a, int64_t id, const char *action);
struct str link_session(struct arena *a, int64_t id, const char *action);
/* Shown once, to be handed to somebody; notices/notice.c mails the latter. */
struct str link_join(struct arena *a, struct str token);
struct str link_reset(struct arena *a, struct str token);

/* The operator area. */
struct str link_provider_account(struct arena *a, struct account_id id, const char *action);
struct str link_model(struct arena *a, struct model_id id, const char *action);
struct str link_target(struct arena *a, struct target_id id, const char *action);
struct str link_rule(struct arena *a, struct rule_id id, const char *action);
struct str link_operator_team(struct arena *a, struct team_id id, const char *action);
struct str link_operator_user(struct arena *a, struct user_id id, const char *action);
struct str link_operator_key(struct arena *a, int64_t id, const char *action);
struct str link_operator_call(struct arena *a, struct call_id id);
struct str link_operator_finding(struct arena *a, int64_t id, const char *action);
struct str link_operator_order(struct arena *a, int64_t id, const char *action);
struct str link_operator_payment(struct arena *a, int64_t id, const char *action);
struct str link_operator_chargeback(struct arena *a, int64_t id, const char *action);
struct str link_operator_guardrail(struct arena *a, int64_t id, const char *action);
struct str link_operator_code(struct arena *a, int64_t id, const char *action);
/* An invoice of a team, with the credit notes to it. */
struct str link_operator_invoice(struct arena *a, struct team_id team, int64_t id);
