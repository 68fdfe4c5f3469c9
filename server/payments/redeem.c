/* redeem.c: making codes, and claiming one.
 *
 * A try is counted in a transaction of its own before the code is looked at, so that whoever hangs
 * up has not guessed for free. */
#include "payments/redeem.h"

#include <errno.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/random.h"
#include "base/secret.h"
#include "identity/field.h"
#include "json/value.h"
#include "ledger/grant.h"
#include "payments/booking.h"
#include "payments/redeem_row.h"

#define CODE_CHARS 16
#define GROUP 4
#define CODE_TEXT (CODE_CHARS + CODE_CHARS / GROUP - 1)
/* Without characters that look alike. */
static const char alphabet[] = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ";

/* The digest of other secrets under this pepper is of texts with a lower-case prefix. */
static struct digest digest_of(const uint8_t pepper[32], const char code[CODE_CHARS])
{
    return digest_keyed(pepper, str_n(code, CODE_CHARS));
}

static int check_counts(const struct redeem_wish *w, struct identity_fault *fault)
{
    if (w->count < 1 || w->count > REDEEM_CODES_MAX)
        return identity_fault_set(fault, "count", "From 1 to 500 codes at a time.");
    if (w->uses < 1 || w->uses > REDEEM_USES_MAX)
        return identity_fault_set(fault, "uses", "From 1 to 1,000,000 teams.");
    if (w->priority < 0 || w->priority > GRANT_PRIORITY_MAX)
        return identity_fault_set(fault, "priority", "A whole number from 0 to 1000.");
    if (w->grant_days < 0 || w->grant_days > REDEEM_DAYS_MAX)
        return identity_fault_set(fault, "grant_days", "From 1 to 3660 days; empty: never.");
    if (w->expires_us != 0 && w->expires_us <= clock_wall_us())
        return identity_fault_set(fault, "expires", "The end has to lie in the future.");
    return 0;
}

static int check_wish(struct redeem_wish *w, struct identity_fault *fault)
{
    int r;

    if (w->amount.nano <= 0)
        return identity_fault_set(fault, "amount", "The amount has to be above zero.");
    if (w->amount.nano > BOOKING_MAX_NANO)
        return identity_fault_set(fault, "amount", "At most $1,000,000 at a time.");
    r = field_line(&w->name, "name", 1, 80, fault);
    if (r == 0)
        r = field_line(&w->note, "note", 0, 300, fault);
    return r == 0 ? check_counts(w, fault) : r;
}

static int audit_code(struct db *db, const struct actor *actor, struct audit_entry *entry,
                      const struct redeem_wish *w)
{
    struct json_object *after = json_new_object();

    json_set_money(after, "amount", w->amount);
    json_set_str(after, "name", w->name);
    json_set_str(after, "note", w->note);
    json_set_i64(after, "uses", w->uses);
    json_set_i64(after, "priority", w->priority);
    json_set_i64(after, "grant_days", w->grant_days);
    return booking_audit_object(db, actor, entry, after);
}

static int make_one(struct db *db, struct arena *a, const uint8_t pepper[32],
                    const struct actor *actor, const struct redeem_wish *wish, struct redeem_made *ret)
{
    char code[CODE_CHARS], text[CODE_TEXT];
    struct audit_entry entry = {.action = "code.make", .kind = "code"};
    struct digest digest;
    size_t n = 0;
    int r;

    for (size_t i = 0; i < CODE_CHARS; i++)
        code[i] = alphabet[random_below(sizeof(alphabet) - 1)];
    digest = digest_of(pepper, code);
    r = redeem_row_add(db, &digest, str_n(code + CODE_CHARS - GROUP, GROUP), wish, actor->name,
                       &entry.object_id);
    if (r == 0)
        r = audit_code(db, actor, &entry, wish);
    for (size_t i = 0; i < CODE_CHARS; i++) {
        if (i > 0 && i % GROUP == 0)
            text[n++] = '-';
        text[n++] = code[i];
    }
    *ret = (struct redeem_made){entry.object_id, arena_str(a, str_n(text, n))};
    secret_wipe(code, sizeof(code));
    secret_wipe(text, sizeof(text));
    return r == 0 && !ret->code.p ? err_origin(-ENOMEM) : r;
}

int redeem_make(struct db *db, struct arena *a, const uint8_t pepper[32], const struct actor *actor,
                const struct redeem_wish *wish, struct redeem_made **ret, struct identity_fault *fault)
{
    struct redeem_wish w = *wish;
    int r = check_wish(&w, fault);

    if (r != 0)
        return r;
    struct redeem_made *made = arena_array(a, struct redeem_made, (size_t)w.count);

    if (!made)
        return err_origin(-ENOMEM);
    for (int32_t i = 0; r == 0 && i < w.count; i++)
        r = make_one(db, a, pepper, actor, &w, &made[i]);
    if (r != 0)
        return err_trace(r);
    *ret = made;
    return 0;
}

int redeem_revoke(struct db *db, const struct actor *actor, int64_t id)
{
    struct audit_entry entry = {.action = "code.revoke", .kind = "code", .object_id = id};
    bool done = false;
    int r = redeem_row_revoke(db, id, &done);

    if (r == 0 && !done)
        return IDENTITY_E_NONE;
    if (r == 0)
        r = audit_write(db, actor, &entry);
    return r == 0 ? 0 : err_trace(r);
}

/* --- claiming --- */

/* What was typed, without what does not count; false: it cannot be a code. */
static bool read_code(struct str typed, char ret[CODE_CHARS])
{
    size_t n = 0;

    for (size_t i = 0; i < typed.n; i++) {
        char c = typed.p[i];

        if (c == '-' || c == ' ' || c == '\t')
            continue;
        if (c >= 'a' && c <= 'z')
            c = (char)(c - 'a' + 'A');
        if (n == CODE_CHARS || !memchr(alphabet, c, sizeof(alphabet) - 1))
            return false;
        ret[n++] = c;
    }
    return n == CODE_CHARS;
}

struct claiming {
    struct arena *a;
    const struct actor *actor;
    struct team_id team;
    struct digest digest;
    int64_t try_id;
    int32_t retry_after_s;
    struct redeem_claimed claimed;
};

static int admit_tx(struct db *db, void *ctx)
{
    struct claiming *t = ctx;

    return redeem_row_admit(db, t->team, t->actor->address, &t->try_id, &t->retry_after_s);
}

static int claim_tx(struct db *db, void *ctx)
{
    struct claiming *t = ctx;
    struct audit_entry entry = {.team = t->team, .action = "code.redeem", .kind = "code"};
    int r = redeem_row_claim(db, t->a, &t->digest, t->try_id, t->team, t->actor, &t->claimed);

    if (r != 0 || !str_eq_c(t->claimed.outcome, "ok"))
        return r;
    struct json_object *after = json_new_object();

    entry.object_id = t->claimed.code_id;
    json_set_money(after, "amount", t->claimed.what.amount);
    json_set_str(after, "name", t->claimed.what.name);
    return booking_audit_object(db, t->actor, &entry, after);
}

static int refuse(struct str outcome, struct identity_fault *fault)
{
    static const struct {
        const char *outcome, *sentence;
    } sentences[] = {
        {"used", "This code has been redeemed by others as often as it may be."},
        {"again", "Your team has redeemed this code already."},
        {"expired", "This code has expired."},
        {"revoked", "This code is no longer valid."},
    };

    for (size_t i = 0; i < ARRAY_LEN(sentences); i++)
        if (str_eq_c(outcome, sentences[i].outcome))
            return identity_fault_set(fault, "code", sentences[i].sentence);
    return identity_fault_set(fault, "code", "There is no such code. Look at each character again.");
}

int redeem_claim(struct db *db, struct arena *a, const uint8_t pepper[32],
                 const struct actor *actor, struct team_id team, struct str code,
                 struct redeemed *ret, struct identity_fault *fault)
{
    struct claiming t = {.a = a, .actor = actor, .team = team};
    char plain[CODE_CHARS];
    int r;

    if (!read_code(str_trim(code), plain))
        return identity_fault_set(fault, "code",
                                  "A code has 16 letters and digits, such as 7K4Q-ZM29-AB3D-XY56.");
    t.digest = digest_of(pepper, plain);
    r = identity_tx(db, DB_SYSTEM, "redeem_admit", admit_tx, &t);
    if (r == 0 && t.retry_after_s > 0)
        return identity_limited(fault, t.retry_after_s);
    if (r == 0)
        r = identity_tx(db, DB_SYSTEM, "redeem_claim", claim_tx, &t);
    if (r == DB_E_CONFLICT)
        return refuse(STR("again"), fault);
    if (r == DB_E_REFUSED)
        return identity_fault_set(fault, "code",
                                  "Your team has 100 grants that are not used up. Use some first.");
    if (r != 0)
        return err_trace(db_fatal(r));
    if (!str_eq_c(t.claimed.outcome, "ok"))
        return refuse(t.claimed.outcome, fault);
    *ret = t.claimed.what;
    return 0;
}
