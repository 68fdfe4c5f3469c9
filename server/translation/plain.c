/* plain.c: see plain.h. */
#include "translation/plain.h"

#include "base/err.h"

int plain_lacks(const struct field *fields, size_t which, struct json_fault *fault)
{
    return wire_wrong(fault, fields[which].path, "is required");
}

static int check_needed(const struct plain_shape *shape, const struct marks *m,
                        struct json_fault *fault)
{
    bool models = shape->models_do && field_given(m, PLAIN_MODELS);

    if (!models && !field_given(m, PLAIN_MODEL))
        return plain_lacks(shape->fields, PLAIN_MODEL, fault);
    for (size_t i = PLAIN_OWN; i <= shape->needed; i++)
        if (!field_given(m, i))
            return plain_lacks(shape->fields, i, fault);
    return DIALECT_OK;
}

int plain_read(struct arena *a, struct str body, const struct plain_shape *shape,
               struct json_watch *w, struct wire_request *ret, const struct marks **ret_marks,
               struct json_fault *fault)
{
    struct wire_request request = {.body = body};
    struct marks *m;
    int r = fields_read(a, body, shape->fields, shape->n, w, &m, fault);

    if (r == DIALECT_OK)
        r = check_needed(shape, m, fault);
    if (r != DIALECT_OK)
        return r;
    r = wire_text(a, body, m->at[PLAIN_MODEL], &request.llm.model);
    if (r < 0)
        return err_trace(r);
    request.marks = m;
    request.llm.choices = 1;
    request.llm.text_bytes = body.n;
    request.llm.models_json = field_raw(body, m, PLAIN_MODELS);
    request.llm.provider_json = field_raw(body, m, PLAIN_PROVIDER);
    *ret = request;
    *ret_marks = m;
    return DIALECT_OK;
}

int plain_service(struct arena *a, struct str body, const struct marks *m,
                  const struct field *fields, size_t which, enum service_tier *ret,
                  struct json_fault *fault)
{
    struct str word = STR_NONE;
    int r = wire_text(a, body, m->at[which], &word);

    if (r < 0)
        return err_trace(r);
    if (word.p && service_tier_read(word, ret) != SERVICE_OK)
        return wire_wrong(fault, fields[which].path, fields[which].reason);
    return DIALECT_OK;
}

void plain_edit_begin(struct request_edit *e, const struct wire_request *request,
                      const struct wire_request_edit *edit)
{
    static const size_t ours[] = {PLAIN_MODELS, PLAIN_PROVIDER};
    const struct marks *m = request->marks;

    request_edit_begin(e, request, m);
    request_edit_model(e, m->at[PLAIN_MODEL], request->llm.model, edit->model);
    request_edit_remove(e, m, ours, ARRAY_LEN(ours));
}

void plain_edit_request(const struct wire_request *request, const struct wire_request_edit *edit,
                        struct buf *out)
{
    struct request_edit e;

    plain_edit_begin(&e, request, edit);
    request_edit_end(&e, out);
}

void plain_edit_limited(const struct wire_request *request, const struct wire_request_edit *edit,
                        const struct field *fields, size_t limit, struct buf *out)
{
    const struct marks *m = request->marks;
    struct request_edit e;

    plain_edit_begin(&e, request, edit);
    if (edit->output_limit && !field_given(m, limit))
        request_edit_limit(&e, m->at[limit], fields[limit].path, edit->output_limit);
    request_edit_end(&e, out);
}

int plain_needs_input(const struct field *fields, const struct marks *m, size_t which,
                      struct json_fault *fault)
{
    if (!field_given(m, which))
        return plain_lacks(fields, which, fault);
    if (m->at[which].kind != JSON_STRING && m->at[which].kind != JSON_ARRAY)
        return wire_wrong(fault, fields[which].path, "must be a string or an array");
    return DIALECT_OK;
}
