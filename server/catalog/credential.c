/* credential.c: see credential.h. */
#include "catalog/credential.h"

#include <errno.h>

#include "base/bounds.h"
#include "base/digest.h"
#include "base/err.h"
#include "json/scan.h"
#include "json/write.h"

enum { KEY_MAX = 4096, FILE_MAX = 16000, SHOWN_FROM = 16 };

/* --- joining --- */

static void member(struct json_writer *w, const char *name, struct str value)
{
    if (!value.n)
        return;
    json_key(w, name);
    json_str(w, value);
}

static int join_aws(struct arena *a, const struct credential_parts *parts, struct str *ret)
{
    struct json_writer w;
    struct str text;
    struct buf out;

    buf_init(&out, 8 * KEY_MAX);
    json_begin(&w, &out);
    json_open_object(&w);
    member(&w, "access_key_id", parts->access_key_id);
    member(&w, "secret_access_key", parts->secret_access_key);
    member(&w, "session_token", parts->session_token);
    member(&w, "api_key", parts->key);
    json_close_object(&w);
    text = buf_finish(&out) == 0 ? arena_str(a, buf_str(&out)) : STR_NONE;
    buf_done(&out);
    if (!text.p)
        return err_origin(-ENOMEM);
    *ret = text;
    return 0;
}

int credential_join(const struct provider *p, struct arena *a,
                    const struct credential_parts *parts, struct str *ret)
{
    bool aws = parts->key.n || parts->access_key_id.n || parts->secret_access_key.n ||
               parts->session_token.n;

    if (p->auth == PROVIDER_AUTH_AWS && aws)
        return join_aws(a, parts, ret);
    *ret = p->auth == PROVIDER_AUTH_AWS      ? STR("")
           : p->auth == PROVIDER_AUTH_GOOGLE ? parts->service_account
                                             : parts->key;
    return 0;
}

/* --- opening --- */

/* A string of the document, in the arena; empty where it is none. < 0: out of memory. */
static int text_of(struct arena *a, struct str doc, const struct json_watch *w, struct str *ret)
{
    struct buf out;
    struct str text = STR("");

    if (w->span.n && w->span.kind == JSON_STRING) {
        buf_init(&out, FILE_MAX);
        if (json_span_text(doc, w->span, &out) == JSON_OK)
            text = arena_str(a, buf_str(&out));
        buf_done(&out);
    }
    if (!text.p)
        return err_origin(-ENOMEM);
    *ret = text;
    return 0;
}

static bool scan(struct str text, struct json_watch *w, size_t n)
{
    struct json_scan_result result;
    struct json_fault fault;

    return json_scan(text, w, n, &result, &fault) == JSON_OK && result.root_kind == JSON_OBJECT;
}

static int open_bearer(struct arena *a, struct str key, struct provider_credential *ret)
{
    ret->bearer = arena_strf(a, "Bearer %.*s", STR_FMT(key));
    return ret->bearer.p ? CREDENTIAL_OK : err_origin(-ENOMEM);
}

static int open_aws(struct arena *a, struct str text, struct provider_credential *ret)
{
    struct json_watch w[] = {{.path = "access_key_id"},
                             {.path = "secret_access_key"},
                             {.path = "session_token"},
                             {.path = "api_key"}};
    struct str part[ARRAY_LEN(w)];
    int r = 0;

    if (!scan(text, w, ARRAY_LEN(w)))
        return CREDENTIAL_E_BAD;
    for (size_t i = 0; r == 0 && i < ARRAY_LEN(w); i++)
        r = text_of(a, text, &w[i], &part[i]);
    if (r < 0)
        return err_trace(r);
    if (!part[0].n)
        return part[3].n ? open_bearer(a, part[3], ret) : CREDENTIAL_E_BAD;
    ret->aws.id = part[0];
    ret->aws.secret = part[1];
    ret->aws.session = part[2];
    return CREDENTIAL_OK;
}

static int open_google(struct arena *a, struct str text, struct provider_credential *ret)
{
    struct json_watch w[] = {{.path = "client_email"},
                             {.path = "private_key_id"},
                             {.path = "private_key"},
                             {.path = "token_uri"}};
    struct google_account *g = &ret->google;
    struct str *into[] = {&g->email, &g->key_id, &g->private_key, &g->token_uri};
    struct digest mark = digest_plain(text);
    int r = 0;

    if (!scan(text, w, ARRAY_LEN(w)))
        return CREDENTIAL_E_BAD;
    for (size_t i = 0; r == 0 && i < ARRAY_LEN(w); i++)
        r = text_of(a, text, &w[i], into[i]);
    if (r < 0)
        return err_trace(r);
    memcpy(&ret->mark, mark.b, sizeof(ret->mark));
    return g->email.n && g->private_key.n && g->token_uri.n ? CREDENTIAL_OK : CREDENTIAL_E_BAD;
}

int credential_open(const struct provider *p, struct arena *a, struct str text,
                    struct provider_credential *ret)
{
    struct provider_credential c = {.bearer = STR_NONE};
    int r = CREDENTIAL_OK;

    if (!text.n || p->auth == PROVIDER_AUTH_NONE)
        r = CREDENTIAL_OK;
    else if (p->auth == PROVIDER_AUTH_AWS)
        r = open_aws(a, text, &c);
    else if (p->auth == PROVIDER_AUTH_GOOGLE)
        r = open_google(a, text, &c);
    else
        r = open_bearer(a, text, &c);
    if (r < 0) {
        provider_credential_wipe(&c);
        return err_trace(r);
    }
    *ret = c;
    return r;
}

struct str credential_last4(const struct provider_credential *c)
{
    struct str shown = c->aws.id.p         ? c->aws.id
                       : c->google.email.p ? c->google.key_id
                                           : c->bearer;
    size_t least = shown.p == c->bearer.p ? SHOWN_FROM + strlen("Bearer ") : SHOWN_FROM;

    return shown.n >= least ? str_n(shown.p + shown.n - 4, 4) : STR("");
}

/* --- checking --- */

static bool is_clean(struct str key)
{
    for (size_t i = 0; i < key.n; i++)
        if (key.p[i] <= ' ' || key.p[i] > '~')
            return false;
    return key.n <= KEY_MAX;
}

static int wants_clean(const char *field, struct str value, struct identity_fault *fault)
{
    return is_clean(value)
               ? IDENTITY_OK
               : identity_fault_set(
                     fault, field,
                     "A credential is one line of plain characters without spaces.");
}

static int check_aws(struct str text, const struct provider_credential *c,
                     struct identity_fault *fault)
{
    struct json_watch w[] = {{.path = "access_key_id"}, {.path = "api_key"},
                             {.path = "secret_access_key"}, {.path = "session_token"}};
    int r;

    if (!scan(text, w, ARRAY_LEN(w)))
        return identity_fault_set(fault, "key", "This is not a credential of AWS.");
    if (w[0].span.n && w[1].span.n)
        return identity_fault_set(fault, "key",
                                  "Give either an API key or an access key, not both.");
    if (!w[0].span.n && (w[2].span.n || w[3].span.n))
        return identity_fault_set(fault, "access_key_id",
                                  "The secret belongs to an access key id: it is missing.");
    if (w[0].span.n && !c->aws.secret.n)
        return identity_fault_set(fault, "secret_access_key",
                                  "The access key id wants its secret access key.");
    r = wants_clean("access_key_id", c->aws.id, fault);
    if (r == 0)
        r = wants_clean("secret_access_key", c->aws.secret, fault);
    return r ? r : wants_clean("session_token", c->aws.session, fault);
}

static bool is_url(struct str s)
{
    return (str_starts(s, STR("https://")) || str_starts(s, STR("http://"))) && is_clean(s) &&
           str_find(s, '"') < 0 && str_find(s, '\\') < 0;
}

static const char *google_fault(struct str text, const struct provider_credential *c)
{
    struct json_watch w[] = {{.path = "type"}, {.path = "client_email"}};

    if (text.n > FILE_MAX)
        return "The file is too large to be a service account’s.";
    if (!scan(text, w, ARRAY_LEN(w)))
        return "This is not the JSON file of a service account.";
    if (!json_span_is(text, w[0].span, "service_account"))
        return "This file is of another type than service_account.";
    if (!c->google.email.n || str_find(c->google.email, '"') >= 0 || !is_clean(c->google.email) ||
        str_find(c->google.email, '\\') >= 0)
        return "The file has no client_email that can be used.";
    if (!is_clean(c->google.key_id) || str_find(c->google.key_id, '"') >= 0 ||
        str_find(c->google.key_id, '\\') >= 0)
        return "The file’s private_key_id cannot be used.";
    if (!is_url(c->google.token_uri))
        return "The file has no token_uri that can be used.";
    return google_key_usable(c->google.private_key)
               ? NULL
               : "The file’s private_key is not an RSA key in PEM form.";
}

static const char *needed(const struct provider *p, const char **ret_field)
{
    *ret_field = p->auth == PROVIDER_AUTH_GOOGLE ? "service_account" : "key";
    return p->auth == PROVIDER_AUTH_GOOGLE
               ? "This provider needs the JSON file of a service account."
           : p->auth == PROVIDER_AUTH_AWS ? "This provider needs an access key or an API key."
                                          : "This provider needs a credential.";
}

static int check_parts(const struct provider *p, struct arena *a, struct str text,
                       struct identity_fault *fault)
{
    struct provider_credential c = {.bearer = STR_NONE};
    const char *wrong;
    int r = credential_open(p, a, text, &c);

    if (r < 0)
        return err_trace(r);
    if (p->auth == PROVIDER_AUTH_AWS) {
        r = check_aws(text, &c, fault);
    } else if (p->auth == PROVIDER_AUTH_GOOGLE) {
        wrong = google_fault(text, &c);
        r = wrong ? identity_fault_set(fault, "service_account", wrong) : IDENTITY_OK;
    } else {
        r = wants_clean("key", text, fault);
    }
    provider_credential_wipe(&c);
    return r;
}

int credential_check(const struct provider *p, struct str text, struct identity_fault *fault)
{
    _cleanup_(arena_freep) struct arena *a = arena_new(KIB(256));
    const char *field, *sentence;

    if (!a)
        return err_origin(-ENOMEM);
    if (text.n)
        return check_parts(p, a, text, fault);
    if (provider_has(p, PROVIDER_KEY_OPTIONAL))
        return IDENTITY_OK;
    sentence = needed(p, &field);
    return identity_fault_set(fault, field, sentence);
}
