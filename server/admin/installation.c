/* installation.c: /api/v1/installation: what operators set for all teams. */
#include "admin/accounts.h"

#include "base/err.h"
#include "identity/installation.h"

static int answer(struct admin *a, const struct installation *is)
{
    struct json_object *o = json_new_object();

    json_set_cstr(o, "object", "installation");
    json_set_i64(o, "own_fee_bp", is->own_fee_bp);
    return admin_reply(a, 200, o);
}

int admin_installation_get(struct admin *a)
{
    struct installation is;
    int r = admin_need_operator(a);

    if (!r)
        r = admin_identity(a, installation_get(a->db, a->arena, &is), NULL);
    return r ? r : answer(a, &is);
}

struct installation_body {
    int64_t own_fee_bp;
};

static const struct json_field fields[] = {
    {"own_fee_bp", WANT_I64, true, 0, 10000, offsetof(struct installation_body, own_fee_bp), SIZE_MAX},
};

int admin_installation_change(struct admin *a)
{
    struct installation_body b = {0};
    struct identity_fault fault = {0};
    struct installation is;
    int r = admin_need_operator(a);

    if (!r)
        r = admin_body(a, fields, ARRAY_LEN(fields), &b);
    if (!r)
        r = admin_identity(a, installation_get(a->db, a->arena, &is), NULL);
    if (r)
        return r;
    is.own_fee_bp = (int32_t)b.own_fee_bp;
    r = admin_identity(a, installation_update(a->db, a->arena, &a->actor, &is, &fault), &fault);
    return r ? r : answer(a, &is);
}
