/* flow.c: what a browser keeps of a sign-in that it has begun, and where it goes with it. */
#include <errno.h>

#include "base/base64.h"
#include "base/bounds.h"
#include "base/err.h"
#include "base/random.h"
#include "oidc/id_token.h"
#include "oidc/inside.h"

enum {
    RANDOM_BYTES = 32,    /* of each: 43 characters, which is the least of a verifier (RFC 7636 4.1) */
    COOKIE_BYTES = 3500,  /* browsers keep 4 KiB with its name */
    TEXT_BYTES = 1500,    /* of next and of invite */
};

#define PLACE STR("oidc flow")

static struct str random_text(struct arena *a)
{
    uint8_t bytes[RANDOM_BYTES];
    struct str text = STR_NONE;
    struct buf out;

    random_bytes(bytes, sizeof(bytes));
    buf_init(&out, 2 * RANDOM_BYTES);
    base64url_put(&out, bytes, sizeof(bytes));
    if (buf_finish(&out) == 0)
        text = arena_str(a, buf_str(&out));
    buf_done(&out);
    return text;
}

static int print(struct arena *a, const struct oidc_flow *flow, struct str *ret)
{
    _cleanup_json_ struct json_object *o = json_new_object();
    struct buf text;
    int r;

    json_set_str(o, "state", flow->state);
    json_set_str(o, "nonce", flow->nonce);
    json_set_str(o, "verifier", flow->verifier);
    json_set_str(o, "next", flow->next);
    json_set_str(o, "invite", flow->invite);
    json_set_i64(o, "link", flow->link_user);
    json_set_i64(o, "until", flow->until_s);
    buf_init(&text, COOKIE_BYTES);
    r = json_print(o, &text);
    if (r == 0)
        *ret = arena_str(a, buf_str(&text));
    buf_done(&text);
    return r < 0 ? r : ret->p ? 0 : -ENOMEM;
}

static int seal(const struct oidc *o, struct arena *a, struct str plain, struct str *ret)
{
    struct str sealed = secret_seal(a, o->seal_key, PLACE, plain);
    struct buf text;
    int r;

    if (!sealed.p)
        return -ENOMEM;
    buf_init(&text, KIB(8));
    base64url_put(&text, sealed.p, sealed.n);
    r = buf_finish(&text);
    if (r == 0)
        *ret = arena_str(a, buf_str(&text));
    buf_done(&text);
    return r < 0 ? r : ret->p ? 0 : -ENOMEM;
}

int oidc_begin(const struct oidc *o, struct arena *a, int64_t now_s, struct oidc_flow *flow,
               struct str *ret_cookie)
{
    struct str plain;
    int r;

    flow->state = random_text(a);
    flow->nonce = random_text(a);
    flow->verifier = random_text(a);
    flow->until_s = now_s + OIDC_FLOW_S;
    if (flow->next.n > TEXT_BYTES)
        flow->next = STR("");
    if (flow->invite.n > TEXT_BYTES)
        flow->invite = STR("");
    if (!flow->state.p || !flow->nonce.p || !flow->verifier.p)
        return err_origin(-ENOMEM);
    r = print(a, flow, &plain);
    if (r == 0)
        r = seal(o, a, plain, ret_cookie);
    return r < 0 ? err_origin(r) : 0;
}

static int unseal(const struct oidc *o, struct arena *a, struct str cookie, struct str *ret)
{
    struct buf sealed;
    int r = SECRET_E_FORGED;

    buf_init(&sealed, KIB(8));
    if (base64url_read(cookie, &sealed) && sealed.n)
        r = secret_open(a, o->seal_key, PLACE, buf_str(&sealed), ret);
    buf_done(&sealed);
    return r;
}

int oidc_open_cookie(const struct oidc *o, struct arena *a, struct str cookie, int64_t now_s,
                     struct oidc_flow *ret, bool *ret_good)
{
    struct json_object *flow = NULL;
    struct str plain = STR_NONE;
    int r;

    *ret_good = false;
    if (!cookie.n || cookie.n > KIB(8))
        return 0;
    r = unseal(o, a, cookie, &plain);
    if (r == 0)
        r = json_parse_object(a, plain, &flow);
    if (r < 0)
        return err_trace(r);
    if (!flow)
        return 0;
    *ret = (struct oidc_flow){
        .state = id_claim(flow, "state"),
        .nonce = id_claim(flow, "nonce"),
        .verifier = id_claim(flow, "verifier"),
        .next = id_claim(flow, "next"),
        .invite = id_claim(flow, "invite"),
        .link_user = json_i64(json_get(flow, "link")),
        .until_s = json_i64(json_get(flow, "until")),
    };
    *ret_good = ret->until_s >= now_s;
    return 0;
}

static struct str challenge_of(struct arena *a, struct str verifier)
{
    struct digest digest = digest_sha256(verifier);
    struct str text = STR_NONE;
    struct buf out;

    buf_init(&out, 2 * sizeof(digest.b));
    base64url_put(&out, digest.b, sizeof(digest.b));
    if (buf_finish(&out) == 0)
        text = arena_str(a, buf_str(&out));
    buf_done(&out);
    return text;
}

static int finish_url(struct arena *a, struct buf *url, struct str *ret)
{
    int r = buf_finish(url);

    if (r == 0)
        *ret = arena_str(a, buf_str(url));
    buf_done(url);
    return r < 0 ? err_origin(r) : ret->p ? 0 : err_origin(-ENOMEM);
}

/* An endpoint may have a query of its own (RFC 6749 3.1). */
static char sign_of(struct str endpoint)
{
    return str_find(endpoint, '?') < 0 ? '?' : '&';
}

int oidc_url(struct oidc *o, struct arena *a, const struct oidc_flow *flow, struct str *ret,
             struct oidc_detail *detail)
{
    struct oidc_endpoints at;
    struct buf url;
    int r = oidc_endpoints_get(o, a, &at, detail);

    if (r != OIDC_OK)
        return r < 0 ? err_trace(r) : r;
    buf_init(&url, 2 * OIDC_URL_BYTES);
    buf_put_str(&url, at.authorization);
    oidc_put(&url, a, sign_of(at.authorization), "response_type", STR("code"));
    oidc_put(&url, a, '&', "client_id", o->client_id);
    oidc_put(&url, a, '&', "redirect_uri", o->redirect_url);
    oidc_put(&url, a, '&', "scope", o->scopes);
    oidc_put(&url, a, '&', "state", flow->state);
    oidc_put(&url, a, '&', "nonce", flow->nonce);
    oidc_put(&url, a, '&', "code_challenge", challenge_of(a, flow->verifier));
    oidc_put(&url, a, '&', "code_challenge_method", STR("S256"));
    if (flow->fresh)
        oidc_put(&url, a, '&', "prompt", STR("login"));
    return finish_url(a, &url, ret);
}

int oidc_sign_out_url(struct oidc *o, struct arena *a, struct str path, struct str *ret)
{
    struct oidc_endpoints at;
    struct oidc_detail detail;
    struct str back;
    struct buf url;
    int r = oidc_endpoints_get(o, a, &at, &detail);

    *ret = STR_NONE;
    if (r < 0)
        return err_trace(r);
    if (r > 0 || !at.end_session.p)
        return 0;
    back = arena_strf(a, "%.*s%.*s", STR_FMT(o->own_url), STR_FMT(path));
    if (!back.p)
        return err_origin(-ENOMEM);
    buf_init(&url, 2 * OIDC_URL_BYTES);
    buf_put_str(&url, at.end_session);
    oidc_put(&url, a, sign_of(at.end_session), "client_id", o->client_id);
    oidc_put(&url, a, '&', "post_logout_redirect_uri", back);
    return finish_url(a, &url, ret);
}
