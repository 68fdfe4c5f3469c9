/* login_code.c: the second step of signing in: a code, for a ticket of the first one.
 *
 * A ticket is "PERSON.TRY.UNTIL.MAC" and stands nowhere but on the page that asks for the code. The MAC also
 * covers the hash of the password: with another password the ticket is over. */
#include "identity/login_ticket.h"

#include <errno.h>
#include <inttypes.h>

#include "base/clock.h"
#include "base/err.h"

#define MAC_DIGITS 64

struct str login_code_account(struct arena *a, struct str email)
{
    return arena_strf(a, "code:%.*s", STR_FMT(email));
}

static int64_t now_s(void)
{
    return clock_wall_us() / 1000000;
}

struct ticket {
    struct user_id user;
    int64_t attempt, until_s;
    struct str mac;
};

static int mac_of(struct arena *a, const uint8_t session_pepper[32], const struct ticket *t,
                  struct str hash, char ret_mac[MAC_DIGITS + 1])
{
    struct str text = arena_strf(a, "%" PRId64 ".%" PRId64 ".%" PRId64 ".%.*s", t->user.v,
                                 t->attempt, t->until_s, STR_FMT(hash));

    if (!text.p)
        return err_origin(-ENOMEM);
    struct digest digest = session_digest(session_pepper, "second step", text);

    digest_hex(&digest, ret_mac);
    return 0;
}

int login_ticket_make(struct arena *a, const uint8_t session_pepper[32], const struct user_row *row,
                      int64_t attempt, struct str *ret)
{
    const struct ticket t = {row->id, attempt, now_s() + LOGIN_TICKET_S, STR_NONE};
    char mac[MAC_DIGITS + 1];
    int r = mac_of(a, session_pepper, &t, row->hash, mac);

    if (r != 0)
        return err_trace(r);
    *ret = arena_strf(a, "%" PRId64 ".%" PRId64 ".%" PRId64 ".%s", t.user.v, t.attempt, t.until_s,
                      mac);
    return ret->p ? LOGIN_E_CODE : err_origin(-ENOMEM);
}

static bool ticket_read(struct str text, struct ticket *ret)
{
    int64_t *const numbers[] = {&ret->user.v, &ret->attempt, &ret->until_s};
    struct str part;

    for (size_t i = 0; i < ARRAY_LEN(numbers); i++)
        if (!str_split(&text, '.', &part) || str_i64(part, numbers[i]) != STR_OK)
            return false;
    ret->mac = text;
    return text.n == MAC_DIGITS && ret->until_s >= now_s();
}

struct finishing {
    struct arena *a;
    const struct factor_keys *keys;
    struct ticket ticket;
    struct str code;
    const struct session_from *from;
    struct user_row row;
    int64_t attempt; /* of the code */
    struct session_made made;
};

static int find_tx(struct db *db, void *ctx)
{
    struct finishing *t = ctx;

    return user_row_get(db, t->a, t->ticket.user, &t->row);
}

/* Where none is asked for any more, the password is enough. */
static int finish_tx(struct db *db, void *ctx)
{
    struct finishing *t = ctx;
    const struct actor who = login_actor(&t->row, t->from);
    int r = second_factor_take(db, t->a, t->keys, &who, t->code);

    if (r == FACTOR_E_WRONG)
        return LOGIN_E_WRONG;
    if (r == FACTOR_E_OFF)
        r = 0;
    if (r == 0)
        r = login_good(db, t->ticket.attempt);
    if (r == 0)
        r = login_good(db, t->attempt);
    if (r == 0)
        r = login_start(db, t->a, t->keys->session_pepper, &t->row, t->from, &t->made);
    return r;
}

/* The password was right, so somebody may know it who should not: that stands in the audit log. */
static int wrong_tx(struct db *db, void *ctx)
{
    const struct finishing *t = ctx;
    const struct actor who = login_actor(&t->row, t->from);

    return user_audit(db, &who, "user.wrong_code", t->row.id, STR_NONE, STR_NONE);
}

/* LOGIN_E_OVER: it is forged, or of another password. */
static int check(struct db *db, struct finishing *t)
{
    char mac[MAC_DIGITS + 1];
    int r = identity_tx(db, DB_SYSTEM, "login_find", find_tx, t);

    if (r == IDENTITY_E_NONE)
        return LOGIN_E_OVER;
    if (r == 0)
        r = mac_of(t->a, t->keys->session_pepper, &t->ticket, t->row.hash, mac);
    if (r != 0)
        return err_trace(r);
    struct digest want = digest_plain(str_n(mac, MAC_DIGITS)), got = digest_plain(t->ticket.mac);

    return digest_eq(&want, &got) ? 0 : LOGIN_E_OVER;
}

int login_with_code(struct db *db, struct arena *a, const struct factor_keys *keys,
                    struct str ticket, struct str code, const struct session_from *from,
                    struct session_made *ret, int32_t *ret_retry_after_s)
{
    struct finishing t = {.a = a, .keys = keys, .code = code, .from = from};
    struct str account;
    int r = ticket_read(ticket, &t.ticket) ? check(db, &t) : LOGIN_E_OVER;

    if (r != 0)
        return r < 0 ? err_trace(r) : r;
    account = login_code_account(a, t.row.email);
    r = account.p ? login_admit(db, account, from->address, &t.attempt, ret_retry_after_s)
                  : err_origin(-ENOMEM);
    if (r == 0)
        r = identity_tx(db, DB_SYSTEM, "login_finish", finish_tx, &t);
    if (r == LOGIN_E_WRONG) {
        r = identity_tx(db, DB_SYSTEM, "login_wrong_code", wrong_tx, &t);
        return r < 0 ? err_trace(r) : LOGIN_E_WRONG;
    }
    if (r != 0)
        return r < 0 ? err_trace(r) : r;
    *ret = t.made;
    return 0;
}
