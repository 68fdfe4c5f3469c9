/* admin.c: letting a caller of the management API in, its transaction, its answer. */
#include "admin/admin.h"

#include "base/bounds.h"
#include "base/err.h"
#include "base/log.h"
#include "base/secret.h"
#include "identity/manage_key.h"

#include <errno.h>

static int fill_problem(struct admin *a, const struct problem *p)
{
    char id[CALL_ID_TEXT];

    buf_reset(&a->body);
    call_id_text(a->req->id, id);
    problem_json(p, PROBLEM_AS_OPENAI, str_c(id), &a->body);
    a->out->status = problem_status(p);
    a->out->content_type = "application/json";
    if (p->retry_after_s > 0)
        response_header(a->out, "retry-after", arena_strf(a->arena, "%d", p->retry_after_s));
    return ADMIN_SAID;
}

int admin_problem(struct admin *a, enum problem_code code, const char *param, const char *message)
{
    struct problem p = problem_of(code);

    p.param = str_c(param);
    p.message = str_c(message);
    if (code == PROBLEM_LEDGER_AWAY)
        p.retry_after_s = 2;
    return fill_problem(a, &p);
}

int admin_limited(struct admin *a, int32_t retry_after_s, const char *message)
{
    struct problem p = problem_of(PROBLEM_LOGIN_LIMIT);

    p.message = str_c(message);
    p.retry_after_s = retry_after_s;
    return fill_problem(a, &p);
}

static struct str bearer(const struct request *r)
{
    struct str value = request_header(r, "authorization");

    if (!value.p || value.n < 7 || !str_ieq(str_n(value.p, 7), STR("Bearer ")))
        return STR_NONE;
    return str_trim(str_n(value.p + 7, value.n - 7));
}

static int enter_virtual(struct admin *a, struct str secret)
{
    struct digest digest = digest_keyed(a->services->key_pepper, secret);
    int r = key_find(a->db, &digest, &a->key);

    if (r == KEY_E_AWAY)
        return admin_problem(a, PROBLEM_LEDGER_AWAY, NULL, NULL);
    if (r == KEY_E_UNKNOWN)
        return admin_problem(a, PROBLEM_BAD_KEY, NULL, NULL);
    if (r < 0)
        return err_trace(r);
    if (a->key->disabled)
        return admin_problem(a, PROBLEM_KEY_DISABLED, NULL, NULL);
    if (a->key->expires_at_us && a->key->expires_at_us <= a->req->began_wall_us)
        return admin_problem(a, PROBLEM_KEY_EXPIRED, NULL, NULL);
    if (!key_policy_allows_address(a->key, a->req->peer.ip))
        return admin_problem(a, PROBLEM_ADDRESS_DENIED, NULL, NULL);
    a->team = a->key->team;
    a->role = ROLE_VIEWER;
    a->actor = (struct actor){.kind = ACTOR_KEY, .id = a->key->key.v, .name = a->key->name};
    return 0;
}

static int enter_manage(struct admin *a, struct str secret)
{
    struct manage_key found;
    int64_t team = 0;
    int r = db_begin(a->db, DB_SYSTEM, false);

    if (r)
        return r == DB_E_AWAY ? admin_problem(a, PROBLEM_LEDGER_AWAY, NULL, NULL) : err_trace(r);
    r = manage_key_find(a->db, a->arena, a->services->key_pepper, secret, &found);
    if (r == IDENTITY_OK)
        r = db_commit(a->db);
    else
        db_rollback(a->db);
    if (r == IDENTITY_E_NONE)
        return admin_problem(a, PROBLEM_BAD_KEY, NULL, NULL);
    if (r)
        return db_fatal(r);
    a->team = found.team;
    a->role = found.role;
    a->is_operator = found.is_operator;
    a->actor = (struct actor){.kind = ACTOR_KEY, .id = found.id, .name = found.name};
    r = admin_query_i64(a, "team", &team);
    if (r)
        return r;
    if (team && !a->is_operator && team != a->team.v)
        return admin_problem(a, PROBLEM_FORBIDDEN, "team", "This key acts for another team.");
    if (team)
        a->team.v = team;
    return 0;
}

/* Who asks. */
static int enter(struct admin *a)
{
    enum route_auth auth = a->req->route->auth;
    struct str secret;

    if (auth == AUTH_NONE)
        return 0;
    secret = bearer(a->req);
    if (!secret.n)
        return admin_problem(a, PROBLEM_NO_KEY, NULL, NULL);
    if (secret_token_wellformed(secret, MANAGE_KEY_PREFIX))
        return enter_manage(a, secret);
    if (secret_token_wellformed(secret, "tg-")) {
        if (auth == AUTH_ANY_KEY)
            return enter_virtual(a, secret);
        return admin_problem(a, PROBLEM_FORBIDDEN, NULL,
                             "This needs a management key (tgm-...), not a virtual key.");
    }
    return admin_problem(a, PROBLEM_BAD_KEY, NULL, NULL);
}

static struct db_scope scope_of(const struct admin *a)
{
    if (a->req->route->auth == AUTH_NONE)
        return DB_SYSTEM;
    return a->is_operator ? DB_OPERATOR : DB_TEAM(a->team);
}

void admin_leave_tx(struct admin *a)
{
    db_rollback(a->db);
}

int admin_again(struct admin *a)
{
    int r = db_begin(a->db, scope_of(a), true);

    return r ? db_fatal(r) : 0;
}

static int run(struct admin *a)
{
    int r = enter(a);
    char address[NET_ADDRESS_TEXT];

    if (r)
        return r;
    net_address_text(&a->req->peer, address);
    a->actor.address = arena_str(a->arena, str_c(address));
    r = db_begin(a->db, scope_of(a), a->req->method == HTTP_GET);
    if (r)
        return r == DB_E_AWAY ? admin_problem(a, PROBLEM_LEDGER_AWAY, NULL, NULL) : err_trace(r);
    r = a->req->route->manage(a);
    if (r || a->out->status >= 400) {
        db_rollback(a->db);
        return r;
    }
    return db_commit(a->db);
}

static void free_body(void *p)
{
    buf_done(p);
}

void admin_serve(struct request *req, struct db *db, const struct services *services,
                 struct response *out)
{
    struct admin *a = arena_new0(req->arena, struct admin);
    int r;

    if (!a) {
        out->status = 500;
        return;
    }
    *a = (struct admin){.req = req, .db = db, .arena = req->arena, .services = services, .out = out};
    buf_init(&a->body, BOUND_UPSTREAM_REPLY_BYTES);
    r = arena_defer(req->arena, free_body, &a->body);
    if (!r)
        r = db ? run(a) : admin_problem(a, PROBLEM_LEDGER_AWAY, NULL, NULL);
    if (r == 0)
        r = buf_finish(&a->body);
    if (r == -ENOTCONN)
        r = admin_problem(a, PROBLEM_LEDGER_AWAY, NULL, NULL);
    if (r < 0 || (r > 0 && r != ADMIN_SAID)) {
        log_error("management_call_failed", "path=%s error=%d database=%s", log_str(req->path), r,
                  db ? log_str(str_c(db_last_error(db))) : "none");
        r = admin_problem(a, PROBLEM_INTERNAL, NULL, NULL);
    }
    key_policy_unref(a->key);
    if (!out->body.p)
        out->body = buf_str(&a->body);
}
