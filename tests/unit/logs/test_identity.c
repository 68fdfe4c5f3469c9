/* One figure everywhere: random traffic settled by the real function over months, days and time zones,
 * whose clock the test drives; then for random filters the calls remembered here, the log's pages, the
 * export's text, the roll-ups, the ledger and the invoices say the same, to the nano-dollar. */
#include "lease/money.h"
#include "log_past.h"

#include <inttypes.h>

#include "ledger/invoice.h"
#include "logs/export.h"
#include "logs/usage.h"

#define SEED 20261128
#define TEAMS 3
#define KEYS 4
#define PROJECTS 3
#define BATCHES 240
#define CALLS_MAX 6
#define DAYS 100
#define FILTERS 80

static const char *const models[] = {"gpt-4o", "gpt-4o-mini", "claude-sonnet-4", "demo-chat"};
static const char *const providers[] = {"openai", "anthropic", "demo"};
static const char *const zones[TEAMS] = {"UTC", "Asia/Kathmandu", "America/New_York"};

static struct money_test t;
static struct team_id teams[TEAMS];
static struct key_id keys[TEAMS][KEYS];
static struct project_id projects[TEAMS][PROJECTS];

struct shadow {
    int team;
    struct key_id key;
    struct project_id project;
    int asked, served, provider; /* served -1: refused */
    int64_t posted_us, charge;
};
static struct shadow shadows[BATCHES * CALLS_MAX];
static size_t n_shadows;

/* Functions that take the time get it from here; pg_catalog would win if it were not named last. */
static const char helpers[] =
    "CREATE FUNCTION public.clock_timestamp() RETURNS timestamptz LANGUAGE sql AS $$"
    " SELECT coalesce(nullif(current_setting('test.now', true), '')::timestamptz,"
    "                 pg_catalog.clock_timestamp()) $$;"
    "GRANT EXECUTE ON FUNCTION public.clock_timestamp() TO PUBLIC;"
    "DO $$ DECLARE f regprocedure; BEGIN"
    " FOR f IN SELECT p.oid FROM pg_proc p WHERE p.pronamespace = 'public'::regnamespace AND"
    "   p.prosrc LIKE '%clock_timestamp()%' AND p.proname IN ('settle_batch', 'post_between') LOOP"
    "  EXECUTE format('ALTER FUNCTION %s SET search_path = public, pg_catalog, pg_temp', f);"
    " END LOOP; END $$;"
    "SELECT make_call_partitions(now() - n * interval '7 days') FROM generate_series(0, 20) n;"
    "CREATE FUNCTION test_settle(p_now text, p_calls json) RETURNS boolean LANGUAGE sql AS $$"
    " SELECT set_config('test.now', p_now, true);"
    " SELECT settle_batch((SELECT max(id) FROM node_session),"
    "  (SELECT array_agg(json_populate_record(NULL::settled_call, c)) FROM json_array_elements(p_calls) c),"
    "  '{}'::settled_draw[]) $$";

static void owner_does(const char *sql)
{
    struct buf text;

    buf_init(&text, MIB(1));
    buf_puts(&text, "BEGIN; SET LOCAL app.scope = 'system'; ");
    buf_puts(&text, sql);
    buf_puts(&text, "; COMMIT");
    buf_putc(&text, '\0');
    if (db_script(t.p.owner, text.p) != 0)
        fail_msg("%.300s: %s", sql, db_last_error(t.p.owner));
    buf_done(&text);
}

DB_QUERY(identity_project, "INSERT INTO project (team_id, name) VALUES ($1, $2) RETURNING id")

static void make_team(int i)
{
    char email[40], sql[400];

    snprintf(email, sizeof(email), "team%d@example.org", i);
    teams[i] = i ? money_team(&t, email) : t.team;
    for (int k = 0; k < KEYS; k++)
        keys[i][k] = money_key(&t, teams[i]);
    people_begin(&t.p, DB_TEAM(teams[i]));
    for (int k = 0; k < PROJECTS; k++) {
        char name[20];

        snprintf(name, sizeof(name), "project %d", k);
        assert_int_equal(db_one(t.p.db, &identity_project, NULL,
                                DB_ARGS(db_i64(teams[i].v), db_cstr(name)),
                                DB_COLS(db_col_i64("id", &projects[i][k].v))), 0);
    }
    people_commit(&t.p);
    snprintf(sql, sizeof(sql),
             "UPDATE team SET time_zone = '%s', created_at = now() - interval '%d days' WHERE id = %" PRId64
             "; UPDATE team SET time_zone_since = '-infinity' WHERE id = %" PRId64
             "; SELECT set_config('test.now', (now() - interval '%d days')::text, true);"
             " SELECT post_topup(%" PRId64 ", 'first-%d', 900000000000000, 'test', 'system', NULL, 'test')",
             zones[i], DAYS + 2, teams[i].v, teams[i].v, DAYS + 1, teams[i].v, i);
    owner_does(sql);
}

static struct call_id id_at(int64_t us)
{
    struct call_id id;

    random_bytes(id.b, sizeof(id.b));
    for (int i = 0; i < 6; i++)
        id.b[i] = (uint8_t)(us / 1000 >> (40 - 8 * i));
    id.b[6] = (uint8_t)(0x70 | (id.b[6] & 15));
    id.b[8] = (uint8_t)(0x80 | (id.b[8] & 63));
    return id;
}

/* One call as the journal would hand it over, remembered. */
static void put_call(struct buf *out, int team, int64_t posted_us)
{
    struct shadow *s = &shadows[n_shadows++];
    bool refused = random_below(8) == 0, other = random_below(6) == 0;
    char id[UUID_TEXT], served[64] = "", provider[64] = "";
    int64_t began_us = posted_us - 1000000 - (int64_t)random_below(600) * 1000000;

    *s = (struct shadow){.team = team,
                         .key = keys[team][random_below(KEYS)],
                         .project = {random_below(4) ? projects[team][random_below(PROJECTS)].v : 0},
                         .asked = (int)random_below(ARRAY_LEN(models)),
                         .provider = (int)random_below(ARRAY_LEN(providers)),
                         .posted_us = posted_us};
    s->served = refused ? -1 : other ? (int)random_below(ARRAY_LEN(models)) : s->asked;
    s->charge = refused || random_below(12) == 0 ? 0 : 1 + (int64_t)(random_u64() % 3000000007);
    if (!refused) {
        snprintf(served, sizeof(served), ", \"served_model\": \"%s\"", models[s->served]);
        snprintf(provider, sizeof(provider), ", \"provider\": \"%s\"", providers[s->provider]);
    }
    call_id_uuid(id_at(began_us), id);
    buf_printf(out,
               "{\"team_id\": %" PRId64 ", \"call_id\": \"%s\", \"key_id\": %" PRId64 ", \"requested_model\": \"%s\""
               "%s%s, \"outcome\": \"%s\", \"status\": %d, \"charge_nano\": %" PRId64
               ", \"hold_nano\": 3000000008, \"repeat\": 1, \"input_tokens\": %u",
               teams[team].v, id, s->key.v, models[s->asked], served, provider,
               refused ? "blocked" : "ok", refused ? 402 : 200, s->charge, random_below(5000));
    if (s->project.v)
        buf_printf(out, ", \"project_id\": %" PRId64, s->project.v);
    buf_puts(out, "}");
}

DB_QUERY(identity_settle, "SELECT test_settle($1, $2::text::json) AS live")

/* Batches in the order of time, as one node sends them; some have calls of two teams. */
static void settle_past(void)
{
    int64_t now_us = clock_wall_us(), step_us = (int64_t)DAYS * 86400 * 1000000 / BATCHES;

    for (int b = 0; b < BATCHES; b++) {
        int64_t posted_us = now_us - (int64_t)(BATCHES - b) * step_us + random_below(1000000);
        unsigned n = 1 + random_below(CALLS_MAX);
        char at[CLOCK_RFC3339_SIZE];
        struct buf json;
        bool live;

        buf_init(&json, MIB(1));
        buf_putc(&json, '[');
        for (unsigned i = 0; i < n; i++) {
            if (i)
                buf_putc(&json, ',');
            put_call(&json, (int)random_below(TEAMS), posted_us);
        }
        buf_putc(&json, ']');
        assert_int_equal(buf_finish(&json), 0);
        clock_rfc3339(posted_us, at);
        assert_int_equal(db_begin(t.p.owner, DB_SYSTEM, false), 0);
        if (db_one(t.p.owner, &identity_settle, NULL, DB_ARGS(db_cstr(at), db_text(buf_str(&json))),
                   DB_COLS(db_col_bool("live", &live))) != 0)
            fail_msg("%s", db_last_error(t.p.owner));
        assert_int_equal(db_commit(t.p.owner), 0);
        assert_true(live);
        buf_done(&json);
    }
}

static int setup(void **state)
{
    random_drive(SEED);
    money_start(&t, 1);
    owner_does(helpers);
    for (int i = 0; i < TEAMS; i++)
        make_team(i);
    owner_does("SELECT session_open('test', '')");
    settle_past();
    return 0;
}

static int teardown(void **state)
{
    money_stop(&t);
    return 0;
}

/* --- the same filter, put to each of them --- */

struct wanted {
    int team, model; /* model -1: any */
    struct key_id key;
    struct project_id project;
    bool days; /* of the team's time zone, from and to */
    int64_t from_us, to_us;
    struct str from_day, to_day;
};

static int64_t of_shadows(const struct wanted *f)
{
    int64_t sum = 0;

    for (size_t i = 0; i < n_shadows; i++) {
        const struct shadow *s = &shadows[i];
        bool in = s->team == f->team && (!f->key.v || s->key.v == f->key.v) &&
                  (!f->project.v || s->project.v == f->project.v) &&
                  (f->model < 0 || (s->served < 0 ? s->asked : s->served) == f->model) &&
                  (!f->days || (s->posted_us >= f->from_us && s->posted_us < f->to_us));

        sum += in ? s->charge : 0;
    }
    return sum;
}

static struct log_filter log_filter_of(const struct wanted *f)
{
    return (struct log_filter){.team = teams[f->team],
                               .key = f->key,
                               .project = f->project,
                               .model = f->model < 0 ? STR_NONE : str_c(models[f->model]),
                               .from_us = f->days ? f->from_us : 0,
                               .to_us = f->days ? f->to_us : 0,
                               .cost_above = {-1}};
}

static int64_t of_pages(const struct wanted *f)
{
    struct log_filter filter = log_filter_of(f);
    struct log_cursor cursor = {0};
    struct log_page page = {.older = true};
    int64_t sum = 0;

    for (int n = 0; page.older; n++) {
        _cleanup_(arena_freep) struct arena *a = arena_new(MIB(16));

        assert_true(n < 1000);
        assert_int_equal(log_search(t.p.db, a, &filter, cursor, false, 50, &page), 0);
        for (size_t i = 0; i < page.n; i++)
            sum += page.rows[i].call.charge_nano.nano;
        cursor = page.before;
    }
    return sum;
}

static int csv_row(void *ctx, const struct log_row *row)
{
    log_csv_row(ctx, row);
    return 0;
}

/* Adds up a column of the export's text; no field here holds a comma. */
static int64_t sum_column(struct str csv, const char *name)
{
    struct str line, field;
    int64_t sum = 0;
    int column = -1, at;

    for (bool head = true; str_split(&csv, '\n', &line) && line.n; head = false) {
        for (at = 0; str_split(&line, ',', &field); at++) {
            struct money m;

            if (head && str_eq_c(field, name))
                column = at;
            if (head || at != column)
                continue;
            assert_int_equal(money_parse(field, &m), MONEY_OK);
            sum += m.nano;
        }
    }
    assert_true(column >= 0);
    return sum;
}

static int64_t of_export(const struct wanted *f)
{
    struct log_filter filter = log_filter_of(f);
    struct buf csv;
    int64_t sum;

    buf_init(&csv, MIB(16));
    log_csv_head(&csv);
    assert_int_equal(log_each(t.p.db, &filter, csv_row, &csv), 0);
    assert_int_equal(buf_finish(&csv), 0);
    sum = sum_column(buf_str(&csv), "charge_usd");
    buf_done(&csv);
    return sum;
}

/* Every grouping of the usage page. */
static void check_usage(const struct wanted *f, int64_t expected)
{
    const struct usage_query query = {.team = teams[f->team],
                                      .key = f->key,
                                      .project = f->project,
                                      .model = f->model < 0 ? STR_NONE : str_c(models[f->model]),
                                      .from_day = f->days ? f->from_day : STR_NONE,
                                      .to_day = f->days ? f->to_day : STR_NONE};

    for (int by = USAGE_BY_DAY; by <= USAGE_BY_PROVIDER; by++) {
        struct usage_table table;
        int64_t sum = 0;

        assert_int_equal(usage_table(t.p.db, t.p.a, (enum usage_by)by, &query, &table), 0);
        for (size_t i = 0; i < table.n; i++)
            sum += table.rows[i].charge.nano;
        assert_int_equal(sum, expected);
        assert_int_equal(table.total.charge.nano, expected);
    }
}

DB_QUERY(identity_ledger,
         "SELECT coalesce(sum(amount_nano), 0)::bigint AS v FROM transfer WHERE team_id = $1"
         "   AND code = 'USAGE' AND ($2::timestamptz IS NULL OR posted_at >= $2 AND posted_at < $3)")

static void check_ledger(const struct wanted *f, int64_t expected)
{
    int64_t v;

    assert_int_equal(db_one(t.p.db, &identity_ledger, NULL,
                            DB_ARGS(db_i64(teams[f->team].v),
                                    f->days ? db_time_us(f->from_us) : db_null(DB_TIME_US),
                                    f->days ? db_time_us(f->to_us) : db_null(DB_TIME_US)),
                            DB_COLS(db_col_i64("v", &v))), 0);
    assert_int_equal(v, expected);
}

DB_QUERY(identity_days,
         "SELECT d.a::text AS from_day, d.b::text AS to_day,"
         "       d.a::timestamp AT TIME ZONE t.time_zone AS from_at,"
         "       (d.b + 1)::timestamp AT TIME ZONE t.time_zone AS to_at"
         "  FROM team t, (SELECT current_date - $2::integer AS a, current_date - $3::integer AS b) d"
         " WHERE t.id = $1")

static struct wanted random_filter(void)
{
    struct wanted f = {.team = (int)random_below(TEAMS), .model = -1};
    int32_t first = (int32_t)random_below(DAYS), last = (int32_t)random_below((uint32_t)first + 1);

    if (random_below(2))
        f.key = keys[f.team][random_below(KEYS)];
    if (random_below(3) == 0)
        f.project = projects[f.team][random_below(PROJECTS)];
    if (random_below(3) == 0)
        f.model = (int)random_below(ARRAY_LEN(models));
    f.days = random_below(4) != 0;
    assert_int_equal(db_one(t.p.db, &identity_days, t.p.a,
                            DB_ARGS(db_i64(teams[f.team].v), db_i32(first), db_i32(last)),
                            DB_COLS(db_col_text("from_day", &f.from_day),
                                    db_col_text("to_day", &f.to_day),
                                    db_col_time_us("from_at", &f.from_us),
                                    db_col_time_us("to_at", &f.to_us))), 0);
    return f;
}

static void every_view_says_the_same_for_any_filter(void **state)
{
    int64_t charged = 0;

    people_begin(&t.p, DB_OPERATOR);
    for (int i = 0; i < FILTERS; i++) {
        struct wanted f = random_filter();
        int64_t expected = of_shadows(&f);

        assert_int_equal(of_pages(&f), expected);
        check_usage(&f, expected);
        if (!f.key.v && !f.project.v && f.model < 0)
            check_ledger(&f, expected);
        charged += expected != 0;
        people_commit(&t.p); /* an export is the last of its transaction */
        people_begin(&t.p, DB_OPERATOR);
        assert_int_equal(of_export(&f), expected);
        people_commit(&t.p);
        people_begin(&t.p, DB_OPERATOR);
    }
    people_commit(&t.p);
    assert_true(charged > FILTERS / 2);
}

/* An invoice's month, and its lines by model. */
static void check_invoice(int team, const struct invoice *head)
{
    struct wanted f = {.team = team, .model = -1, .days = true, .from_us = head->from_us, .to_us = head->until_us};
    struct invoice inv;

    assert_int_equal(invoice_get(t.p.db, t.p.a, teams[team], head->id, &inv), 0);
    assert_int_equal(inv.usage.nano, of_shadows(&f));
    assert_int_equal(of_pages(&f), inv.usage.nano);
    check_ledger(&f, inv.usage.nano);
    for (f.model = 0; f.model < (int)ARRAY_LEN(models); f.model++) {
        int64_t lines = 0;

        for (size_t i = 0; i < inv.n_lines; i++)
            if (inv.lines[i].kind == INVOICE_USAGE && str_eq_c(inv.lines[i].model, models[f.model]))
                lines -= inv.lines[i].amount.nano;
        assert_int_equal(lines, of_shadows(&f));
    }
}

static void invoices_say_the_same(void **state)
{
    int64_t issued = 0;

    assert_int_equal(invoice_issue_due(t.p.db, &issued), 0);
    assert_true(issued >= TEAMS * 3);
    people_begin(&t.p, DB_OPERATOR);
    for (int i = 0; i < TEAMS; i++) {
        struct invoice_page page;

        assert_int_equal(invoice_list(t.p.db, t.p.a, teams[i], &page), 0);
        assert_true(page.n >= 3);
        for (size_t k = 0; k < page.n; k++)
            check_invoice(i, &page.v[k]);
    }
    people_commit(&t.p);
}

DB_QUERY(identity_findings, "SELECT count(*) AS v FROM ledger_findings() WHERE $1 > 0")

static void the_checks_agree(void **state)
{
    assert_int_equal(money_figure(&t, &identity_findings, 1), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_view_says_the_same_for_any_filter),
        cmocka_unit_test(invoices_say_the_same),
        cmocka_unit_test(the_checks_agree),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
