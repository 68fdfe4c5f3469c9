/* migrate.c: applying the files of migrations/ in order, once each.
 *
 * The table `migration` is the runner's own and older than the first file. The advisory lock makes
 * replicas that start together wait for one another; the limits of ordinary connections (lock and
 * statement time) do not hold here, since building an index takes as long as it takes. */
#include "db/migrate.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>

#include "base/bounds.h"
#include "base/err.h"
#include "base/failpoint.h"
#include "base/log.h"
#include "db/conn.h"
#include "db/tx.h"

/* "migr" as a number. */
#define MIGRATE_LOCK_SQL "SELECT pg_advisory_lock(1835624306)"

struct migration {
    int32_t version;
    const char *name, *text;
    struct digest digest;
};

/* The directory's files, in order. */
struct plan {
    struct arena *arena;
    struct migration *files;
    size_t n;
};

DB_QUERY(migration_list, "SELECT version, digest FROM migration ORDER BY version");
DB_QUERY(migration_exists,
         "SELECT coalesce(has_table_privilege(to_regclass('public.migration'), 'SELECT'), false)"
         "       AS found");
DB_QUERY(migration_add, "INSERT INTO migration (version, name, digest) VALUES ($1, $2, $3)");
DB_QUERY(migration_role,
         "SELECT r.rolsuper OR r.rolbypassrls OR pg_has_role('tollgate_money', 'MEMBER')"
         "       OR NOT pg_has_role('tollgate_app', 'USAGE') AS unfit"
         "  FROM pg_roles r WHERE r.rolname = current_user");

static const char *const outcome_texts[] = {
    [MIGRATE_OK] = "the database is up to date",
    [MIGRATE_E_CHANGED] = "a migration that was already applied has been changed since; restore "
                          "the file as it was released",
    [MIGRATE_E_NEWER] = "the database was migrated by a newer version; run that version or newer",
    [MIGRATE_E_GAP] = "the files in the migrations directory do not count 0001, 0002, ...",
    [MIGRATE_E_AWAY] = "the database cannot be reached",
    [MIGRATE_E_BEHIND] = "the database is older than this version; run `tollgate migrate` with "
                         "DATABASE_OWNER_URL set",
    [MIGRATE_E_ROLE] = "DATABASE_URL must name a role with the rights of tollgate_app and no more: "
                       "no superuser, no BYPASSRLS, no member of tollgate_money",
    [MIGRATE_E_FAILED] = "a migration failed; nothing of it was kept",
};

const char *migrate_outcome_text(int outcome)
{
    if (outcome < 0 || (size_t)outcome >= ARRAY_LEN(outcome_texts))
        return "the migration stopped for an internal reason; see the lines above";
    return outcome_texts[outcome];
}

/* "0042_name.sql" -> 42; 0: not a migration's name. */
static int32_t file_version(const char *name)
{
    uint32_t v = 0;
    struct str s = str_c(name);

    if (s.n < 10 || s.p[4] != '_' || !str_ends(s, STR(".sql")) ||
        str_u32(str_n(s.p, 4), &v) != STR_OK)
        return 0;
    return (int32_t)v;
}

static int is_sql(const struct dirent *e)
{
    return str_ends(str_c(e->d_name), STR(".sql"));
}

/* The file's bytes with a NUL behind them; files with a NUL inside are refused. */
static int file_text(struct arena *a, FILE *f, struct str *ret)
{
    if (fseek(f, 0, SEEK_END) != 0)
        return err_origin(-errno);
    long size = ftell(f);

    if (size < 0 || (size_t)size > BOUND_MIGRATION_BYTES)
        return err_origin(-EFBIG);
    rewind(f);
    char *text = arena_alloc(a, (size_t)size + 1);

    if (!text)
        return err_origin(-ENOMEM);
    if (fread(text, 1, (size_t)size, f) != (size_t)size || memchr(text, 0, (size_t)size))
        return err_origin(-EIO);
    *ret = str_n(text, (size_t)size);
    return 0;
}

static int file_read(struct plan *plan, const char *directory, const char *name)
{
    struct migration *m = &plan->files[plan->n];
    struct str path = arena_strf(plan->arena, "%s/%s", directory, name);
    FILE *f = path.p ? fopen(path.p, "re") : NULL;
    struct str text;

    if (!f)
        return err_origin(path.p ? -errno : -ENOMEM);
    int r = file_text(plan->arena, f, &text);

    fclose(f);
    if (r < 0)
        return err_trace(r);
    m->version = file_version(name);
    m->name = arena_cstr(plan->arena, str_c(name));
    m->text = text.p;
    m->digest = digest_plain(text);
    plan->n++;
    return m->name ? 0 : err_origin(-ENOMEM);
}

static int plan_fill(struct plan *plan, const char *directory, struct dirent **entries, int n)
{
    if (n > (int)BOUND_MIGRATIONS)
        return err_origin(-E2BIG);
    plan->files = arena_array(plan->arena, struct migration, (size_t)n + 1);
    if (!plan->files)
        return err_origin(-ENOMEM);
    for (int i = 0; i < n; i++) {
        if (file_version(entries[i]->d_name) != i + 1) {
            log_error("migration_gap", "file=%s wanted=%04d",
                      log_str(str_c(entries[i]->d_name)), i + 1);
            return MIGRATE_E_GAP;
        }
        int r = file_read(plan, directory, entries[i]->d_name);
        if (r < 0)
            return err_trace(r);
    }
    return 0;
}

static int plan_read(struct plan *plan, const char *directory)
{
    struct dirent **entries = NULL;
    int n = scandir(directory, &entries, is_sql, alphasort);

    if (n < 0) {
        log_error("migrations_missing", "directory=%s", log_str(str_c(directory)));
        return err_origin(-errno);
    }
    int r = plan_fill(plan, directory, entries, n);

    for (int i = 0; i < n; i++)
        free(entries[i]);
    free(entries);
    return r;
}

/* Compares what the database says was applied with the files; *applied counts up. */
struct comparison {
    const struct plan *plan;
    size_t applied;
    int32_t version;
    struct digest digest;
    int outcome;
};

static int compare_row(void *ctx)
{
    struct comparison *c = ctx;

    if (c->applied >= c->plan->n) {
        c->outcome = MIGRATE_E_NEWER;
        return 1;
    }
    const struct migration *m = &c->plan->files[c->applied];

    if (c->version != m->version || !digest_eq(&c->digest, &m->digest)) {
        log_error("migration_changed", "file=%s", m->name);
        c->outcome = MIGRATE_E_CHANGED;
        return 1;
    }
    c->applied++;
    return 0;
}

static int compare(struct db *db, const struct plan *plan, size_t *ret_applied)
{
    struct comparison c = {.plan = plan};
    int r = db_each(db, &migration_list, NULL, DB_NO_ARGS,
                    DB_COLS(db_col_i32("version", &c.version), db_col_digest("digest", &c.digest)),
                    compare_row, &c);

    if (r != 0)
        return r < 0 ? err_trace(r) : MIGRATE_E_AWAY;
    *ret_applied = c.applied;
    return c.outcome;
}

/* The line of the text on which its nth character stands. */
static unsigned line_of(const char *text, int position)
{
    unsigned line = 1;

    for (int at = 1; *text && at < position; text++) {
        if (*text == '\n')
            line++;
        if (((unsigned char)*text & 0xc0) != 0x80)
            at++;
    }
    return line;
}

static int apply_in_tx(struct db *db, const struct migration *m)
{
    int r = conn_text(db, m->name, m->text);

    if (r != 0)
        return r;
    return db_exec(db, &migration_add,
                   DB_ARGS(db_i32(m->version), db_cstr(m->name), db_digest(&m->digest)), NULL);
}

static int apply(struct db *db, const struct migration *m)
{
    int r = db_begin(db, DB_SYSTEM, false);

    if (r == 0)
        r = apply_in_tx(db, m);
    if (r == 0)
        r = failpoint_hit("migrate.apply");
    if (r == 0)
        r = db_commit(db);
    if (r == 0) {
        (void)failpoint_hit("migrate.applied");
        log_info("migration_applied", "file=%s", m->name);
        return 0;
    }
    log_error("migration_failed", "file=%s line=%u error=%s", m->name,
              line_of(m->text, db->position), log_str(str_c(db->error)));
    db_rollback(db);
    return r == DB_E_AWAY ? MIGRATE_E_AWAY : MIGRATE_E_FAILED;
}

static int run_locked(struct db *db, const struct plan *plan, unsigned *ret_applied)
{
    size_t done = 0;
    int r = db_script(db, "CREATE TABLE IF NOT EXISTS migration ("
                          " version integer PRIMARY KEY, name text NOT NULL,"
                          " digest bytea NOT NULL, applied_at timestamptz NOT NULL DEFAULT now());"
                          "COMMENT ON TABLE migration IS 'Which files of migrations/ were applied, "
                          "and the digest of their bytes.'");

    if (r != 0)
        return r == DB_E_AWAY ? MIGRATE_E_AWAY : MIGRATE_E_FAILED;
    r = compare(db, plan, &done);
    for (size_t i = done; r == 0 && i < plan->n; i++) {
        r = apply(db, &plan->files[i]);
        if (r == 0)
            (*ret_applied)++;
    }
    return r < 0 ? err_trace(r) : r;
}

static void close_db(struct db **db)
{
    db_close(*db);
}

static int run_plan(const char *owner_conninfo, const struct plan *plan, unsigned *ret_applied)
{
    _cleanup_(close_db) struct db *db = NULL;
    int r = db_open(owner_conninfo, "tollgate migrate", &db);

    if (r == 0)
        r = db_limit(db, 0, 0);
    if (r == 0)
        r = db_script(db, MIGRATE_LOCK_SQL);
    if (r != 0)
        return r < 0 ? err_trace(r) : MIGRATE_E_AWAY;
    r = run_locked(db, plan, ret_applied); /* the lock ends with the connection */
    return r < 0 ? err_trace(r) : r;
}

int migrate_run(const char *owner_conninfo, const char *directory, unsigned *ret_applied)
{
    _cleanup_(arena_freep) struct arena *a = arena_new(BOUND_MIGRATIONS_BYTES);
    struct plan plan = {.arena = a};
    unsigned applied = 0;

    if (!a)
        return err_origin(-ENOMEM);
    int r = plan_read(&plan, directory);

    if (r == 0)
        r = run_plan(owner_conninfo, &plan, &applied);
    if (r < 0)
        return err_trace(r);
    *ret_applied = applied;
    return r;
}

int migrate_check(struct db *db, const char *directory)
{
    _cleanup_(arena_freep) struct arena *a = arena_new(BOUND_MIGRATIONS_BYTES);
    struct plan plan = {.arena = a};
    bool exists = false, unfit = true;
    size_t applied = 0;

    if (!a)
        return err_origin(-ENOMEM);
    int r = plan_read(&plan, directory);

    if (r != 0)
        return r < 0 ? err_trace(r) : r;
    r = db_one(db, &migration_exists, NULL, DB_NO_ARGS, DB_COLS(db_col_bool("found", &exists)));
    if (r == 0 && !exists)
        return MIGRATE_E_BEHIND;
    if (r == 0)
        r = db_one(db, &migration_role, NULL, DB_NO_ARGS, DB_COLS(db_col_bool("unfit", &unfit)));
    if (r != 0)
        return r < 0 ? err_trace(r) : MIGRATE_E_AWAY;
    if (unfit)
        return MIGRATE_E_ROLE;
    r = compare(db, &plan, &applied);
    if (r != 0)
        return r < 0 ? err_trace(r) : r;
    return applied < plan.n ? MIGRATE_E_BEHIND : MIGRATE_OK;
}

/* Value of a keyword in a conninfo, or NULL. */
static const char *option(const PQconninfoOption *options, const char *keyword)
{
    for (const PQconninfoOption *o = options; o && o->keyword; o++) {
        if (strcmp(o->keyword, keyword) == 0)
            return o->val;
    }
    return NULL;
}

/* The password goes out as its SCRAM verifier (digits, letters and $ : + / = only), so that it
 * stands neither in the server's log nor in SQL. */
static int set_password(struct db *owner, const char *password)
{
    char sql[512];
    char *verifier = PQencryptPasswordConn(owner->conn, password, "tollgate_app", "scram-sha-256");

    if (!verifier)
        return err_origin(-ENOMEM);
    snprintf(sql, sizeof(sql), "ALTER ROLE tollgate_app LOGIN PASSWORD '%s'", verifier);
    PQfreemem(verifier);
    int r = db_script(owner, sql);

    return r < 0 ? err_trace(r) : r;
}

static int app_login(const char *owner_conninfo, const char *password)
{
    _cleanup_(close_db) struct db *owner = NULL;
    int r = db_open(owner_conninfo, "tollgate migrate", &owner);

    if (r == 0)
        r = set_password(owner, password);
    if (r != 0)
        return r < 0 ? err_trace(r) : MIGRATE_E_AWAY;
    log_info("app_password_set", "role=tollgate_app");
    return 0;
}

int migrate_app_login(const char *owner_conninfo, const char *app_conninfo)
{
    _cleanup_(close_db) struct db *app = NULL;
    int r = db_open(app_conninfo, "tollgate migrate", &app);

    if (r <= 0)
        return r < 0 ? err_trace(r) : 0;
    PQconninfoOption *options = PQconninfoParse(app_conninfo, NULL);
    const char *user = option(options, "user");
    const char *password = option(options, "password");

    r = MIGRATE_E_AWAY;
    if (user && password && strcmp(user, "tollgate_app") == 0)
        r = app_login(owner_conninfo, password);
    PQconninfoFree(options);
    return r < 0 ? err_trace(r) : r;
}
