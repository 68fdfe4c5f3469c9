/* The field list of C and the columns that a settlement takes are the same: what is in only one of
 * them would be lost, or never filled. */
#include "unit.h"

#include "base/arena.h"
#include "base/log.h"
#include "db/tx.h"
#include "model/record.h"
#include "pg_fixture.h"

static struct pg_fixture pg;
static struct db *db;
static struct arena *arena;

static int setup(void **state)
{
    pg_fixture_start(&pg);
    arena = arena_new(MIB(1));
    assert_non_null(arena);
    assert_int_equal(db_open(pg.app_conninfo, "test", &db), 0);
    return 0;
}

static int teardown(void **state)
{
    db_close(db);
    arena_free(arena);
    pg_fixture_stop(&pg);
    return 0;
}

struct field {
    const char *name, *type;
};

#define FIELD(name, kind, bound, label) {#name, RECORD_SQL_##kind},
static const struct field call_fields[] = {RECORD_CALL(FIELD)};
static const struct field call_db_fields[] = {RECORD_CALL_DB(FIELD)};
static const struct field attempt_fields[] = {RECORD_ATTEMPT(FIELD)};
static const struct field tries = {"tries", "call_attempt[]"};

DB_QUERY(settlement_column,
         "SELECT a.attname::text AS name, a.atttypid = to_regtype($2) AS fits"
         "  FROM pg_attribute a"
         " WHERE a.attrelid = $1::text::regclass AND a.attname = $3")
DB_QUERY(settlement_columns,
         "SELECT count(*) AS n FROM pg_attribute a"
         " WHERE a.attrelid = $1::text::regclass AND a.attnum > 0 AND NOT a.attisdropped")

static int missing(const char *relation, const struct field *f)
{
    struct str name;
    bool fits = false;
    int r = db_one(db, &settlement_column, arena,
                   DB_ARGS(db_cstr(relation), db_cstr(f->type), db_cstr(f->name)),
                   DB_COLS(db_col_text("name", &name), db_col_bool("fits", &fits)));

    if (r == 0 && fits)
        return 0;
    fprintf(stderr, "%s: no column %s of type %s\n", relation, f->name, f->type);
    return 1;
}

static void assert_columns(const char *relation, const struct field *fields, size_t n,
                           size_t others)
{
    int64_t found = 0;
    int lacking = 0;

    for (size_t i = 0; i < n; i++)
        lacking += missing(relation, &fields[i]);
    assert_int_equal(lacking, 0);
    assert_int_equal(db_one(db, &settlement_columns, arena, DB_ARGS(db_cstr(relation)),
                            DB_COLS(db_col_i64("n", &found))),
                     0);
    assert_int_equal(found, n + others);
}

static void calls_have_the_fields_of_the_list(void **state)
{
    assert_columns("call", call_fields, ARRAY_LEN(call_fields), ARRAY_LEN(call_db_fields) + 1);
    assert_int_equal(missing("call", &tries), 0);
    for (size_t i = 0; i < ARRAY_LEN(call_db_fields); i++)
        assert_int_equal(missing("call", &call_db_fields[i]), 0);
}

static void attempts_have_the_fields_of_the_list(void **state)
{
    assert_columns("call_attempt", attempt_fields, ARRAY_LEN(attempt_fields), 0);
    assert_columns("attempt", attempt_fields, ARRAY_LEN(attempt_fields), 2);
    assert_int_equal(missing("attempt", &(struct field){"team_id", "bigint"}), 0);
    assert_int_equal(missing("attempt", &(struct field){"call_id", "uuid"}), 0);
}

static void a_settlement_takes_the_fields_of_the_list(void **state)
{
    assert_columns("settled_call", call_fields, ARRAY_LEN(call_fields), 1);
    assert_int_equal(missing("settled_call", &tries), 0);
}

#define FIGURES                                                                                    \
    "WITH f AS (SELECT a.attname AS name, a.attnum AS at FROM pg_attribute a"                      \
    "            WHERE a.attrelid = 'usage_day'::regclass AND a.attnum > 0 AND NOT a.attisdropped"  \
    "              AND a.attname NOT IN ('team_id', 'day', 'model', 'key_id', 'project_id', 'provider'," \
    "                                    'account_id')),"                                         \
    " p AS (SELECT proname, regexp_replace(prosrc, '\\s+', ' ', 'g') AS text FROM pg_proc) "
DB_QUERY(settlement_days_summed,
         FIGURES "SELECT count(*) AS n FROM p WHERE p.proname = 'ledger_findings' AND strpos(p.text,"
                 " 'ARRAY[' || (SELECT string_agg('sum(u.' || f.name || ')', ', ' ORDER BY f.at) FROM f) || ']') > 0")
DB_QUERY(settlement_calls_summed,
         FIGURES "SELECT (SELECT count(*) FROM f) - (SELECT count(*) FROM p,"
                 "        regexp_matches(p.text, '(sum\\(c\\.|count\\(\\*\\))', 'g') WHERE p.proname = 'call_figures') AS n")

static int64_t figure(struct db_query *q)
{
    int64_t n = -1;

    assert_int_equal(db_one(db, q, NULL, DB_NO_ARGS, DB_COLS(db_col_i64("n", &n))), 0);
    return n;
}

/* They are listed by hand in two functions, in the order of the columns. */
static void the_checks_sum_every_figure_of_the_days(void **state)
{
    assert_int_equal(figure(&settlement_days_summed), 1);
    assert_int_equal(figure(&settlement_calls_summed), 0);
}

/* A check that cannot fail is a defect: here it must. */
static void the_check_sees_what_is_missing(void **state)
{
    assert_int_equal(missing("call", &(struct field){"no_such_field", "text"}), 1);
    assert_int_equal(missing("call", &(struct field){"endpoint", "bigint"}), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(calls_have_the_fields_of_the_list),
        cmocka_unit_test(attempts_have_the_fields_of_the_list),
        cmocka_unit_test(a_settlement_takes_the_fields_of_the_list),
        cmocka_unit_test(the_checks_sum_every_figure_of_the_days),
        cmocka_unit_test(the_check_sees_what_is_missing),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
