/* Settlements of several nodes for the same teams at once: they take turns, and none waits for one that
 * waits for it. */
#include "lease/money.h"
#include "ledger/settle_sql.h"
#include "model/record.h"

#define SETTLERS 4
#define BATCHES 60
#define TEAMS 6

static struct money_test t;
static struct team_id teams[TEAMS];

static int setup(void **state)
{
    money_start(&t, 1);
    for (int i = 0; i < TEAMS; i++) {
        char email[32];

        snprintf(email, sizeof(email), "lock%d@example.org", i);
        teams[i] = money_team(&t, email);
        money_topup(&t, teams[i], 1000000);
    }
    return 0;
}

static int teardown(void **state)
{
    money_stop(&t);
    return 0;
}

struct settler {
    pthread_t id;
    int turned; /* the order in which its batches name the teams */
    int failed;
};

/* Batches of one call of each team. */
static void *settle(void *arg)
{
    struct settler *s = arg;
    struct settle_sql *sql = settle_sql_new();
    struct db *db = NULL;

    s->failed = db_open(t.p.pg.app_conninfo, "settler", &db) || !sql;
    for (int b = 0; b < BATCHES && !s->failed; b++) {
        struct call_record calls[TEAMS] = {0};
        struct settle_entry entries[TEAMS];
        struct settle_call call = {.n = TEAMS};

        for (int i = 0; i < TEAMS; i++) {
            calls[i].call_id = call_id_new();
            calls[i].team_id = teams[s->turned ? TEAMS - 1 - i : i].v;
            calls[i].outcome = STR("ok");
            calls[i].repeat = 1;
            calls[i].charge_nano.nano = 1;
            entries[i] = (struct settle_entry){.call = &calls[i]};
            call.entry[i] = &entries[i];
        }
        s->failed = settle_sql(sql, db, &call) != PORT_OK;
    }
    settle_sql_free(sql);
    db_close(db);
    return NULL;
}

static void settlements_wait_for_each_other_in_one_order(void **state)
{
    struct settler settlers[SETTLERS] = {0};
    int64_t posted, leased;

    for (int i = 0; i < SETTLERS; i++) {
        settlers[i].turned = i % 2;
        pthread_create(&settlers[i].id, NULL, settle, &settlers[i]);
    }
    for (int i = 0; i < SETTLERS; i++) {
        pthread_join(settlers[i].id, NULL);
        assert_int_equal(settlers[i].failed, 0);
    }
    for (int i = 0; i < TEAMS; i++) {
        money_wallet(&t, teams[i], &posted, &leased);
        assert_int_equal(posted, 1000000 - SETTLERS * BATCHES);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(settlements_wait_for_each_other_in_one_order),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
