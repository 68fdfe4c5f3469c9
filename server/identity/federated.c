/* federated.c: see federated.h. All of one sign-in is one transaction, under a lock of its subject: of two who
 * come at once the second finds what the first has made. */
#include "identity/federated_row.h"

#include <errno.h>

#include "base/err.h"
#include "identity/field.h"
#include "identity/login_ticket.h"

struct signing {
    struct arena *a;
    const uint8_t *pepper;
    const struct federated_sign_in *wish;
    struct federated who; /* with the e-mail in small letters */
    struct user_row row;
    bool made_operator, is_new;
    struct session_made made;
    struct identity_fault *fault;
};

static struct actor actor_of(const struct signing *t, struct user_id user)
{
    return (struct actor){ACTOR_USER, user.v, t->who.email.p ? t->who.email : STR("?"),
                          t->wish->from.address};
}

static int link_to_person(struct db *db, struct signing *t, struct user_id user)
{
    const struct actor actor = actor_of(t, user);
    struct str row;
    int r = federated_row_add(db, t->a, &t->who, user, &row);

    if (r == IDENTITY_E_FAULT)
        return FEDERATED_E_OTHER;
    if (r == 0)
        r = user_audit(db, &actor, "user.link_provider", user, STR_NONE, row);
    return r;
}

/* What the provider calls somebody may be too long, or no line of text: the e-mail has a part that is. */
static struct str name_of(const struct signing *t)
{
    struct str name = t->who.name, part = t->who.email;

    if (name.n && field_line(&name, "name", 1, PERSON_NAME_MAX, NULL) == 0)
        return name;
    (void)str_split(&part, '@', &name);
    return field_cut(name, PERSON_NAME_MAX);
}

static int new_person(struct db *db, struct signing *t, struct user_id *ret)
{
    const struct user_new user = {.email = t->who.email, .name = name_of(t)};
    struct actor actor;
    int r = user_row_add(db, &user, ret);

    if (r == IDENTITY_E_FAULT)
        return FEDERATED_E_TAKEN;
    actor = actor_of(t, *ret);
    if (r == 0)
        r = user_audit(db, &actor, "user.sign_up", *ret, STR_NONE, STR("{\"by\": \"identity provider\"}"));
    if (r == 0)
        r = user_first_team(db, t->a, t->pepper, &actor, user.name, STR(""), t->wish->invite, t->fault);
    t->is_new = r == 0;
    return r == IDENTITY_E_FAULT ? FEDERATED_E_INVITE : r;
}

/* Accounts are made without a look at the e-mail, so whoever made this one need not be the one who comes now: the
 * password that was set ends, as do the sessions that it began. */
static int link_by_email(struct db *db, struct signing *t, const struct user *user)
{
    int r = link_to_person(db, t, user->id);

    return r ? r : user_set_password(db, user->id, NULL);
}

/* Nobody is linked to the subject. */
static int first_time(struct db *db, struct signing *t, struct user_id *ret)
{
    const struct federated_rules *rules = &t->wish->rules;
    struct user user;
    int r;

    if (!t->who.email.p)
        return FEDERATED_E_NO_EMAIL;
    r = user_by_email(db, t->a, t->who.email, &user);
    if (r == 0) {
        if (!rules->link_by_email || user.is_operator)
            return FEDERATED_E_TAKEN;
        *ret = user.id;
        return user.disabled ? FEDERATED_E_DISABLED : link_by_email(db, t, &user);
    }
    if (r != IDENTITY_E_NONE)
        return r;
    if (!rules->open && !(rules->by_invite && t->wish->invite.p))
        return rules->by_invite ? FEDERATED_E_UNINVITED : FEDERATED_E_CLOSED;
    r = new_person(db, t, ret);
    return r ? r : link_to_person(db, t, *ret);
}

/* The last operator stays one, whatever the groups say. */
static int follow_group(struct db *db, struct signing *t)
{
    struct identity_fault fault;
    bool want = t->who.in_operator_group;
    int r = 0;

    if (!t->wish->rules.names_operators || (want ? t->row.is_operator : !t->made_operator))
        return 0;
    if (t->row.is_operator != want)
        r = user_set_operator(db, t->a, &ACTOR_THE_SYSTEM, t->row.id, want, &fault);
    if (r == IDENTITY_E_FAULT)
        return 0;
    t->made_operator = want;
    t->row.is_operator = want;
    return r;
}

static int sign_in_tx(struct db *db, void *ctx)
{
    struct signing *t = ctx;
    struct user_id user;
    int r = federated_row_lock(db, &t->who);

    t->is_new = t->made_operator = false;
    if (r == 0)
        r = federated_row_find(db, &t->who, &user, &t->made_operator);
    if (r == IDENTITY_E_NONE)
        r = first_time(db, t, &user);
    if (r != 0)
        return r;
    r = user_row_get(db, t->a, user, &t->row);
    if (r == IDENTITY_E_NONE)
        return FEDERATED_E_DISABLED;
    if (r == 0)
        r = follow_group(db, t);
    if (r == 0)
        r = federated_row_use(db, &t->who, t->made_operator);
    if (r != 0 || t->row.second_factor)
        return r;
    r = login_good(db, t->wish->attempt);
    return r ? r : login_start(db, t->a, t->pepper, &t->row, &t->wish->from, &t->made);
}

/* One that is no e-mail here is none. */
static int clean_email(struct arena *a, struct federated *who)
{
    struct str email = STR_NONE;
    int r = who->email.p ? field_email(a, who->email, "", &email, NULL) : 0;

    who->email = r == 0 ? email : STR_NONE;
    return r < 0 ? r : 0;
}

int federated_sign_in(struct db *db, struct arena *a, const uint8_t session_pepper[32],
                      const struct federated_sign_in *wish, struct login_made *ret, bool *ret_new,
                      struct identity_fault *fault)
{
    struct signing t = {.a = a, .pepper = session_pepper, .wish = wish, .who = wish->who, .fault = fault};
    int r = clean_email(a, &t.who);

    if (r == 0)
        r = identity_tx(db, DB_SYSTEM, "federated_sign_in", sign_in_tx, &t);
    if (r != 0)
        return r < 0 ? err_trace(r) : r;
    *ret_new = t.is_new;
    if (t.row.second_factor) {
        r = login_ticket_make(a, session_pepper, &t.row, wish->attempt, &ret->ticket);
        return r == LOGIN_E_CODE ? FEDERATED_E_CODE : err_trace(r);
    }
    ret->session = t.made;
    return 0;
}

struct linking {
    struct arena *a;
    const struct actor *actor;
    struct federated who;
};

static int link_tx(struct db *db, void *ctx)
{
    struct linking *t = ctx;
    struct user_id user, self = {t->actor->id};
    struct str row;
    bool made_operator;
    int r = federated_row_lock(db, &t->who);

    if (r == 0)
        r = federated_row_find(db, &t->who, &user, &made_operator);
    if (r == 0)
        return user.v == self.v ? 0 : FEDERATED_E_OTHER;
    if (r != IDENTITY_E_NONE)
        return r;
    r = federated_row_add(db, t->a, &t->who, self, &row);
    if (r == IDENTITY_E_FAULT)
        return FEDERATED_E_OTHER;
    return r ? r : user_audit(db, t->actor, "user.link_provider", self, STR_NONE, row);
}

int federated_link(struct db *db, struct arena *a, const struct actor *actor, const struct federated *who)
{
    struct linking t = {a, actor, *who};
    int r = clean_email(a, &t.who);

    if (r == 0)
        r = identity_tx(db, DB_SYSTEM, "federated_link", link_tx, &t);
    return r < 0 ? err_trace(r) : r;
}

int federated_unlink(struct db *db, struct arena *a, const struct actor *actor)
{
    const struct user_id self = {actor->id};
    struct str row;
    int r = federated_row_remove(db, a, self, &row);

    if (r == 0)
        r = user_audit(db, actor, "user.unlink_provider", self, row, STR_NONE);
    return r < 0 ? err_trace(r) : r;
}

struct proving {
    struct arena *a;
    struct user_row row;
    int64_t attempt;
};

static int read_tx(struct db *db, void *ctx)
{
    struct proving *t = ctx;

    return user_row_get(db, t->a, t->row.id, &t->row);
}

static int good_tx(struct db *db, void *ctx)
{
    const struct proving *t = ctx;

    return login_good(db, t->attempt);
}

int federated_may_link(struct db *db, struct arena *a, const struct actor *actor, struct str password,
                       struct identity_fault *fault)
{
    struct proving t = {.a = a, .row.id = {actor->id}};
    int r = identity_tx(db, DB_SYSTEM, "federated_may_link", read_tx, &t);

    if (r == 0)
        r = user_prove(db, &t.row, password, actor->address, &t.attempt, fault);
    if (r == 0)
        r = identity_tx(db, DB_SYSTEM, "federated_may_link", good_tx, &t);
    return r < 0 ? err_trace(r) : r;
}
