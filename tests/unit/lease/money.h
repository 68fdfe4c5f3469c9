/* money.h: a database with one team and its books, a money lane, and nodes, for the tests of lease,
 * limits and ledger. Several struct node in one process are several replicas to the database. */
#pragma once

#include "identity/people.h"
#include "patience.h"

#include <pthread.h>
#include <time.h>

#include "base/random.h"
#include "limits/limits.h"

struct money_test {
    struct people p;
    struct team_id team;
    struct key_id key; /* of the team */
    struct jobs *lane;
};

static inline void *money_worker(void *ctx)
{
    struct db *db = NULL;

    return db_open(ctx, "test lane", &db) == 0 ? db : NULL;
}

static inline void money_worker_free(void *db)
{
    db_close(db);
}

DB_QUERY(money_test_team, "SELECT id FROM team ORDER BY id DESC LIMIT 1")
DB_QUERY(money_test_key,
         "INSERT INTO api_key (team_id, name, prefix, last4, digest)"
         " VALUES ($1, 'test', 'tg-', 'last', sha256(random()::text::bytea)) RETURNING id")
DB_QUERY(money_test_topup, "SELECT post_topup($1, $2, $3, 'test', 'system', NULL, 'test') AS id")
DB_QUERY(money_test_wallet,
         "SELECT a.credits_nano - a.debits_nano AS posted, p.leased FROM account a"
         "  JOIN purse p ON p.team_id = a.team_id AND p.kind = 'wallet'"
         " WHERE a.team_id = $1 AND a.kind = 'wallet'")

static inline struct team_id money_team(struct money_test *t, const char *email)
{
    struct team_id team;

    (void)people_sign_up(&t->p, email);
    people_begin(&t->p, DB_SYSTEM);
    assert_int_equal(db_one(t->p.db, &money_test_team, NULL, DB_NO_ARGS,
                            DB_COLS(db_col_i64("id", &team.v))), 0);
    people_commit(&t->p);
    return team;
}

static inline struct key_id money_key(struct money_test *t, struct team_id team)
{
    struct key_id key;

    people_begin(&t->p, DB_TEAM(team));
    assert_int_equal(db_one(t->p.db, &money_test_key, NULL, DB_ARGS(db_i64(team.v)),
                            DB_COLS(db_col_i64("id", &key.v))), 0);
    people_commit(&t->p);
    return key;
}

static inline void money_topup(struct money_test *t, struct team_id team, int64_t nano)
{
    char ref[40];
    int64_t id;

    snprintf(ref, sizeof(ref), "test-%llx", (unsigned long long)random_u64());
    people_begin(&t->p, DB_SYSTEM);
    assert_int_equal(db_one(t->p.db, &money_test_topup, NULL,
                            DB_ARGS(db_i64(team.v), db_cstr(ref), db_i64(nano)),
                            DB_COLS(db_col_i64("id", &id))), 0);
    people_commit(&t->p);
}

static inline void money_wallet(struct money_test *t, struct team_id team, int64_t *ret_posted,
                                int64_t *ret_leased)
{
    people_begin(&t->p, DB_TEAM(team));
    assert_int_equal(db_one(t->p.db, &money_test_wallet, NULL, DB_ARGS(db_i64(team.v)),
                            DB_COLS(db_col_i64("posted", ret_posted),
                                    db_col_i64("leased", ret_leased))), 0);
    people_commit(&t->p);
}

/* One figure from a statement, as the owner of the tables. */
static inline int64_t money_figure(struct money_test *t, struct db_query *q, int64_t arg)
{
    int64_t v = 0;

    assert_int_equal(db_begin(t->p.owner, DB_SYSTEM, false), 0);
    assert_int_equal(db_one(t->p.owner, q, NULL, DB_ARGS(db_i64(arg)), DB_COLS(db_col_i64("v", &v))),
                     0);
    assert_int_equal(db_commit(t->p.owner), 0);
    return v;
}

static inline void money_start(struct money_test *t, unsigned lane_threads)
{
    people_start(&t->p);
    const struct jobs_config config = {.name = "money", .threads = lane_threads, .queue_max = 1000,
                                       .worker_new = money_worker,
                                       .worker_free = money_worker_free,
                                       .ctx = t->p.pg.app_conninfo};

    assert_int_equal(jobs_new(&config, &t->lane), 0);
    t->team = money_team(t, "ada@example.org");
    t->key = money_key(t, t->team);
}

static inline void money_stop(struct money_test *t)
{
    jobs_free(t->lane);
    people_stop(&t->p);
}

static inline struct node *money_node(struct money_test *t, const char *name)
{
    struct node_config config = {.conninfo = t->p.pg.app_conninfo, .name = name,
                                 .version = "test", .lane = t->lane};
    struct node *node = NULL;

    assert_int_equal(node_new(&config, t->p.db, &node), 0);
    return node;
}

static inline struct key_purses *money_purses(struct money_test *t, struct node *node,
                                              const struct key_limits *limits)
{
    struct key_purses *purses = NULL;

    assert_int_equal(limits_open(node, t->p.db, limits, &purses), 0);
    return purses;
}
