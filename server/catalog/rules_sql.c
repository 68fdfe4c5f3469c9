/* rules_sql.c: the rules of models as the database keeps them. Lists come joined by line feeds, which no
 * element holds. */
#include <errno.h>

#include "base/bounds.h"
#include "base/err.h"
#include "catalog/rules.h"
#include "catalog/words.h"
#include "db/rows.h"

/* --- reading --- */

/* $1: a model, or 0; $2: a rule, or 0. */
DB_QUERY(rule_rows,
         "SELECT r.id, r.model_id, r.position, r.name, r.serves_model_id, s.name AS serves,"
         "       s.enabled AS serves_enabled, r.enabled,"
         "       concat_ws(', ',"
         "         (SELECT string_agg('team ' || t.name, ', ' ORDER BY t.id) FROM team t WHERE t.id = ANY (r.team_ids)),"
         "         (SELECT string_agg('project ' || j.name, ', ' ORDER BY j.id) FROM project j"
         "           WHERE j.id = ANY (r.project_ids)),"
         "         (SELECT string_agg('key ' || k.name, ', ' ORDER BY k.id) FROM api_key k"
         "           WHERE k.id = ANY (r.key_ids))) AS places,"
         "       array_to_string(r.team_ids, E'\\n') AS team_ids,"
         "       array_to_string(r.project_ids, E'\\n') AS project_ids,"
         "       array_to_string(r.key_ids, E'\\n') AS key_ids,"
         "       array_to_string(r.tags, E'\\n') AS tags, array_to_string(r.asks, ',') AS asks,"
         "       array_to_string(r.asks_not, ',') AS asks_not,"
         "       coalesce(r.min_input_tokens, 0) AS min_input_tokens,"
         "       coalesce(r.max_input_tokens, 0) AS max_input_tokens,"
         "       coalesce(r.share_percent, 0) AS share_percent, coalesce(r.share_tag, '') AS share_tag"
         "  FROM route_rule r JOIN model s ON s.id = r.serves_model_id"
         " WHERE ($1::bigint = 0 OR r.model_id = $1) AND ($2::bigint = 0 OR r.id = $2)"
         " ORDER BY r.model_id, r.position")

struct rules_read {
    struct arena *a;
    struct rule_row row;
    struct str teams, projects, keys, tags, asks, asks_not;
    struct db_rows rows;
};

static size_t count_lines(struct str joined)
{
    size_t n = joined.n > 0;

    for (size_t i = 0; i < joined.n; i++)
        n += joined.p[i] == '\n';
    return n;
}

static int read_ids(struct arena *a, struct str joined, struct rule_ids *ret)
{
    size_t n = count_lines(joined);
    int64_t *v = arena_array(a, int64_t, n + 1);
    struct str part;

    if (!v)
        return err_origin(-ENOMEM);
    for (size_t i = 0; i < n && str_split(&joined, '\n', &part); i++)
        if (str_i64(part, &v[i]) != STR_OK)
            return err_origin(-EPROTO);
    *ret = (struct rule_ids){v, n};
    return 0;
}

static int read_tags(struct arena *a, struct str joined, struct rule_conditions *when)
{
    size_t n = count_lines(joined);
    struct str *v = arena_array(a, struct str, n + 1);

    if (!v)
        return err_origin(-ENOMEM);
    for (size_t i = 0; i < n && str_split(&joined, '\n', &v[i]); i++)
        ;
    when->tags = v;
    when->n_tags = n;
    return 0;
}

static int row_read(void *ctx)
{
    struct rules_read *t = ctx;
    struct rule_conditions *when = &t->row.is.when;
    int r = read_ids(t->a, t->teams, &when->teams);

    if (r == 0)
        r = read_ids(t->a, t->projects, &when->projects);
    if (r == 0)
        r = read_ids(t->a, t->keys, &when->keys);
    if (r == 0)
        r = read_tags(t->a, t->tags, when);
    when->asks = ability_bits(t->asks);
    when->asks_not = ability_bits(t->asks_not);
    return r ? r : db_rows_push(&t->rows);
}

static int read_rules(struct db *db, struct arena *a, struct model_id model, struct rule_id id,
                      struct rule_row **ret, size_t *ret_n)
{
    struct rules_read t = {.a = a};
    struct rule_row *row = &t.row;
    struct rule_conditions *when = &row->is.when;
    int r;

    t.rows = DB_ROWS(a, row);
    r = db_each(db, &rule_rows, a, DB_ARGS(db_i64(model.v), db_i64(id.v)),
                DB_COLS(db_col_i64("id", &row->id.v), db_col_i64("model_id", &row->model.v),
                        db_col_i64("position", &row->is.position), db_col_text("name", &row->is.name),
                        db_col_i64("serves_model_id", &row->serves.v),
                        db_col_text("serves", &row->is.serves),
                        db_col_bool("serves_enabled", &row->serves_enabled),
                        db_col_bool("enabled", &row->is.enabled), db_col_text("places", &row->places),
                        db_col_text("team_ids", &t.teams), db_col_text("project_ids", &t.projects),
                        db_col_text("key_ids", &t.keys), db_col_text("tags", &t.tags),
                        db_col_text("asks", &t.asks), db_col_text("asks_not", &t.asks_not),
                        db_col_i64("min_input_tokens", &when->min_input_tokens),
                        db_col_i64("max_input_tokens", &when->max_input_tokens),
                        db_col_i32("share_percent", &when->share_percent),
                        db_col_text("share_tag", &when->share_tag)),
                row_read, &t);
    if (r)
        return r;
    *ret = t.rows.v;
    *ret_n = t.rows.n;
    return 0;
}

int rules_all(struct db *db, struct arena *a, struct rule_row **ret, size_t *ret_n)
{
    return read_rules(db, a, (struct model_id){0}, (struct rule_id){0}, ret, ret_n);
}

int rule_list(struct db *db, struct arena *a, struct model_id model, struct rule_row **ret, size_t *ret_n)
{
    int r;

    *ret = NULL;
    *ret_n = 0;
    r = model.v > 0 ? read_rules(db, a, model, (struct rule_id){0}, ret, ret_n) : 0;
    return r ? err_trace(db_fatal(r)) : CHANGE_OK;
}

int rule_get(struct db *db, struct arena *a, struct rule_id id, struct rule_row *ret)
{
    struct rule_row *rows = NULL;
    size_t n = 0;
    int r = id.v > 0 ? read_rules(db, a, (struct model_id){0}, id, &rows, &n) : 0;

    if (r)
        return err_trace(db_fatal(r));
    if (!n)
        return CHANGE_E_NONE;
    *ret = rows[0];
    return CHANGE_OK;
}

/* --- what only the database knows of a draft --- */

/* Of two who change a model's rules at once the second sees what the first has made. */
DB_QUERY(rule_lock_model, "SELECT kind FROM model WHERE id = $1 FOR NO KEY UPDATE")

/* $1: the model, $2: the rule that may have the name, $3: the name, $4: who serves. */
DB_QUERY(rule_place,
         "SELECT coalesce((SELECT s.id FROM model s WHERE s.name = $4), 0) AS serves,"
         "       coalesce((SELECT s.kind FROM model s WHERE s.name = $4), '') AS kind,"
         "       (SELECT count(*) FROM route_rule WHERE model_id = $1) AS total,"
         "       EXISTS (SELECT FROM route_rule WHERE model_id = $1 AND id <> $2"
         "                                        AND lower(name) = lower($3)) AS taken,"
         "       (SELECT count(*) FROM team WHERE id = ANY ($5)) AS teams,"
         "       (SELECT count(*) FROM project WHERE id = ANY ($6)) AS projects,"
         "       (SELECT count(*) FROM api_key WHERE id = ANY ($7)) AS keys")

struct place {
    struct str kind, serves_kind;
    struct model_id serves;
    int64_t total, teams, projects, keys;
    bool taken;
};

static int read_place(struct db *db, struct arena *a, struct model_id model, struct rule_id id,
                      const struct rule_draft *d, struct place *ret)
{
    const struct rule_conditions *w = &d->when;
    int r = db_one(db, &rule_lock_model, a, DB_ARGS(db_i64(model.v)), DB_COLS(db_col_text("kind", &ret->kind)));

    if (r == DB_E_NONE)
        return CHANGE_E_NONE;
    if (r == 0)
        r = db_one(db, &rule_place, a,
                   DB_ARGS(db_i64(model.v), db_i64(id.v), db_text(d->name), db_text(d->serves),
                           db_i64s(w->teams.v, w->teams.n), db_i64s(w->projects.v, w->projects.n),
                           db_i64s(w->keys.v, w->keys.n)),
                   DB_COLS(db_col_i64("serves", &ret->serves.v), db_col_text("kind", &ret->serves_kind),
                           db_col_i64("total", &ret->total), db_col_bool("taken", &ret->taken),
                           db_col_i64("teams", &ret->teams), db_col_i64("projects", &ret->projects),
                           db_col_i64("keys", &ret->keys)));
    return r ? err_trace(db_fatal(r)) : CHANGE_OK;
}

static int check_place(const struct place *p, struct model_id model, struct rule_id id,
                       const struct rule_draft *d, struct identity_fault *fault)
{
    const struct rule_conditions *w = &d->when;

    if (p->taken)
        return identity_fault_set(fault, "name", "The model has a rule of this name already.");
    if (!id.v && p->total >= RULES_MAX)
        return identity_fault_set(fault, "name", "The model has 50 rules, and there can be no more.");
    if (!p->serves.v)
        return identity_fault_set(fault, "serves", "There is no model of this name.");
    if (p->serves.v == model.v)
        return identity_fault_set(fault, "serves", "The model serves by itself where no rule holds: choose another.");
    if (!str_eq(p->kind, p->serves_kind))
        return identity_fault_set(fault, "serves", "That model is of another kind.");
    if (p->teams != (int64_t)w->teams.n)
        return identity_fault_set(fault, "team_ids", "There is no such team.");
    if (p->projects != (int64_t)w->projects.n)
        return identity_fault_set(fault, "project_ids", "There is no such project.");
    if (p->keys != (int64_t)w->keys.n)
        return identity_fault_set(fault, "key_ids", "There is no such key.");
    return CHANGE_OK;
}

/* --- changing --- */

DB_QUERY(rule_json, "SELECT to_jsonb(r)::text AS json FROM route_rule r WHERE r.id = $1 FOR UPDATE")

static int rule_see(struct db *db, struct arena *a, struct rule_id id, struct str *ret)
{
    int r = db_one(db, &rule_json, a, DB_ARGS(db_i64(id.v)), DB_COLS(db_col_text("json", ret)));

    if (r == DB_E_NONE)
        return CHANGE_E_NONE;
    return r ? err_trace(db_fatal(r)) : CHANGE_OK;
}

/* The rules of $1 from 1 on without gaps, with the rule $2 in the place $3. */
DB_QUERY(rule_order,
         "WITH placed AS ("
         "       SELECT r.id, row_number() OVER (ORDER BY r.position) AS place"
         "         FROM route_rule r WHERE r.model_id = $1 AND r.id <> $2),"
         "     moved AS ("
         "       SELECT id, place + (place >= $3::bigint)::int AS place FROM placed"
         "        UNION ALL"
         "       SELECT r.id, least($3::bigint, (SELECT count(*) FROM placed) + 1)"
         "         FROM route_rule r WHERE r.id = $2)"
         "UPDATE route_rule r SET position = m.place FROM moved m"
         " WHERE m.id = r.id AND r.position <> m.place")

static int put_in_order(struct db *db, struct model_id model, struct rule_id id, int64_t position)
{
    int64_t place = position >= 1 && position <= RULES_MAX ? position : RULES_MAX + 1;
    int r = db_exec(db, &rule_order, DB_ARGS(db_i64(model.v), db_i64(id.v), db_i64(place)), NULL);

    return r ? err_trace(db_fatal(r)) : CHANGE_OK;
}

DB_QUERY(rule_insert,
         "INSERT INTO route_rule (name, serves_model_id, enabled, team_ids, project_ids, key_ids, tags, asks,"
         "                        asks_not, min_input_tokens, max_input_tokens, share_percent, share_tag,"
         "                        model_id, position)"
         "VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, nullif($10::bigint, 0), nullif($11::bigint, 0),"
         "        nullif($12::integer, 0), nullif($13, ''), $14,"
         "        (SELECT coalesce(max(position), 0) + 1 FROM route_rule WHERE model_id = $14)) "
         "RETURNING id")
DB_QUERY(rule_update,
         "UPDATE route_rule SET name = $1, serves_model_id = $2, enabled = $3, team_ids = $4,"
         "       project_ids = $5, key_ids = $6, tags = $7, asks = $8, asks_not = $9,"
         "       min_input_tokens = nullif($10::bigint, 0), max_input_tokens = nullif($11::bigint, 0),"
         "       share_percent = nullif($12::integer, 0), share_tag = nullif($13, ''), changed_at = now()"
         " WHERE id = $14 RETURNING id")

/* owner: the model of a new rule, or the rule that is changed. */
static int write_row(struct db *db, struct db_query *q, const struct rule_draft *d, struct model_id serves,
                     int64_t owner, struct rule_id *ret)
{
    const struct rule_conditions *w = &d->when;
    struct str asks[ABILITIES], asks_not[ABILITIES];
    size_t n_asks = ability_words(w->asks, asks), n_not = ability_words(w->asks_not, asks_not);
    int r = db_one(db, q, NULL,
                   DB_ARGS(db_text(d->name), db_i64(serves.v), db_bool(d->enabled),
                           db_i64s(w->teams.v, w->teams.n), db_i64s(w->projects.v, w->projects.n),
                           db_i64s(w->keys.v, w->keys.n), db_texts(w->tags, w->n_tags),
                           db_texts(asks, n_asks), db_texts(asks_not, n_not), db_i64(w->min_input_tokens),
                           db_i64(w->max_input_tokens), db_i32(w->share_percent), db_text(w->share_tag),
                           db_i64(owner)),
                   DB_COLS(db_col_i64("id", &ret->v)));

    return r ? err_trace(db_fatal(r)) : CHANGE_OK;
}

static int changed(struct db *db, const struct actor *actor, struct arena *a, struct rule_id id,
                   struct change *change)
{
    int r = rule_see(db, a, id, &change->after);

    if (r)
        return r;
    change->kind = "rule";
    change->object_id = id.v;
    return change_record(db, actor, change);
}

int rule_add(struct db *db, const struct actor *actor, struct model_id model, const struct rule_draft *d,
             struct rule_id *ret, struct identity_fault *fault)
{
    _cleanup_(arena_freep) struct arena *a = arena_new(KIB(256));
    struct change change = {.action = "rule.add"};
    struct place place = {.total = 0};
    struct rule_id id = {0};
    int r;

    if (!a)
        return err_origin(-ENOMEM);
    r = rule_draft_check(d, fault);
    if (r == 0)
        r = read_place(db, a, model, id, d, &place);
    if (r == 0)
        r = check_place(&place, model, id, d, fault);
    if (r == 0)
        r = write_row(db, &rule_insert, d, place.serves, model.v, &id);
    if (r == 0)
        r = put_in_order(db, model, id, d->position);
    if (r == 0)
        r = changed(db, actor, a, id, &change);
    if (r == 0)
        *ret = id;
    return r;
}

int rule_edit(struct db *db, const struct actor *actor, struct rule_id id, const struct rule_draft *d,
              struct identity_fault *fault)
{
    _cleanup_(arena_freep) struct arena *a = arena_new(KIB(256));
    struct change change = {.action = "rule.edit"};
    struct place place = {.total = 0};
    struct rule_row row;
    int r;

    if (!a)
        return err_origin(-ENOMEM);
    r = rule_draft_check(d, fault);
    if (r == 0)
        r = rule_get(db, a, id, &row);
    if (r == 0)
        r = read_place(db, a, row.model, id, d, &place);
    if (r == 0)
        r = rule_see(db, a, id, &change.before);
    if (r == 0)
        r = check_place(&place, row.model, id, d, fault);
    if (r == 0)
        r = write_row(db, &rule_update, d, place.serves, id.v, &id);
    if (r == 0)
        r = put_in_order(db, row.model, id, d->position);
    return r ? r : changed(db, actor, a, id, &change);
}

DB_QUERY(rule_drop, "DELETE FROM route_rule WHERE id = $1")

int rule_delete(struct db *db, const struct actor *actor, struct rule_id id)
{
    _cleanup_(arena_freep) struct arena *a = arena_new(KIB(256));
    struct change change = {.action = "rule.delete", .kind = "rule", .object_id = id.v};
    struct str kind;
    struct rule_row row;
    int r;

    if (!a)
        return err_origin(-ENOMEM);
    r = rule_get(db, a, id, &row);
    if (r)
        return r;
    r = db_fatal(db_one(db, &rule_lock_model, a, DB_ARGS(db_i64(row.model.v)), DB_COLS(db_col_text("kind", &kind))));
    if (r == 0)
        r = rule_see(db, a, id, &change.before);
    if (r == 0)
        r = db_fatal(db_exec(db, &rule_drop, DB_ARGS(db_i64(id.v)), NULL));
    if (r == 0)
        r = put_in_order(db, row.model, id, 0);
    return r ? r : change_record(db, actor, &change);
}
