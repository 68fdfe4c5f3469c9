/* stripe_api.c: see stripe_api.h. The key stands in a header of the request and nowhere else; what is
 * copied for it is wiped. */
#include "payments/stripe_api.h"

#include <errno.h>
#include <stdio.h>

#include "base/bounds.h"
#include "base/err.h"
#include "fetch/fetch.h"
#include "json/value.h"

/* Of the API whose fields stripe_event.c reads; an account may have another one by default. */
#define API_VERSION "2025-03-31.basil"
#define SAID_MAX 200

static const char *const away = "Stripe does not answer. Nothing was charged; try again in a while.";

static struct str word(const struct json_object *error, const char *key)
{
    const struct json_object *v = json_get(error, key);

    return json_kind(v) == JSON_STRING ? json_text(v) : STR("");
}

/* What Stripe says of a key may repeat parts of it. */
static const char *sentence(struct arena *a, int status, const struct json_object *error)
{
    struct str said = word(error, "message");
    size_t n = MIN(said.n, (size_t)SAID_MAX);
    const char *text;

    if (status == 401 || status == 403)
        return "Stripe refuses this installation’s key. Its operator has to look at it.";
    while (n > 0 && n < said.n && ((unsigned char)said.p[n] & 0xc0) == 0x80)
        n--;
    if (n == 0)
        return "Stripe refused. Nothing was charged.";
    text = arena_strf(a, "Stripe refused: %.*s", (int)n, said.p).p;
    return text ? text : "Stripe refused. Nothing was charged.";
}

/* 409 (the same key is at work elsewhere) and 429 are answered before anything is done; any other answer
 * is kept for the key, those of 500 and more, too. A key that came with other fields is spent as well. */
static int judge(struct arena *a, struct stripe_answer *t)
{
    const struct json_object *error = json_get(t->json, "error");

    if (t->status >= 200 && t->status < 300 && t->json)
        return STRIPE_API_OK;
    t->key_spent = t->status >= 500 || str_eq_c(word(error, "type"), "idempotency_error");
    if (t->status >= 400 && t->status < 500 && t->status != 409 && t->status != 429) {
        t->fault = sentence(a, t->status, error);
        return STRIPE_API_E_REFUSED;
    }
    t->fault = away;
    return STRIPE_API_E_UNKNOWN;
}

static int exchange(const struct stripe *s, struct arena *a, const struct stripe_ask *ask,
                    char *bearer, struct stripe_answer *ret)
{
    const struct fetch_header headers[] = {
        {"authorization", str_c(bearer)},
        {"stripe-version", STR(API_VERSION)},
        {"content-type", STR("application/x-www-form-urlencoded")},
        {"idempotency-key", ask->key},
    };
    struct str url = arena_strf(a, "%.*s%s", STR_FMT(s->api_url), ask->path);
    struct fetch_request request = {
        .method = ask->form.p ? "POST" : "GET",
        .url = url.p,
        .headers = headers,
        .header_count = !ask->form.p ? 2 : ask->key.p ? 4 : 3,
        .body = ask->form,
        .network = s->network,
        .connect_timeout_ms = STRIPE_CONNECT_MS,
        .first_byte_timeout_ms = STRIPE_ANSWER_MS,
        .idle_timeout_ms = STRIPE_ANSWER_MS,
        .total_timeout_ms = STRIPE_TOTAL_MS,
        .reply_max = STRIPE_REPLY_BYTES,
    };
    enum fetch_fault fault = FETCH_E_CONNECT;
    struct buf body;
    int r;

    if (!url.p)
        return err_origin(-ENOMEM);
    buf_init(&body, STRIPE_REPLY_BYTES);
    r = fetch_blocking(&request, &ret->status, &body, &fault);
    if (r > 0)
        r = STRIPE_API_E_UNKNOWN; /* STRIPE_API_URL is none that may be fetched */
    else if (r == 0 && fault != FETCH_DONE)
        r = STRIPE_API_E_UNKNOWN;
    else if (r == 0)
        r = json_parse_object(a, buf_str(&body), &ret->json);
    buf_done(&body);
    if (r == STRIPE_API_E_UNKNOWN)
        ret->fault = away;
    return r == 0 ? judge(a, ret) : r;
}

int stripe_api(const struct stripe *s, struct arena *a, const struct stripe_ask *ask,
               struct stripe_answer *ret)
{
    struct stripe_answer t = {.status = 0};
    size_t n = sizeof("Bearer ") + s->key.bytes_.n;
    char *bearer = malloc(n);
    int r;

    if (!bearer)
        return err_origin(-ENOMEM);
    snprintf(bearer, n, "Bearer %.*s", STR_FMT(s->key.bytes_));
    r = exchange(s, a, ask, bearer, &t);
    secret_wipe(bearer, n);
    free(bearer);
    if (r < 0)
        return err_trace(r);
    *ret = t;
    return r;
}
