/* keys.h: two teams, and keys of the first, for the tests of keys. */
#pragma once

#include "people.h"

#include "base/secret.h"
#include "identity/keyring.h"

static struct people t;
static struct session ada, eve; /* owners of two teams */
static struct actor actor;

static inline int setup(void **state)
{
    people_start(&t);
    ada = people_session(&t, people_sign_up(&t, "ada@example.org").token);
    eve = people_session(&t, people_sign_up(&t, "eve@example.org").token);
    actor = people_actor(ada.user);
    return 0;
}

static inline int teardown(void **state)
{
    people_stop(&t);
    return 0;
}

static inline struct key_minted mint(const struct key_settings *settings)
{
    struct identity_fault fault = {"", ""};
    struct key_minted made;

    people_begin(&t, DB_TEAM(ada.team));
    assert_int_equal(
        keyring_mint(t.db, t.a, test_pepper, &actor, ada.team, ada.user, settings, &made, &fault),
        0);
    people_commit(&t);
    return made;
}
