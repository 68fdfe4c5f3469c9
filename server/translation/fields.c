/* fields.c: see fields.h. */
#include "translation/fields.h"

#include <errno.h>

#include "base/bounds.h"
#include "base/err.h"
#include "translation/dialect.h"

static int check_kinds(const struct field *fields, size_t n, const struct json_watch *w,
                       struct json_fault *fault)
{
    for (size_t i = 0; i < n; i++)
        if (wire_given(w[i].span) && fields[i].reason && w[i].span.kind != fields[i].kind)
            return wire_wrong(fault, fields[i].path, fields[i].reason);
    return DIALECT_OK;
}

int fields_read(struct arena *a, struct str body, const struct field *fields, size_t n,
                struct json_watch *w, struct marks **ret, struct json_fault *fault)
{
    struct marks *m = arena_alloc(a, sizeof(*m) + n * sizeof(m->at[0]));
    struct json_scan_result result;
    int r;

    assert(n <= BOUND_JSON_WATCHES);
    if (!m)
        return err_origin(-ENOMEM);
    for (size_t i = 0; i < n; i++)
        w[i] = (struct json_watch){.path = fields[i].path};
    r = json_scan(body, w, n, &result, fault);
    if (r != JSON_OK)
        return r < 0 ? err_trace(r) : DIALECT_E_SYNTAX;
    if (result.root_kind != JSON_OBJECT)
        return wire_wrong(fault, fields[0].path, "the body must be an object that has it");
    r = check_kinds(fields, n, w, fault);
    if (r != DIALECT_OK)
        return r;
    m->root_open = result.root_open;
    for (size_t i = 0; i < n; i++)
        m->at[i] = w[i].span;
    *ret = m;
    return DIALECT_OK;
}

int field_count(struct str body, const struct marks *m, const struct field *fields, size_t which,
                uint64_t min, uint64_t max, uint64_t *ret, struct json_fault *fault)
{
    uint64_t v;

    if (!field_given(m, which))
        return DIALECT_OK;
    if (!json_span_u64(body, m->at[which], &v) || v < min || v > max)
        return wire_wrong(fault, fields[which].path, fields[which].reason);
    *ret = v;
    return DIALECT_OK;
}
