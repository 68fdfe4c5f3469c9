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

enum problem_code key_check_token(const struct request *r, const uint8_t pepper[32],
                                  struct digest *ret)
{
    struct str token = bearer(r);

    if (!token.n)
        return PROBLEM_NO_KEY;
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
