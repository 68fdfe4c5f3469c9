/* key_form.h: the form by which a virtual key is minted and changed; the view of a key's state. */
#pragma once

#include "identity/keyring.h"
#include "web/form.h"
#include "web/web.h"

enum key_field {
    KEY_FIELD_NAME,
    KEY_FIELD_PROJECT,
    KEY_FIELD_BUDGET,
    KEY_FIELD_WINDOW,
    KEY_FIELD_EXPIRES,
    KEY_FIELD_MODELS,
    KEY_FIELD_RPM,
    KEY_FIELD_TPM,
    KEY_FIELD_CONCURRENCY,
    KEY_FIELD_ADDRESSES,
    KEY_FIELD_TAGS,
    KEY_FIELD_CACHE,
    KEY_FIELD_CACHE_OWN,
    KEY_FIELD_SIMILARITY,
    KEY_FIELDS
};

/* Empty, with the team's projects and the models that are served as options, and those of `now`
 * (may be NULL) though the project is archived or a model is not served. */
int key_form_open(struct web *w, struct form *form, const struct key_settings *now) _must_use_;
/* Fills in what a key has. */
int key_form_show(struct web *w, struct form *form, const struct key_settings *settings) _must_use_;
/* From a form that was read; what is wrong with it stands in the form then. now: as it stands, since
 * not everybody may change all of it, and a day that is left alone keeps its moment; NULL: a new key. */
int key_form_settings(struct web *w, struct form *form, const struct key_settings *now,
                      struct key_settings *ret) _must_use_;
/* view.form, whether the part that is folded away stands open, and by which model questions are compared. */
void key_form_view(struct web *w, const struct form *form, struct json_object *view);

/* view.chip, .state, .off, .spent_*, .last_used ...: what list and page share. */
void key_common_view(struct web *w, const struct key_view *key, struct json_object *view);
