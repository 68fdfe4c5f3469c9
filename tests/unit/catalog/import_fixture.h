/* import_fixture.h: an empty catalogue for each test, and what an import made of it. */
#pragma once

#include "catalog_fixture.h"

#include "catalog/import.h"

static const struct catalog_options here = {.seal_key = seal_key};
static struct catalog *loaded;
static struct import_result result;
/* The lines of the last import that are about one model. */
static struct import_line lines[8];
static size_t n_lines;
static const char *wanted;

/* Imports commit by themselves, so the owner empties the catalogue in front of each test: nobody
 * else can, and even the owner has to take the guard off first. */
static const char empty_again[] =
    "ALTER TABLE price DISABLE TRIGGER USER; ALTER TABLE price_unit DISABLE TRIGGER USER;"
    "TRUNCATE price_unit, price, target, model_offer, model_alias, model, provider_account CASCADE;"
    "ALTER TABLE price ENABLE TRIGGER USER; ALTER TABLE price_unit ENABLE TRIGGER USER";

static inline int setup(void **state)
{
    struct db *owner = NULL;
    int r = db_open(pg.owner_conninfo, "test", &owner);

    if (r == 0)
        r = db_script(owner, empty_again);
    db_close(owner);
    result = (struct import_result){{0}};
    wanted = NULL;
    return r;
}

static inline int teardown(void **state)
{
    catalog_unref(steal(&loaded));
    return 0;
}

static inline void keep_line(void *ctx, const struct import_line *line)
{
    if (wanted && str_eq_c(line->model, wanted) && n_lines < ARRAY_LEN(lines))
        lines[n_lines++] = *line;
}

static inline int import_text(const char *text, struct import_options options)
{
    struct str why = STR("");
    int r;

    n_lines = 0;
    options.line = keep_line;
    r = catalog_import(db, arena, &the_operator, str_c(text), &options, &result, &why);
    if (r == IMPORT_E_FORMAT)
        assert_true(why.n > 10);
    return r;
}

static inline void assert_counts(size_t added, size_t changed, size_t unchanged, size_t refused,
                                 size_t skipped)
{
    const size_t expected[] = {added, changed, unchanged, refused, skipped};

    for (size_t i = 0; i < IMPORT_VERDICTS; i++)
        if (result.count[i] != expected[i])
            fail_msg("%s: %zu, not %zu", import_verdict_name(i), result.count[i], expected[i]);
}

static inline void assert_line(enum import_verdict verdict, const char *detail)
{
    assert_int_equal(n_lines, 1);
    assert_int_equal(lines[0].verdict, verdict);
    assert_str(lines[0].detail, detail);
}

static inline int64_t figure_at(const char *model, const char *kind, enum service_tier service,
                                enum usage_unit unit, int64_t above)
{
    struct model_row row;
    struct price_version *v;
    size_t n;

    assert_int_equal(db_begin(db, DB_OPERATOR, true), 0);
    assert_int_equal(model_by_name(db, arena, str_c(model), &row), CHANGE_OK);
    assert_int_equal(price_history(db, arena, row.id, &v, &n), CHANGE_OK);
    db_rollback(db);
    for (size_t i = 0; i < n; i++)
        for (size_t k = 0;
             str_eq_c(v[i].kind, kind) && v[i].state == PRICE_CURRENT && k < v[i].n_figures; k++)
            if (v[i].figures[k].service == service && v[i].figures[k].unit == unit &&
                v[i].figures[k].above_input_tokens == above)
                return v[i].figures[k].charge;
    return -1;
}

static inline int64_t figure(const char *model, const char *kind, enum usage_unit unit,
                             int64_t above)
{
    return figure_at(model, kind, SERVICE_STANDARD, unit, above);
}

static inline size_t versions_of(const char *model)
{
    struct model_row row;
    struct price_version *v;
    size_t n;

    assert_int_equal(db_begin(db, DB_OPERATOR, true), 0);
    assert_int_equal(model_by_name(db, arena, str_c(model), &row), CHANGE_OK);
    assert_int_equal(price_history(db, arena, row.id, &v, &n), CHANGE_OK);
    db_rollback(db);
    return n;
}

static inline struct model_row facts(const char *model)
{
    struct model_row row;

    assert_int_equal(db_begin(db, DB_OPERATOR, true), 0);
    assert_int_equal(model_by_name(db, arena, str_c(model), &row), CHANGE_OK);
    db_rollback(db);
    return row;
}
