/* token_keeper.c: see token_keeper.h. */
#include "gateway/token_keeper.h"

#include <errno.h>

#include "base/bounds.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/log.h"
#include "catalog/accounts.h"
#include "catalog/holder.h"
#include "db/tx.h"
#include "fetch/fetch.h"
#include "json/scan.h"
#include "providers/tokens.h"

enum {
    ASK_CONNECT_MS = 5000,
    ASK_ANSWER_MS = 10000,
    SENTENCE_BYTES = 300,
    PAUSE_FIRST_MS = 2000, /* after a refusal; doubled by each further one */
    PAUSE_MAX_MS = 300000,
};
#define ANSWER_BYTES KIB(64)
/* Ahead of its end, a token is asked for anew; the old one serves until then. */
#define AHEAD_US INT64_C(600000000)
/* A provider's clock may be ahead of ours. */
#define SLACK_US INT64_C(30000000)

/* An account that was refused rests for a while. */
struct rest {
    struct account_id account;
    uint64_t credential;
    int64_t until_ms, pause_ms;
};

struct token_keeper {
    struct rest *rest; /* of accounts of the catalogue that was looked at last, and of no others */
    size_t n, room;
    int64_t due_ms;
};

int token_keeper_new(struct token_keeper **ret)
{
    struct token_keeper *k = calloc(1, sizeof(*k));

    if (!k)
        return err_origin(-ENOMEM);
    k->due_ms = INT64_MAX;
    *ret = k;
    return 0;
}

void token_keeper_free(struct token_keeper *k)
{
    if (k)
        free(k->rest);
    free(k);
}

/* --- one exchange --- */

static struct str text_in(struct arena *a, struct str body, struct json_span span)
{
    struct str text = STR_NONE;
    struct buf out;

    if (!span.n || span.kind != JSON_STRING)
        return STR_NONE;
    buf_init(&out, ANSWER_BYTES);
    if (json_span_text(body, span, &out) == JSON_OK)
        text = arena_str(a, buf_str(&out));
    buf_done(&out);
    return text;
}

static int take(const struct services *services, const struct catalog_account *account,
                struct arena *a, struct str body, struct str *ret_sentence)
{
    struct json_watch w[] = {{.path = "access_token"}, {.path = "expires_in"}};
    struct json_scan_result result;
    struct json_fault fault;
    struct str token;
    uint64_t seconds;
    int64_t expires_us;

    *ret_sentence = STR("The token endpoint’s answer has no access token.");
    if (json_scan(body, w, ARRAY_LEN(w), &result, &fault) != JSON_OK ||
        !json_span_u64(body, w[1].span, &seconds) || seconds > INT32_MAX)
        return TOKEN_ASK_REFUSED;
    token = text_in(a, body, w[0].span);
    if (!token.n)
        return TOKEN_ASK_REFUSED;
    expires_us = clock_wall_us() + (int64_t)seconds * 1000000 - SLACK_US;
    if (token_put(services->tokens, account->id, account->credential.mark, token, expires_us) ==
        TOKEN_OK)
        return TOKEN_ASK_OK;
    *ret_sentence = STR("There are more service accounts, or longer tokens, than a node keeps.");
    return TOKEN_ASK_REFUSED;
}

/* In Google's words: {"error": "invalid_grant", "error_description": "Invalid JWT Signature."}. */
static struct str refusal(struct arena *a, int status, struct str body)
{
    struct json_watch w[] = {{.path = "error_description"}, {.path = "error"}};
    struct json_scan_result result;
    struct json_fault fault;
    struct str said = STR_NONE;

    if (json_scan(body, w, ARRAY_LEN(w), &result, &fault) == JSON_OK)
        said = text_in(a, body, w[w[0].span.n ? 0 : 1].span);
    return said.n ? arena_strf(a, "No token for the service account (%d): %.*s", status,
                               (int)MIN(said.n, (size_t)SENTENCE_BYTES), said.p)
                  : arena_strf(a, "No token for the service account: its token endpoint answered %d.",
                               status);
}

static int exchange(const struct services *services, const struct catalog_account *account,
                    struct arena *a, struct str form, struct str *ret_sentence)
{
    const struct fetch_header header = {"content-type",
                                        STR("application/x-www-form-urlencoded")};
    const struct fetch_request request = {
        .method = "POST",
        .url = arena_cstr(a, account->credential.google.token_uri),
        .headers = &header,
        .header_count = 1,
        .body = form,
        .network = account->private_network ? GUARD_PRIVATE : GUARD_PUBLIC,
        .connect_timeout_ms = ASK_CONNECT_MS,
        .first_byte_timeout_ms = ASK_ANSWER_MS,
        .idle_timeout_ms = ASK_ANSWER_MS,
        .total_timeout_ms = ASK_ANSWER_MS + ASK_CONNECT_MS,
        .reply_max = ANSWER_BYTES,
    };
    enum fetch_fault fault = FETCH_E_CONNECT;
    struct buf body;
    int status = 0, r;

    if (!request.url)
        return err_origin(-ENOMEM);
    buf_init(&body, ANSWER_BYTES);
    r = fetch_blocking(&request, &status, &body, &fault);
    if (r < 0) {
        buf_done(&body);
        return err_trace(r);
    }
    if (r > 0)
        *ret_sentence = STR("The service account’s token_uri cannot be used on this network.");
    else if (fault != FETCH_DONE)
        *ret_sentence = arena_strf(a, "No token for the service account: its token endpoint "
                                      "does not answer (%s).", fetch_fault_name(fault));
    else if (status != 200)
        *ret_sentence = refusal(a, status, buf_str(&body));
    r = r == 0 && fault == FETCH_DONE && status == 200
            ? take(services, account, a, buf_str(&body), ret_sentence)
            : TOKEN_ASK_REFUSED;
    buf_done(&body);
    return r;
}

int token_ask(const struct services *services, const struct catalog_account *account,
              struct arena *a, struct str *ret_sentence)
{
    struct str form;
    int r = google_token_form(a, &account->credential.google, clock_wall_us(), &form);

    if (r < 0)
        return err_trace(r);
    if (r == GOOGLE_OK)
        return exchange(services, account, a, form, ret_sentence);
    *ret_sentence = STR("The service account’s private key cannot sign.");
    return TOKEN_ASK_REFUSED;
}

/* --- the chore --- */

/* Good until the next one is asked for. NULL: out of memory. */
static struct rest *rest_of(struct token_keeper *k, const struct catalog_account *account)
{
    for (size_t i = 0; i < k->n; i++)
        if (k->rest[i].account.v == account->id.v)
            return &k->rest[i];
    if (k->n == k->room) {
        size_t room = k->room ? 2 * k->room : 16;
        struct rest *more = reallocarray(k->rest, room, sizeof(*more));

        if (!more)
            return NULL;
        k->rest = more;
        k->room = room;
    }
    k->rest[k->n] = (struct rest){.account = account->id};
    return &k->rest[k->n++];
}

static bool wants_tokens(const struct catalog_account *account)
{
    return !account->unusable && account->credential.google.email.p;
}

static bool is_kept(const void *catalog, struct account_id id)
{
    const struct catalog_account *account = catalog_find_account(catalog, id);

    return account && wants_tokens(account);
}

/* What is known of accounts that are there no more makes room for those that came in their place. */
static void forget_others(struct token_keeper *k, const struct services *services, const struct catalog *c)
{
    size_t kept = 0;

    for (size_t i = 0; i < k->n; i++)
        if (is_kept(c, k->rest[i].account))
            k->rest[kept++] = k->rest[i];
    k->n = kept;
    token_keep(services->tokens, is_kept, c);
}

static int64_t left_us(const struct services *services, const struct catalog_account *account)
{
    return token_expires_us(services->tokens, account->id, account->credential.mark) -
           clock_wall_us();
}

static bool wants_one(const struct services *services, const struct catalog_account *account,
                      const struct rest *rest)
{
    if (left_us(services, account) > AHEAD_US)
        return false;
    return rest->credential != account->credential.mark || rest->until_ms <= clock_mono_ms();
}

/* When it is asked for next, at the soonest: one that is lent for a short while only, at half of
 * it. */
static void plan(const struct services *services, const struct catalog_account *account,
                 struct rest *rest, bool lent)
{
    int64_t pause_ms;

    if (lent) {
        rest->pause_ms = 0;
        pause_ms = MAX(left_us(services, account) / 2000, (int64_t)PAUSE_FIRST_MS);
    } else {
        rest->pause_ms = rest->pause_ms ? 2 * rest->pause_ms : PAUSE_FIRST_MS;
        pause_ms = rest->pause_ms = MIN(rest->pause_ms, (int64_t)PAUSE_MAX_MS);
    }
    rest->until_ms = clock_mono_ms() + MIN(pause_ms, (int64_t)PAUSE_MAX_MS);
}

struct note {
    struct account_id account;
    struct str sentence;
};

static int note(struct db *db, void *ctx)
{
    const struct note *n = ctx;

    return account_note(db, n->account, n->sentence);
}

static int look_at(struct token_keeper *k, const struct services *services, struct db *db,
                   const struct catalog_account *account)
{
    _cleanup_(arena_freep) struct arena *a = NULL;
    struct note n = {.account = account->id, .sentence = STR_NONE};
    struct rest *rest = rest_of(k, account);
    bool refused_before;
    int r;

    if (!rest)
        return err_origin(-ENOMEM);
    if (!wants_one(services, account, rest))
        return 0;
    a = arena_new(MIB(1));
    if (!a)
        return err_origin(-ENOMEM);
    if (rest->credential != account->credential.mark)
        rest->pause_ms = 0;
    rest->credential = account->credential.mark;
    r = token_ask(services, account, a, &n.sentence);
    if (r < 0)
        return err_trace(r);
    refused_before = rest->pause_ms > 0;
    plan(services, account, rest, r == TOKEN_ASK_OK);
    if (r == TOKEN_ASK_OK) {
        n.sentence = STR_NONE;
        if (!refused_before)
            return 0;
    } else {
        log_warn("token_refused", "account=%s reason=%s", log_str(account->name),
                 log_str(n.sentence));
    }
    return db_fatal(db_tx(db, DB_OPERATOR, "account_note", note, &n));
}

int64_t token_keeper_due_ms(const struct token_keeper *k)
{
    return k->due_ms;
}

/* When the account is to be looked at next, whatever came of it now. */
static int64_t next_look_ms(struct token_keeper *k, const struct services *services,
                            const struct catalog_account *account)
{
    const struct rest *rest = rest_of(k, account);
    int64_t ahead_ms = (left_us(services, account) - AHEAD_US) / 1000 + 1;

    if (!rest)
        return INT64_MAX;
    return MAX(clock_mono_ms() + MAX(ahead_ms, INT64_C(0)), rest->until_ms);
}

int token_keeper_look(struct token_keeper *k, const struct services *services, struct db *db)
{
    struct catalog *c = catalog_holder_get(services->catalog);
    const struct catalog_account *all;
    size_t n = 0;
    int r = 0;

    k->due_ms = INT64_MAX;
    if (!c)
        return 0;
    forget_others(k, services, c);
    all = catalog_accounts(c, &n);
    for (size_t i = 0; r == 0 && i < n; i++)
        if (wants_tokens(&all[i])) {
            r = look_at(k, services, db, &all[i]);
            k->due_ms = MIN(k->due_ms, next_look_ms(k, services, &all[i]));
        }
    catalog_unref(c);
    return r;
}
