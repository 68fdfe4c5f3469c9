/* second_factor.c: see second_factor.h. The row is locked before a code is looked at, so that of two who
 * bring the same code at once the second one finds it spent. */
#include "identity/second_factor_row.h"

#include <errno.h>
#include <inttypes.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/random.h"
#include "base/secret.h"
#include "identity/login.h"
#include "identity/totp.h"
#include "identity/user_row.h"

#define CODE_MAX 10 /* letters and digits of a recovery code: 50 bits, tried 5 times in 15 minutes */

static struct str place(struct arena *a, struct user_id user)
{
    return arena_strf(a, "second_factor:%" PRId64, user.v);
}

static struct user_id person_of(const struct actor *who)
{
    return (struct user_id){who->id};
}

/* As it is typed: in groups, in small letters. Longer than any code: empty. */
static struct str clean(struct str typed, char out[CODE_MAX])
{
    size_t n = 0;

    for (size_t i = 0; i < typed.n; i++) {
        char c = typed.p[i];

        if (c == ' ' || c == '-')
            continue;
        if (n == CODE_MAX)
            return STR("");
        out[n++] = c >= 'a' && c <= 'z' ? (char)(c - 'a' + 'A') : c;
    }
    return str_n(out, n);
}

/* IDENTITY_E_NONE: it was sealed under another secret. */
static int open_secret(struct arena *a, const struct factor_keys *keys, struct user_id user,
                       const struct factor_row *row, const uint8_t **ret)
{
    struct str ad = place(a, user), plain;
    int r = ad.p ? secret_open(a, keys->seal_key, ad, row->sealed, &plain) : err_origin(-ENOMEM);

    if (r < 0)
        return err_trace(r);
    if (r == SECRET_E_FORGED || plain.n != TOTP_SECRET_BYTES)
        return IDENTITY_E_NONE;
    *ret = (const uint8_t *)plain.p;
    return 0;
}

static int take_app_code(struct db *db, struct arena *a, const struct factor_keys *keys,
                         struct user_id user, const struct factor_row *row, struct str code)
{
    const uint8_t *secret;
    int64_t step;
    int r = open_secret(a, keys, user, row, &secret);

    if (r != 0)
        return r < 0 ? r : FACTOR_E_WRONG;
    if (!totp_check(secret, code, clock_wall_us() / 1000000, row->last_step, &step))
        return FACTOR_E_WRONG;
    return factor_row_spend(db, user, step);
}

static int recovery_digest(struct arena *a, const struct factor_keys *keys, struct user_id user,
                           struct str code, struct digest *ret)
{
    struct str text = arena_strf(a, "%" PRId64 ":%.*s", user.v, STR_FMT(code));

    if (!text.p)
        return err_origin(-ENOMEM);
    *ret = session_digest(keys->session_pepper, "recovery", text);
    return 0;
}

static int take_recovery_code(struct db *db, struct arena *a, const struct factor_keys *keys,
                              const struct actor *who, struct str code)
{
    struct digest digest;
    bool used = false;
    int r = recovery_digest(a, keys, person_of(who), code, &digest);

    if (r == 0)
        r = recovery_row_use(db, person_of(who), &digest, &used);
    if (r == 0 && !used)
        return FACTOR_E_WRONG;
    return r ? r : user_audit(db, who, "user.use_recovery_code", person_of(who), STR_NONE, STR_NONE);
}

static int take(struct db *db, struct arena *a, const struct factor_keys *keys,
                const struct actor *who, const struct factor_row *row, struct str typed)
{
    char text[CODE_MAX];
    struct str code = clean(typed, text);

    if (code.n == CODE_MAX && row->on)
        return take_recovery_code(db, a, keys, who, code);
    return take_app_code(db, a, keys, person_of(who), row, code);
}

int second_factor_take(struct db *db, struct arena *a, const struct factor_keys *keys,
                       const struct actor *who, struct str code)
{
    struct factor_row row;
    int r = factor_row_lock(db, a, person_of(who), &row);

    if (r == IDENTITY_E_NONE || (r == 0 && !row.on))
        return FACTOR_E_OFF;
    if (r == 0)
        r = take(db, a, keys, who, &row, code);
    return r < 0 ? err_trace(r) : r;
}

/* --- turning it on --- */

static int show_secret(struct arena *a, const uint8_t *secret, const struct actor *who,
                       struct str issuer, struct factor_secret *ret)
{
    struct factor_secret f = {totp_typed(a, secret), totp_uri(a, secret, issuer, who->name)};

    if (!f.typed.p || !f.uri.p)
        return err_origin(-ENOMEM);
    *ret = f;
    return 0;
}

struct beginning {
    struct arena *a;
    const struct actor *actor;
    struct user_row row;
    struct str sealed;
    int64_t attempt;
};

static int read_tx(struct db *db, void *ctx)
{
    struct beginning *t = ctx;

    return user_row_get(db, t->a, person_of(t->actor), &t->row);
}

static int begin_tx(struct db *db, void *ctx)
{
    struct beginning *t = ctx;
    int r = factor_row_put(db, person_of(t->actor), t->sealed);

    return r == 0 ? login_good(db, t->attempt) : r;
}

int second_factor_begin(struct db *db, struct arena *a, const struct factor_keys *keys,
                        const struct actor *actor, struct str password, struct str issuer,
                        struct factor_secret *ret, struct identity_fault *fault)
{
    struct beginning t = {.a = a, .actor = actor};
    uint8_t secret[TOTP_SECRET_BYTES];
    struct str ad = place(a, person_of(actor));
    int r = ad.p ? identity_tx(db, DB_SYSTEM, "factor_user", read_tx, &t) : err_origin(-ENOMEM);

    if (r == 0)
        r = user_prove(db, &t.row, password, actor->address, &t.attempt, fault);
    if (r != 0)
        return r < 0 ? err_trace(r) : r;
    random_bytes(secret, sizeof(secret));
    t.sealed = secret_seal(a, keys->seal_key, ad, str_n((const char *)secret, sizeof(secret)));
    r = t.sealed.p ? show_secret(a, secret, actor, issuer, ret) : err_origin(-ENOMEM);
    secret_wipe(secret, sizeof(secret));
    if (r == 0)
        r = identity_tx(db, DB_SYSTEM, "factor_begin", begin_tx, &t);
    if (r == IDENTITY_E_FAULT)
        return identity_fault_set(fault, "", "The second factor is on already.");
    return r < 0 ? err_trace(r) : r;
}

int second_factor_waiting(struct db *db, struct arena *a, const struct factor_keys *keys,
                          const struct actor *actor, struct str issuer, struct factor_secret *ret)
{
    struct factor_row row;
    const uint8_t *secret;
    int r = factor_row_get(db, a, person_of(actor), &row);

    if (r == 0 && row.on)
        return IDENTITY_E_NONE;
    if (r == 0)
        r = open_secret(a, keys, person_of(actor), &row, &secret);
    if (r == 0)
        r = show_secret(a, secret, actor, issuer, ret);
    return r < 0 ? err_trace(r) : r;
}

/* --- what a code allows --- */

struct changing {
    struct arena *a;
    const struct factor_keys *keys;
    const struct actor *actor;
    enum factor_change what;
    struct str code;
    int64_t attempt;
    struct recovery_codes codes;
    struct identity_fault *fault;
};

/* Without characters that look alike; "7K4QZ-M29AB". */
static struct str new_code(struct arena *a)
{
    static const char alphabet[] = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ";
    char text[CODE_MAX];

    for (size_t i = 0; i < CODE_MAX; i++)
        text[i] = alphabet[random_below(sizeof(alphabet) - 1)];
    return arena_strf(a, "%.*s-%.*s", CODE_MAX / 2, text, CODE_MAX / 2, text + CODE_MAX / 2);
}

static int renew(struct db *db, struct changing *t)
{
    int r = recovery_row_clear(db, person_of(t->actor));

    for (size_t i = 0; r == 0 && i < RECOVERY_CODES; i++) {
        struct digest digest;
        char text[CODE_MAX];

        t->codes.v[i] = new_code(t->a);
        r = t->codes.v[i].p ? recovery_digest(t->a, t->keys, person_of(t->actor),
                                              clean(t->codes.v[i], text), &digest)
                            : err_origin(-ENOMEM);
        if (r == 0)
            r = recovery_row_add(db, person_of(t->actor), &digest);
    }
    return r;
}

static int apply(struct db *db, struct changing *t)
{
    static const char *const actions[] = {
        [FACTOR_CONFIRM] = "user.second_factor_on",
        [FACTOR_RENEW] = "user.renew_recovery_codes",
        [FACTOR_END] = "user.second_factor_off",
    };
    struct user_id user = person_of(t->actor);
    int r = t->what == FACTOR_END ? factor_row_remove(db, user) : renew(db, t);

    if (r == 0 && t->what == FACTOR_CONFIRM)
        r = factor_row_confirm(db, user);
    if (r == 0)
        r = user_audit(db, t->actor, actions[t->what], user, STR_NONE, STR_NONE);
    return r == 0 ? login_good(db, t->attempt) : r;
}

static int change_tx(struct db *db, void *ctx)
{
    struct changing *t = ctx;
    struct factor_row row;
    int r = factor_row_lock(db, t->a, person_of(t->actor), &row);

    if (r == 0 && row.on == (t->what == FACTOR_CONFIRM))
        return IDENTITY_E_NONE;
    if (r != 0)
        return r;
    r = take(db, t->a, t->keys, t->actor, &row, t->code);
    if (r == FACTOR_E_WRONG)
        return identity_fault_set(t->fault, "code", "This code is not right, or was used before.");
    return r == 0 ? apply(db, t) : r;
}

int second_factor_change(struct db *db, struct arena *a, const struct factor_keys *keys,
                         const struct actor *actor, enum factor_change what, struct str code,
                         struct recovery_codes *ret, struct identity_fault *fault)
{
    struct changing t = {
        .a = a, .keys = keys, .actor = actor, .what = what, .code = code, .fault = fault};
    struct str account = login_code_account(a, actor->name);
    int32_t retry_after_s;
    int r = account.p ? login_admit(db, account, actor->address, &t.attempt, &retry_after_s)
                      : err_origin(-ENOMEM);

    if (r == LOGIN_E_LIMITED)
        return identity_limited(fault, retry_after_s);
    if (r == 0)
        r = identity_tx(db, DB_SYSTEM, "factor_change", change_tx, &t);
    if (r != 0)
        return r < 0 ? err_trace(r) : r;
    *ret = t.codes;
    return 0;
}

int second_factor_remove(struct db *db, const struct actor *actor, struct user_id user)
{
    int r = factor_row_remove(db, user);

    if (r == 0)
        r = user_audit(db, actor, "user.second_factor_removed", user, STR_NONE, STR_NONE);
    return r < 0 ? err_trace(r) : r;
}
