/* installation.c: /api/v1/installation: what operators set for all teams. */
#include "admin/accounts.h"

#include "base/err.h"
#include "identity/installation.h"

static int answer(struct admin *a, const struct installation *is)
{
    struct json_object *o = json_new_object();

    json_set_cstr(o, "object", "installation");
    json_set_i64(o, "own_fee_bp", is->own_fee_bp);
    json_set_bool(o, "own_base_urls", is->own_base_urls);
    admin_set_text(o, "similarity_model", is->similarity_model);
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
    bool own_base_urls;
    struct str similarity_model;
    uint8_t saw_model;
};

#define AT(field) offsetof(struct installation_body, field)
static const struct json_field fields[] = {
    {"own_fee_bp", WANT_I64, false, 0, 10000, AT(own_fee_bp), SIZE_MAX},
    {"own_base_urls", WANT_BOOL, false, 0, 0, AT(own_base_urls), SIZE_MAX},
    {"similarity_model", WANT_STR, false, 1, 200, AT(similarity_model), AT(saw_model)},
};

int admin_installation_change(struct admin *a)
{
    struct identity_fault fault = {0};
    struct installation_body b;
    struct installation is;
    int r = admin_need_operator(a);

    if (!r)
        r = admin_identity(a, installation_get(a->db, a->arena, &is), NULL);
    if (r)
        return r;
    b = (struct installation_body){.own_fee_bp = is.own_fee_bp, .own_base_urls = is.own_base_urls};
    r = admin_body(a, fields, ARRAY_LEN(fields), &b);
    if (r)
        return r;
    is.own_fee_bp = (int32_t)b.own_fee_bp;
    is.own_base_urls = b.own_base_urls;
    if (b.saw_model != FIELD_ABSENT)
        is.similarity_model = b.similarity_model;
    r = admin_identity(a, installation_update(a->db, a->arena, &a->actor, &is, &fault), &fault);
    return r ? r : answer(a, &is);
}
