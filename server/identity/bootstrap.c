/* bootstrap.c: the first start.
 *
 * Each step looks whether its work is done already, under one lock of the installation, so that
 * replicas that start together make everything once. The grant has a transaction of its own:
 * whoever moves money tells no nodes. */
#include "identity/bootstrap.h"

#include <errno.h>

#include "base/err.h"
#include "identity/bootstrap_row.h"
#include "identity/key.h"
#include "identity/keyring.h"
#include "identity/password.h"
#include "identity/team.h"
#include "identity/user_row.h"

#define DEMO_NAME "Demo"

struct starting {
    struct arena *a;
    const uint8_t *pepper;
    const struct bootstrap_wish *wish;
    struct bootstrap_made made;
    struct user_id operator;
    char hash[SECRET_PASSWORD_SIZE];
};

static int find_tx(struct db *db, void *ctx)
{
    struct starting *t = ctx;

    return bootstrap_find_operator(db, &t->operator);
}

static int operator_tx(struct db *db, void *ctx)
{
    struct starting *t = ctx;
    struct user_new wish = {.email = t->made.operator_email,
                            .name = STR("Operator"),
                            .hash = t->hash,
                            .is_operator = true};
    int r = bootstrap_lock(db);

    if (r == 0)
        r = bootstrap_find_operator(db, &t->operator);
    if (r < 0 || t->operator.v != 0)
        return r;
    r = user_row_add(db, &wish, &t->operator);
    if (r == 0)
        r = user_audit(db, &ACTOR_THE_SYSTEM, "operator.create", t->operator, STR_NONE, STR_NONE);
    t->made.operator_made = r == 0;
    return r;
}

static int ensure_operator(struct db *db, struct starting *t)
{
    int r = identity_tx(db, DB_SYSTEM, "bootstrap_find", find_tx, t);

    if (r < 0 || t->operator.v != 0)
        return r;
    struct str password = password_generate(t->a);

    if (!password.p)
        return err_origin(-ENOMEM);
    t->made.operator_email = t->wish->operator_email;
    r = secret_password_hash(password, t->hash);
    if (r == 0)
        r = identity_tx(db, DB_SYSTEM, "bootstrap_operator", operator_tx, t);
    if (t->made.operator_made)
        t->made.operator_password = password;
    return r;
}

static int team_tx(struct db *db, void *ctx)
{
    struct starting *t = ctx;
    int r = bootstrap_lock(db);

    if (r == 0)
        r = bootstrap_find_demo(db, &t->made.demo_team);
    if (r < 0 || t->made.demo_team.v != 0)
        return r;
    r = team_create(db, t->a, &ACTOR_THE_SYSTEM, t->operator, STR(DEMO_NAME), STR_NONE,
                    &t->made.demo_team, NULL);
    return r == 0 ? bootstrap_mark_demo(db, t->made.demo_team) : r;
}

static int grant_tx(struct db *db, void *ctx)
{
    struct starting *t = ctx;

    return bootstrap_grant(db, t->made.demo_team, t->wish->demo_grant);
}

/* Does the secret that the caller kept still open the demo team's door? */
static int check_kept_key(struct db *db, struct starting *t, bool *ret_good)
{
    struct digest digest = digest_keyed(t->pepper, t->wish->demo_key);
    struct key_policy *policy;
    int r = t->wish->demo_key.p ? key_find(db, &digest, &policy) : KEY_E_UNKNOWN;

    if (r == KEY_E_AWAY)
        return db_fatal(r);
    if (r < 0)
        return r;
    *ret_good = r == KEY_OK && policy->team.v == t->made.demo_team.v;
    if (r == KEY_OK)
        key_policy_unref(policy);
    return 0;
}

/* The key's old secret is lost for everybody, so nobody loses it now. */
static int key_tx(struct db *db, void *ctx)
{
    struct starting *t = ctx;
    struct key_settings settings = {
        .name = STR(DEMO_NAME), .models = t->wish->demo_models, .n_models = t->wish->n_demo_models};
    struct key_minted minted;
    struct key_id key;
    int r = bootstrap_lock(db);

    if (r == 0)
        r = bootstrap_find_key(db, t->made.demo_team, settings.name, &key);
    if (r < 0)
        return r;
    if (key.v != 0)
        r = keyring_rotate(db, t->a, t->pepper, &ACTOR_THE_SYSTEM, t->made.demo_team, key, 0,
                           &minted, NULL);
    else
        r = keyring_mint(db, t->a, t->pepper, &ACTOR_THE_SYSTEM, t->made.demo_team,
                         t->operator, & settings, &minted, NULL);
    if (r == 0)
        t->made.demo_key = minted.secret;
    return r;
}

static int ensure_demo(struct db *db, struct starting *t)
{
    bool good = false;
    int r = identity_tx(db, DB_SYSTEM, "bootstrap_team", team_tx, t);

    if (r == 0)
        r = identity_tx(db, DB_SYSTEM, "bootstrap_grant", grant_tx, t);
    if (r == 0)
        r = check_kept_key(db, t, &good);
    if (r == 0 && !good)
        r = identity_tx(db, DB_SYSTEM, "bootstrap_key", key_tx, t);
    return r;
}

int bootstrap(struct db *db, struct arena *a, const uint8_t key_pepper[32],
              const struct bootstrap_wish *wish, struct bootstrap_made *ret)
{
    struct starting t = {.a = a, .pepper = key_pepper, .wish = wish};
    int r = ensure_operator(db, &t);

    if (r == 0 && wish->demo)
        r = ensure_demo(db, &t);
    if (r > 0) /* the wish itself is wrong: an e-mail that is taken, a model that cannot be one */
        r = err_origin(-EINVAL);
    if (r < 0)
        return err_trace(r);
    *ret = t.made;
    return 0;
}
