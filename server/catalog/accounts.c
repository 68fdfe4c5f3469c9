/* accounts.c: the credential of a provider account at rest, and what an operator may type. */
#include "catalog/accounts.h"

#include <errno.h>
#include <inttypes.h>

#include "base/bounds.h"
#include "base/err.h"
#include "base/secret.h"
#include "json/scan.h"

/* What the sealed bytes are bound to: moved to another row they do not open. */
static struct str account_ad(struct arena *a, struct account_id id)
{
    return arena_strf(a, "provider_account:%" PRId64, id.v);
}

int account_key_seal(struct arena *a, const uint8_t seal_key[32], struct account_id id,
                     struct str key, struct str *ret)
{
    struct str ad = account_ad(a, id), sealed;

    if (!ad.p)
        return err_origin(-ENOMEM);
    sealed = secret_seal(a, seal_key, ad, key);
    if (!sealed.p)
        return err_origin(-ENOMEM);
    *ret = sealed;
    return 0;
}

int account_key_open(struct arena *a, const uint8_t seal_key[32], struct account_id id,
                     struct str sealed, struct str *ret)
{
    struct str ad = account_ad(a, id);
    int r;

    if (!ad.p)
        return err_origin(-ENOMEM);
    r = secret_open(a, seal_key, ad, sealed, ret);
    return r < 0 ? err_trace(r) : r;
}

struct header_check {
    size_t n;
    bool good;
};

static bool header_member(void *ctx, const char *name, struct json_object *value)
{
    struct header_check *check = ctx;

    check->n++;
    check->good = json_kind(value) == JSON_STRING && check->n <= BOUND_ACCOUNT_HEADERS &&
                  provider_header_allowed(str_c(name), json_text(value));
    return check->good;
}

static int headers_check(struct str text, struct identity_fault *fault)
{
    _cleanup_json_ struct json_object *o = NULL;
    struct header_check check = {.good = true};
    struct json_scan_result scan;
    struct json_fault why;

    if (!text.n)
        return CHANGE_OK;
    if (json_scan(text, NULL, 0, &scan, &why) != JSON_OK || scan.root_kind != JSON_OBJECT ||
        json_parse(text, &o, &why) != JSON_OK)
        return identity_fault_set(fault, "extra_headers", "This is not a JSON object.");
    json_each(o, header_member, &check);
    if (!check.good)
        return identity_fault_set(
            fault, "extra_headers",
            "At most 16 headers, each with a text of ASCII as its value; those that frame or authorize "
            "the request are not allowed.");
    return CHANGE_OK;
}

static int url_check(const struct account_draft *d, const struct provider *p,
                     struct identity_fault *fault)
{
    if (provider_has(p, PROVIDER_DEMO))
        return d->base_url.n
                   ? identity_fault_set(fault, "base_url", "The demo upstream has no address.")
                   : CHANGE_OK;
    if (!d->base_url.n && !p->origin)
        return identity_fault_set(fault, "base_url", "This kind of provider needs a base URL.");
    if (d->base_url.n > 2000)
        return identity_fault_set(fault, "base_url", "The base URL is too long.");
    return CHANGE_OK;
}

/* Both go into host names and paths. */
static bool is_place(struct str s, const char *others)
{
    for (size_t i = 0; i < s.n; i++) {
        char c = s.p[i];

        if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || strchr(others, c)))
            return false;
    }
    return s.n > 0 && s.n <= 100;
}

static int place_check(const struct account_draft *d, const struct provider *p,
                       struct identity_fault *fault)
{
    if (provider_wants_region(p) && !is_place(d->region, "-"))
        return identity_fault_set(fault, "region",
                                  "This kind of provider needs a region, such as us-east-1.");
    if (provider_wants_project(p) && !is_place(d->project, "-.:"))
        return identity_fault_set(fault, "project",
                                  "This kind of provider needs the id of a project.");
    return CHANGE_OK;
}

/* A team's key goes to public addresses, with nothing but the key beside the request. It is no service
 * account: nodes keep tokens of few of those (providers/tokens.h), and ask for them one after another at
 * an address that their file names. */
static int own_check(const struct account_draft *d, const struct provider *p,
                     struct identity_fault *fault)
{
    if (!d->team.v)
        return d->own_only
                   ? identity_fault_set(fault, "own_only", "This is for accounts of a team's own.")
                   : CHANGE_OK;
    if (provider_has(p, PROVIDER_DEMO))
        return identity_fault_set(fault, "kind", "The demo upstream takes no keys.");
    if (p->auth == PROVIDER_AUTH_GOOGLE)
        return identity_fault_set(fault, "kind", "A team's own key is no service account: take one of Google Gemini.");
    if (d->private_network)
        return identity_fault_set(fault, "network", "A team's own account reaches public addresses only.");
    if (d->extra_headers.n)
        return identity_fault_set(fault, "extra_headers", "A team's own account has no extra headers.");
    return CHANGE_OK;
}

int account_draft_check(const struct account_draft *d, const struct provider *p,
                        struct identity_fault *fault)
{
    struct str name = str_trim(d->name);
    int r;

    if (!name.n || name.n > 100 || !str_utf8(name))
        return identity_fault_set(fault, "name", "A name of 1 to 100 characters is needed.");
    if (d->priority < 0 || d->priority > 1000)
        return identity_fault_set(fault, "priority", "The priority is a number from 0 to 1000.");
    if (d->weight < 1 || d->weight > 1000)
        return identity_fault_set(fault, "weight", "The weight is a number from 1 to 1000.");
    if (d->rpm < 0)
        return identity_fault_set(fault, "rpm", "The limit is a whole number above 0, or empty.");
    if (d->tpm < 0)
        return identity_fault_set(fault, "tpm", "The limit is a whole number above 0, or empty.");
    r = own_check(d, p, fault);
    if (r == 0)
        r = url_check(d, p, fault);
    if (r == 0)
        r = place_check(d, p, fault);
    return r ? r : headers_check(d->extra_headers, fault);
}
