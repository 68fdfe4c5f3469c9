/* project_sql.c: projects as the database keeps them. */
#include "identity/project.h"

#include "base/bounds.h"
#include "base/err.h"
#include "db/rows.h"
#include "identity/field.h"

DB_QUERY(project_rows,
         "SELECT p.id, p.name, p.archived_at IS NOT NULL AS archived, p.created_at,"
         "       (SELECT count(*) FROM api_key k WHERE k.team_id = $1 AND k.project_id = p.id"
         "                                         AND k.deleted_at IS NULL) AS keys"
         "  FROM project p WHERE p.team_id = $1"
         " ORDER BY p.archived_at IS NOT NULL, lower(p.name), p.id LIMIT $2")

int project_list(struct db *db, struct arena *a, struct team_id team, struct project_page *ret)
{
    struct project row = {0};
    struct db_rows rows = DB_ROWS(a, &row);
    int r = db_each(db, &project_rows, a, DB_ARGS(db_i64(team.v), db_i32(BOUND_PROJECTS_PER_TEAM)),
                    DB_COLS(db_col_i64("id", &row.id.v), db_col_text("name", &row.name),
                            db_col_bool("archived", &row.archived),
                            db_col_time_us("created_at", &row.created_at_us),
                            db_col_i64("keys", &row.key_count)),
                    db_rows_push, &rows);

    if (r != 0)
        return err_trace(db_fatal(r));
    *ret = (struct project_page){rows.v, rows.n};
    return 0;
}

DB_QUERY(project_json,
         "SELECT to_jsonb(p)::text AS row FROM project p WHERE team_id = $1 AND id = $2 FOR UPDATE")

static int snapshot(struct db *db, struct arena *a, struct team_id team, struct project_id id,
                    struct str *ret)
{
    int r = db_one(db, &project_json, a, DB_ARGS(db_i64(team.v), db_i64(id.v)),
                   DB_COLS(db_col_text("row", ret)));

    return r == DB_E_NONE ? IDENTITY_E_NONE : db_fatal(r);
}

static int audit_project(struct db *db, struct arena *a, const struct actor *actor,
                         const char *action, struct team_id team, struct project_id id,
                         struct str before)
{
    struct audit_entry entry = {
        .team = team, .action = action, .kind = "project", .object_id = id.v, .before = before};
    int r = snapshot(db, a, team, id, &entry.after);

    return r == 0 ? audit_write(db, actor, &entry) : r;
}

/* $3: the project that may have the name. */
DB_QUERY(project_taken,
         "SELECT count(*) AS total, count(*) FILTER (WHERE lower(name) = lower($2) AND id <> $3"
         "                                             AND archived_at IS NULL) AS taken"
         "  FROM project WHERE team_id = $1")

static int check_name(struct db *db, struct team_id team, struct project_id id, struct str *name,
                      struct identity_fault *fault)
{
    int64_t total, taken;
    int r = field_line(name, "name", 1, PROJECT_NAME_MAX, fault);

    if (r != 0)
        return r;
    r = db_one(db, &project_taken, NULL, DB_ARGS(db_i64(team.v), db_text(*name), db_i64(id.v)),
               DB_COLS(db_col_i64("total", &total), db_col_i64("taken", &taken)));
    if (r != 0)
        return db_fatal(r);
    if (taken > 0)
        return identity_fault_set(fault, "name", "There is a project with this name.");
    if (id.v == 0 && total >= BOUND_PROJECTS_PER_TEAM)
        return identity_fault_set(fault, "name", "A team has at most 500 projects.");
    return 0;
}

DB_QUERY(project_add, "INSERT INTO project (team_id, name) VALUES ($1, $2)"
                      " ON CONFLICT DO NOTHING RETURNING id")

int project_create(struct db *db, struct arena *a, const struct actor *actor, struct team_id team,
                   struct str name, struct project_id *ret, struct identity_fault *fault)
{
    struct project_id id = {0};
    int r = check_name(db, team, id, &name, fault);

    if (r != 0)
        return r < 0 ? err_trace(r) : r;
    r = db_one(db, &project_add, NULL, DB_ARGS(db_i64(team.v), db_text(name)),
               DB_COLS(db_col_i64("id", &id.v)));
    if (r == DB_E_NONE) /* made by somebody else since we looked */
        return identity_fault_set(fault, "name", "There is a project with this name.");
    r = db_fatal(r);
    if (r == 0)
        r = audit_project(db, a, actor, "project.create", team, id, STR_NONE);
    if (r != 0)
        return err_trace(r);
    *ret = id;
    return 0;
}

DB_QUERY(project_set_name, "UPDATE project SET name = $3 WHERE team_id = $1 AND id = $2")

int project_rename(struct db *db, struct arena *a, const struct actor *actor, struct team_id team,
                   struct project_id id, struct str name, struct identity_fault *fault)
{
    struct str before;
    int r = snapshot(db, a, team, id, &before);

    if (r == 0)
        r = check_name(db, team, id, &name, fault);
    if (r == 0)
        r = db_fatal(db_exec(db, &project_set_name,
                             DB_ARGS(db_i64(team.v), db_i64(id.v), db_text(name)), NULL));
    if (r == 0)
        r = audit_project(db, a, actor, "project.rename", team, id, before);
    return r < 0 ? err_trace(r) : r;
}

DB_QUERY(project_hide, "UPDATE project SET archived_at = coalesce(archived_at, now())"
                       " WHERE team_id = $1 AND id = $2")

int project_archive(struct db *db, struct arena *a, const struct actor *actor, struct team_id team,
                    struct project_id id)
{
    struct str before;
    int r = snapshot(db, a, team, id, &before);

    if (r == 0)
        r = db_fatal(db_exec(db, &project_hide, DB_ARGS(db_i64(team.v), db_i64(id.v)), NULL));
    if (r == 0)
        r = audit_project(db, a, actor, "project.archive", team, id, before);
    return r < 0 ? err_trace(r) : r;
}
