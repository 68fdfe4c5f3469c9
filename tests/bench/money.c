/* money.c: the money of calls, with everything on: five limits, hold, BEGIN, END, settling into
 * PostgreSQL, by as many calls as there is processor time for.
 *
 *   money GROUP TEAMS CALLS LIMITS
 *
 * LIMITS is `all`, or `money`: wallet and monthly budget, without requests, tokens and calls at a
 * time, whose windows turn each minute and so ask for grants whatever the load is.
 *
 * One thread is the loop: it takes holds, journals and ends calls, a number of them in flight; the
 * node, the lane and the flusher are those of the server. It slows down only when the flusher is far
 * behind. At the end all rows have to be there and to add up. */
#include "bench.h"

#include <semaphore.h>

#include "base/random.h"
#include "lease/port.h"
#include "logs/findings.h"
#include "ledger/journal.h"
#include "limits/limits.h"

#define IN_FLIGHT 64
#define BEHIND_MAX (2 * SETTLE_CALLS)
/* Not measured: caches and plans warm up, the first leases are made. */
#define WARM_UP(calls) ((calls) / 5)
#define CHARGE_NANO 412345
#define COST_NANO 300000
#define HOLD_NANO 1500000
#define WALLET_NANO INT64_C(1000000000000000)

struct flight {
    struct journal_mark mark;
    struct hold hold;
    struct call_record record;
    enum limit which[LIMITS];
    int64_t charge;
};

struct bench {
    struct pg_fixture pg;
    struct db *owner, *db;
    struct jobs *lane;
    struct node *node;
    struct journal *journal;
    struct key_limits *keys;
    struct key_purses **purses;
    size_t n_keys;
    bool all_limits;
    struct flight flight[2][IN_FLIGHT]; /* those that run, and those that take their place */
    sem_t answered;
    int outcome;
    uint64_t asks;
    int64_t charged, began, paused_ns; /* ended calls' charges; calls; waiting for the flusher */
};

/* --- a database with teams --- */

static void make_teams(struct db *owner, int64_t n)
{
    char sql[1600];

    snprintf(
        sql, sizeof(sql),
        "BEGIN; SET LOCAL app.scope = 'system';"
        "INSERT INTO team (name, time_zone) SELECT 'bench ' || n, 'Europe/Berlin'"
        "  FROM generate_series(1, %ld) n;"
        "SELECT open_team_books(id) FROM team WHERE name LIKE 'bench %%';"
        "SELECT post_topup(id, 'bench ' || id, %lld, 'bench', 'system', NULL, 'bench')"
        "  FROM team WHERE name LIKE 'bench %%';"
        "INSERT INTO api_key (team_id, name, prefix, last4, digest)"
        "  SELECT id, 'bench', 'tg-', 'last', sha256(id::text::bytea) FROM team WHERE name LIKE 'bench %%';"
        "COMMIT;",
        (long)n, (long long)WALLET_NANO);
    if (db_script(owner, sql))
        bench_fail("no teams: %s", db_last_error(owner));
}

struct key_row {
    struct bench *b;
    int64_t team, key;
};

static int add_key(void *ctx)
{
    struct key_row *row = ctx;
    struct key_limits *key = &row->b->keys[row->b->n_keys++];

    *key = (struct key_limits){.team = {row->team},
                               .key = {row->key},
                               .budget = {WALLET_NANO},
                               .budget_window = "month"};
    if (row->b->all_limits) {
        key->rpm = 1000000000;
        key->tpm = INT64_C(1000000000000);
        key->concurrency = 1000000;
    }
    return 0;
}

DB_QUERY(bench_keys, "SELECT team_id, id FROM api_key WHERE name = 'bench' ORDER BY team_id")

static void open_keys(struct bench *b, int64_t n)
{
    struct key_row row = {.b = b};

    b->keys = calloc((size_t)n, sizeof(*b->keys));
    b->purses = calloc((size_t)n, sizeof(struct key_purses *));
    bench_ok(!b->keys || !b->purses);
    bench_ok(db_begin(b->owner, DB_SYSTEM, false));
    bench_ok(db_each(b->owner, &bench_keys, NULL, DB_NO_ARGS,
                     DB_COLS(db_col_i64("team_id", &row.team), db_col_i64("id", &row.key)), add_key,
                     &row));
    bench_ok(db_commit(b->owner));
    bench_ok((int64_t)b->n_keys != n);
    for (size_t i = 0; i < b->n_keys; i++)
        bench_ok(limits_open(b->node, b->db, &b->keys[i], &b->purses[i]));
}

static void *worker_new(void *conninfo)
{
    struct db *db = NULL;

    return db_open(conninfo, "bench lane", &db) == 0 ? db : NULL;
}

static void worker_free(void *db)
{
    db_close(db);
}

static void start(struct bench *b, int64_t teams)
{
    struct jobs_config lane = {.name = "money",
                               .threads = 2,
                               .queue_max = 4096,
                               .worker_new = worker_new,
                               .worker_free = worker_free,
                               .ctx = b->pg.app_conninfo};
    struct node_config node = {.conninfo = b->pg.app_conninfo, .name = "bench", .version = "bench"};
    struct journal_config journal = {.conninfo = b->pg.app_conninfo, .writers = 1};
    static char dir[] = "/tmp/tg-bench-XXXXXX";

    pg_fixture_start(&b->pg);
    bench_ok(db_open(b->pg.owner_conninfo, "bench", &b->owner));
    bench_ok(db_open(b->pg.app_conninfo, "bench", &b->db));
    make_teams(b->owner, teams);
    bench_ok(jobs_new(&lane, &b->lane));
    node.lane = b->lane;
    bench_ok(node_new(&node, b->db, &b->node));
    bench_ok(!mkdtemp(dir));
    journal.dir = dir;
    journal.node = b->node;
    bench_ok(journal_new(&journal, &b->journal));
    open_keys(b, teams);
    bench_ok(sem_init(&b->answered, 0, 0));
}

static void stop(struct bench *b)
{
    struct journal_view view;

    journal_read(b->journal, &view);
    bench_ok(view.refused != 0);
    journal_free(b->journal, 60000);
    for (size_t i = 0; i < b->n_keys; i++)
        key_purses_free(b->purses[i]);
    node_free(b->node);
    jobs_free(b->lane);
}

/* --- the calls --- */

static struct bench *asker;

static void answered(struct hold_ask *ask, int outcome)
{
    (void)ask;
    asker->outcome = outcome;
    sem_post(&asker->answered);
}

static void ask(struct bench *b, struct hold *hold, const struct hold_want *wants, size_t n)
{
    struct hold_ask ask = {.n_wants = n, .hold = hold, .answered = answered};

    memcpy(ask.wants, wants, n * sizeof(*wants));
    asker = b;
    bench_ok(hold_ask(b->node, NULL, &ask));
    while (sem_wait(&b->answered))
        continue;
    bench_ok(b->outcome);
    b->asks++;
}

/* As a plain chat completion through an official client leaves it. */
static void fill(struct flight *f, const struct key_limits *key)
{
    f->record = (struct call_record){
        .call_id = call_id_new(), .team_id = key->team.v, .key_id = key->key.v,
        .started_at = clock_wall_us(), .endpoint = STR("/v1/chat/completions"),
        .requested_model = STR("gpt-4o-mini"), .served_model = STR("gpt-4o-mini"), .model_id = 3,
        .target_id = 17, .account_id = 5, .provider = STR("openai"),
        .account_name = STR("openai main"), .status = 200, .outcome = STR("cut"), .stream = true,
        .attempts = 1, .basis = STR("cut"), .hold_nano = {HOLD_NANO}, .price_id = 41,
        .client_address = STR("203.0.113.17"), .user_agent = STR("OpenAI/Python 2.8.0"),
        .tags = STR("{\"customer\":\"acme-3\",\"env\":\"production\"}"), .repeat = 1,
        .attempt = {{.ordinal = 1, .target_id = 17, .account_id = 5,
                     .account_name = STR("openai main"), .provider = STR("openai"),
                     .upstream_model = STR("gpt-4o-mini-2024-07-18"), .status = 200,
                     .reason = STR("ok"), .started_us = 310, .connect_us = 21000}}};
}

static void begin(struct bench *b, struct flight *f, size_t key)
{
    const struct limits_need need = {.money = {HOLD_NANO}, .tokens = 1900};
    struct hold_want wants[LIMITS];
    size_t n = limits_wants(b->purses[key], &need, wants, f->which);

    if (hold_take(b->node, &f->hold, wants, n) == HOLD_E_SHORT)
        ask(b, &f->hold, wants, n);
    bench_ok(journal_begin(b->journal, 0, &f->mark, &f->record, &f->hold));
}

static void end(struct bench *b, struct flight *f)
{
    struct call_record *r = &f->record;
    int64_t used[BOUND_HOLD_PURSES] = {0};

    limits_used(f->which, f->hold.n, (struct money){f->charge}, 1480, used);
    r->outcome = STR("ok");
    r->basis = STR("provider");
    r->input_tokens = 1034;
    r->output_tokens = 446;
    r->charge_nano.nano = f->charge;
    r->cost_nano.nano = r->attempt[0].cost_nano.nano = COST_NANO;
    r->latency_us = r->attempt[0].latency_us = 1284311;
    r->ttfb_us = r->attempt[0].ttfb_us = 412888;
    r->finish_reason = STR("stop");
    r->upstream_request_id = r->attempt[0].upstream_request_id =
        STR("chatcmpl-CbY2m1XvMf0ZkP3nqT8sWd7uJaE4r");
    r->attempt[0].served = true;
    r->attempt[0].prompt_tokens = r->input_tokens;
    r->attempt[0].completion_tokens = r->output_tokens;
    bench_ok(journal_end(b->journal, 0, &f->mark, r, &f->hold, used));
    hold_end(b->node, &f->hold, used);
    b->charged += f->charge;
}

struct spent {
    int64_t wall_ns, flusher_ns, postgres_ns;
    struct journal_view view;
    uint64_t grants;
};

static struct spent look(struct bench *b)
{
    struct node_view node;
    struct spent s = {.wall_ns = clock_mono_ns(),
                      .flusher_ns = bench_thread_ns("flusher"),
                      .postgres_ns = bench_postgres_ns(&b->pg)};

    journal_read(b->journal, &s.view);
    node_read(b->node, &node);
    s.grants = node.grants;
    return s;
}

static void wait_while_behind(struct bench *b, uint64_t most)
{
    int64_t since_ns = clock_mono_ns();
    struct journal_view view;

    journal_read(b->journal, &view);
    while (view.waiting > most) {
        bench_pause(1);
        journal_read(b->journal, &view);
    }
    b->paused_ns += clock_mono_ns() - since_ns;
}

static size_t key_of(const struct bench *b, size_t i)
{
    return ((size_t)b->began + i) * 7919 % b->n_keys;
}

/* Each running call ends and another begins. Processor time of the loop's thread for that; making up
 * the records is not counted. */
static int64_t run_round(struct bench *b)
{
    struct flight *old = b->flight[b->began / IN_FLIGHT % 2];
    struct flight *next = b->flight[(b->began / IN_FLIGHT + 1) % 2];
    int64_t from_ns;

    for (size_t i = 0; i < IN_FLIGHT; i++) {
        fill(&next[i], &b->keys[key_of(b, i)]);
        next[i].charge = CHARGE_NANO + (int64_t)i;
    }
    from_ns = bench_own_ns();
    for (size_t i = 0; i < IN_FLIGHT; i++) {
        if (old[i].mark.segment)
            end(b, &old[i]);
        begin(b, &next[i], key_of(b, i));
    }
    b->began += IN_FLIGHT;
    return bench_own_ns() - from_ns;
}

static int64_t run_calls(struct bench *b, int64_t calls)
{
    int64_t ns = 0;

    for (int64_t i = 0; i < calls; i += IN_FLIGHT) {
        ns += run_round(b);
        wait_while_behind(b, BEHIND_MAX);
    }
    return ns;
}

static void end_all(struct bench *b)
{
    for (size_t k = 0; k < 2 * IN_FLIGHT; k++) {
        struct flight *f = &b->flight[k / IN_FLIGHT][k % IN_FLIGHT];

        if (f->mark.segment)
            end(b, f);
    }
    wait_while_behind(b, 0);
}

/* --- do all rows add up? --- */

DB_QUERY(bench_calls, "SELECT count(*) AS v FROM call")
DB_QUERY(bench_attempts, "SELECT count(*) AS v FROM attempt")
DB_QUERY(bench_charges, "SELECT coalesce(sum(charge_nano), 0)::bigint AS v FROM call")
DB_QUERY(bench_transfers, "SELECT coalesce(sum(amount_nano), 0)::bigint AS v FROM transfer WHERE code = 'USAGE'")
DB_QUERY(bench_days, "SELECT coalesce(sum(charge_nano), 0)::bigint AS v FROM usage_day")
DB_QUERY(bench_day_calls, "SELECT coalesce(sum(calls), 0)::bigint AS v FROM usage_day")
DB_QUERY(bench_wallets, "SELECT coalesce(sum(used), 0)::bigint AS v FROM purse WHERE kind = 'wallet'")
DB_QUERY(bench_budgets, "SELECT coalesce(sum(used), 0)::bigint AS v FROM purse WHERE kind = 'budget'")
DB_QUERY(bench_leased, "SELECT coalesce(sum(leased), 0)::bigint AS v FROM purse")
DB_QUERY(bench_stray, "SELECT count(*) AS v FROM call_default")
DB_QUERY(bench_findings,
         "SELECT count(*) AS n, coalesce(min(f.invariant || ': team ' || coalesce(f.team_id, 0)"
         "                                   || ', ' || f.subject || ': ' || f.detail), '') AS one"
         "  FROM ledger_findings() f")

static void want(struct bench *b, struct db_query *q, int64_t wanted)
{
    int64_t v = bench_figure(b->owner, q);

    if (v != wanted)
        bench_fail("%s: %lld, wanted %lld", q->name, (long long)v, (long long)wanted);
}

static void check_rows(struct bench *b)
{
    want(b, &bench_calls, b->began);
    want(b, &bench_attempts, b->began);
    want(b, &bench_charges, b->charged);
    want(b, &bench_transfers, b->charged);
    want(b, &bench_days, b->charged);
    want(b, &bench_day_calls, b->began);
    want(b, &bench_wallets, b->charged);
    want(b, &bench_budgets, b->charged);
    want(b, &bench_leased, 0);
    want(b, &bench_stray, 0);
}

/* No rule of the books is broken. */
static void check_books(struct bench *b)
{
    struct arena *a = arena_new(KIB(64));
    struct str one = STR_NONE;
    int64_t n = 0;

    bench_ok(!a);
    bench_ok(db_begin(b->owner, DB_SYSTEM, false));
    bench_ok(db_one(b->owner, &bench_findings, a, DB_NO_ARGS,
                    DB_COLS(db_col_i64("n", &n), db_col_text("one", &one))));
    bench_ok(db_commit(b->owner));
    if (n)
        bench_fail("%lld findings in the books, one of them: %.*s", (long long)n, STR_FMT(one));
    arena_free(a);
}

/* What the check of each minute costs, of all calls here. */
static void time_window(struct bench *b, const char *group)
{
    struct integrity_outcome o;
    int64_t from_ns, steps = 0;

    bench_ok(db_script(b->owner, "ANALYZE call;" /* nobody vacuums here */
                                 "BEGIN; SET LOCAL app.scope = 'system';"
                                 "UPDATE recon_run SET until_at = t.at, calls_at = t.at"
                                 "  FROM (SELECT min(posted_at) AS at FROM transfer) t; COMMIT"));
    from_ns = bench_postgres_ns(&b->pg);
    bench_ok(integrity_run(b->db, INTEGRITY_WINDOW, &o));
    for (; o.more; steps++)
        bench_ok(integrity_step(b->db, &o));
    bench_ok(o.found);
    bench_say(group, "window of the checks, processor time", 2,
              (double)(bench_postgres_ns(&b->pg) - from_ns) / 1000 / (double)b->began, "us/call", "");
    bench_say(group, "spans that it was read in", 0, (double)steps, "", "");
}

/* --- the figures --- */

static double per(int64_t ns, uint64_t n)
{
    return n ? (double)ns / 1000 / (double)n : 0;
}

static void say(const char *group, const struct spent *from, const struct spent *to, int64_t own_ns,
                int64_t calls)
{
    uint64_t settled = to->view.settled - from->view.settled;
    uint64_t batches = to->view.batches - from->view.batches;
    double flusher_us = per(to->flusher_ns - from->flusher_ns, settled);
    double postgres_us = per(to->postgres_ns - from->postgres_ns, settled);
    double own_us = per(own_ns, (uint64_t)calls);

    bench_say(group, "hold + journal, processor time", 2, own_us, "us/call", "at most 5");
    bench_say(group, "grants asked of PostgreSQL", 3,
              100.0 * (double)(to->grants - from->grants) / (double)calls, "% of calls",
              "at most 1");
    bench_say(group, "settled, as measured", 0,
              (double)settled * 1e9 / (double)(to->wall_ns - from->wall_ns), "calls/s", "");
    bench_say(group, "calls in a batch", 0, batches ? (double)settled / (double)batches : 0,
              "calls", "");
    bench_say(group, "flusher, processor time", 2, flusher_us, "us/call", "");
    bench_say(group, "PostgreSQL, processor time", 2, postgres_us, "us/call", "");
    bench_say(group, "two cores' worth of calls", 0, 2e6 / (own_us + flusher_us + postgres_us),
              "calls/s", "at least 20000");
}

int main(int argc, char **argv)
{
    static struct bench b;
    struct spent from, to;
    int64_t teams, calls, own_ns;

    if (argc != 5 || str_i64(str_c(argv[2]), &teams) || str_i64(str_c(argv[3]), &calls))
        bench_fail("usage: money GROUP TEAMS CALLS all|money");
    calls = calls / IN_FLIGHT * IN_FLIGHT;
    b.all_limits = str_eq_c(STR("all"), argv[4]);
    start(&b, teams);
    (void)run_calls(&b, WARM_UP(calls) + teams);
    from = look(&b); /* what is still behind then is settled, and counted, later */
    own_ns = run_calls(&b, calls);
    end_all(&b);
    to = look(&b);
    stop(&b);
    check_rows(&b);
    check_books(&b);
    say(argv[1], &from, &to, own_ns, calls);
    time_window(&b, argv[1]);
    db_close(b.db);
    db_close(b.owner);
    pg_fixture_stop(&b.pg);
    return 0;
}
