/* plain.c: see plain.h. */
#include "translation/plain.h"

#include "base/err.h"

int plain_lacks(const struct field *fields, size_t which, struct json_fault *fault)
{
    return wire_wrong(fault, fields[which].path, "is required");
}

int plain_read(struct arena *a, struct str body, const struct field *fields, size_t n,
               struct json_watch *w, struct wire_request *ret, const struct marks **ret_marks,
               struct json_fault *fault)
{
    struct wire_request request = {.body = body};
    struct marks *m;
    int r = fields_read(a, body, fields, n, w, &m, fault);

    if (r != DIALECT_OK)
        return r;
    if (!field_given(m, PLAIN_MODEL))
        return plain_lacks(fields, PLAIN_MODEL, fault);
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

int plain_needs_input(const struct field *fields, const struct marks *m, size_t which,
                      struct json_fault *fault)
{
    if (!field_given(m, which))
        return plain_lacks(fields, which, fault);
    if (m->at[which].kind != JSON_STRING && m->at[which].kind != JSON_ARRAY)
        return wire_wrong(fault, fields[which].path, "must be a string or an array");
    return DIALECT_OK;
}
