/* oidc.c: see oidc.h. Settings, and the way from an answer to a person. */
#include <errno.h>
#include <stdio.h>

#include "base/bounds.h"
#include "base/err.h"
#include "fetch/guard.h"
#include "oidc/id_token.h"
#include "oidc/inside.h"

enum { SECRET_BYTES = 1024, ARENA_BYTES = 64 * 1024, NAME_BYTES = 40 };

/* --- settings --- */

/* http is for a provider on this machine: whoever reads along would be anybody else's. */
static bool is_here(struct str url)
{
    static const char *const hosts[] = {"127.0.0.1", "localhost", "[::1]"};

    if (!str_starts(url, STR("http://")))
        return false;
    url = str_n(url.p + 7, url.n - 7);
    for (size_t i = 0; i < ARRAY_LEN(hosts); i++) {
        struct str host = str_c(hosts[i]);

        if (str_starts(url, host) && (url.n == host.n || url.p[host.n] == ':' || url.p[host.n] == '/'))
            return true;
    }
    return false;
}

static bool has_word(struct str list, const char *word)
{
    struct str part;

    while (list.p && str_split(&list, ' ', &part))
        if (str_eq_c(part, word))
            return true;
    return false;
}

const char *oidc_wrong(const struct oidc_settings *s)
{
    if (!s->issuer.n)
        return s->client_id.n || s->secret_file[0] ? "OIDC_ISSUER: set it with OIDC_CLIENT_ID" : NULL;
    if (!str_starts(s->issuer, STR("https://")) && !is_here(s->issuer))
        return "OIDC_ISSUER: must begin with https:// (http:// on this machine only)";
    if (guard_url(GUARD_PRIVATE, s->issuer) != GUARD_OK || str_find(s->issuer, '?') >= 0)
        return "OIDC_ISSUER: is no URL of an issuer, such as https://accounts.google.com";
    if (!s->client_id.n)
        return "OIDC_CLIENT_ID: set it with OIDC_ISSUER";
    if (!has_word(s->scopes, "openid"))
        return "OIDC_SCOPES: openid has to be one of them";
    if (s->name.n > NAME_BYTES)
        return "OIDC_NAME: 40 characters at most, since it stands on a button";
    return s->operator_group.n && !s->groups_claim.n ? "OIDC_GROUPS_CLAIM: set it with OIDC_OPERATOR_GROUP"
                                                     : NULL;
}

/* One line. */
static int read_secret(struct arena *a, const char *path, struct secret *ret)
{
    char text[SECRET_BYTES];
    FILE *f = fopen(path, "re");
    size_t n = f ? fread(text, 1, sizeof(text), f) : 0;
    struct str line = str_n(text, str_line_end(str_n(text, n), 0));
    bool good = line.n && line.n < sizeof(text) && !memchr(line.p, '\0', line.n);

    if (f)
        (void)fclose(f);
    if (good)
        ret->bytes_ = arena_str(a, line);
    secret_wipe(text, sizeof(text));
    return !good ? OIDC_NEW_E_SECRET : ret->bytes_.p ? 0 : err_origin(-ENOMEM);
}

static int copy_all(struct oidc *o, const struct oidc_settings *s)
{
    const struct {
        struct str *to, from;
    } texts[] = {
        {&o->issuer, s->issuer}, {&o->client_id, s->client_id}, {&o->name, s->name},
        {&o->scopes, s->scopes}, {&o->groups_claim, s->groups_claim}, {&o->operator_group, s->operator_group},
        {&o->domains, s->domains}, {&o->own_url, s->own_url},
    };

    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        *texts[i].to = arena_str(o->arena, texts[i].from);
        if (!texts[i].to->p)
            return err_origin(-ENOMEM);
    }
    o->discovery_url = arena_strf(o->arena, "%.*s%s.well-known/openid-configuration", STR_FMT(o->issuer),
                                  str_ends(o->issuer, STR("/")) ? "" : "/");
    o->redirect_url = arena_strf(o->arena, "%.*s%.*s", STR_FMT(s->own_url), STR_FMT(s->callback));
    return o->discovery_url.p && o->redirect_url.p ? 0 : err_origin(-ENOMEM);
}

int oidc_new(const struct oidc_settings *settings, const uint8_t seal_key[32], struct oidc **ret)
{
    struct arena *a;
    struct oidc *o;
    int r;

    *ret = NULL;
    if (!settings->issuer.n)
        return 0;
    a = arena_new(ARENA_BYTES);
    o = a ? arena_new0(a, struct oidc) : NULL;
    if (!o) {
        arena_free(a);
        return err_origin(-ENOMEM);
    }
    o->arena = a;
    o->emails_trusted = settings->emails_trusted;
    o->plain = is_here(settings->issuer);
    memcpy(o->seal_key, seal_key, sizeof(o->seal_key));
    pthread_mutex_init(&o->lock, NULL);
    r = copy_all(o, settings);
    if (r == 0 && settings->secret_file[0])
        r = read_secret(a, settings->secret_file, &o->client_secret);
    if (r != 0) {
        oidc_free(o);
        return r < 0 ? err_trace(r) : r;
    }
    *ret = o;
    return 0;
}

void oidc_free(struct oidc *o)
{
    if (!o)
        return;
    if (o->client_secret.bytes_.p)
        secret_wipe((void *)(uintptr_t)o->client_secret.bytes_.p, o->client_secret.bytes_.n);
    secret_wipe(o->seal_key, sizeof(o->seal_key));
    free(o->discovery.text);
    free(o->keys.text);
    pthread_mutex_destroy(&o->lock);
    arena_free(o->arena);
}

struct str oidc_name(const struct oidc *o)
{
    return o->name;
}

bool oidc_names_operators(const struct oidc *o)
{
    return o->operator_group.n > 0;
}

/* --- the way back --- */

/* The answer is of the sign-in that this browser began, and of the provider that it was sent to. */
static int check_answer(const struct oidc_endpoints *at, const struct oidc_answer *answer,
                        struct oidc_detail *detail)
{
    if (answer->iss.p ? !str_eq(answer->iss, at->issuer) : at->names_issuer) {
        oidc_detail_set(detail, "answer_issuer");
        return OIDC_E_TOKEN;
    }
    if (answer->error.p) {
        bool told = answer->error.n < sizeof(detail->text) && str_is_token(answer->error);

        snprintf(detail->text, sizeof(detail->text), "%.*s", STR_FMT(told ? answer->error : STR("error")));
        return str_eq_c(answer->error, "access_denied") ? OIDC_E_DENIED : OIDC_E_REFUSED;
    }
    if (answer->code.n)
        return OIDC_OK;
    oidc_detail_set(detail, "no_code");
    return OIDC_E_REFUSED;
}

/* A key that is not among those that are kept may be a new one. */
static int read_token(struct oidc *o, struct arena *a, const struct oidc_endpoints *at, struct str token,
                      const struct id_token_rules *rules, struct id_token *ret, struct oidc_detail *detail)
{
    struct json_object *keys;
    int r = oidc_keys_get(o, a, at->keys, false, &keys, detail), t;

    if (r != OIDC_OK)
        return r;
    t = id_token_read(a, token, keys, rules, ret);
    if (t == ID_TOKEN_E_KEY || t == ID_TOKEN_E_SIGNATURE) {
        r = oidc_keys_get(o, a, at->keys, true, &keys, detail);
        if (r != OIDC_OK)
            return r;
        t = id_token_read(a, token, keys, rules, ret);
    }
    if (t <= 0)
        return t;
    oidc_detail_set(detail, id_token_outcome_name(t));
    return t == ID_TOKEN_E_EXPIRED || t == ID_TOKEN_E_EARLY ? OIDC_E_CLOCK : OIDC_E_TOKEN;
}

/* Is the e-mail's domain one of the list? */
static bool domain_allowed(struct str domains, struct str email)
{
    struct str part, domain = email;

    while (str_find(domain, '@') >= 0)
        (void)str_split(&domain, '@', &part);
    while (domains.p && str_split(&domains, ',', &part))
        if (str_trim(part).n && str_ieq(str_trim(part), domain))
            return true;
    return false;
}

static struct str either(const struct json_object *claims, const struct json_object *more, const char *name)
{
    struct str text = id_claim(claims, name);

    return text.n || !more ? text : id_claim(more, name);
}

/* The e-mail and what vouches for it come from one place. */
static int take_email(const struct oidc *o, const struct json_object *claims,
                      const struct json_object *more, struct oidc_person *ret)
{
    const struct json_object *from = id_claim(claims, "email").n || !more ? claims : more;
    struct str email = id_claim(from, "email");

    if (!email.n)
        ret->email_outcome = OIDC_E_NO_EMAIL;
    else if (!o->emails_trusted && !id_claim_true(from, "email_verified"))
        ret->email_outcome = OIDC_E_UNVERIFIED;
    else
        ret->email = email;
    if (!str_trim(o->domains).n)
        return OIDC_OK;
    if (!ret->email.p)
        return (int)ret->email_outcome;
    return domain_allowed(o->domains, email) ? OIDC_OK : OIDC_E_DOMAIN;
}

static int take_person(const struct oidc *o, struct arena *a, const struct oidc_endpoints *at,
                       const struct oidc_tokens *tokens, const struct id_token *token,
                       struct oidc_person *ret)
{
    const char *groups = (const char *)o->groups_claim.p;
    struct json_object *more = NULL;
    bool wants_groups = o->operator_group.n && !json_has(token->claims, groups);
    int r = 0;

    if (!id_claim(token->claims, "email").n || wants_groups)
        r = oidc_userinfo(a, at, tokens->access_token, token->subject, &more);
    if (r < 0)
        return err_trace(r);
    *ret = (struct oidc_person){.issuer = at->issuer, .subject = token->subject};
    ret->name = either(token->claims, more, "name");
    if (!ret->name.n)
        ret->name = either(token->claims, more, "preferred_username");
    if (o->operator_group.n)
        ret->in_operator_group = id_claim_has(token->claims, groups, o->operator_group) ||
                                 (more && id_claim_has(more, groups, o->operator_group));
    return take_email(o, token->claims, more, ret);
}

int oidc_finish(struct oidc *o, struct arena *a, const struct oidc_flow *flow, const struct oidc_answer *answer,
                int64_t now_s, struct oidc_person *ret, struct oidc_detail *detail)
{
    struct oidc_endpoints at;
    struct oidc_tokens tokens;
    struct id_token token;
    int r;

    detail->text[0] = '\0';
    if (!answer->state.n || !str_eq(answer->state, flow->state)) {
        oidc_detail_set(detail, "state");
        return OIDC_E_STATE;
    }
    r = oidc_endpoints_get(o, a, &at, detail);
    if (r == OIDC_OK)
        r = check_answer(&at, answer, detail);
    if (r == OIDC_OK)
        r = oidc_exchange(o, a, &at, flow, answer->code, &tokens, detail);
    if (r == OIDC_OK) {
        const struct id_token_rules rules = {at.issuer, o->client_id, flow->nonce, now_s};

        r = read_token(o, a, &at, tokens.id_token, &rules, &token, detail);
    }
    if (r == OIDC_OK)
        r = take_person(o, a, &at, &tokens, &token, ret);
    return r < 0 ? err_trace(r) : r;
}
