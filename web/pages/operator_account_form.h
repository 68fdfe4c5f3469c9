/* operator_account_form.h: the form by which a provider account is added and changed; the view of
 * an account's state, which list and page share. */
#pragma once

#include "catalog/accounts.h"
#include "web/form.h"
#include "web/web.h"

enum account_field {
    ACCOUNT_FIELD_NAME,
    ACCOUNT_FIELD_URL,
    ACCOUNT_FIELD_NETWORK,
    ACCOUNT_FIELD_REGION,
    ACCOUNT_FIELD_PROJECT,
    /* The parts of a credential: of a new account, or in a form of their own. */
    ACCOUNT_FIELD_KEY,
    ACCOUNT_FIELD_ACCESS_KEY_ID,
    ACCOUNT_FIELD_SECRET_ACCESS_KEY,
    ACCOUNT_FIELD_SESSION_TOKEN,
    ACCOUNT_FIELD_SERVICE_ACCOUNT,
    ACCOUNT_FIELD_HEADERS,
    ACCOUNT_FIELD_PRIORITY,
    ACCOUNT_FIELD_WEIGHT,
    ACCOUNT_FIELD_POLICY,
    ACCOUNT_FIELD_RPM,
    ACCOUNT_FIELD_TPM,
    ACCOUNT_FIELD_ENABLED,
    ACCOUNT_FIELDS
};

/* With what a new account of the kind usually has. */
int account_form_open(struct web *w, struct form *form, const struct provider *provider) _must_use_;
/* Fills in what an account has. */
void account_form_show(struct form *form, const struct account_draft *draft);
/* From a form that was read. A base URL that may not be asked is noted in the form. */
void account_form_draft(struct form *form, const struct provider *provider,
                        struct account_draft *ret);
/* The credential from a form that was read, as account_add() takes it; empty where nothing was
 * typed. A part that is too long makes the form wrong. */
int account_form_secret(struct form *form, const struct provider *provider,
                        struct str *ret) _must_use_;
/* view.secret: the parts that the kind's credential has, empty but for their faults. */
void account_secret_view(const struct form *form, const struct provider *provider,
                         struct json_object *view);
/* view.form, whether its folded part stands open, and what the kind wants. */
void account_form_view(const struct form *form, const struct provider *provider,
                       struct json_object *view);

/* False while this node leaves it alone, or has it on trial. */
bool account_is_up(struct web *w, const struct account_row *row);
/* view.name, .link, .kind_label, .state, .last ... */
void account_common_view(struct web *w, const struct account_row *row, struct json_object *view);
