/* guardrail_sql.c: rules as the database keeps them. */
#include "guard/guardrail.h"

#include <errno.h>

#include "base/err.h"
#include "db/rows.h"

#define SELECT_RULES                                                                               \
    "SELECT g.id, coalesce(g.team_id, 0) AS team_id, g.name, g.action, g.on_request, g.on_answer," \
    "       g.disabled, coalesce(g.project_id, 0) AS project_id, coalesce(g.key_id, 0) AS key_id," \
    "       coalesce(k.name, j.name) AS place, array_to_string(g.finds, E'\\n') AS finds,"         \
    "       array_to_string(g.words, E'\\n') AS words,"                                            \
    "       array_to_string(g.patterns, E'\\n') AS patterns"                                       \
    "  FROM guardrail g"                                                                           \
    "  LEFT JOIN project j ON j.team_id = g.team_id AND j.id = g.project_id"                       \
    "  LEFT JOIN api_key k ON k.team_id = g.team_id AND k.id = g.key_id"                           \
    " WHERE (g.team_id IS NULL OR g.team_id = $1)"
#define IN_ORDER " ORDER BY g.team_id IS NOT NULL, lower(g.name), g.id"

DB_QUERY(guardrail_rows, SELECT_RULES " AND ($2::bigint = 0 OR g.id = $2)" IN_ORDER)
DB_QUERY(guardrail_rows_of_key, SELECT_RULES
         " AND NOT g.disabled AND (g.project_id IS NULL OR g.project_id = $2)"
         " AND (g.key_id IS NULL OR g.key_id = $3)" IN_ORDER)

struct read {
    struct guardrail row;
    struct str action, finds, words, patterns;
    bool on_request, on_answer;
    struct arena *a;
    struct db_rows rows;
};

#define COLS(t)                                                                                   \
    DB_COLS(db_col_i64("id", &(t)->row.id), db_col_i64("team_id", &(t)->row.team.v),               \
            db_col_text("name", &(t)->row.is.name), db_col_text("action", &(t)->action),           \
            db_col_bool("on_request", &(t)->on_request),                                           \
            db_col_bool("on_answer", &(t)->on_answer),                                             \
            db_col_bool("disabled", &(t)->row.is.disabled),                                        \
            db_col_i64("project_id", &(t)->row.is.project.v),                                      \
            db_col_i64("key_id", &(t)->row.is.key.v), db_col_text("place", &(t)->row.place),       \
            db_col_text("finds", &(t)->finds), db_col_text("words", &(t)->words),                  \
            db_col_text("patterns", &(t)->patterns))

/* No element holds a line feed, and none is empty. */
static int split(struct arena *a, struct str joined, const struct str **ret, size_t *ret_n)
{
    struct str part, *v;
    size_t n = 0;

    for (size_t i = 0; i < joined.n; i++)
        n += joined.p[i] == '\n';
    v = arena_array(a, struct str, n + 1);
    if (!v)
        return err_origin(-ENOMEM);
    n = 0;
    while (joined.n && str_split(&joined, '\n', &part))
        v[n++] = part;
    *ret = v;
    *ret_n = n;
    return 0;
}

static int push(void *ctx)
{
    struct read *t = ctx;
    struct guardrail_settings *s = &t->row.is;
    struct str rest = t->finds, name;
    enum detect_kind kind;
    int r;

    s->where = (t->on_request ? GUARD_REQUEST : 0u) | (t->on_answer ? GUARD_ANSWER : 0u);
    s->finds = 0;
    if (!guard_action_parse(t->action, &s->action))
        return err_origin(-EPROTO);
    while (rest.n && str_split(&rest, '\n', &name)) {
        if (!detect_kind_parse(name, &kind))
            return err_origin(-EPROTO);
        s->finds |= 1u << kind;
    }
    r = split(t->a, t->words, &s->words, &s->n_words);
    if (r == 0)
        r = split(t->a, t->patterns, &s->patterns, &s->n_patterns);
    return r ? r : db_rows_push(&t->rows);
}

static int read_rules(struct db *db, struct arena *a, struct db_query *q, const struct db_arg *args,
                      size_t n_args, struct guardrail_page *ret)
{
    struct read t = {.a = a, .rows = DB_ROWS(a, &t.row)};
    int r = db_each(db, q, a, args, n_args, COLS(&t), push, &t);

    if (r == 0)
        *ret = (struct guardrail_page){t.rows.v, t.rows.n};
    return r;
}

int guardrail_list(struct db *db, struct arena *a, struct team_id team, struct guardrail_page *ret)
{
    int r = read_rules(db, a, &guardrail_rows, DB_ARGS(db_i64(team.v), db_i64(0)), ret);

    return r ? err_trace(db_fatal(r)) : 0;
}

int guardrail_get(struct db *db, struct arena *a, struct team_id team, int64_t id, struct guardrail *ret)
{
    struct guardrail_page page = {.n = 0};
    int r = id > 0 ? read_rules(db, a, &guardrail_rows, DB_ARGS(db_i64(team.v), db_i64(id)), &page) : 0;

    if (r != 0)
        return err_trace(db_fatal(r));
    if (page.n == 0 || page.v[0].team.v != team.v)
        return IDENTITY_E_NONE;
    *ret = page.v[0];
    return 0;
}

struct of_key {
    struct arena *a;
    struct team_id team;
    struct project_id project;
    struct key_id key;
    struct guardrail_page *ret;
};

static int of_key_tx(struct db *db, void *ctx)
{
    struct of_key *t = ctx;

    return read_rules(db, t->a, &guardrail_rows_of_key,
                      DB_ARGS(db_i64(t->team.v), db_i64(t->project.v), db_i64(t->key.v)), t->ret);
}

int guardrails_of_key(struct db *db, struct arena *a, struct team_id team, struct project_id project,
                      struct key_id key, struct guardrail_page *ret)
{
    struct of_key t = {a, team, project, key, ret};
    int r = db_tx(db, DB_SYSTEM, "guardrails_of_key", of_key_tx, &t);

    return r == 0 || r == DB_E_AWAY ? r : err_trace(db_fatal(r));
}

/* --- changing --- */

static struct db_arg team_arg(struct team_id team)
{
    return team.v ? db_i64(team.v) : db_null(DB_I64);
}

DB_QUERY(guardrail_json, "SELECT to_jsonb(g)::text AS row FROM guardrail g"
                         " WHERE team_id IS NOT DISTINCT FROM $1 AND id = $2 FOR UPDATE")

static int snapshot(struct db *db, struct arena *a, struct team_id team, int64_t id, struct str *ret)
{
    int r = db_one(db, &guardrail_json, a, DB_ARGS(team_arg(team), db_i64(id)),
                   DB_COLS(db_col_text("row", ret)));

    return r == DB_E_NONE ? IDENTITY_E_NONE : db_fatal(r);
}

DB_QUERY(guardrail_note_team, "SELECT note_change('team:' || $1::bigint)")
DB_QUERY(guardrail_note_all, "SELECT note_change('all')")

static int finish(struct db *db, const struct actor *actor, const char *action, struct team_id team,
                  int64_t id, struct str before, struct str after)
{
    struct audit_entry entry = {.team = team, .action = action, .kind = "guardrail", .object_id = id,
                                .before = before, .after = after};
    int r = audit_write(db, actor, &entry);

    if (r)
        return r;
    r = team.v ? db_exec(db, &guardrail_note_team, DB_ARGS(db_i64(team.v)), NULL)
               : db_exec(db, &guardrail_note_all, DB_NO_ARGS, NULL);
    return db_fatal(r);
}

/* Of two who save at once the second counts what the first has made. */
DB_QUERY(guardrail_lock_team, "SELECT id FROM team WHERE id = $1 FOR NO KEY UPDATE")
DB_QUERY(guardrail_lock_installation, "SELECT 1::bigint AS id FROM installation FOR NO KEY UPDATE")

/* $3: the rule that may have the name, and its key though that is deleted. $4, $5: the project or the key. */
DB_QUERY(guardrail_place,
         "SELECT count(*) AS total, count(*) FILTER (WHERE lower(g.name) = lower($2) AND g.id <> $3) AS taken,"
         "       ($4::bigint = 0 OR EXISTS (SELECT FROM project WHERE team_id = $1 AND id = $4)) AS project,"
         "       ($5::bigint = 0 OR EXISTS (SELECT FROM api_key WHERE team_id = $1 AND id = $5"
         "                                                        AND deleted_at IS NULL)"
         "        OR coalesce(bool_or(g.id = $3 AND g.key_id = $5), false)) AS key"
         "  FROM guardrail g WHERE g.team_id IS NOT DISTINCT FROM $1")

static int check_place(struct db *db, struct team_id team, int64_t id,
                       const struct guardrail_settings *s, struct identity_fault *fault)
{
    int64_t locked, total, taken;
    bool project, key;
    int r = team.v ? db_one(db, &guardrail_lock_team, NULL, DB_ARGS(db_i64(team.v)),
                            DB_COLS(db_col_i64("id", &locked)))
                   : db_one(db, &guardrail_lock_installation, NULL, DB_NO_ARGS,
                            DB_COLS(db_col_i64("id", &locked)));

    if (r == 0)
        r = db_one(db, &guardrail_place, NULL,
                   DB_ARGS(team_arg(team), db_text(s->name), db_i64(id), db_i64(s->project.v),
                           db_i64(s->key.v)),
                   DB_COLS(db_col_i64("total", &total), db_col_i64("taken", &taken),
                           db_col_bool("project", &project), db_col_bool("key", &key)));
    if (r != 0)
        return r == DB_E_NONE ? IDENTITY_E_NONE : db_fatal(r);
    if (taken > 0)
        return identity_fault_set(fault, "name", "There is a guardrail of this name already.");
    if (id == 0 && total >= GUARDRAILS_MAX)
        return identity_fault_set(fault, "name", "There are 20 guardrails, and there can be no more.");
    if (!project)
        return identity_fault_set(fault, "project_id", "There is no such project.");
    return key ? 0 : identity_fault_set(fault, "key_id", "There is no such key.");
}

/* $1 to $11: what was chosen. */
DB_QUERY(guardrail_insert,
         "INSERT INTO guardrail (team_id, name, finds, words, patterns, on_request, on_answer, action,"
         "                       project_id, key_id, disabled)"
         " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, nullif($9::bigint, 0), nullif($10::bigint, 0), $11)"
         " RETURNING id")
DB_QUERY(guardrail_update,
         "UPDATE guardrail SET name = $2, finds = $3, words = $4, patterns = $5, on_request = $6,"
         "       on_answer = $7, action = $8, project_id = nullif($9::bigint, 0),"
         "       key_id = nullif($10::bigint, 0), disabled = $11, changed_at = now()"
         " WHERE team_id IS NOT DISTINCT FROM $1 AND id = $12 RETURNING id")
enum { GUARDRAIL_ARGS = 11 };

static int write(struct db *db, struct team_id team, int64_t id, const struct guardrail_settings *s,
                 int64_t *ret_id)
{
    struct str finds[DETECT_KINDS];
    size_t n = 0;

    for (unsigned i = 0; i < DETECT_KINDS; i++)
        if (s->finds & 1u << i)
            finds[n++] = str_c(detect_kinds[i].name);
    const struct db_arg args[GUARDRAIL_ARGS + 1] = {
        team_arg(team),
        db_text(s->name),
        db_texts(finds, n),
        db_texts(s->words, s->n_words),
        db_texts(s->patterns, s->n_patterns),
        db_bool(s->where & GUARD_REQUEST),
        db_bool(s->where & GUARD_ANSWER),
        db_cstr(guard_action_name(s->action)),
        db_i64(s->project.v),
        db_i64(s->key.v),
        db_bool(s->disabled),
        db_i64(id),
    };
    return db_fatal(db_one(db, id ? &guardrail_update : &guardrail_insert, NULL, args,
                           id ? GUARDRAIL_ARGS + 1 : GUARDRAIL_ARGS, DB_COLS(db_col_i64("id", ret_id))));
}

int guardrail_save(struct db *db, struct arena *a, const struct actor *actor, struct team_id team,
                   int64_t id, const struct guardrail_settings *settings, int64_t *ret_id,
                   struct identity_fault *fault)
{
    struct guardrail_settings s = *settings;
    struct str before = STR_NONE, after;
    int64_t made = id;
    int r = guardrail_check(a, &s, fault);

    if (r == 0)
        r = check_place(db, team, id, &s, fault);
    if (r == 0 && id)
        r = snapshot(db, a, team, id, &before);
    if (r == 0)
        r = write(db, team, id, &s, &made);
    if (r == 0)
        r = snapshot(db, a, team, made, &after);
    if (r == 0)
        r = finish(db, actor, id ? "guardrail.change" : "guardrail.create", team, made, before, after);
    if (r != 0)
        return r < 0 ? err_trace(r) : r;
    *ret_id = made;
    return 0;
}

DB_QUERY(guardrail_remove, "DELETE FROM guardrail WHERE team_id IS NOT DISTINCT FROM $1 AND id = $2")

int guardrail_drop(struct db *db, struct arena *a, const struct actor *actor, struct team_id team,
                   int64_t id)
{
    struct str before;
    int r = snapshot(db, a, team, id, &before);

    if (r == 0)
        r = db_fatal(db_exec(db, &guardrail_remove, DB_ARGS(team_arg(team), db_i64(id)), NULL));
    if (r == 0)
        r = finish(db, actor, "guardrail.drop", team, id, before, STR_NONE);
    return r < 0 ? err_trace(r) : r;
}
