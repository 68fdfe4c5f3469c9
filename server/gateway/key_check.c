/* key_check.c: see key_check.h. */
#include "gateway/key_check.h"

#include "base/secret.h"
#include "gateway/key_cache.h"

static struct str bearer(const struct request *r)
{
    const struct str scheme = STR("Bearer ");
    struct str value = request_header(r, "authorization");

    if (!value.p || value.n < scheme.n || !str_ieq(str_n(value.p, scheme.n), scheme))
        return STR_NONE;
    return str_trim(str_n(value.p + scheme.n, value.n - scheme.n));
}

/* Where clients put their key, by the provider whose API they were made for: OpenAI and Anthropic,
 * Anthropic until 2026, Google, Azure; and Google's in the query. An empty one counts as none. */
static bool take_token(struct str found, struct str *token)
{
    if (!found.n)
        return true;
    if (token->n && !str_eq(found, *token))
        return false;
    *token = found;
    return true;
}

static enum problem_code find_token(struct request *r, struct str *ret)
{
    static const char *const headers[] = {"x-api-key", "x-goog-api-key", "api-key"};
    struct str token = bearer(r);
    bool one = true;

    for (size_t i = 0; i < ARRAY_LEN(headers); i++)
        one = one && take_token(str_trim(request_header(r, headers[i])), &token);
    if (r->query.n)
        one = one && take_token(request_query(r, "key"), &token);
    *ret = token;
    return !one ? PROBLEM_TWO_KEYS : token.n ? PROBLEM_NONE : PROBLEM_NO_KEY;
}

enum problem_code key_check_token(struct request *r, const uint8_t pepper[32],
                                  struct digest *ret)
{
    struct str token;
    enum problem_code code = find_token(r, &token);

    if (code != PROBLEM_NONE)
        return code;
    if (!secret_token_wellformed(token, "tg-"))
        return PROBLEM_BAD_KEY;
    *ret = digest_keyed(pepper, token);
    return PROBLEM_NONE;
}

enum problem_code key_check_policy(const struct key_policy *k, const struct request *r)
{
    if (k->disabled)
        return PROBLEM_KEY_DISABLED;
    if (k->expires_at_us && k->expires_at_us <= r->began_wall_us)
        return PROBLEM_KEY_EXPIRED;
    if (k->team_frozen)
        return PROBLEM_FROZEN;
    if (!key_policy_allows_address(k, r->peer.ip))
        return PROBLEM_ADDRESS_DENIED;
    return PROBLEM_NONE;
}

struct problem key_check_outcome(int outcome)
{
    struct problem p;

    if (outcome == KEYS_E_UNKNOWN)
        return problem_of(PROBLEM_BAD_KEY);
    p = problem_of(outcome == KEYS_E_AWAY ? PROBLEM_LEDGER_AWAY : PROBLEM_BUSY);
    p.retry_after_s = outcome == KEYS_E_AWAY ? 2 : 1;
    return p;
}
