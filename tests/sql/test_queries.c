/* The SQL test: every registered query against the migrated database.
 *
 * Each one is prepared as the application role, and planned (EXPLAIN), which also checks that this
 * role may touch the tables and call the functions it names. Then the C is read: where a call
 * spells out its DB_ARGS(db_...) and DB_COLS(db_col_...("name", ...)), their number and names must
 * be what the server described. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <ctype.h>

#include <cmocka.h>

#include "base/bounds.h"
#include "base/log.h"
#include "db/tx.h"
#include "pg_fixture.h"

static struct pg_fixture pg;
static struct db *db;
static struct arena *arena;

static int setup(void **state)
{
    pg_fixture_start(&pg);
    arena = arena_new(MIB(64));
    assert_int_equal(db_open(pg.app_conninfo, "test", &db), 0);
    /* A plan for given NULLs would fold away what it is to check. */
    assert_int_equal(db_script(db, "SET plan_cache_mode = force_generic_plan"), 0);
    return 0;
}

static int teardown(void **state)
{
    db_close(db);
    arena_free(arena);
    pg_fixture_stop(&pg);
    return 0;
}

/* "../server/db/tx.c" as the compiler was told, from the source tree. */
static const char *source_of(const struct db_query *q)
{
    const char *file = q->file;

    while (strncmp(file, "../", 3) == 0)
        file += 3;
    return file;
}

/* What only the owner runs. */
static bool is_owners(const struct db_query *q)
{
    return strcmp(q->name, "migration_add") == 0;
}

static int complain(const struct db_query *q, const char *what)
{
    fprintf(stderr, "%s: %s: %s\n", source_of(q), q->name, what);
    return 1;
}

static void every_query_prepares(void **state)
{
    int failures = 0;

    for (const struct db_query *q = db_query_first(); q; q = q->next_) {
        struct db_shape shape;
        if (db_describe(db, q, arena, &shape) != 0)
            failures += complain(q, db_last_error(db));
    }
    assert_int_equal(failures, 0);
}

static bool may_run(const struct db_query *q, unsigned n_args)
{
    struct buf sql;

    buf_init(&sql, KIB(4));
    buf_printf(&sql, "EXPLAIN EXECUTE q%u", q->index_);
    for (unsigned i = 0; i < n_args; i++)
        buf_puts(&sql, i == 0 ? "(NULL" : ", NULL");
    if (n_args > 0)
        buf_puts(&sql, ")");
    buf_putc(&sql, '\0');
    assert_int_equal(buf_finish(&sql), 0);
    int r = db_script(db, sql.p);

    buf_done(&sql);
    return r == 0;
}

static void the_app_role_may_run_every_query(void **state)
{
    int failures = 0;

    for (const struct db_query *q = db_query_first(); q; q = q->next_) {
        struct db_shape shape;
        if (is_owners(q) || db_describe(db, q, arena, &shape) != 0)
            continue;
        if (!may_run(q, shape.n_args))
            failures += complain(q, db_last_error(db));
    }
    assert_int_equal(failures, 0);
}

/* Past the parenthesis that closes the one p stands on, minding strings and characters. */
static const char *past_close(const char *p)
{
    int depth = 0;

    for (; *p; p++) {
        if (*p == '"' || *p == '\'') {
            char quote = *p;
            for (p++; *p && *p != quote; p++) {
                if (*p == '\\')
                    p++;
            }
        } else if (*p == '(') {
            depth++;
        } else if (*p == ')' && --depth == 0) {
            return p + 1;
        }
        if (!*p)
            break;
    }
    return p;
}

/* Arguments between the parentheses at p, or -1 when one of them is not spelt as db_...(...). */
static int count_args(const char *p)
{
    const char *end = past_close(p) - 1;
    int n = 0;

    for (p++; p < end; n++) {
        while (isspace((unsigned char)*p))
            p++;
        if (strncmp(p, "db_", 3) != 0)
            return -1;
        while (p < end && *p != '(')
            p++;
        p = past_close(p);
        while (p < end && isspace((unsigned char)*p))
            p++;
        if (p < end && *p++ != ',')
            return -1;
    }
    return n;
}

static int check_args(const struct db_query *q, const struct db_shape *shape, const char *p,
                      const char *end)
{
    const char *args = strstr(p, "DB_ARGS("), *none = strstr(p, "DB_NO_ARGS");
    char what[96];
    int n;

    if (args && args < end)
        n = count_args(args + strlen("DB_ARGS"));
    else if (none && none < end)
        n = 0;
    else
        return 0;
    if (n < 0 || n == (int)shape->n_args)
        return 0;
    snprintf(what, sizeof(what), "%d arguments given, %u wanted", n, shape->n_args);
    return complain(q, what);
}

static int check_cols(const struct db_query *q, const struct db_shape *shape, const char *p,
                      const char *end)
{
    int failures = 0;
    char name[64], what[128];

    for (p = strstr(p, "db_col_"); p && p < end; p = strstr(p + 1, "db_col_")) {
        bool found = false;
        if (sscanf(p, "db_col_%*[a-z0-9_](\"%63[^\"]\"", name) != 1)
            continue;
        for (unsigned i = 0; i < shape->n_cols; i++)
            found = found || strcmp(shape->col_names[i], name) == 0;
        if (!found) {
            snprintf(what, sizeof(what), "no column %s in the result", name);
            failures += complain(q, what);
        }
    }
    return failures;
}

/* Every db_exec, db_one, db_each, db_stream that names the query. */
static int check_calls(const struct db_query *q, const struct db_shape *shape, const char *text)
{
    static const char *const calls[] = {"db_exec(", "db_one(", "db_each(", "db_stream("};
    size_t n = strlen(q->name);
    int failures = 0;

    for (size_t i = 0; i < ARRAY_LEN(calls); i++) {
        for (const char *p = strstr(text, calls[i]); p; p = strstr(p + 1, calls[i])) {
            const char *end = past_close(p + strlen(calls[i]) - 1);
            const char *name = strchr(p, '&');
            if (!name || name > end || strncmp(name + 1, q->name, n) != 0 || name[n + 1] != ',')
                continue;
            failures += check_args(q, shape, p, end);
            failures += check_cols(q, shape, p, end);
        }
    }
    return failures;
}

static const char *read_source(const char *path)
{
    char *text = arena_alloc(arena, KIB(64) + 1);
    FILE *f = fopen(path, "re");

    if (!f || !text)
        return NULL;
    size_t n = fread(text, 1, KIB(64), f);

    fclose(f);
    return n < KIB(64) ? text : NULL;
}

static void call_sites_fit_their_queries(void **state)
{
    const char *path = "", *text = NULL;
    int failures = 0;

    for (const struct db_query *q = db_query_first(); q; q = q->next_) {
        struct db_shape shape;
        if (strcmp(path, source_of(q)) != 0) {
            path = source_of(q);
            text = read_source(path);
        }
        if (!text)
            failures += complain(q, "cannot read its source");
        else if (db_describe(db, q, arena, &shape) == 0)
            failures += check_calls(q, &shape, text);
    }
    assert_int_equal(failures, 0);
}

/* A check that cannot fail is a defect: here it must. */
static void the_check_sees_mistakes(void **state)
{
    static const char *const columns[] = {"id", "name"};
    const struct db_query q = {.name = "some", .file = "../made up"};
    const struct db_shape shape = {2, 2, columns};

    assert_int_equal(check_calls(&q, &shape,
                                 "db_one(db, &some, a, DB_ARGS(db_i64(f(1, 2)), db_text(x)),"
                                 " DB_COLS(db_col_i64(\"id\", &v)));"),
                     0);
    assert_int_equal(check_calls(&q, &shape, "db_exec(db, &some, DB_ARGS(db_i64(1)), NULL);"), 1);
    assert_int_equal(check_calls(&q, &shape, "db_exec(db, &some, DB_NO_ARGS, NULL);"), 1);
    assert_int_equal(check_calls(&q, &shape,
                                 "db_one(db, &some, a, DB_ARGS(db_i64(1), db_i64(2)),"
                                 " DB_COLS(db_col_text(\"nome\", &v)));"),
                     1);
    assert_int_equal(check_calls(&q, &shape, "db_exec(db, &someone, DB_NO_ARGS, NULL);"), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_query_prepares),
        cmocka_unit_test(the_app_role_may_run_every_query),
        cmocka_unit_test(call_sites_fit_their_queries),
        cmocka_unit_test(the_check_sees_mistakes),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
