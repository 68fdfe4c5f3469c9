/* accounts.h: what the installation's accounts (accounts.c) and teams' own (own_accounts.c) share. */
#pragma once

#include "admin/admin.h"
#include "catalog/accounts.h"

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
