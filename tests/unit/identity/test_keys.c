/* Virtual and management keys, and what one team sees of another: against a real PostgreSQL. */
#include "keys.h"

#include "base/clock.h"
#include "identity/manage_key.h"
#include "identity/member.h"
#include "identity/project.h"
#include "identity/team.h"

static int find(struct str secret, struct key_policy **ret)
{
    struct digest d = digest_keyed(test_pepper, secret);

    return key_find(t.db, &d, ret);
}

static void a_minted_key_is_found_with_its_policy(void **state)
{
    const struct str models[] = {STR("demo-chat"), STR("gpt-4o")};
    const struct str addresses[] = {STR("10.0.0.0/8"), STR("2001:db8::/32"), STR("192.0.2.7")};
    const struct key_tag tags[] = {{STR("env"), STR("prod")}, {STR("app"), STR("Straße \"7\"")}};
    struct key_settings s = {
        .name = STR("CI"),
        .models = models,
        .n_models = 2,
        .addresses = addresses,
        .n_addresses = 3,
        .expires_at_us = clock_wall_us() + 3600000000,
        .rpm = 60,
        .tpm = 1000,
        .concurrency = 2,
        .budget_window = KEY_WINDOW_MONTH,
        .budget = MONEY_USD(5),
        .tags = tags,
        .n_tags = 2,
    };
    struct key_minted made = mint(&s);
    struct key_policy *p;
    struct key_block b;
    struct key_view v;

    assert_true(secret_token_wellformed(made.secret, "tg-"));
    assert_int_equal(find(made.secret, &p), KEY_OK);
    assert_int_equal(p->key.v, made.id.v);
    assert_int_equal(p->team.v, ada.team.v);
    assert_int_equal(p->owner.v, ada.user.v);
    assert_str(p->name, "CI");
    assert_int_equal(p->expires_at_us, s.expires_at_us);
    assert_int_equal(p->rpm, 60);
    assert_int_equal(p->tpm, 1000);
    assert_int_equal(p->concurrency, 2);
    assert_int_equal(p->budget_window, KEY_WINDOW_MONTH);
    assert_int_equal(p->budget.nano, 5000000000);
    assert_true(key_policy_allows_model(p, STR("gpt-4o")));
    assert_false(key_policy_allows_model(p, STR("gpt-4")));
    assert_true(key_block_parse(STR("10.9.9.9"), &b));
    assert_true(key_policy_allows_address(p, b.ip));
    assert_true(key_block_parse(STR("11.0.0.1"), &b));
    assert_false(key_policy_allows_address(p, b.ip));
    assert_true(key_block_parse(STR("2001:db8:1::1"), &b));
    assert_true(key_policy_allows_address(p, b.ip));
    assert_false(p->disabled);
    assert_false(p->team_frozen);
    assert_str(p->team_time_zone, "UTC");
    assert_non_null(memmem(p->tags.p, p->tags.n, "\"env\": \"prod\"", 13));
    key_policy_unref(key_policy_ref(p));
    key_policy_unref(p);

    people_begin(&t, DB_TEAM(ada.team));
    assert_int_equal(keyring_get(t.db, t.a, ada.team, made.id, &v), 0);
    people_commit(&t);
    assert_str(v.owner_name, "Ada Example");
    assert_int_equal(v.settings.n_tags, 2);
    assert_str(v.settings.tags[0].name, "app");
    assert_str(v.settings.tags[0].value, "Straße \"7\"");
    assert_int_equal(v.settings.n_addresses, 3);
    assert_memory_equal(v.last4.p, made.secret.p + made.secret.n - 4, 4);
}

static void an_unknown_key_is_unknown(void **state)
{
    struct key_policy *p;

    assert_int_equal(find(STR("tg-nothing"), &p), KEY_E_UNKNOWN);
}

static void a_key_without_limits_allows_everything(void **state)
{
    struct key_minted made = mint(&(struct key_settings){.name = STR("free")});
    struct key_policy *p;
    uint8_t ip[16] = {1};

    assert_int_equal(find(made.secret, &p), KEY_OK);
    assert_true(key_policy_allows_model(p, STR("anything")));
    assert_true(key_policy_allows_address(p, ip));
    assert_int_equal(p->expires_at_us, 0);
    assert_int_equal(p->budget_window, KEY_WINDOW_NONE);
    key_policy_unref(p);
}

static const char *refused_field(const struct key_settings *s)
{
    struct identity_fault fault = {"", ""};
    struct key_minted made;

    people_begin(&t, DB_TEAM(ada.team));
    assert_int_equal(
        keyring_mint(t.db, t.a, test_pepper, &actor, ada.team, ada.user, s, &made, &fault),
        IDENTITY_E_FAULT);
    db_rollback(t.db);
    return fault.field;
}

static void settings_that_are_wrong_name_their_field(void **state)
{
    const struct str bad_model[] = {STR("two\nlines")}, bad_block[] = {STR("10.0.0.0/33")};
    const struct key_tag bad_tag[] = {{STR("a b"), STR("c")}};

    assert_string_equal(refused_field(&(struct key_settings){.name = STR(" ")}), "name");
    assert_string_equal(refused_field(&(struct key_settings){.name = STR("a\tb")}), "name");
    assert_string_equal(
        refused_field(&(struct key_settings){.name = STR("a"), .models = bad_model, .n_models = 1}),
        "models");
    assert_string_equal(refused_field(&(struct key_settings){
                            .name = STR("a"), .addresses = bad_block, .n_addresses = 1}),
                        "addresses");
    assert_string_equal(
        refused_field(&(struct key_settings){.name = STR("a"), .tags = bad_tag, .n_tags = 1}),
        "tags");
    assert_string_equal(refused_field(&(struct key_settings){.name = STR("a"), .rpm = -1}), "rpm");
    assert_string_equal(refused_field(&(struct key_settings){.name = STR("a"),
                                                             .expires_at_us = clock_wall_us() - 1}),
                        "expires_at");
    assert_string_equal(
        refused_field(&(struct key_settings){.name = STR("a"), .budget_window = KEY_WINDOW_DAY}),
        "budget");
    assert_string_equal(
        refused_field(&(struct key_settings){.name = STR("a"), .budget = MONEY_USD(1)}),
        "budget_window");
    assert_string_equal(
        refused_field(&(struct key_settings){.name = STR("a"), .project = {123456}}), "project");
}

static void rotation_keeps_the_key_and_overlaps(void **state)
{
    struct key_minted made = mint(&(struct key_settings){.name = STR("turning")}), next, last;
    struct identity_fault fault;
    struct key_policy *p;

    people_begin(&t, DB_TEAM(ada.team));
    assert_int_equal(
        keyring_rotate(t.db, t.a, test_pepper, &actor, ada.team, made.id, 24, &next, &fault), 0);
    people_commit(&t);
    assert_int_equal(next.id.v, made.id.v);
    assert_int_equal(find(next.secret, &p), KEY_OK);
    assert_int_equal(p->expires_at_us, 0);
    key_policy_unref(p);
    assert_int_equal(find(made.secret, &p), KEY_OK);
    assert_int_equal(p->key.v, made.id.v);
    assert_in_range(p->expires_at_us, clock_wall_us() + 23 * 3600000000LL,
                    clock_wall_us() + 25 * 3600000000LL);
    key_policy_unref(p);
    people_begin(&t, DB_TEAM(ada.team));
    assert_int_equal(
        keyring_rotate(t.db, t.a, test_pepper, &actor, ada.team, made.id, 721, &last, &fault),
        IDENTITY_E_FAULT);
    assert_int_equal(
        keyring_rotate(t.db, t.a, test_pepper, &actor, ada.team, made.id, 0, &last, &fault), 0);
    people_commit(&t);
    assert_int_equal(find(made.secret, &p), KEY_E_UNKNOWN);
    assert_int_equal(find(next.secret, &p), KEY_E_UNKNOWN);
    assert_int_equal(find(last.secret, &p), KEY_OK);
    key_policy_unref(p);
}

static void disabled_is_found_as_such_and_deleted_not_at_all(void **state)
{
    struct key_minted made = mint(&(struct key_settings){.name = STR("leaving")});
    struct key_policy *p;
    struct key_page page;
    struct key_view v;

    people_begin(&t, DB_TEAM(ada.team));
    assert_int_equal(keyring_set_disabled(t.db, t.a, &actor, ada.team, made.id, true), 0);
    people_commit(&t);
    assert_int_equal(find(made.secret, &p), KEY_OK);
    assert_true(p->disabled);
    key_policy_unref(p);
    people_begin(&t, DB_TEAM(ada.team));
    assert_int_equal(keyring_set_disabled(t.db, t.a, &actor, ada.team, made.id, false), 0);
    assert_int_equal(keyring_delete(t.db, t.a, &actor, ada.team, made.id), 0);
    assert_int_equal(keyring_delete(t.db, t.a, &actor, ada.team, made.id), IDENTITY_E_NONE);
    assert_int_equal(keyring_get(t.db, t.a, ada.team, made.id, &v), 0);
    assert_true(v.deleted);
    assert_int_equal(keyring_list(t.db, t.a, ada.team, false, &page), 0);
    for (size_t i = 0; i < page.n; i++)
        assert_int_not_equal(page.v[i].id.v, made.id.v);
    people_commit(&t);
    assert_int_equal(find(made.secret, &p), KEY_E_UNKNOWN);
}

static void update_sets_and_clears(void **state)
{
    struct key_settings s = {
        .name = STR("before"), .rpm = 5, .budget_window = KEY_WINDOW_DAY, .budget = MONEY_USD(1)};
    struct key_minted made = mint(&s);
    struct identity_fault fault;
    struct key_view v;

    s = (struct key_settings){.name = STR("after"), .tpm = 7};
    people_begin(&t, DB_TEAM(ada.team));
    assert_int_equal(keyring_update(t.db, t.a, &actor, ada.team, made.id, &s, &fault), 0);
    assert_int_equal(keyring_get(t.db, t.a, ada.team, made.id, &v), 0);
    people_commit(&t);
    assert_str(v.settings.name, "after");
    assert_int_equal(v.settings.rpm, 0);
    assert_int_equal(v.settings.tpm, 7);
    assert_int_equal(v.settings.budget_window, KEY_WINDOW_NONE);
    assert_int_equal(v.settings.budget.nano, 0);
}

static void freezing_a_team_shows_in_its_keys(void **state)
{
    struct key_minted made = mint(&(struct key_settings){.name = STR("cold")});
    struct actor op = {ACTOR_OPERATOR, ada.user.v, STR("op@example.org"), STR_NONE};
    struct identity_fault fault;
    struct key_policy *p;

    people_begin(&t, DB_OPERATOR);
    assert_int_equal(team_freeze(t.db, t.a, &op, ada.team, STR(""), &fault), IDENTITY_E_FAULT);
    assert_int_equal(team_freeze(t.db, t.a, &op, ada.team, STR("unpaid"), &fault), 0);
    people_commit(&t);
    assert_int_equal(find(made.secret, &p), KEY_OK);
    assert_true(p->team_frozen);
    key_policy_unref(p);
    people_begin(&t, DB_OPERATOR);
    assert_int_equal(team_unfreeze(t.db, t.a, &op, ada.team), 0);
    people_commit(&t);
}

static void one_team_sees_and_changes_nothing_of_another(void **state)
{
    struct key_minted made = mint(&(struct key_settings){.name = STR("hers")});
    struct actor mallory = people_actor(eve.user);
    struct identity_fault fault;
    struct key_minted stolen;
    struct key_page page;
    struct member_page members;
    struct key_view v;
    struct team team;
    struct user user;

    people_begin(&t, DB_TEAM(eve.team));
    /* by the policies alone: the statements ask for the other team's rows */
    assert_int_equal(keyring_get(t.db, t.a, ada.team, made.id, &v), IDENTITY_E_NONE);
    assert_int_equal(keyring_list(t.db, t.a, ada.team, true, &page), 0);
    assert_int_equal(page.n, 0);
    assert_int_equal(member_list(t.db, t.a, ada.team, &members), 0);
    assert_int_equal(members.n, 0);
    assert_int_equal(team_get(t.db, t.a, ada.team, &team), IDENTITY_E_NONE);
    assert_int_equal(user_get(t.db, t.a, ada.user, &user), IDENTITY_E_NONE);
    assert_int_equal(user_get(t.db, t.a, eve.user, &user), 0);
    assert_int_equal(keyring_set_disabled(t.db, t.a, &mallory, ada.team, made.id, true),
                     IDENTITY_E_NONE);
    assert_int_equal(keyring_delete(t.db, t.a, &mallory, ada.team, made.id), IDENTITY_E_NONE);
    /* an insert for the other team is refused by the policy's check */
    assert_true(keyring_mint(t.db, t.a, test_pepper, &mallory, ada.team, eve.user,
                             &(struct key_settings){.name = STR("x")}, &stolen, &fault) < 0);
    db_rollback(t.db);
    /* without any scope there are no rows at all */
    people_begin(&t, (struct db_scope){.kind = DB_AS_USER});
    assert_int_equal(keyring_list(t.db, t.a, ada.team, true, &page), 0);
    assert_int_equal(page.n, 0);
    people_commit(&t);
}

static void a_user_sees_their_own_teams(void **state)
{
    struct membership_page page;

    people_begin(&t, DB_USER(eve.user));
    assert_int_equal(member_teams(t.db, t.a, eve.user, &page), 0);
    assert_int_equal(page.n, 1);
    assert_int_equal(page.v[0].team.v, eve.team.v);
    assert_int_equal(page.v[0].role, ROLE_OWNER);
    assert_int_equal(member_teams(t.db, t.a, ada.user, &page), 0);
    assert_int_equal(page.n, 0);
    people_commit(&t);
}

static void a_removed_members_keys_stop_on_demand(void **state)
{
    struct actor eves = people_actor(eve.user);
    struct key_minted made;
    struct identity_fault fault;
    struct manage_key found;
    struct str eves_secret, ours;
    struct key_policy *p;
    int64_t id;

    assert_int_equal(db_script(t.owner, "INSERT INTO member SELECT t.id, p.id, 'developer'"
                                        " FROM team t, person p WHERE p.email = 'eve@example.org'"
                                        " ON CONFLICT DO NOTHING"),
                     0);
    people_begin(&t, DB_TEAM(ada.team));
    assert_int_equal(keyring_mint(t.db, t.a, test_pepper, &actor, ada.team, eve.user,
                                  &(struct key_settings){.name = STR("eve's")}, &made, &fault),
                     0);
    assert_int_equal(manage_key_mint(t.db, t.a, test_pepper, &eves, ada.team, ROLE_ADMIN, STR("eve's"),
                                     0, &id, &eves_secret, &fault), 0);
    assert_int_equal(manage_key_mint(t.db, t.a, test_pepper, &actor, ada.team, ROLE_ADMIN, STR("ours"),
                                     0, &id, &ours, &fault), 0);
    assert_int_equal(member_remove(t.db, t.a, &actor, ROLE_OWNER, ada.team, eve.user, true, &fault),
                     0);
    people_commit(&t);
    assert_int_equal(find(made.secret, &p), KEY_OK);
    assert_true(p->disabled);
    key_policy_unref(p);
    people_begin(&t, DB_SYSTEM);
    assert_int_equal(manage_key_find(t.db, t.a, test_pepper, eves_secret, &found), IDENTITY_E_NONE);
    assert_int_equal(manage_key_find(t.db, t.a, test_pepper, ours, &found), 0);
    people_commit(&t);
}

static void management_keys_have_a_team_or_are_the_operators(void **state)
{
    struct identity_fault fault;
    struct manage_key found;
    struct str secret, op_secret;
    int64_t id, op_id;

    people_begin(&t, DB_TEAM(ada.team));
    assert_int_equal(manage_key_mint(t.db, t.a, test_pepper, &actor, ada.team, ROLE_OWNER, STR("x"),
                                     0, &id, &secret, &fault),
                     IDENTITY_E_FAULT);
    assert_int_equal(manage_key_mint(t.db, t.a, test_pepper, &actor, ada.team, ROLE_BILLING,
                                     STR("bills"), 0, &id, &secret, &fault),
                     0);
    people_commit(&t);
    people_begin(&t, DB_OPERATOR);
    assert_int_equal(manage_key_mint(t.db, t.a, test_pepper, &actor, (struct team_id){0},
                                     ROLE_VIEWER, STR("root"), 0, &op_id, &op_secret, &fault),
                     0);
    people_commit(&t);
    people_begin(&t, DB_SYSTEM);
    assert_int_equal(manage_key_find(t.db, t.a, test_pepper, secret, &found), 0);
    assert_int_equal(found.team.v, ada.team.v);
    assert_int_equal(found.role, ROLE_BILLING);
    assert_false(found.is_operator);
    assert_int_equal(manage_key_find(t.db, t.a, test_pepper, op_secret, &found), 0);
    assert_true(found.is_operator);
    assert_int_equal(manage_key_find(t.db, t.a, test_pepper, STR("tgm-x"), &found),
                     IDENTITY_E_NONE);
    people_commit(&t);
    people_begin(&t, DB_TEAM(ada.team));
    assert_int_equal(manage_key_revoke(t.db, t.a, &actor, (struct team_id){0}, op_id),
                     IDENTITY_E_NONE);
    assert_int_equal(manage_key_revoke(t.db, t.a, &actor, ada.team, id), 0);
    people_commit(&t);
    people_begin(&t, DB_SYSTEM);
    assert_int_equal(manage_key_find(t.db, t.a, test_pepper, secret, &found), IDENTITY_E_NONE);
    people_commit(&t);
}

static void project_names_are_unique_in_their_team(void **state)
{
    struct identity_fault fault;
    struct project_page page;
    struct project_id first, second;

    people_begin(&t, DB_TEAM(ada.team));
    assert_int_equal(project_create(t.db, t.a, &actor, ada.team, STR("App"), &first, &fault), 0);
    assert_int_equal(project_create(t.db, t.a, &actor, ada.team, STR("app"), &second, &fault),
                     IDENTITY_E_FAULT);
    assert_int_equal(project_rename(t.db, t.a, &actor, ada.team, first, STR("APP"), &fault), 0);
    assert_int_equal(project_archive(t.db, t.a, &actor, ada.team, first), 0);
    assert_int_equal(project_create(t.db, t.a, &actor, ada.team, STR("app"), &second, &fault), 0);
    assert_int_equal(project_list(t.db, t.a, ada.team, &page), 0);
    people_commit(&t);
    assert_int_equal(page.n, 2);
    assert_int_equal(page.v[0].id.v, second.v);
    assert_true(page.v[1].archived);
}

static void an_archived_project_keeps_its_keys_and_takes_no_others(void **state)
{
    struct identity_fault fault = {"", ""};
    struct key_settings s = {.name = STR("stays")};
    struct key_minted inside, outside;

    people_begin(&t, DB_TEAM(ada.team));
    assert_int_equal(project_create(t.db, t.a, &actor, ada.team, STR("Old"), &s.project, &fault), 0);
    people_commit(&t);
    inside = mint(&s);
    outside = mint(&(struct key_settings){.name = STR("comes")});
    people_begin(&t, DB_TEAM(ada.team));
    assert_int_equal(project_archive(t.db, t.a, &actor, ada.team, s.project), 0);
    s.rpm = 120;
    assert_int_equal(keyring_update(t.db, t.a, &actor, ada.team, inside.id, &s, &fault), 0);
    assert_int_equal(keyring_update(t.db, t.a, &actor, ada.team, outside.id, &s, &fault), IDENTITY_E_FAULT);
    db_rollback(t.db);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_minted_key_is_found_with_its_policy),
        cmocka_unit_test(an_unknown_key_is_unknown),
        cmocka_unit_test(a_key_without_limits_allows_everything),
        cmocka_unit_test(settings_that_are_wrong_name_their_field),
        cmocka_unit_test(rotation_keeps_the_key_and_overlaps),
        cmocka_unit_test(disabled_is_found_as_such_and_deleted_not_at_all),
        cmocka_unit_test(update_sets_and_clears),
        cmocka_unit_test(freezing_a_team_shows_in_its_keys),
        cmocka_unit_test(one_team_sees_and_changes_nothing_of_another),
        cmocka_unit_test(a_user_sees_their_own_teams),
        cmocka_unit_test(a_removed_members_keys_stop_on_demand),
        cmocka_unit_test(management_keys_have_a_team_or_are_the_operators),
        cmocka_unit_test(project_names_are_unique_in_their_team),
        cmocka_unit_test(an_archived_project_keeps_its_keys_and_takes_no_others),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
