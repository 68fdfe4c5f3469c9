/* form_body.h: a request that is a form, read and edited: as plain.h, for multipart bodies.
 *
 * Contracts: dialect.h. Values are spans of the body. Any thread. */
#pragma once

#include "translation/dialect.h"
#include "translation/multipart.h"

struct form_body {
    struct multipart parts;
};

/* Reads the form; the request gets its model, its content type, one choice. DIALECT_OK, or
 * DIALECT_E_FIELD with the name of the part that is wrong ("body": the form itself), or < 0. */
int form_body_read(struct arena *a, struct str content_type, struct str body, struct wire_request *ret,
              const struct form_body **ret_form, struct json_fault *fault) _must_use_;
/* The part's value; p NULL: there is none of that name. */
struct str form_body_value(const struct form_body *form, const char *name);
/* A fault where the part is absent. */
int form_body_need(const struct form_body *form, const char *name, struct json_fault *fault) _must_use_;
/* Absent: *ret stays. */
int form_body_count(const struct form_body *form, const char *name, uint64_t min, uint64_t max, uint64_t *ret,
               struct json_fault *fault) _must_use_;
int form_body_bool(const struct form_body *form, const char *name, bool *ret,
              struct json_fault *fault) _must_use_;
/* How many parts are files. */
uint32_t form_body_files(const struct form_body *form);
/* The body with the target's model; all else byte for byte. */
void form_body_edit_request(const struct wire_request *request, const struct wire_request_edit *edit,
                       struct buf *out);
