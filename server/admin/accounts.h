/* accounts.h: what the installation's accounts (accounts.c) and teams' own (own_accounts.c) share. */
#pragma once

#include "admin/admin.h"
#include "catalog/accounts.h"

/* Where an account asks its provider, in a body: absent stays, null clears. */
struct place_body {
    struct str base_url, region, project;
    uint8_t saw_url, saw_region, saw_project;
};
#define PLACE_FIELDS(at)                                                                           \
    {"base_url", WANT_STR, false, 0, 2000, (at) + offsetof(struct place_body, base_url),           \
     (at) + offsetof(struct place_body, saw_url)},                                                 \
        {"region", WANT_STR, false, 0, 100, (at) + offsetof(struct place_body, region),            \
         (at) + offsetof(struct place_body, saw_region)},                                          \
    {                                                                                              \
        "project", WANT_STR, false, 0, 100, (at) + offsetof(struct place_body, project),           \
            (at) + offsetof(struct place_body, saw_project)                                        \
    }
void admin_merge_place(const struct place_body *b, struct account_draft *d);
/* The same three of an answer. */
void admin_put_place(struct json_object *o, const struct account_draft *d);
/* Judges where it now asks. */
int admin_check_place(struct admin *a, const struct provider *p, const struct account_draft *d) _must_use_;
/* The kind of a new account; it has answered where nothing is known of it. */
int admin_find_kind(struct admin *a, struct str kind, const struct provider **ret) _must_use_;
/* Goes on, or has answered that the kind is not known here any more. */
int admin_need_kind(struct admin *a, const struct account_row *row) _must_use_;

/* The parts of a credential in a body. */
struct credential_body {
    struct str key, access_key_id, secret_access_key, session_token;
    struct json_object *service_account;
};
#define CREDENTIAL_FIELDS(at)                                                                      \
    {"key", WANT_STR, false, 1, 4096, (at) + offsetof(struct credential_body, key), SIZE_MAX},     \
        {"access_key_id", WANT_STR, false, 1, 256,                                                 \
         (at) + offsetof(struct credential_body, access_key_id), SIZE_MAX},                        \
        {"secret_access_key", WANT_STR, false, 1, 4096,                                            \
         (at) + offsetof(struct credential_body, secret_access_key), SIZE_MAX},                    \
        {"session_token", WANT_STR, false, 1, 4096,                                                \
         (at) + offsetof(struct credential_body, session_token), SIZE_MAX},                        \
    {                                                                                              \
        "service_account", WANT_ANY, false, 0, 0,                                                  \
            (at) + offsetof(struct credential_body, service_account), SIZE_MAX                     \
    }
/* As account_add() takes it; a key file may be given as it is, or as one string. */
int admin_join_credential(struct admin *a, const struct provider *p, const struct credential_body *b,
                          struct str *ret) _must_use_;
/* Tries the account and answers with what came of it. The probe waits for the provider, so no
 * transaction stays open meanwhile. */
int admin_try_account(struct admin *a, struct account_id id) _must_use_;

/* The handlers of own_accounts.c, and of installation.c, where the fee on them is set. */
int admin_own_accounts_list(struct admin *a);
int admin_own_accounts_add(struct admin *a);
int admin_own_accounts_get(struct admin *a);
int admin_own_accounts_change(struct admin *a);
int admin_own_accounts_delete(struct admin *a);
int admin_own_accounts_set_credential(struct admin *a);
int admin_own_accounts_test(struct admin *a);
int admin_installation_get(struct admin *a);
int admin_installation_change(struct admin *a);
