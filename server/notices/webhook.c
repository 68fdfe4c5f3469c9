/* webhook.c: see webhook.h. The URL is a stranger's choice: fetch/guard.h says whether the address that it
 * leads to may be reached, nothing is followed, and of the answer only the status is looked at. */
#include "notices/webhook.h"

#include <errno.h>
#include <inttypes.h>

#include "base/bounds.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/secret.h"
#include "json/write.h"
#include "notices/webhook_rows.h"

#define DAY_S 86400
#define CONNECT_MS 5000
#define ANSWER_MS 10000
#define EVENT_BYTES KIB(16)
#define REPLY_BYTES KIB(16)
#define URL_BYTES_MAX 2000

static enum guard_network network_of(const struct notices *n)
{
    return n->private_webhooks ? GUARD_PRIVATE : GUARD_PUBLIC;
}

/* A sealed secret opens for its team only. */
static struct str secret_place(struct arena *a, struct team_id team)
{
    return arena_strf(a, "webhook:%" PRId64, team.v);
}

static int note(struct db *db, const struct actor *actor, const char *action, struct team_id team,
                struct arena *a, struct str url)
{
    struct audit_entry entry = {
        .team = team, .action = action, .kind = "team", .object_id = team.v};
    struct json_writer w;
    struct buf text;
    int r;

    buf_init(&text, EVENT_BYTES);
    json_begin(&w, &text);
    json_open_object(&w);
    json_key(&w, "url");
    json_str(&w, url);
    json_close_object(&w);
    entry.after = url.p ? arena_str(a, buf_str(&text)) : STR_NONE;
    r = buf_finish(&text);
    buf_done(&text);
    return r ? err_origin(r) : audit_write(db, actor, &entry);
}

int webhook_set(struct db *db, struct arena *a, const struct notices *n, const struct actor *actor,
                struct team_id team, struct str url, struct str *ret_secret,
                struct identity_fault *fault)
{
    struct str secret = secret_token(a, "tgwh-"), place = secret_place(a, team), sealed;
    int r;

    url = str_trim(url);
    r = guard_url(network_of(n), url);
    if (r < 0)
        return err_trace(r);
    if (r || url.n > URL_BYTES_MAX)
        return identity_fault_set(fault, "url", r ? guard_reason(r) : "This is too long.");
    if (!secret.p || !place.p)
        return err_origin(-ENOMEM);
    sealed = secret_seal(a, n->seal_key, place, secret);
    if (!sealed.p)
        return err_origin(-ENOMEM);
    r = db_fatal(webhook_write(db, team, url, sealed));
    if (r == 0)
        r = note(db, actor, "webhook.set", team, a, url);
    if (r)
        return err_trace(r);
    *ret_secret = secret;
    return 0;
}

int webhook_drop(struct db *db, struct arena *a, const struct actor *actor, struct team_id team)
{
    int64_t rows = 0;
    int r = db_fatal(webhook_remove(db, team, &rows));

    if (r == 0 && rows == 0)
        return IDENTITY_E_NONE;
    if (r == 0)
        r = note(db, actor, "webhook.drop", team, a, STR_NONE);
    return r ? err_trace(r) : 0;
}

int webhook_read(struct db *db, struct arena *a, struct team_id team, struct str *ret_url)
{
    struct str sealed;
    int r = webhook_find(db, a, team, ret_url, &sealed);

    if (r == DB_E_NONE)
        return IDENTITY_E_NONE;
    return r ? err_trace(db_fatal(r)) : 0;
}

static void write_alert(struct json_writer *w, const struct alert *v)
{
    bool of_budget = str_eq_c(v->kind, "budget");
    const struct {
        const char *key;
        struct str text;
    } texts[] = {{"kind", v->kind}, {"scope", v->scope}, {"name", v->name}};

    json_key(w, "id");
    json_int(w, v->id);
    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        json_key(w, texts[i].key);
        json_str(w, texts[i].text);
    }
    json_key(w, "scope_id");
    json_int(w, v->scope_id);
    json_key(w, "amount");
    json_money(w, v->amount);
    json_key(w, of_budget ? "spent" : "balance");
    json_money(w, v->used);
    if (of_budget) {
        json_key(w, "percent");
        json_int(w, v->mark);
        json_key(w, "window");
        json_str(w, v->window);
    }
}

/* v NULL: a test. */
static void write_event(struct buf *out, const char *tag, struct team_id team,
                        const struct alert *v)
{
    char at[CLOCK_RFC3339_SIZE];
    struct json_writer w;

    clock_rfc3339(clock_wall_us(), at);
    json_begin(&w, out);
    json_open_object(&w);
    json_key(&w, "id");
    json_cstr(&w, tag);
    json_key(&w, "type");
    json_cstr(&w, v ? "alert.raised" : "test");
    json_key(&w, "created_at");
    json_cstr(&w, at);
    json_key(&w, "team_id");
    json_int(&w, team.v);
    json_key(&w, "data");
    json_open_object(&w);
    if (v)
        write_alert(&w, v);
    json_close_object(&w);
    json_close_object(&w);
}

static int add_event(struct db *db, struct arena *a, const struct notices *n, struct team_id team,
                     const struct alert *v)
{
    struct outbox_item item = {.team = team,
                               .channel = OUTBOX_WEBHOOK,
                               .kind = v ? "alert" : "test",
                               .subject = v ? alert_title(a, v) : STR("Test of the webhook"),
                               .useless_after_s = DAY_S};
    struct buf text;
    int r = webhook_read(db, a, team, &item.recipient);

    if (r)
        return r;
    outbox_tag(item.tag);
    buf_init(&text, EVENT_BYTES);
    write_event(&text, item.tag, team, v);
    return outbox_add_text(db, a, n, &item, &text);
}

int webhook_test(struct db *db, struct arena *a, const struct notices *n, struct team_id team)
{
    return add_event(db, a, n, team, NULL);
}

int webhook_tell(struct db *db, struct arena *a, const struct notices *n, const struct alert *v)
{
    int r = add_event(db, a, n, v->team, v);

    return r == IDENTITY_E_NONE ? 0 : r;
}

struct str webhook_signature(struct arena *a, struct str secret, int64_t at_s, struct str body)
{
    struct str text = arena_strf(a, "%" PRId64 ".%.*s", at_s, STR_FMT(body));
    char hex[65];

    if (!text.p)
        return STR_NONE;
    struct digest digest = digest_hmac_sha256(secret, text);

    digest_hex(&digest, hex);
    return arena_strf(a, "t=%" PRId64 ",v1=%s", at_s, hex);
}

struct opening {
    struct arena *a;
    struct team_id team;
    struct str url, sealed;
};

static int find_tx(struct db *db, void *ctx)
{
    struct opening *o = ctx;

    return webhook_find(db, o->a, o->team, &o->url, &o->sealed);
}

int webhook_answered(struct arena *a, int status, enum fetch_fault fault, struct str *ret_said)
{
    if (fault == FETCH_DONE || (status && fault == FETCH_E_TOO_LARGE)) {
        *ret_said = arena_strf(a, "HTTP %d", status);
        return status >= 200 && status < 300 ? WEBHOOK_OK : WEBHOOK_E_LATER;
    }
    *ret_said = str_c(fetch_fault_name(fault));
    return fault == FETCH_E_BLOCKED ? WEBHOOK_E_NEVER : WEBHOOK_E_LATER;
}

static int write_try(struct arena *a, const struct notices *n, const struct outbox_taken *t,
                     struct str secret, struct webhook_try *ret)
{
    ret->headers[0] = (struct fetch_header){"content-type", STR("application/json")};
    ret->headers[1] = (struct fetch_header){
        "x-tollgate-signature",
        webhook_signature(a, secret, clock_wall_us() / 1000000, t->text)};
    ret->request = (struct fetch_request){.method = "POST",
                                          .url = arena_cstr(a, t->recipient),
                                          .headers = ret->headers,
                                          .header_count = ARRAY_LEN(ret->headers),
                                          .body = t->text,
                                          .network = network_of(n),
                                          .connect_timeout_ms = CONNECT_MS,
                                          .first_byte_timeout_ms = ANSWER_MS,
                                          .idle_timeout_ms = ANSWER_MS,
                                          .total_timeout_ms = ANSWER_MS,
                                          .reply_max = REPLY_BYTES};
    return ret->request.url && ret->headers[1].value.p ? 0 : err_origin(-ENOMEM);
}

int webhook_prepare(struct db *db, struct arena *a, const struct notices *n,
                    const struct outbox_taken *t, struct webhook_try *ret, struct str *ret_said)
{
    struct opening o = {.a = a, .team = t->team};
    struct str secret, place = secret_place(a, t->team);
    int r = place.p ? db_tx(db, DB_SYSTEM, "webhook_find", find_tx, &o) : err_origin(-ENOMEM);

    if (r == DB_E_NONE || (r == 0 && !str_eq(o.url, t->recipient))) {
        *ret_said = STR("the webhook was changed meanwhile");
        return WEBHOOK_E_NEVER;
    }
    if (r)
        return err_trace(db_fatal(r));
    r = secret_open(a, n->seal_key, place, o.sealed, &secret);
    if (r == SECRET_E_FORGED) {
        *ret_said = STR("its secret was sealed under another secret; set it anew");
        return WEBHOOK_E_NEVER;
    }
    return r ? err_trace(r) : write_try(a, n, t, secret, ret);
}
