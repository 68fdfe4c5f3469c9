/* guardrails.c: /api/v1/guardrails: what texts are looked through for. A team's keys see the installation's
 * rules beside their own; a key of the installation that names no team changes those. */
#include "admin/guardrails.h"

#include "base/err.h"
#include "guard/guardrail.h"

struct guardrail_body {
    struct str name, action;
    struct json_strs finds, words, patterns, where;
    int64_t project_id, key_id;
    bool disabled;
    uint8_t saw_name, saw_action, saw_finds, saw_words, saw_patterns, saw_where, saw_project, saw_key, saw_disabled;
};

#define AT(field) offsetof(struct guardrail_body, field)
#define FIELDS(needed)                                                                             \
    {                                                                                              \
        {"name", WANT_STR, needed, 1, 80, AT(name), AT(saw_name)},                                 \
        {"action", WANT_STR, needed, 1, 10, AT(action), AT(saw_action)},                           \
        {"where", WANT_STRS, needed, 1, 2, AT(where), AT(saw_where)},                              \
        {"finds", WANT_STRS, false, 0, 20, AT(finds), AT(saw_finds)},                              \
        {"words", WANT_STRS, false, 0, 1000, AT(words), AT(saw_words)},                            \
        {"patterns", WANT_STRS, false, 0, 1000, AT(patterns), AT(saw_patterns)},                   \
        {"project_id", WANT_I64, false, 1, INT64_MAX, AT(project_id), AT(saw_project)},            \
        {"key_id", WANT_I64, false, 1, INT64_MAX, AT(key_id), AT(saw_key)},                        \
        {"disabled", WANT_BOOL, false, 0, 0, AT(disabled), AT(saw_disabled)},                      \
    }

static const struct json_field new_fields[] = FIELDS(true);
static const struct json_field change_fields[] = FIELDS(false);

static const struct {
    const char *name;
    unsigned where;
} places[] = {{"request", GUARD_REQUEST}, {"answer", GUARD_ANSWER}};

static struct json_object *guardrail_json(const struct guardrail *g)
{
    struct json_object *o = json_new_object(), *finds = json_new_array(), *where = json_new_array();

    for (unsigned i = 0; i < DETECT_KINDS; i++)
        if (g->is.finds & 1u << i)
            json_push_str(finds, str_c(detect_kinds[i].name));
    for (size_t i = 0; i < ARRAY_LEN(places); i++)
        if (g->is.where & places[i].where)
            json_push_str(where, str_c(places[i].name));
    json_set_cstr(o, "object", "guardrail");
    json_set_i64(o, "id", g->id);
    admin_set_id(o, "team_id", g->team.v);
    json_set_str(o, "name", g->is.name);
    json_set_cstr(o, "action", guard_action_name(g->is.action));
    json_set(o, "where", where);
    json_set(o, "finds", finds);
    json_set(o, "words", admin_strings(g->is.words, g->is.n_words));
    json_set(o, "patterns", admin_strings(g->is.patterns, g->is.n_patterns));
    admin_set_id(o, "project_id", g->is.project.v);
    admin_set_id(o, "key_id", g->is.key.v);
    json_set_bool(o, "disabled", g->is.disabled);
    return o;
}

/* Whose rules are meant: a team's, or the installation's. */
static int need(struct admin *a, enum role role)
{
    return a->is_operator && !a->team.v ? 0 : admin_need(a, role);
}

int admin_guardrails_list(struct admin *a)
{
    struct guardrail_page page;
    struct json_object *array;
    int r = need(a, ROLE_VIEWER);

    if (!r)
        r = admin_query_known(a, NULL, 0);
    if (!r)
        r = admin_identity(a, guardrail_list(a->db, a->arena, a->team, &page), NULL);
    if (r)
        return r;
    array = json_new_array();
    for (size_t i = 0; i < page.n; i++)
        json_push(array, guardrail_json(&page.v[i]));
    return admin_reply(a, 200, admin_list(array));
}

static int merge_finds(struct admin *a, const struct json_strs *names, unsigned *ret)
{
    enum detect_kind kind;

    *ret = 0;
    for (size_t i = 0; i < names->n; i++) {
        if (!detect_kind_parse(names->v[i], &kind))
            return admin_problem(a, PROBLEM_BAD_FIELD, "finds",
                                 "Each is one of email, card, iban, ssn, ip and secret.");
        *ret |= 1u << kind;
    }
    return 0;
}

static int merge_where(struct admin *a, const struct json_strs *names, unsigned *ret)
{
    *ret = 0;
    for (size_t i = 0; i < names->n; i++) {
        unsigned where = 0;

        for (size_t k = 0; k < ARRAY_LEN(places); k++)
            if (str_eq_c(names->v[i], places[k].name))
                where = places[k].where;
        if (!where)
            return admin_problem(a, PROBLEM_BAD_FIELD, "where", "Each is request or answer.");
        *ret |= where;
    }
    return 0;
}

/* Absent stays, null clears. */
static void merge_plain(const struct guardrail_body *b, struct guardrail_settings *s)
{
    if (b->saw_name == FIELD_GIVEN)
        s->name = b->name;
    if (b->saw_words) {
        s->words = b->words.v;
        s->n_words = b->words.n;
    }
    if (b->saw_patterns) {
        s->patterns = b->patterns.v;
        s->n_patterns = b->patterns.n;
    }
    if (b->saw_project)
        s->project.v = b->project_id;
    if (b->saw_key)
        s->key.v = b->key_id;
    if (b->saw_disabled)
        s->disabled = b->disabled;
}

static int merge(struct admin *a, const struct guardrail_body *b, struct guardrail_settings *s)
{
    int r = 0;

    merge_plain(b, s);
    if (b->saw_action == FIELD_GIVEN && !guard_action_parse(b->action, &s->action))
        return admin_problem(a, PROBLEM_BAD_FIELD, "action", "This is log, redact or block.");
    if (b->saw_finds)
        r = merge_finds(a, &b->finds, &s->finds);
    if (!r && b->saw_where)
        r = merge_where(a, &b->where, &s->where);
    return r;
}

static int save(struct admin *a, int64_t id, const struct guardrail_settings *s, int status)
{
    struct identity_fault fault = {0};
    struct guardrail made;
    int64_t made_id = 0;
    int r = admin_identity(
        a, guardrail_save(a->db, a->arena, &a->actor, a->team, id, s, &made_id, &fault), &fault);

    if (!r)
        r = admin_identity(a, guardrail_get(a->db, a->arena, a->team, made_id, &made), NULL);
    return r ? r : admin_reply(a, status, guardrail_json(&made));
}

int admin_guardrails_add(struct admin *a)
{
    struct guardrail_body b = {.name = STR_NONE};
    struct guardrail_settings s = {.finds = 0};
    int r = need(a, ROLE_ADMIN);

    if (!r)
        r = admin_body(a, new_fields, ARRAY_LEN(new_fields), &b);
    if (!r)
        r = merge(a, &b, &s);
    return r ? r : save(a, 0, &s, 201);
}

int admin_guardrails_change(struct admin *a)
{
    struct guardrail_body b = {.name = STR_NONE};
    struct guardrail old;
    int64_t id;
    int r = need(a, ROLE_ADMIN);

    if (!r)
        r = admin_path_id(a, 0, &id);
    if (!r)
        r = admin_body(a, change_fields, ARRAY_LEN(change_fields), &b);
    if (!r)
        r = admin_identity(a, guardrail_get(a->db, a->arena, a->team, id, &old), NULL);
    if (!r)
        r = merge(a, &b, &old.is);
    return r ? r : save(a, id, &old.is, 200);
}

int admin_guardrails_drop(struct admin *a)
{
    int64_t id;
    int r = need(a, ROLE_ADMIN);

    if (!r)
        r = admin_path_id(a, 0, &id);
    if (!r)
        r = admin_identity(a, guardrail_drop(a->db, a->arena, &a->actor, a->team, id), NULL);
    return r ? r : admin_deleted(a, "guardrail", id);
}
