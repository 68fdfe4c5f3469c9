/* exchange.c: what is asked of the provider for one sign-in: tokens for the code (Core 3.1.3), and claims that the
 * ID token lacks (Core 5.3). */
#include <errno.h>
#include <stdio.h>

#include "base/base64.h"
#include "base/err.h"
#include "http/percent.h"
#include "oidc/id_token.h"
#include "oidc/inside.h"

void oidc_put(struct buf *out, struct arena *a, char sign, const char *name, struct str value)
{
    struct str encoded = percent_encode(a, value);

    if (!encoded.p && value.n) {
        out->err = out->err ? out->err : -ENOMEM;
        return;
    }
    if (sign)
        buf_putc(out, sign);
    buf_printf(out, "%s=%.*s", name, STR_FMT(encoded));
}

/* "Basic ...", of the two parts encoded as in forms (RFC 6749 2.3.1). */
static int basic(const struct oidc *o, struct arena *a, struct str *ret)
{
    struct str id = percent_encode(a, o->client_id), secret = percent_encode(a, o->client_secret.bytes_);
    struct buf pair, text;
    int r;

    if (!id.p || !secret.p)
        return err_origin(-ENOMEM);
    buf_init(&pair, OIDC_URL_BYTES);
    buf_init(&text, 2 * OIDC_URL_BYTES);
    buf_printf(&pair, "%.*s:%.*s", STR_FMT(id), STR_FMT(secret));
    buf_puts(&text, "Basic ");
    base64_put(&text, pair.p, pair.n);
    r = buf_finish(&pair) ? buf_finish(&pair) : buf_finish(&text);
    if (r == 0)
        *ret = arena_str(a, buf_str(&text));
    if (pair.p)
        secret_wipe(pair.p, pair.n);
    if (text.p)
        secret_wipe(text.p, text.n);
    buf_done(&pair);
    buf_done(&text);
    return r == 0 && ret->p ? 0 : err_origin(r ? r : -ENOMEM);
}

static int form_of(const struct oidc *o, struct arena *a, const struct oidc_endpoints *at,
                   const struct oidc_flow *flow, struct str code, struct str *ret)
{
    bool public_client = !o->client_secret.bytes_.p;
    struct buf form;
    int r;

    buf_init(&form, 2 * OIDC_URL_BYTES);
    oidc_put(&form, a, 0, "grant_type", STR("authorization_code"));
    oidc_put(&form, a, '&', "code", code);
    oidc_put(&form, a, '&', "redirect_uri", o->redirect_url);
    oidc_put(&form, a, '&', "code_verifier", flow->verifier);
    if (public_client || at->by_form)
        oidc_put(&form, a, '&', "client_id", o->client_id);
    if (!public_client && at->by_form)
        oidc_put(&form, a, '&', "client_secret", o->client_secret.bytes_);
    r = buf_finish(&form);
    if (r == 0)
        *ret = arena_str(a, buf_str(&form));
    if (form.p)
        secret_wipe(form.p, form.n);
    buf_done(&form);
    return r == 0 && ret->p ? 0 : err_origin(r ? r : -ENOMEM);
}

/* The error codes of RFC 6749 5.2: what is wrong with us, or with the code. */
static int refusal(int status, const struct json_object *answer, struct oidc_detail *detail)
{
    static const char *const ours[] = {"invalid_client", "unauthorized_client", "unsupported_grant_type",
                                       "invalid_request"};
    struct str error = answer ? id_claim(answer, "error") : STR_NONE;

    snprintf(detail->text, sizeof(detail->text), "token_status_%d", status);
    if (status >= 500)
        return OIDC_E_AWAY;
    for (size_t i = 0; i < ARRAY_LEN(ours); i++)
        if (error.p && str_eq_c(error, ours[i])) {
            oidc_detail_set(detail, ours[i]);
            return OIDC_E_SETUP;
        }
    return status == 401 || status == 404 || status == 405 ? OIDC_E_SETUP : OIDC_E_REFUSED;
}

int oidc_exchange(const struct oidc *o, struct arena *a, const struct oidc_endpoints *at,
                  const struct oidc_flow *flow, struct str code, struct oidc_tokens *ret,
                  struct oidc_detail *detail)
{
    struct oidc_ask ask = {.url = at->token, .reply_max = OIDC_ANSWER_BYTES};
    struct json_object *answer = NULL;
    struct str body;
    int status = 0;
    int r = form_of(o, a, at, flow, code, &ask.form);

    if (r == 0 && o->client_secret.bytes_.p && !at->by_form)
        r = basic(o, a, &ask.authorization);
    if (r == 0)
        r = oidc_fetch(a, &ask, &status, &body, detail);
    if (r == OIDC_OK)
        r = json_parse_object(a, body, &answer);
    if (r != OIDC_OK)
        return r < 0 ? err_trace(r) : r;
    if (status != 200)
        return refusal(status, answer, detail);
    *ret = (struct oidc_tokens){answer ? id_claim(answer, "id_token") : STR_NONE,
                                answer ? id_claim(answer, "access_token") : STR_NONE};
    if (ret->id_token.n)
        return OIDC_OK;
    oidc_detail_set(detail, "no_id_token");
    return OIDC_E_TOKEN;
}

/* Claims of another subject would be those of another person (Core 5.3.2). */
int oidc_userinfo(struct arena *a, const struct oidc_endpoints *at, struct str access_token,
                  struct str subject, struct json_object **ret)
{
    struct oidc_ask ask = {.url = at->userinfo, .reply_max = OIDC_ANSWER_BYTES};
    struct oidc_detail detail;
    struct str body = STR_NONE;
    int status = 0, r;

    *ret = NULL;
    if (!at->userinfo.p || !access_token.n)
        return 0;
    ask.authorization = arena_strf(a, "Bearer %.*s", STR_FMT(access_token));
    r = ask.authorization.p ? oidc_fetch(a, &ask, &status, &body, &detail) : err_origin(-ENOMEM);
    if (r == OIDC_OK && status == 200)
        r = json_parse_object(a, body, ret);
    if (r < 0)
        return err_trace(r);
    if (*ret && !str_eq(id_claim(*ret, "sub"), subject))
        *ret = NULL;
    return 0;
}
