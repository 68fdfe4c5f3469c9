/* form_body.c: see form_body.h. */
#include "translation/form_body.h"

#include <errno.h>
#include <stdio.h>

#include "base/err.h"
#include "translation/wire.h"

static const struct part *part_of(const struct form_body *form, const char *name)
{
    for (size_t i = 0; i < form->parts.n; i++)
        if (str_eq_c(form->parts.part[i].name, name))
            return &form->parts.part[i];
    return NULL;
}

struct str form_body_value(const struct form_body *form, const char *name)
{
    const struct part *part = part_of(form, name);

    return part ? part->value : STR_NONE;
}

int form_body_need(const struct form_body *form, const char *name, struct json_fault *fault)
{
    return part_of(form, name) ? DIALECT_OK : wire_wrong(fault, name, "is required");
}

int form_body_count(const struct form_body *form, const char *name, uint64_t min, uint64_t max, uint64_t *ret,
               struct json_fault *fault)
{
    const struct part *part = part_of(form, name);
    char reason[80];
    uint64_t v;

    if (!part)
        return DIALECT_OK;
    (void)snprintf(reason, sizeof(reason), "must be an integer from %llu to %llu",
                   (unsigned long long)min, (unsigned long long)max);
    if (str_u64(part->value, &v) != STR_OK || v < min || v > max)
        return wire_wrong(fault, name, reason);
    *ret = v;
    return DIALECT_OK;
}

/* As Python's and JavaScript's libraries write them. */
int form_body_bool(const struct form_body *form, const char *name, bool *ret, struct json_fault *fault)
{
    const struct part *part = part_of(form, name);

    if (!part)
        return DIALECT_OK;
    if (!str_ieq(part->value, STR("true")) && !str_ieq(part->value, STR("false")))
        return wire_wrong(fault, name, "must be true or false");
    *ret = str_ieq(part->value, STR("true"));
    return DIALECT_OK;
}

uint32_t form_body_files(const struct form_body *form)
{
    uint32_t n = 0;

    for (size_t i = 0; i < form->parts.n; i++)
        n += form->parts.part[i].filename.p != NULL;
    return n;
}

int form_body_read(struct arena *a, struct str content_type, struct str body, struct wire_request *ret,
              const struct form_body **ret_form, struct json_fault *fault)
{
    struct form_body *form = arena_new0(a, struct form_body);
    struct wire_request request = {.body = body, .marks = form, .content_type = content_type};
    const char *reason;

    if (!form)
        return err_origin(-ENOMEM);
    if (!str_is_ascii(content_type)) /* it is sent on */
        return wire_wrong(fault, "content-type", "must be ASCII");
    if (multipart_read(content_type, body, &form->parts, &reason) != MULTIPART_OK)
        return wire_wrong(fault, "body", reason);
    request.llm.model = form_body_value(form, "model");
    if (!request.llm.model.n)
        return wire_wrong(fault, "model", "is required");
    request.llm.choices = 1;
    *ret = request;
    *ret_form = form;
    return DIALECT_OK;
}

void form_body_edit_request(const struct wire_request *request, const struct wire_request_edit *edit,
                       struct buf *out)
{
    struct str body = request->body, model = request->llm.model;
    size_t at = (size_t)(model.p - body.p);

    buf_lend(out, str_n(body.p, at));
    buf_put_str(out, edit->model);
    buf_lend(out, str_n(body.p + at + model.n, body.n - at - model.n));
}
