/* admin.h: one call of the management API: who asks, for which team, and how it is answered.
 *
 * Runs wholly on a worker, inside one transaction: committed when the handler returns 0 with a
 * status below 400, rolled back otherwise. Handlers call the same service functions as the pages.
 * Management keys (`tgm-`) act for one team with a role, or for the installation; the latter name
 * the team with ?team=ID. Rows with AUTH_ANY_KEY also take a virtual key, for its holder. */
#pragma once

#include "db/tx.h"
#include "gateway/services.h"
#include "http/router.h"
#include "identity/audit.h"
#include "identity/key.h"
#include "identity/role.h"
#include "json/read.h"

struct admin {
    struct request *req;
    struct db *db;
    struct arena *arena;
    const struct services *services;
    struct response *out;
    struct actor actor;
    bool is_operator;
    enum role role;             /* of a team's management key */
    struct team_id team;        /* 0: an installation key that named none */
    struct key_policy *key;     /* AUTH_ANY_KEY with a virtual key; else NULL */
    struct buf body;            /* the answer */
};

/* Worker thread; fills *out in any case. state is the worker's struct db or NULL. */
void admin_serve(struct request *r, struct db *db, const struct services *services,
                 struct response *out);

/* What handlers return after having said what is wrong. */
#define ADMIN_SAID 1

/* Answers with v (taken over). Returns 0. */
int admin_reply(struct admin *a, int status, struct json_object *v) _must_use_;
/* Answers with bytes that live in the arena. */
int admin_reply_bytes(struct admin *a, const char *content_type, struct str bytes) _must_use_;
/* {"object":...,"id":...,"deleted":true} */
int admin_deleted(struct admin *a, const char *object, int64_t id) _must_use_;
/* Return ADMIN_SAID. param and messages may be NULL; the second is a 429 with Retry-After. */
int admin_problem(struct admin *a, enum problem_code code, const char *param, const char *message) _must_use_;
int admin_limited(struct admin *a, int32_t retry_after_s, const char *message) _must_use_;
/* Turns an identity_* outcome into an answer: < 0 stays fatal, 0 stays 0. */
int admin_identity(struct admin *a, int r, const struct identity_fault *fault) _must_use_;
/* The same for bookings: a reference that was used for something else is a conflict. */
int admin_booked(struct admin *a, int r, const struct identity_fault *fault) _must_use_;

/* At least this role, and a team; ADMIN_SAID after 403 or 400. */
int admin_need(struct admin *a, enum role role) _must_use_;
int admin_need_operator(struct admin *a) _must_use_;

/* Reads the body by a field table. */
int admin_body(struct admin *a, const struct json_field *fields, size_t n, void *dest) _must_use_;
/* The {id} of the path at index; ADMIN_SAID after 404. */
int admin_path_id(struct admin *a, unsigned index, int64_t *ret) _must_use_;
/* Query parameters: absent leaves *ret as it is; ADMIN_SAID after 400. */
int admin_query_i64(struct admin *a, const char *name, int64_t *ret) _must_use_;
int admin_query_time(struct admin *a, const char *name, int64_t *ret_us) _must_use_;
int admin_query_money(struct admin *a, const char *name, struct money *ret) _must_use_;
/* ADMIN_SAID after a 400 that names the first query parameter that is not in the list. */
int admin_query_known(struct admin *a, const char *const *names, size_t n) _must_use_;
/* A time given in the body; p NULL leaves *ret_us as it is; ADMIN_SAID after 400. */
int admin_body_time(struct admin *a, const char *name, struct str text, int64_t *ret_us) _must_use_;
/* JSON that is kept as text, read and written; empty: an empty object, and nothing. */
struct json_object *admin_json(struct str text);
int admin_json_text(struct admin *a, const struct json_object *v, struct str *ret) _must_use_;
/* For services that run their own transactions: rolls back; begins again, to read the answer. */
void admin_leave_tx(struct admin *a);
int admin_again(struct admin *a) _must_use_;

/* {"object":"list","data":[...]} around an array, and times as RFC 3339 or null. */
struct json_object *admin_list(struct json_object *array);
struct json_object *admin_strings(const struct str *v, size_t n);
void admin_set_time(struct json_object *o, const char *key, int64_t unix_us);
/* Empty: null. */
void admin_set_text(struct json_object *o, const char *key, struct str text);
void admin_set_id(struct json_object *o, const char *key, int64_t v); /* 0, none: null */
void admin_set_call_id(struct json_object *o, const char *key, struct call_id id);

/* The handlers, by file. */
int admin_keys_list(struct admin *a);
int admin_keys_mint(struct admin *a);
int admin_keys_get(struct admin *a);
int admin_keys_change(struct admin *a);
int admin_keys_delete(struct admin *a);
int admin_keys_rotate(struct admin *a);
int admin_teams_list(struct admin *a);
int admin_teams_get(struct admin *a);
int admin_teams_create(struct admin *a);
int admin_teams_change(struct admin *a);
int admin_teams_clear_cache(struct admin *a);
int admin_budgets_list(struct admin *a);
int admin_budgets_set(struct admin *a);
int admin_budgets_drop(struct admin *a);
int admin_calls_list(struct admin *a);
int admin_calls_get(struct admin *a);
int admin_usage(struct admin *a);
int admin_balance(struct admin *a);
int admin_balance_adjust(struct admin *a);
int admin_invoices_list(struct admin *a);
int admin_invoices_get(struct admin *a);
int admin_invoices_pdf(struct admin *a);
int admin_invoices_csv(struct admin *a);
int admin_grants_list(struct admin *a);
int admin_grants_give(struct admin *a);
int admin_grants_end(struct admin *a);
int admin_codes_list(struct admin *a);
int admin_codes_make(struct admin *a);
int admin_codes_revoke(struct admin *a);
int admin_redeem(struct admin *a);
int admin_orders_list(struct admin *a);
int admin_orders_get(struct admin *a);
int admin_payments_review(struct admin *a);
int admin_payments_resolve(struct admin *a);
int admin_payments_refund(struct admin *a);
int admin_payments_charge_back(struct admin *a);
int admin_chargebacks_reverse(struct admin *a);
int admin_credit_notes_list(struct admin *a);
int admin_credit_notes_get(struct admin *a);
int admin_credit_notes_pdf(struct admin *a);
int admin_credit_notes_csv(struct admin *a);
int admin_credit_notes_issue(struct admin *a);
int admin_accounts_list(struct admin *a);
int admin_accounts_add(struct admin *a);
int admin_accounts_get(struct admin *a);
int admin_accounts_change(struct admin *a);
int admin_accounts_delete(struct admin *a);
int admin_accounts_set_credential(struct admin *a);
int admin_accounts_drop_credential(struct admin *a);
int admin_accounts_adopt(struct admin *a);
int admin_accounts_test(struct admin *a);
int admin_routes_list(struct admin *a);
int admin_routes_add(struct admin *a);
int admin_routes_get(struct admin *a);
int admin_routes_change(struct admin *a);
int admin_targets_add(struct admin *a);
int admin_targets_change(struct admin *a);
int admin_targets_delete(struct admin *a);
int admin_prices_list(struct admin *a);
int admin_prices_publish(struct admin *a);
int admin_pricing(struct admin *a);
int admin_own_key(struct admin *a);
int admin_own_credits(struct admin *a);
int admin_own_generation(struct admin *a);
int admin_openapi(struct admin *a);
struct str admin_document(void); /* openapi.json, which that answers with */
