/* Statements, arguments, columns and outcomes against a real server. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/log.h"
#include "db/tx.h"
#include "pg_fixture.h"

static struct pg_fixture pg;
static struct db *db, *owner;
static struct arena *arena;

DB_QUERY(scalars, "SELECT $1::bigint + 1 AS big, $2::smallint AS small, $3::boolean AS flag,"
                  " $4::text AS words, $5::bytea AS bytes, $6::timestamptz AS at, $7::uuid AS id,"
                  " $8::jsonb AS doc, $9::numeric AS digits, $10::inet::text AS address");
DB_QUERY(arrays,
         "SELECT (SELECT sum(v) FROM unnest($1::bigint[]) v) AS total,"
         " (SELECT string_agg(coalesce(v, 'none'), ',') FROM unnest($2::text[]) v) AS words,"
         " (SELECT sum(length(v)) FROM unnest($3::bytea[]) v) AS bytes,"
         " (SELECT count(DISTINCT v) FROM unnest($4::uuid[]) v) AS ids,"
         " (SELECT count(*) FROM unnest($5::boolean[]) v WHERE v) AS flags,"
         " (SELECT sum(v) FROM unnest($6::int[]) v) AS small,"
         " (SELECT string_agg(host(v), ',') FROM unnest($7::inet[]) v) AS addresses,"
         " (SELECT count(*) FROM unnest($8::timestamptz[]) v WHERE v IS NULL) AS nulls");
DB_QUERY(number_of, "SELECT $1::numeric AS v");
DB_QUERY(nothing, "SELECT 1::bigint AS v WHERE false");
DB_QUERY(series, "SELECT v::bigint AS v, 'row ' || v AS words FROM generate_series(1, $1::int) v");
DB_QUERY(null_big, "SELECT NULL::bigint AS v");
DB_QUERY(nulls, "SELECT NULL::text AS words, NULL::timestamptz AS at, NULL::bigint AS v,"
                " $1::text IS NULL AS was_null");
DB_QUERY(item_add, "INSERT INTO item (id, name, parent) VALUES ($1, $2, $3)");
DB_QUERY(item_slow, "SELECT 1::bigint AS v FROM pg_sleep($1::float8)");
DB_QUERY(item_fail, "SELECT item_raise($1) AS v");
DB_QUERY(item_list, "SELECT * FROM item");
DB_QUERY(own_pid, "SELECT pg_backend_pid() AS pid");
DB_QUERY(kill_pid, "SELECT pg_terminate_backend($1::int, 60000) AS done");

static int setup(void **state)
{
    pg_fixture_start(&pg);
    log_set_level(LOG_ERROR);
    arena = arena_new(1 << 24);
    assert_int_equal(db_open(pg.app_conninfo, "test", &db), 0);
    assert_int_equal(db_open(pg.owner_conninfo, "test", &owner), 0);
    assert_int_equal(
        db_script(owner, "CREATE TABLE item (id bigint PRIMARY KEY, name text CHECK (name <> ''),"
                         " parent bigint REFERENCES item);"
                         "GRANT SELECT, INSERT ON item TO tollgate_app;"
                         "CREATE FUNCTION item_raise(code text) RETURNS bigint LANGUAGE plpgsql AS"
                         " $$ BEGIN RAISE 'said so' USING ERRCODE = code; END $$;"
                         "GRANT EXECUTE ON FUNCTION item_raise TO tollgate_app"),
        0);
    return 0;
}

static int teardown(void **state)
{
    db_close(db);
    db_close(owner);
    arena_free(arena);
    pg_fixture_stop(&pg);
    return 0;
}

static void scalars_come_back_as_they_went(void **state)
{
    int64_t big = 0, at = 0, digits = 0;
    int32_t small = 0;
    bool flag = false;
    struct str words, bytes, doc, address;
    struct call_id id = {{1, 2, 3, [15] = 255}}, got;

    assert_int_equal(
        db_one(db, &scalars, arena,
               DB_ARGS(db_i64(INT64_MAX - 1), db_i32(-3), db_bool(true), db_text(STR("naïve")),
                       db_bytes(STR("\0\xff")), db_time_us(1234567890123456), db_uuid(id),
                       db_json(STR("{\"a\": [1]}")), db_i64(-1234500000), db_cstr("10.0.0.1")),
               DB_COLS(db_col_i64("big", &big), db_col_i32("small", &small),
                       db_col_bool("flag", &flag), db_col_text("words", &words),
                       db_col_bytes("bytes", &bytes), db_col_time_us("at", &at),
                       db_col_uuid("id", &got), db_col_text("doc", &doc),
                       db_col_i64("digits", &digits), db_col_text("address", &address))),
        0);
    assert_int_equal(big, INT64_MAX);
    assert_int_equal(small, -3);
    assert_true(flag);
    assert_true(str_eq(words, STR("naïve")));
    assert_true(str_eq(bytes, STR("\0\xff")));
    assert_int_equal(at, 1234567890123456);
    assert_true(call_id_eq(id, got));
    assert_true(str_eq(doc, STR("{\"a\": [1]}")));
    assert_int_equal(digits, -1234500000);
    assert_true(str_eq(address, STR("10.0.0.1/32")));
}

static void arrays_arrive_whole(void **state)
{
    const int64_t many[] = {1, -2, INT64_MAX}, small[] = {7, 8}, times[] = {0, INT64_MIN};
    const struct str words[] = {STR("a"), STR_NONE, STR("q\"\\,")};
    const struct str addresses[] = {STR("10.0.0.1"), STR("::1")};
    const struct call_id ids[] = {{{1}}, {{2}}, {{1}}};
    const bool flags[] = {true, false, true};
    int64_t total, bytes, distinct, set, sum, nulls_seen;
    struct str joined, hosts;

    assert_int_equal(
        db_one(db, &arrays, arena,
               DB_ARGS(db_i64s(many, 3), db_texts(words, 3), db_bytes_list(words, 1),
                       db_uuids(ids, 3), db_bools(flags, 3), db_i64s(small, 2),
                       db_texts(addresses, 2), db_times_us(times, 2)),
               DB_COLS(db_col_i64("total", &total), db_col_text("words", &joined),
                       db_col_i64("bytes", &bytes), db_col_i64("ids", &distinct),
                       db_col_i64("flags", &set), db_col_i64("small", &sum),
                       db_col_text("addresses", &hosts), db_col_i64("nulls", &nulls_seen))),
        0);
    assert_int_equal(total, INT64_MAX - 1);
    assert_true(str_eq(joined, STR("a,none,q\"\\,")));
    assert_int_equal(bytes, 1);
    assert_int_equal(distinct, 2);
    assert_int_equal(set, 2);
    assert_int_equal(sum, 15);
    assert_true(str_eq(hosts, STR("10.0.0.1,::1")));
    assert_int_equal(nulls_seen, 1);
}

static int64_t through_numeric(const char *text, int *ret_r)
{
    int64_t v = 42;

    *ret_r = db_one(db, &number_of, arena, DB_ARGS(db_cstr(text)), DB_COLS(db_col_i64("v", &v)));
    return v;
}

static void numeric_is_read_exactly_or_not_at_all(void **state)
{
    int r;

    assert_int_equal(through_numeric("9223372036854775807", &r), INT64_MAX);
    assert_int_equal(r, 0);
    assert_int_equal(through_numeric("-9223372036854775808", &r), INT64_MIN);
    assert_int_equal(through_numeric("10000000000000000", &r), INT64_C(10000000000000000));
    assert_int_equal(through_numeric("0", &r), 0);
    assert_int_equal(r, 0);
    assert_int_equal(through_numeric("9223372036854775808", &r), 42);
    assert_true(r < 0);
    assert_int_equal(through_numeric("1.5", &r), 42);
    assert_true(r < 0);
    assert_int_equal(through_numeric("NaN", &r), 42);
    assert_true(r < 0);
}

static void no_row_is_an_outcome(void **state)
{
    int64_t v = 5;

    assert_int_equal(db_one(db, &nothing, NULL, DB_NO_ARGS, DB_COLS(db_col_i64("v", &v))),
                     DB_E_NONE);
    assert_int_equal(v, 5);
}

static void null_without_a_place_is_fatal(void **state)
{
    int64_t v = 5;
    bool null = false;

    assert_true(db_one(db, &null_big, NULL, DB_NO_ARGS, DB_COLS(db_col_i64("v", &v))) < 0);
    assert_int_equal(
        db_one(db, &null_big, NULL, DB_NO_ARGS, DB_COLS(db_col_i64_null("v", &v, &null))), 0);
    assert_true(null);
}

static void nulls_have_their_signs(void **state)
{
    struct str words = STR("x");
    int64_t at = 1, v = 1;
    bool null = false, was_null = false;

    assert_int_equal(db_one(db, &nulls, arena, DB_ARGS(db_text(STR_NONE)),
                            DB_COLS(db_col_text("words", &words), db_col_time_us("at", &at),
                                    db_col_i64_null("v", &v, &null),
                                    db_col_bool("was_null", &was_null))),
                     0);
    assert_null(words.p);
    assert_int_equal(at, 0);
    assert_true(null);
    assert_true(was_null);
}

static void mistakes_in_the_program_are_fatal(void **state)
{
    int64_t v = 0;
    struct str s;

    assert_true(db_one(db, &nothing, NULL, DB_ARGS(db_i64(1)), DB_COLS(db_col_i64("v", &v))) < 0);
    assert_true(db_one(db, &nothing, NULL, DB_NO_ARGS, DB_COLS(db_col_i64("w", &v))) < 0);
    assert_true(db_one(db, &series, arena, DB_ARGS(db_i32(1)), DB_COLS(db_col_text("v", &s))) < 0);
    assert_true(db_one(db, &series, arena, DB_ARGS(db_i64(INT64_MAX)),
                       DB_COLS(db_col_i64("v", &v))) < 0);
    assert_true(db_one(db, &series, arena, DB_ARGS(db_i32(2)), DB_COLS(db_col_i64("v", &v))) < 0);
}

static void violations_become_outcomes(void **state)
{
    struct db_arg none = db_null(DB_I64);
    int64_t rows = 0;

    assert_int_equal(db_exec(db, &item_add, DB_ARGS(db_i64(1), db_cstr("one"), none), &rows), 0);
    assert_int_equal(rows, 1);
    assert_int_equal(db_exec(db, &item_add, DB_ARGS(db_i64(1), db_cstr("one"), none), NULL),
                     DB_E_CONFLICT);
    assert_string_equal(db_last_constraint(db), "item_pkey");
    assert_int_equal(db_exec(db, &item_add, DB_ARGS(db_i64(2), db_cstr(""), none), NULL),
                     DB_E_REFUSED);
    assert_string_equal(db_last_constraint(db), "item_name_check");
    assert_int_equal(db_exec(db, &item_add, DB_ARGS(db_i64(2), db_cstr("x"), db_i64(99)), NULL),
                     DB_E_REFUSED);
    assert_int_equal(db_exec(db, &item_add, DB_ARGS(db_i64(2), db_text(STR("\xc0\xaf")), none),
                             NULL),
                     DB_E_REFUSED);
    assert_int_equal(db_exec(db, &item_add, DB_ARGS(db_i64(2), db_text(STR("a\0b")), none), NULL),
                     DB_E_REFUSED);
    assert_int_equal(db_exec(db, &item_fail, DB_ARGS(db_cstr("TG001")), NULL), DB_E_REFUSED);
    assert_string_equal(db_last_message(db), "said so");
    assert_true(db_exec(db, &item_fail, DB_ARGS(db_cstr("22012")), NULL) < 0);
}

struct rows {
    int64_t v, sum, stop_at;
    struct str words;
};

static int sum_row(void *ctx)
{
    struct rows *rows = ctx;

    assert_true(str_starts(rows->words, STR("row ")));
    rows->sum += rows->v;
    return rows->v == rows->stop_at;
}

static void each_visits_in_order_until_stopped(void **state)
{
    struct rows rows = {.stop_at = 4};

    assert_int_equal(db_each(db, &series, arena, DB_ARGS(db_i32(10)),
                             DB_COLS(db_col_i64("v", &rows.v), db_col_text("words", &rows.words)),
                             sum_row, &rows),
                     0);
    assert_int_equal(rows.sum, 10);
}

static int stream_all(struct db *conn, void *ctx)
{
    struct rows *rows = ctx;

    return db_stream(conn, &series, DB_ARGS(db_i32(100000)),
                     DB_COLS(db_col_i64("v", &rows->v), db_col_text("words", &rows->words)),
                     sum_row, rows);
}

static void stream_delivers_everything(void **state)
{
    struct rows rows = {.stop_at = -1};

    assert_int_equal(db_read(db, DB_OPERATOR, "stream", stream_all, &rows), 0);
    assert_int_equal(rows.sum, INT64_C(100000) * 100001 / 2);
}

static void stream_stopped_early_leaves_a_usable_connection(void **state)
{
    struct rows rows = {.stop_at = 3};
    int64_t v = 0;

    assert_int_equal(db_read(db, DB_OPERATOR, "stream", stream_all, &rows), 0);
    assert_int_equal(rows.sum, 6);
    assert_int_equal(db_one(db, &number_of, NULL, DB_ARGS(db_i64(7)), DB_COLS(db_col_i64("v", &v))),
                     0);
    assert_int_equal(v, 7);
}

static void statements_have_a_time_limit(void **state)
{
    assert_int_equal(db_limit(db, 50, 50), 0);
    assert_int_equal(db_exec(db, &item_slow, DB_ARGS(db_cstr("5")), NULL), -ETIMEDOUT);
    assert_int_equal(db_limit(db, 30000, 5000), 0);
}

static void a_killed_connection_comes_back(void **state)
{
    int32_t pid = 0;
    bool done = false;

    assert_int_equal(db_one(db, &own_pid, NULL, DB_NO_ARGS, DB_COLS(db_col_i32("pid", &pid))), 0);
    struct db *other;

    assert_int_equal(db_open(pg.app_conninfo, "test", &other), 0);
    assert_int_equal(
        db_one(other, &kill_pid, NULL, DB_ARGS(db_i32(pid)), DB_COLS(db_col_bool("done", &done))),
        0);
    db_close(other);
    assert_int_equal(db_one(db, &own_pid, NULL, DB_NO_ARGS, DB_COLS(db_col_i32("pid", &pid))), 0);
}

static int list_items(struct db *conn, void *ctx)
{
    return db_exec(conn, &item_list, DB_NO_ARGS, ctx);
}

static void a_changed_table_is_prepared_again(void **state)
{
    int64_t rows = 0;

    assert_int_equal(db_tx(db, DB_SYSTEM, "list", list_items, &rows), 0);
    assert_int_equal(db_script(owner, "ALTER TABLE item ADD COLUMN more text"), 0);
    assert_int_equal(db_tx(db, DB_SYSTEM, "list", list_items, &rows), 0);
    assert_int_equal(rows, 1);
}

/* As after a lack of memory while the server said that it had prepared it. */
static void a_statement_that_is_there_already_is_made_anew(void **state)
{
    struct db *other = NULL;
    char text[64];
    int64_t rows = 0;

    assert_int_equal(db_open(pg.app_conninfo, "test", &other), 0);
    snprintf(text, sizeof(text), "PREPARE q%u AS SELECT 1", item_list.index_);
    assert_int_equal(db_script(other, text), 0);
    assert_int_equal(db_tx(other, DB_SYSTEM, "list", list_items, &rows), 0);
    assert_int_equal(rows, 1);
    db_close(other);
}

static void an_unreachable_server_is_away(void **state)
{
    struct db *none = NULL;

    assert_int_equal(db_open("host=/nonexistent user=x dbname=y", "test", &none), DB_E_AWAY);
    assert_null(none);
}

/* A server that takes connections and says nothing. */
static int silent_server(char conninfo[96])
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t n = sizeof(at);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

    assert_true(fd >= 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&at, n), 0);
    assert_int_equal(listen(fd, 64), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&at, &n), 0);
    snprintf(conninfo, 96, "host=127.0.0.1 port=%d user=x dbname=y connect_timeout=2", ntohs(at.sin_port));
    return fd;
}

static unsigned connections(int fd)
{
    unsigned n = 0;

    for (int c = accept(fd, NULL, NULL); c >= 0; c = accept(fd, NULL, NULL)) {
        close(c);
        n++;
    }
    return n;
}

/* The time for which it is left alone may be over, on a machine that has much else to do: then once more. Stands
 * last, since nobody of this process connects meanwhile. */
static void a_silent_server_is_left_alone_by_new_connections_too(void **state)
{
    char conninfo[96];
    int fd = silent_server(conninfo);
    struct db *none = NULL;
    unsigned tried = 1;

    for (int i = 0; tried && i < 5; i++) {
        assert_int_equal(db_open(conninfo, "test", &none), DB_E_AWAY);
        assert_true(connections(fd) > 0);
        for (int k = 0; k < 3; k++)
            assert_int_equal(db_open(conninfo, "test", &none), DB_E_AWAY);
        tried = connections(fd);
    }
    assert_int_equal(tried, 0);
    assert_null(none);
    close(fd);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(scalars_come_back_as_they_went),
        cmocka_unit_test(arrays_arrive_whole),
        cmocka_unit_test(numeric_is_read_exactly_or_not_at_all),
        cmocka_unit_test(no_row_is_an_outcome),
        cmocka_unit_test(null_without_a_place_is_fatal),
        cmocka_unit_test(nulls_have_their_signs),
        cmocka_unit_test(mistakes_in_the_program_are_fatal),
        cmocka_unit_test(violations_become_outcomes),
        cmocka_unit_test(each_visits_in_order_until_stopped),
        cmocka_unit_test(stream_delivers_everything),
        cmocka_unit_test(stream_stopped_early_leaves_a_usable_connection),
        cmocka_unit_test(statements_have_a_time_limit),
        cmocka_unit_test(a_killed_connection_comes_back),
        cmocka_unit_test(a_changed_table_is_prepared_again),
        cmocka_unit_test(a_statement_that_is_there_already_is_made_anew),
        cmocka_unit_test(an_unreachable_server_is_away),
        cmocka_unit_test(a_silent_server_is_left_alone_by_new_connections_too),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
