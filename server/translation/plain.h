/* plain.h: what requests in JSON have in common, chats too: a model, OpenRouter's `models` and
 * `provider`, and fields of their own behind them.
 *
 * A dialect's table of fields begins with PLAIN_FIELDS, its own have the indexes from PLAIN_OWN on.
 * Contracts: dialect.h, fields.h. Any thread. */
#pragma once

#include "translation/dialect.h"
#include "translation/fields.h"
#include "translation/request_edit.h"

enum { PLAIN_MODEL, PLAIN_MODELS, PLAIN_PROVIDER, PLAIN_OWN };
#define PLAIN_FIELDS                                                            \
    [PLAIN_MODEL] = {"model", "must be a string", JSON_STRING},                 \
    [PLAIN_MODELS] = {"models", "must be an array of model names", JSON_ARRAY}, \
    [PLAIN_PROVIDER] = {"provider", "must be an object", JSON_OBJECT}

struct plain_shape {
    const struct field *fields;
    size_t n;
    size_t needed;  /* the fields from PLAIN_OWN up to this one have to be there; 0: none */
    bool models_do; /* a list of models may stand in for the model */
};
/* Reads the body by the shape and fills in what all have in common: one choice, all of the body as
 * text. w: as many as fields. *ret_marks: where everything stands, as request->marks. */
int plain_read(struct arena *a, struct str body, const struct plain_shape *shape,
               struct json_watch *w, struct wire_request *ret, const struct marks **ret_marks,
               struct json_fault *fault) _must_use_;
/* The tier of service. An unknown one could cost anything, so it is not passed on. */
int plain_service(struct arena *a, struct str body, const struct marks *m,
                  const struct field *fields, size_t which, enum service_tier *ret,
                  struct json_fault *fault) _must_use_;
/* The target's model put in, and what only this gateway understands taken out. */
void plain_edit_request(const struct wire_request *request, const struct wire_request_edit *edit,
                        struct buf *out);
/* The same as the beginning of an edit that has more to change. */
void plain_edit_begin(struct request_edit *e, const struct wire_request *request,
                      const struct wire_request_edit *edit);
/* With the limit of the output, under the format's own name, where the client gave none. */
void plain_edit_limited(const struct wire_request *request, const struct wire_request_edit *edit,
                        const struct field *fields, size_t limit, struct buf *out);
/* The field must be there, as text or as a list. */
int plain_needs_input(const struct field *fields, const struct marks *m, size_t which,
                      struct json_fault *fault) _must_use_;
/* "is required", for a field that is absent. */
int plain_lacks(const struct field *fields, size_t which, struct json_fault *fault);
