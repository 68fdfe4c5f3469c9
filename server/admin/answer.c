/* answer.c: what handlers of the management API share: reading parameters, writing answers. */
#include "admin/admin.h"

#include "base/bounds.h"
#include "base/clock.h"
#include "base/err.h"
#include "json/scan.h"
#include "payments/booking.h"

#include <errno.h>

int admin_reply(struct admin *a, int status, struct json_object *v)
{
    _cleanup_json_ struct json_object *value = v;

    a->out->status = status;
    a->out->content_type = "application/json";
    return json_print(value, &a->body);
}

int admin_reply_bytes(struct admin *a, const char *content_type, struct str bytes)
{
    a->out->status = 200;
    a->out->content_type = content_type;
    a->out->body = bytes;
    return 0;
}

int admin_identity(struct admin *a, int r, const struct identity_fault *fault)
{
    if (r <= 0)
        return r;
    if (r == IDENTITY_E_FAULT)
        return admin_problem(a, PROBLEM_BAD_FIELD, fault && fault->field[0] ? fault->field : NULL,
                             fault ? fault->sentence : NULL);
    if (r == IDENTITY_E_NONE)
        return admin_problem(a, PROBLEM_NOT_FOUND, NULL, NULL);
    if (r == IDENTITY_E_LIMITED)
        return admin_limited(a, fault ? fault->retry_after_s : 0, NULL);
    return db_fatal(r);
}

int admin_booked(struct admin *a, int r, const struct identity_fault *fault)
{
    if (r == IDENTITY_E_FAULT && str_eq_c(str_c(fault->field), "reference") &&
        booking_refused_as(a->db, "TG002"))
        return admin_problem(a, PROBLEM_CONFLICT, fault->field, fault->sentence);
    return admin_identity(a, r, fault);
}

int admin_need(struct admin *a, enum role role)
{
    if (!a->team.v)
        return admin_problem(a, PROBLEM_BAD_FIELD, "team",
                             "An installation key names the team with ?team=ID.");
    if (a->is_operator || role_covers(a->role, role))
        return 0;
    return admin_problem(a, PROBLEM_FORBIDDEN, NULL, NULL);
}

int admin_need_operator(struct admin *a)
{
    if (a->is_operator)
        return 0;
    return admin_problem(a, PROBLEM_FORBIDDEN, NULL, "This needs a key of the installation.");
}

static int say_json_fault(struct admin *a, enum problem_code code, const struct json_fault *fault)
{
    struct str message = arena_strf(a->arena, "%s (at byte %zu)", fault->reason, fault->at);
    const char *path = arena_cstr(a->arena, str_c(fault->path));

    if (!message.p || !path)
        return err_origin(-ENOMEM);
    return admin_problem(a, code, path[0] ? path : NULL, message.p);
}

static void unref_json(void *v)
{
    json_unref(v);
}

int admin_body(struct admin *a, const struct json_field *fields, size_t n, void *dest)
{
    struct json_scan_result scan;
    struct json_fault fault;
    struct json_object *root;
    int r = json_scan(a->req->body, NULL, 0, &scan, &fault);

    if (r == JSON_OK)
        r = json_parse(a->req->body, &root, &fault);
    if (r == JSON_E_FAULT)
        return say_json_fault(a, PROBLEM_BAD_JSON, &fault);
    if (r)
        return err_trace(r);
    r = arena_defer(a->arena, unref_json, root);
    if (r)
        return err_trace(r);
    r = json_read(a->arena, root, fields, n, dest, &fault);
    if (r == JSON_E_FAULT)
        return say_json_fault(a, PROBLEM_BAD_FIELD, &fault);
    return r;
}

int admin_path_id(struct admin *a, unsigned index, int64_t *ret)
{
    int64_t id;

    if (str_i64(a->req->params[index], &id) || id <= 0)
        return admin_problem(a, PROBLEM_NOT_FOUND, NULL, NULL);
    *ret = id;
    return 0;
}

int admin_query_i64(struct admin *a, const char *name, int64_t *ret)
{
    struct str text = request_query(a->req, name);

    if (!text.p)
        return 0;
    if (str_i64(text, ret) || *ret < 0)
        return admin_problem(a, PROBLEM_BAD_FIELD, name, "A whole number is wanted.");
    return 0;
}

int admin_query_time(struct admin *a, const char *name, int64_t *ret_us)
{
    struct str text = request_query(a->req, name);

    if (!text.p)
        return 0;
    if (!clock_parse_rfc3339(text, ret_us))
        return admin_problem(a, PROBLEM_BAD_FIELD, name,
                             "A time such as 2026-11-21T06:27:33Z is wanted.");
    return 0;
}

int admin_body_time(struct admin *a, const char *name, struct str text, int64_t *ret_us)
{
    if (!text.p || clock_parse_rfc3339(text, ret_us))
        return 0;
    return admin_problem(a, PROBLEM_BAD_FIELD, name,
                         "A time such as 2026-11-21T06:27:33Z is wanted.");
}

int admin_query_money(struct admin *a, const char *name, struct money *ret)
{
    struct str text = request_query(a->req, name);

    if (!text.p)
        return 0;
    if (money_parse(text, ret))
        return admin_problem(a, PROBLEM_BAD_FIELD, name,
                             "An amount in dollars with at most 9 decimals is wanted.");
    return 0;
}

int admin_query_known(struct admin *a, const char *const *names, size_t n)
{
    struct str rest = a->req->query, part;

    while (rest.n && str_split(&rest, '&', &part)) {
        ssize_t eq = str_find(part, '=');
        struct str name = eq < 0 ? part : str_n(part.p, (size_t)eq);
        bool known = str_eq_c(name, "team") || !name.n;

        for (size_t i = 0; i < n && !known; i++)
            known = str_eq_c(name, names[i]);
        if (!known)
            return admin_problem(a, PROBLEM_UNKNOWN_FIELD, arena_cstr(a->arena, name),
                                 "This query parameter is not known here.");
    }
    return 0;
}

int admin_deleted(struct admin *a, const char *object, int64_t id)
{
    struct json_object *o = json_new_object();

    json_set_cstr(o, "object", object);
    json_set_i64(o, "id", id);
    json_set_bool(o, "deleted", true);
    return admin_reply(a, 200, o);
}

struct json_object *admin_json(struct str text)
{
    struct json_fault fault;
    struct json_object *v;

    if (!text.n || json_parse(text, &v, &fault) != JSON_OK)
        return json_new_object();
    return v;
}

int admin_json_text(struct admin *a, const struct json_object *v, struct str *ret)
{
    struct buf text;
    int r;

    *ret = STR("");
    if (!v)
        return 0;
    buf_init(&text, BOUND_ADMIN_BODY_BYTES);
    r = json_print(v, &text);
    if (!r) {
        *ret = arena_str(a->arena, buf_str(&text));
        r = ret->p ? 0 : err_origin(-ENOMEM);
    }
    buf_done(&text);
    return r;
}

struct json_object *admin_list(struct json_object *array)
{
    struct json_object *o = json_new_object();

    json_set_cstr(o, "object", "list");
    json_set(o, "data", array);
    return o;
}

struct json_object *admin_strings(const struct str *v, size_t n)
{
    struct json_object *array = json_new_array();

    for (size_t i = 0; i < n; i++)
        json_push_str(array, v[i]);
    return array;
}

void admin_set_time(struct json_object *o, const char *key, int64_t unix_us)
{
    char text[CLOCK_RFC3339_SIZE];

    if (!unix_us) {
        json_set_null(o, key);
        return;
    }
    clock_rfc3339(unix_us, text);
    json_set_cstr(o, key, text);
}

void admin_set_text(struct json_object *o, const char *key, struct str text)
{
    if (text.n)
        json_set_str(o, key, text);
    else
        json_set_null(o, key);
}

void admin_set_id(struct json_object *o, const char *key, int64_t v)
{
    if (v)
        json_set_i64(o, key, v);
    else
        json_set_null(o, key);
}

void admin_set_call_id(struct json_object *o, const char *key, struct call_id id)
{
    char text[CALL_ID_TEXT];

    call_id_text(id, text);
    json_set_cstr(o, key, call_id_given(id) ? text : NULL);
}
