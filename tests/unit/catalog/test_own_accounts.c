/* Teams' own accounts: what the snapshot has of them, how many there may be and how often they change. */
#include "catalog_fixture.h"

#include "catalog/holder.h"
#include "catalog/own_accounts.h"

static const struct catalog_options here = {.seal_key = seal_key, .demo_port = 4010};

/* A load has a transaction of its own: what a test made is committed first. */
static struct catalog *loaded_with(const struct catalog_options *options)
{
    struct catalog *c = NULL;

    assert_int_equal(db_commit(db), 0);
    assert_int_equal(catalog_load(db, options, &c), CATALOG_OK);
    assert_int_equal(db_begin(db, DB_OPERATOR, false), 0);
    return c;
}

static const struct catalog_model *find(const struct catalog *c, const char *name)
{
    const struct catalog_model *m = catalog_find_model(c, str_c(name));

    assert_non_null(m);
    return m;
}

static int64_t input_of(const struct price *p)
{
    assert_non_null(p);
    return p->of[SERVICE_STANDARD].v[0].charge[USAGE_INPUT] / 1000000000;
}

/* A team is the money's to make; the owner of the tables may, too. */
static void make_teams(int n)
{
    struct db *owner = NULL;
    char sql[200];

    assert_int_equal(db_open(pg.owner_conninfo, "test", &owner), 0);
    snprintf(sql, sizeof(sql),
             "INSERT INTO team (id, name, time_zone) OVERRIDING SYSTEM VALUE"
             " SELECT i, 'Team ' || i, 'UTC' FROM generate_series(9001, %d) i ON CONFLICT DO NOTHING", 9000 + n);
    assert_int_equal(db_script(owner, sql), 0);
    db_close(owner);
}

static struct account_id add_own(int64_t team, const char *name)
{
    struct account_draft d = an_account("openai", name);
    struct account_id id = {0};

    d.team = (struct team_id){team};
    assert_int_equal(own_add(db, arena, &the_operator, seal_key, &d, STR("sk-own"), NULL, 0, &id, &fault),
                     CHANGE_OK);
    return id;
}

static void price_as(struct model_id model, const char *kind, struct target_id target, int64_t usd)
{
    struct price_figure figures[2];
    struct price_draft d = a_price(model, figures, usd, usd);
    struct price_id id;

    d.kind = *kind ? str_c(kind) : STR_NONE;
    d.target = target;
    assert_int_equal(price_publish(db, &the_operator, &d, &id, &fault), CHANGE_OK);
}

static void teams_own_accounts_stand_apart(void **state)
{
    const struct account_id account = add_account("openai", "for all", "sk-1");
    const struct account_id elsewhere = add_account("groq", "of another kind", "gsk-1");
    const struct model_id model = add_model("owned"), other = add_model("owned-by-none");
    struct catalog_options one = here;
    struct account_id first, second, third;
    const struct catalog_target *own;
    const struct catalog_model *m;
    struct account_row *rows;
    struct target_id all, mine;
    struct catalog *c;
    size_t n;

    make_teams(2);
    (void)add_target(other, elsewhere, "up");
    all = add_target(model, account, "up");
    price_as(model, "", (struct target_id){0}, 1);
    price_as(model, "groq", (struct target_id){0}, 2);
    price_as(model, "openai", (struct target_id){0}, 3);
    price_as(model, "", all, 4);
    first = add_own(9002, "first");
    second = add_own(9001, "second");
    third = add_own(9002, "third");
    c = loaded_with(&here);
    m = find(c, "owned");
    assert_int_equal(m->n_targets, 1);
    assert_int_equal(m->targets[0].id.v, all.v);
    assert_int_equal(m->n_own, 3);
    own = catalog_model_own(m, (struct team_id){9002}, &n);
    assert_int_equal(n, 2);
    assert_int_equal(own[0].account->id.v, first.v);
    assert_int_equal(own[1].account->id.v, third.v);
    assert_ptr_equal(own[1].model, m);
    assert_str(own[1].upstream_model, "up");
    assert_int_equal(input_of(own[1].price), 3);
    assert_int_equal(input_of(m->targets[0].price), 4);
    own = catalog_model_own(m, (struct team_id){9001}, &n);
    assert_int_equal(n, 1);
    assert_ptr_equal(own[0].account, catalog_find_account(c, second));
    mine = own[0].id;
    assert_int_equal(find(c, "owned-by-none")->n_own, 0);
    catalog_unref(c);
    one.only = second; /* for a look at that one */
    c = loaded_with(&one);
    m = find(c, "owned");
    assert_int_equal(m->n_targets, 1);
    assert_int_equal(m->n_own, 1);
    assert_null(catalog_find_account(c, first));
    catalog_unref(c);
    /* Operators see, pin and route to what is the installation's. */
    assert_int_equal(model_pin(db, &the_operator, model, mine), CHANGE_E_NONE);
    assert_int_equal(target_add(db, &the_operator, other, first,
                                &(struct target_draft){.upstream_model = STR("up"), .weight = 1},
                                &all, &fault),
                     CHANGE_E_NONE);
    assert_int_equal(account_list(db, arena, &rows, &n), CHANGE_OK);
    for (size_t i = 0; i < n; i++)
        assert_int_equal(rows[i].is.team.v, 0);
}

static const struct own_model *model_among(const struct own_model *models, size_t n, const char *name)
{
    for (size_t i = 0; i < n; i++)
        if (str_eq_c(models[i].name, name))
            return &models[i];
    return NULL;
}

static void what_an_account_serves_stays_though_it_is_not_offered_any_more(void **state)
{
    const struct account_id account = add_account("openai", "for a while", "sk-1");
    const struct model_id gone = add_model("went-away"), stays = add_model("went-not");
    const struct target_id target = add_target(gone, account, "up");
    const struct str names[] = {STR("went-away"), STR("went-not")};
    const struct own_model *m;
    struct own_model *models;
    struct account_row row;
    struct account_id own;
    size_t n;

    make_teams(3);
    (void)add_target(stays, account, "up-2");
    own = add_own(9003, "keeps");
    assert_int_equal(target_delete(db, &the_operator, target), CHANGE_OK);
    assert_int_equal(own_account_get(db, arena, (struct team_id){9003}, own, &row), CHANGE_OK);
    assert_int_equal(own_serve(db, arena, &the_operator, &row, names, 2, &fault), CHANGE_OK);
    assert_int_equal(own_models(db, arena, STR("openai"), own, &models, &n), CHANGE_OK);
    m = model_among(models, n, "went-away");
    assert_non_null(m);
    assert_false(m->offered);
    assert_true(m->served);
    m = model_among(models, n, "went-not");
    assert_true(m->offered);
    assert_true(m->served);
    assert_int_equal(own_serve(db, arena, &the_operator, &row, &names[1], 1, &fault), CHANGE_OK);
    assert_int_equal(own_serve(db, arena, &the_operator, &row, names, 2, &fault), CHANGE_E_FAULT);
    assert_int_equal(own_models(db, arena, STR("openai"), own, &models, &n), CHANGE_OK);
    assert_null(model_among(models, n, "went-away"));
}

static void a_team_has_so_many_accounts_and_changes_them_so_often(void **state)
{
    struct account_draft d = an_account("openai", "one too many");
    struct account_id id, last = {0};
    char name[20];
    int32_t retry_after_s = 0;
    int64_t team = 9001;

    for (int i = 0; i < OWN_ACCOUNTS_PER_TEAM - 1; i++) { /* it has one */
        snprintf(name, sizeof(name), "key %d", i);
        last = add_own(team, name);
    }
    d.team = (struct team_id){team};
    assert_int_equal(own_add(db, arena, &the_operator, seal_key, &d, STR("sk"), NULL, 0, &id, &fault),
                     CHANGE_E_FAULT);
    assert_string_equal(fault.field, "name");
    assert_int_equal(account_delete(db, &the_operator, last), CHANGE_OK);
    assert_int_equal(own_add(db, arena, &the_operator, seal_key, &d, STR("sk"), NULL, 0, &id, &fault),
                     CHANGE_OK);
    for (int i = 0; i < 60; i++)
        assert_int_equal(own_may_change(db, d.team, &retry_after_s), CHANGE_OK);
    assert_int_equal(own_may_change(db, d.team, &retry_after_s), IDENTITY_E_LIMITED);
    assert_in_range(retry_after_s, 500, 600);
    assert_int_equal(own_may_change(db, (struct team_id){9002}, &retry_after_s), CHANGE_OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, in_transaction, roll_back)
        TEST(teams_own_accounts_stand_apart),
        TEST(what_an_account_serves_stays_though_it_is_not_offered_any_more),
        TEST(a_team_has_so_many_accounts_and_changes_them_so_often),
#undef TEST
    };

    return cmocka_run_group_tests(tests, catalog_fixture_start, catalog_fixture_stop);
}
