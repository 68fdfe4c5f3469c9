/* operator_model_form.h: the form by which a model and the policy of its route are added and
 * changed; the view of a model's state, which list and page share. */
#pragma once

#include "catalog/models.h"
#include "web/form.h"
#include "web/web.h"

enum model_field {
    MODEL_FIELD_NAME, /* of a new model only, as the next */
    MODEL_FIELD_KIND,
    MODEL_FIELD_VENDOR,
    MODEL_FIELD_DESCRIPTION,
    MODEL_FIELD_CONTEXT,
    MODEL_FIELD_OUTPUT,
    MODEL_FIELD_MEDIA,
    MODEL_FIELD_ABILITIES_KNOWN,
    MODEL_FIELD_ABILITIES,
    MODEL_FIELD_ENABLED,
    MODEL_FIELD_STRATEGY,
    MODEL_FIELD_MAX_ATTEMPTS,
    MODEL_FIELD_RETRIES,
    MODEL_FIELD_DROP,
    MODEL_FIELD_TRIGGERS,
    MODEL_FIELD_CONNECT,
    MODEL_FIELD_FIRST_BYTE,
    MODEL_FIELD_IDLE,
    MODEL_FIELD_TOTAL,
    MODEL_FIELDS
};

/* Filled with the draft. Names and kinds of models that exist are not asked for again. */
int model_form_open(struct web *w, struct form *form, const struct model_draft *draft) _must_use_;
/* Reads what was submitted for a model that has the draft's name and kind; is_new: for one that
 * gets them from the form. */
int model_form_read(struct web *w, struct form *form, bool is_new,
                    struct model_draft *draft) _must_use_;
void model_form_view(struct web *w, const struct form *form, struct json_object *view);

/* view.name, .link, .vendor, .kind, .state ... */
void model_common_view(struct web *w, const struct model_row *row, struct json_object *view);
