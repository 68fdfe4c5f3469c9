/* Invitations, roles and who leaves a team: against a real PostgreSQL. */
#include "people_group.h"

#include "identity/invite.h"
#include "identity/member.h"

static struct str invite(struct team_id team, struct actor *actor, enum role role,
                         const char *email)
{
    struct identity_fault fault;
    struct str token;

    people_begin(&t, DB_TEAM(team));
    assert_int_equal(invite_make(t.db, t.a, test_pepper, actor, ROLE_OWNER, team, role,
                                 str_c(email), &token, &fault),
                     0);
    people_commit(&t);
    return token;
}

static void an_invitation_works_once(void **state)
{
    struct session owner = people_session(&t, people_sign_up(&t, "fay@example.org").token);
    struct actor actor = people_actor(owner.user);
    struct str token = invite(owner.team, &actor, ROLE_DEVELOPER, "");
    struct sign_up wish = people_wish("gus@example.org");
    struct session_made made;
    struct identity_fault fault = {"", ""};
    struct invite seen;

    people_begin(&t, DB_SYSTEM);
    assert_int_equal(invite_peek(t.db, t.a, test_pepper, token, &seen), 0);
    people_commit(&t);
    assert_str(seen.team_name, "Example");
    assert_int_equal(seen.role, ROLE_DEVELOPER);
    wish.invite = token;
    wish.invite_required = true;
    people_forget_attempts(&t);
    assert_int_equal(user_sign_up(t.db, t.a, test_pepper, &wish, &made, &fault), 0);
    struct session s = people_session(&t, made.token);
    assert_int_equal(s.team.v, owner.team.v);
    assert_int_equal(s.role, ROLE_DEVELOPER);
    wish.email = STR("hal@example.org");
    assert_int_equal(user_sign_up(t.db, t.a, test_pepper, &wish, &made, &fault), IDENTITY_E_FAULT);
    assert_string_equal(fault.field, "invite");
}

static void an_invitation_may_be_for_one_email(void **state)
{
    struct session owner = people_session(&t, people_sign_up(&t, "ida@example.org").token);
    struct session other = people_session(&t, people_sign_up(&t, "jo@example.org").token);
    struct actor actor = people_actor(owner.user), joining = people_actor(other.user);
    struct str token = invite(owner.team, &actor, ROLE_VIEWER, "kim@example.org");
    struct identity_fault fault;
    struct team_id team;

    people_begin(&t, DB_SYSTEM);
    assert_int_equal(invite_use(t.db, t.a, test_pepper, &joining, token, other.user, &team, &fault),
                     IDENTITY_E_FAULT);
    assert_string_equal(fault.field, "invite");
    db_rollback(t.db);
    token = invite(owner.team, &actor, ROLE_VIEWER, "JO@example.org");
    people_begin(&t, DB_SYSTEM);
    assert_int_equal(invite_use(t.db, t.a, test_pepper, &joining, token, other.user, &team, &fault),
                     0);
    people_commit(&t);
    assert_int_equal(team.v, owner.team.v);
}

static void a_member_joins(struct session owner, struct session other, enum role role)
{
    struct actor actor = people_actor(owner.user), joining = people_actor(other.user);
    struct str token = invite(owner.team, &actor, role, "");
    struct identity_fault fault;
    struct team_id team;

    people_begin(&t, DB_SYSTEM);
    assert_int_equal(invite_use(t.db, t.a, test_pepper, &joining, token, other.user, &team, &fault), 0);
    people_commit(&t);
}

static void the_last_owner_stays(void **state)
{
    struct session owner = people_session(&t, people_sign_up(&t, "lea@example.org").token);
    struct session other = people_session(&t, people_sign_up(&t, "max@example.org").token);
    struct actor actor = people_actor(owner.user), joining = people_actor(other.user);
    struct team_id team = owner.team;
    struct identity_fault fault;

    a_member_joins(owner, other, ROLE_ADMIN);
    people_begin(&t, DB_TEAM(owner.team));
    assert_int_equal(
        member_set_role(t.db, t.a, &actor, ROLE_OWNER, team, owner.user, ROLE_VIEWER, &fault),
        IDENTITY_E_FAULT);
    assert_int_equal(member_remove(t.db, t.a, &actor, ROLE_OWNER, team, owner.user, false, &fault),
                     IDENTITY_E_FAULT);
    /* an admin makes no owners and touches none */
    assert_int_equal(
        member_set_role(t.db, t.a, &joining, ROLE_ADMIN, team, other.user, ROLE_OWNER, &fault),
        IDENTITY_E_FAULT);
    assert_int_equal(
        member_remove(t.db, t.a, &joining, ROLE_ADMIN, team, owner.user, false, &fault),
        IDENTITY_E_FAULT);
    assert_int_equal(
        member_set_role(t.db, t.a, &actor, ROLE_OWNER, team, other.user, ROLE_OWNER, &fault), 0);
    assert_int_equal(member_remove(t.db, t.a, &actor, ROLE_OWNER, team, owner.user, false, &fault),
                     0);
    people_commit(&t);
    /* the dashboard shows the team that is left to them: none */
    struct login login = {STR("lea@example.org"), STR("correct horse battery"),
                          {STR("192.0.2.1"), STR("test")}};
    struct session_made again;
    int32_t retry;
    people_forget_attempts(&t);
    assert_int_equal(people_sign_in(&t, &login, &again, &retry), 0);
    assert_int_equal(people_session(&t, again.token).team.v, 0);
}

static int peek(struct str token)
{
    struct invite seen;
    int r;

    people_begin(&t, DB_SYSTEM);
    r = invite_peek(t.db, t.a, test_pepper, token, &seen);
    people_commit(&t);
    return r;
}

static void who_is_removed_does_not_come_back_by_their_own_invitation(void **state)
{
    struct session owner = people_session(&t, people_sign_up(&t, "una@example.org").token);
    struct session other = people_session(&t, people_sign_up(&t, "vic@example.org").token);
    struct actor actor = people_actor(owner.user), admin = people_actor(other.user);
    struct str theirs, ours;
    struct identity_fault fault;
    struct invite_page open;

    a_member_joins(owner, other, ROLE_ADMIN);
    theirs = invite(owner.team, &admin, ROLE_ADMIN, "");
    ours = invite(owner.team, &actor, ROLE_VIEWER, "");
    people_begin(&t, DB_TEAM(owner.team));
    assert_int_equal(
        member_remove(t.db, t.a, &actor, ROLE_OWNER, owner.team, other.user, false, &fault), 0);
    assert_int_equal(invite_list(t.db, t.a, owner.team, &open), 0);
    people_commit(&t);
    assert_int_equal(open.n, 1);
    assert_int_equal(peek(theirs), IDENTITY_E_NONE);
    assert_int_equal(peek(ours), 0);
    /* Nor by one that they were about to make. */
    people_begin(&t, DB_TEAM(owner.team));
    assert_int_equal(invite_make(t.db, t.a, test_pepper, &admin, ROLE_ADMIN, owner.team, ROLE_VIEWER,
                                 STR(""), &theirs, &fault), IDENTITY_E_FAULT);
    assert_string_equal(fault.field, "role");
    db_rollback(t.db);
}

static void who_is_demoted_has_no_invitations_that_they_could_not_make(void **state)
{
    struct session owner = people_session(&t, people_sign_up(&t, "wim@example.org").token);
    struct session other = people_session(&t, people_sign_up(&t, "xia@example.org").token);
    struct actor actor = people_actor(owner.user), demoted = people_actor(other.user);
    struct str to_own, to_see;
    struct identity_fault fault;

    a_member_joins(owner, other, ROLE_OWNER);
    to_own = invite(owner.team, &demoted, ROLE_OWNER, "");
    to_see = invite(owner.team, &demoted, ROLE_VIEWER, "");
    people_begin(&t, DB_TEAM(owner.team));
    assert_int_equal(member_set_role(t.db, t.a, &actor, ROLE_OWNER, owner.team, other.user, ROLE_ADMIN,
                                     &fault), 0);
    people_commit(&t);
    assert_int_equal(peek(to_own), IDENTITY_E_NONE);
    assert_int_equal(peek(to_see), 0);
    people_begin(&t, DB_TEAM(owner.team));
    assert_int_equal(member_set_role(t.db, t.a, &actor, ROLE_OWNER, owner.team, other.user,
                                     ROLE_DEVELOPER, &fault), 0);
    people_commit(&t);
    assert_int_equal(peek(to_see), IDENTITY_E_NONE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_invitation_works_once),
        cmocka_unit_test(an_invitation_may_be_for_one_email),
        cmocka_unit_test(the_last_owner_stays),
        cmocka_unit_test(who_is_removed_does_not_come_back_by_their_own_invitation),
        cmocka_unit_test(who_is_demoted_has_no_invitations_that_they_could_not_make),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
