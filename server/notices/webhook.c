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
        .team = team,
        .action = action,
        .kind = team.v ? "team" : "installation",
        .object_id = team.v ? team.v : 1};
    struct json_writer w;
    struct buf text;
    int r;

    buf_init(&text, WEBHOOK_EVENT_BYTES);
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

static void write_alarm(struct json_writer *w, struct arena *a, const struct alarm *v)
{
    const struct {
        const char *key;
        struct str text;
    } texts[] = {{"kind", v->kind},
                 {"subject", v->subject},
                 {"name", v->name},
                 {"title", alarm_title(a, v)},
                 {"detail", v->detail}};
    char at[CLOCK_RFC3339_SIZE];

    json_key(w, "id");
    json_int(w, v->id);
    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        json_key(w, texts[i].key);
        json_str(w, texts[i].text);
    }
    json_key(w, "raised_at");
    clock_rfc3339(v->raised_at_us, at);
    json_cstr(w, at);
    if (v->ended_at_us) {
        json_key(w, "ended_at");
        clock_rfc3339(v->ended_at_us, at);
        json_cstr(w, at);
    }
}

void webhook_event_put(const struct webhook_event *e, struct arena *a, struct buf *out)
{
    char at[CLOCK_RFC3339_SIZE];
    struct json_writer w;

    clock_rfc3339(clock_wall_us(), at);
    json_begin(&w, out);
    json_open_object(&w);
    json_key(&w, "id");
    json_cstr(&w, e->tag);
    json_key(&w, "type");
    json_cstr(&w, e->alert ? "alert.raised" : e->alarm ? alarm_event(e->alarm) : "test");
    json_key(&w, "created_at");
    json_cstr(&w, at);
    json_key(&w, "team_id");
    if (e->team.v)
        json_int(&w, e->team.v);
    else
        json_null(&w);
    json_key(&w, "data");
    json_open_object(&w);
    if (e->alert)
        write_alert(&w, e->alert);
    if (e->alarm)
        write_alarm(&w, a, e->alarm);
    json_close_object(&w);
    json_close_object(&w);
}

static int add_event(struct db *db, struct arena *a, const struct notices *n,
                     struct webhook_event *e)
{
    struct outbox_item item = {.team = e->team,
                               .channel = OUTBOX_WEBHOOK,
                               .kind = e->alert || e->alarm ? "alert" : "test",
                               .subject = e->alert   ? alert_title(a, e->alert)
                                          : e->alarm ? alarm_title(a, e->alarm)
                                                     : STR("Test of the webhook"),
                               .useless_after_s = DAY_S};
    struct buf text;
    int r = webhook_read(db, a, e->team, &item.recipient);

    if (r)
        return r;
    outbox_tag(item.tag);
    e->tag = item.tag;
    buf_init(&text, WEBHOOK_EVENT_BYTES);
    webhook_event_put(e, a, &text);
    return outbox_add_text(db, a, n, &item, &text);
}

int webhook_test(struct db *db, struct arena *a, const struct notices *n, struct team_id team)
{
    return add_event(db, a, n, &(struct webhook_event){.team = team});
}

int webhook_tell(struct db *db, struct arena *a, const struct notices *n, const struct alert *v)
{
    int r = add_event(db, a, n, &(struct webhook_event){.team = v->team, .alert = v});

    return r == IDENTITY_E_NONE ? 0 : r;
}

int webhook_tell_alarm(struct db *db, struct arena *a, const struct notices *n,
                       const struct alarm *v)
{
    int r = add_event(db, a, n, &(struct webhook_event){.alarm = v});

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

int webhook_open(struct db *db, struct arena *a, const struct notices *n, struct team_id team,
                 struct webhook_target *ret)
{
    struct str url, sealed, place = secret_place(a, team);
    int r = place.p ? webhook_find(db, a, team, &url, &sealed) : err_origin(-ENOMEM);

    if (r == DB_E_NONE)
        return WEBHOOK_OPEN_E_NONE;
    if (r)
        return err_trace(db_fatal(r));
    ret->url = url;
    r = secret_open(a, n->seal_key, place, sealed, &ret->secret);
    if (r == SECRET_E_FORGED)
        return WEBHOOK_OPEN_E_FORGED;
    return r ? err_trace(r) : 0;
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

int webhook_request(struct arena *a, const struct notices *n, const struct webhook_target *target,
                    struct str body, struct webhook_try *ret)
{
    ret->headers[0] = (struct fetch_header){"content-type", STR("application/json")};
    ret->headers[1] = (struct fetch_header){
        "x-tollgate-signature",
        webhook_signature(a, target->secret, clock_wall_us() / 1000000, body)};
    ret->request = (struct fetch_request){.method = "POST",
                                          .url = arena_cstr(a, target->url),
                                          .headers = ret->headers,
                                          .header_count = ARRAY_LEN(ret->headers),
                                          .body = body,
                                          .network = network_of(n),
                                          .connect_timeout_ms = CONNECT_MS,
                                          .first_byte_timeout_ms = ANSWER_MS,
                                          .idle_timeout_ms = ANSWER_MS,
                                          .total_timeout_ms = ANSWER_MS,
                                          .reply_max = REPLY_BYTES};
    return ret->request.url && ret->headers[1].value.p ? 0 : err_origin(-ENOMEM);
}

struct opening {
    struct arena *a;
    const struct notices *n;
    struct team_id team;
    struct webhook_target target;
};

static int open_tx(struct db *db, void *ctx)
{
    struct opening *o = ctx;

    return webhook_open(db, o->a, o->n, o->team, &o->target);
}

int webhook_prepare(struct db *db, struct arena *a, const struct notices *n,
                    const struct outbox_taken *t, struct webhook_try *ret, struct str *ret_said)
{
    struct opening o = {.a = a, .n = n, .team = t->team};
    int r = identity_tx(db, DB_SYSTEM, "webhook_open", open_tx, &o);

    if (r == WEBHOOK_OPEN_E_NONE || (r == 0 && !str_eq(o.target.url, t->recipient))) {
        *ret_said = STR("the webhook was changed meanwhile");
        return WEBHOOK_E_NEVER;
    }
    if (r == WEBHOOK_OPEN_E_FORGED) {
        *ret_said = STR(WEBHOOK_FORGED);
        return WEBHOOK_E_NEVER;
    }
    return r ? err_trace(db_fatal(r)) : webhook_request(a, n, &o.target, t->text, ret);
}

int webhook_post(struct arena *a, const struct notices *n, const struct webhook_target *target,
                 struct str body, struct str *ret_said)
{
    enum fetch_fault fault = FETCH_E_CONNECT;
    struct webhook_try try;
    struct buf answer;
    int status = 0;
    int r = webhook_request(a, n, target, body, &try);

    if (r)
        return r;
    buf_init(&answer, REPLY_BYTES);
    r = fetch_blocking(&try.request, &status, &answer, &fault);
    buf_done(&answer);
    if (r < 0)
        return err_trace(r);
    *ret_said = STR(WEBHOOK_UNREACHABLE);
    return r ? WEBHOOK_E_NEVER : webhook_answered(a, status, fault, ret_said);
}
