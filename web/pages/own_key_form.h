/* own_key_form.h: the form by which a team's own provider key is added and changed, and what list and page
 * say of one. */
#pragma once

#include "catalog/own_accounts.h"
#include "web/form.h"
#include "web/web.h"

/* With the models that such an account may serve; id v 0: one that is yet to be, with all of them. */
int own_form_open(struct web *w, struct form *form, const struct provider *provider,
                  struct account_id id) _must_use_;
void own_form_show(struct form *form, const struct account_draft *draft);
/* From a form that was read; what it does not have stays. A base URL that may not be asked is noted in it. */
void own_form_draft(struct form *form, const struct provider *provider, struct account_draft *draft);
/* The credential, as account_add() takes it. A part that is too long makes the form wrong. */
int own_form_secret(struct form *form, const struct provider *provider, struct str *ret) _must_use_;
/* Only the faults of the credential's parts count, or only those of the others. */
void own_form_judge(struct form *form, bool secret);
/* The models that were checked, for own_serve(). */
const struct str *own_form_models(const struct form *form, size_t *ret_n);
/* view.KEY, and what the kind wants; replaces: for another key in the place of one. */
void own_form_view(const struct form *form, const struct provider *provider, bool replaces,
                   struct json_object *view, const char *key);

/* web_outcome(), where the team may be changing its keys too often. */
int own_key_outcome(struct web *w, int r, int32_t retry_after_s) _must_use_;
/* view.name, .link, .kind_label, .state, .last ... */
void own_key_view(struct web *w, const struct account_row *row, struct json_object *view);
