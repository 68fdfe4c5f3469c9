/* documents.c: what a provider publishes of itself: where it is asked, and its keys. */
#include <errno.h>
#include <stdio.h>

#include "base/bounds.h"
#include "base/clock.h"
#include "base/err.h"
#include "fetch/fetch.h"
#include "oidc/id_token.h"
#include "oidc/inside.h"

enum {
    KEPT_MS = 3600 * 1000,
    FAILED_MS = 5000,  /* so that many who come at once do not each wait for a provider that is away */
    AGAIN_MS = 30000,  /* for a key that nobody knows: anybody can send a token that names one */
};

void oidc_detail_set(struct oidc_detail *detail, const char *text)
{
    snprintf(detail->text, sizeof(detail->text), "%s", text);
}

static int outcome_of(int r, enum fetch_fault fault, struct oidc_detail *detail)
{
    if (r > 0) {
        oidc_detail_set(detail, r == FETCH_START_E_URL ? "url" : "header");
        return OIDC_E_SETUP;
    }
    if (fault == FETCH_DONE)
        return OIDC_OK;
    oidc_detail_set(detail, fetch_fault_name(fault));
    return fault == FETCH_E_BLOCKED || fault == FETCH_E_TOO_LARGE ? OIDC_E_SETUP : OIDC_E_AWAY;
}

int oidc_fetch(struct arena *a, const struct oidc_ask *ask, int *ret_status, struct str *ret_body,
               struct oidc_detail *detail)
{
    const struct fetch_header headers[] = {
        {"accept", STR("application/json")},
        {ask->form.p ? "content-type" : "authorization",
         ask->form.p ? STR("application/x-www-form-urlencoded") : ask->authorization},
        {"authorization", ask->authorization},
    };
    const struct fetch_request request = {
        .method = ask->form.p ? "POST" : "GET",
        .url = arena_cstr(a, ask->url),
        .headers = headers,
        .header_count = 1 + (ask->form.p != NULL) + (ask->authorization.p != NULL),
        .body = ask->form,
        .network = GUARD_PRIVATE, /* the operator's choice, as are the companies' networks */
        .connect_timeout_ms = OIDC_WAIT_MS,
        .total_timeout_ms = OIDC_WAIT_MS,
        .reply_max = ask->reply_max,
    };
    enum fetch_fault fault = FETCH_E_CONNECT;
    struct buf body;
    int r;

    if (!request.url)
        return err_origin(-ENOMEM);
    buf_init(&body, ask->reply_max);
    r = fetch_blocking(&request, ret_status, &body, &fault);
    if (r >= 0)
        r = outcome_of(r, fault, detail);
    if (r == OIDC_OK) {
        *ret_body = arena_str(a, buf_str(&body));
        r = ret_body->p ? 0 : err_origin(-ENOMEM);
    }
    buf_done(&body);
    return r < 0 ? err_trace(r) : r;
}

/* --- keeping them --- */

static int refresh(struct oidc_document *d, struct arena *a, struct str url, size_t max)
{
    const struct oidc_ask ask = {.url = url, .reply_max = max};
    struct str body = STR_NONE;
    int status = 0;
    int r = oidc_fetch(a, &ask, &status, &body, &d->detail);

    if (r == OIDC_OK && status != 200) {
        snprintf(d->detail.text, sizeof(d->detail.text), "status_%d", status);
        r = status >= 500 || status == 429 ? OIDC_E_AWAY : OIDC_E_SETUP;
    }
    d->tried_ms = clock_mono_ms();
    d->outcome = r;
    if (r != OIDC_OK)
        return r;
    free(d->text);
    d->text = malloc(body.n + 1);
    if (!d->text)
        return err_origin(-ENOMEM);
    memcpy(d->text, body.p, body.n);
    d->n = body.n;
    d->got_ms = d->tried_ms;
    return OIDC_OK;
}

/* A copy of the document. wait_ms: one that is younger is good enough. */
static int get(struct oidc *o, struct oidc_document *d, struct arena *a, struct str url, size_t max, int wait_ms,
               struct str *ret, struct oidc_detail *detail)
{
    int64_t now_ms;
    int r = OIDC_OK;

    pthread_mutex_lock(&o->lock);
    now_ms = clock_mono_ms();
    if (d->tried_ms && d->outcome != OIDC_OK && now_ms - d->tried_ms < FAILED_MS)
        r = d->outcome;
    else if (!d->text || now_ms - d->got_ms >= wait_ms)
        r = refresh(d, a, url, max);
    if (r == OIDC_OK)
        *ret = arena_str(a, str_n(d->text, d->n));
    else if (r > 0)
        *detail = d->detail;
    pthread_mutex_unlock(&o->lock);
    return r == OIDC_OK && !ret->p ? err_origin(-ENOMEM) : r < 0 ? err_trace(r) : r;
}

/* What cannot be used is not kept for an hour: whoever mends it sees it work. */
static void forget(struct oidc *o, struct oidc_document *d, int outcome, const struct oidc_detail *detail)
{
    pthread_mutex_lock(&o->lock);
    free(steal(&d->text));
    d->outcome = outcome;
    d->detail = *detail;
    pthread_mutex_unlock(&o->lock);
}

/* --- reading them --- */

static struct str url_of(const struct json_object *o, const char *name, bool plain)
{
    struct str url = id_claim(o, name);

    return url.n < OIDC_URL_BYTES / 2 && str_is_field(url) &&
                   (str_starts(url, STR("https://")) || (plain && str_starts(url, STR("http://"))))
               ? url
               : STR_NONE;
}

/* Operators write a URL with or without a slash at its end. */
static bool same_issuer(struct str a, struct str b)
{
    if (str_ends(a, STR("/")))
        a.n--;
    if (str_ends(b, STR("/")))
        b.n--;
    return a.n && str_eq(a, b);
}

/* Without a list the secret goes in a header (Discovery 3). */
static bool wants_form(const struct json_object *o)
{
    static const char list[] = "token_endpoint_auth_methods_supported";

    return json_has(o, list) && !id_claim_has(o, list, STR("client_secret_basic")) &&
           id_claim_has(o, list, STR("client_secret_post"));
}

int oidc_endpoints_read(struct arena *a, struct str text, struct str issuer, bool plain,
                        struct oidc_endpoints *ret, struct oidc_detail *detail)
{
    struct json_object *o;
    int r = json_parse_object(a, text, &o);

    if (r < 0)
        return err_trace(r);
    if (!o || !same_issuer(id_claim(o, "issuer"), issuer)) {
        oidc_detail_set(detail, o ? "discovery_issuer" : "discovery_form");
        return OIDC_E_SETUP;
    }
    *ret = (struct oidc_endpoints){
        .issuer = id_claim(o, "issuer"),
        .authorization = url_of(o, "authorization_endpoint", plain),
        .token = url_of(o, "token_endpoint", plain),
        .keys = url_of(o, "jwks_uri", plain),
        .userinfo = url_of(o, "userinfo_endpoint", plain),
        .end_session = url_of(o, "end_session_endpoint", plain),
        .by_form = wants_form(o),
        .names_issuer = json_true(json_get(o, "authorization_response_iss_parameter_supported")),
    };
    if (ret->authorization.p && ret->token.p && ret->keys.p)
        return OIDC_OK;
    oidc_detail_set(detail, "discovery_endpoints");
    return OIDC_E_SETUP;
}

int oidc_endpoints_get(struct oidc *o, struct arena *a, struct oidc_endpoints *ret,
                       struct oidc_detail *detail)
{
    struct str text = STR_NONE;
    int r = get(o, &o->discovery, a, o->discovery_url, OIDC_DISCOVERY_BYTES, KEPT_MS, &text, detail);

    if (r != OIDC_OK)
        return r < 0 ? err_trace(r) : r;
    r = oidc_endpoints_read(a, text, o->issuer, o->plain, ret, detail);
    if (r > 0)
        forget(o, &o->discovery, r, detail);
    return r < 0 ? err_trace(r) : r;
}

int oidc_keys_get(struct oidc *o, struct arena *a, struct str url, bool fresh, struct json_object **ret,
                  struct oidc_detail *detail)
{
    struct str text = STR_NONE;
    int r = get(o, &o->keys, a, url, OIDC_KEYS_BYTES, fresh ? AGAIN_MS : KEPT_MS, &text, detail);

    if (r == OIDC_OK)
        r = json_parse_object(a, text, ret);
    if (r < 0)
        return err_trace(r);
    if (r == OIDC_OK && !*ret) {
        oidc_detail_set(detail, "keys_form");
        r = OIDC_E_SETUP;
        forget(o, &o->keys, r, detail);
    }
    return r;
}
